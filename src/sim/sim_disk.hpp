// SimDisk: the Disk seam in memory, which forgets at a crash what was not synced, as real disks
// may.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/random.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::sim {

/// A write that was cut short keeps or loses whole sectors of this many bytes.
inline constexpr size_t kSectorBytes = 512;

/// One operation on the disk as a fault hook sees it.
struct DiskOperation {
  enum class Kind : uint8_t {
    open,
    read,
    write,
    truncate,
    sync,
    size,
    exists,
    remove,
    rename,
    list,
    make_dirs,
    sync_dir
  };
  uint64_t number = 0;  ///< 1, 2, 3, ... over the life of the disk
  Kind kind = Kind::read;
  std::string_view path;
  uint64_t offset = 0;  ///< of reads and writes; the new size of a truncate
  size_t bytes = 0;
};

/// What a fault hook does to an operation.
enum class DiskFault : uint8_t {
  none,
  io_error,  ///< Code::io; a sync that fails so loses part of its writes for good, and its File
             ///< never syncs again
  full,      ///< Code::exhausted
  power_cut  ///< this operation may be half done, and every later one fails until crash()
};

/// How long operations would take: they do not wait, but add up in take_busy().
struct DiskLatency {
  Duration per_operation{};
  Duration per_sync{};
  Duration per_mebibyte{};
};

/// Files by path below directories that make_dirs() made ("/" and "." are there). What is written
/// is visible at once to every File, but durable only after sync(); creations, renames and removals
/// are durable only after sync_dir(). Directories themselves are durable at once. One thread. Files
/// may outlive the disk; their operations then fail.
class SimDisk final : public Disk {
 public:
  SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;
  ~SimDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, bool create, uint32_t mode) override;
  Result<bool> exists(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Result<std::vector<std::string>> list(const std::string& dir) override;
  Status make_dirs(const std::string& dir, uint32_t mode) override;
  Status sync_dir(const std::string& dir) override;

  /// The machine lost power and is back: each unsynced write is kept, lost or torn at sector
  /// boundaries and each unsynced directory operation kept or lost, by lots from `random`. Open
  /// Files fail from now on. Ends a power_cut.
  void crash(Random& random);
  /// The process died, the machine did not: nothing is lost, but open Files fail from now on and
  /// their locks are gone.
  void detach();

  /// Asked before every operation; empty: no faults.
  void set_fault_hook(Callback<DiskFault(const DiskOperation&)> hook);
  /// Writes that would grow all files together beyond `bytes` fail with Code::exhausted; 0: no
  /// limit.
  void set_capacity(uint64_t bytes);
  void set_latency(DiskLatency latency);
  /// The time that the operations since the last call would have taken. The simulated Worker adds
  /// it to its job.
  Duration take_busy();

  /// Operations so far.
  [[nodiscard]] uint64_t operations() const;
  /// Bytes in all files as seen now.
  [[nodiscard]] uint64_t bytes() const;

 private:
  friend class SimFile;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace drover::sim

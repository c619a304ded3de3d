// A bounded append-only spool on disk: entries under a key, kept until acknowledged. Blocking; used
// from one thread at a time (a Worker's).
//
// Files NNNNNNNNNNNNNNNN.spool, each: 8 bytes "DRVSPL1\n", then entries
//   | length u32 | crc32c u32 | kind u8 | key length u16 | key | bytes |      integers
//   little-endian
// where `length` counts what follows the checksum and the checksum covers `length` and that.
// kind 1: an entry; 2: an acknowledgement of the key (no bytes; a hint, written without haste).
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::tree {

/// Largest entry, key and all.
inline constexpr size_t kMaxSpoolEntry = size_t{16} << 20;

struct SpoolLimits {
  uint64_t bytes = uint64_t{256} << 20;        ///< on disk together
  uint64_t segment_bytes = uint64_t{4} << 20;  ///< a file is closed when it reaches this
};

/// Where a spool lies.
struct SpoolPlace {
  Disk& disk;
  std::string dir;
  SpoolLimits limits;
};
/// With the usual limits; nullptr where `dir` is empty: there is no spool.
std::unique_ptr<SpoolPlace> spool_at(Disk& disk, const std::string& dir);

/// What opening found beside good entries.
struct SpoolFindings {
  uint64_t torn_bytes = 0;  ///< cut off the end of the last file: writes that were never synced
  std::vector<std::string> damaged;  ///< "FILE from byte N on": the rest of it was skipped
};

/// An entry counts as spooled once a sync() after its append() has succeeded. What was synced
/// survives any crash; of what was not, nothing or a part may be found at the next open. An
/// acknowledged entry may be found again after a crash: its reader must bear that.
class Spool {
 public:
  static Result<std::unique_ptr<Spool>> open(Disk& disk, const std::string& dir,
                                             SpoolLimits limits);

  /// Writes one entry; a second one under a key that is held takes the first one's place.
  /// invalid_argument for an empty key or one over 64 KiB, too_large over kMaxSpoolEntry, exhausted
  /// when the byte limit would be passed, otherwise as the disk says; then the next sync() fails if
  /// other entries were lost with this one.
  Status append(std::string_view key, std::string_view bytes);
  /// Makes all appends durable. On failure everything since the last good sync() is gone from the
  /// spool and must be appended again: a disk that failed to sync may have dropped it.
  Status sync();
  /// Lets an entry go; files without live entries are removed. Unknown keys are ignored.
  void acknowledge(std::string_view key);
  /// not_found; corrupt when the disk no longer gives what was written.
  Result<std::string> read(std::string_view key);

  /// Bytes of a live entry with its key on disk; 0 when there is none.
  [[nodiscard]] uint64_t size_of(std::string_view key) const;

  /// Keys of the live entries in the order of their (latest) writing.
  [[nodiscard]] std::vector<std::string> keys() const;
  [[nodiscard]] size_t entries() const { return index_.size(); }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const SpoolFindings& findings() const { return findings_; }

 private:
  struct Segment {
    std::unique_ptr<File> file;  ///< opened when needed
    uint64_t size = 0;
    uint64_t synced = 0;
    size_t live = 0;  ///< entries that the index points to
  };
  struct Position {
    uint64_t segment = 0;
    uint64_t offset = 0;
    uint64_t size = 0;  ///< of the whole entry
  };

  Spool(Disk& disk, std::string dir, SpoolLimits limits)
      : disk_(disk), dir_(std::move(dir)), limits_(limits) {}

  [[nodiscard]] std::string path(uint64_t segment) const;
  Status load(uint64_t number, bool last);
  Result<uint64_t> scan(uint64_t number, std::string_view bytes);
  Status cut(uint64_t number, Segment& segment, uint64_t good, uint64_t found);
  Status begin_segment();
  Status make_durable();
  Status write(std::string_view entry);
  void poison();
  void point(std::string_view key, Position position);
  void unpoint(std::string_view key);
  void reap();

  Disk& disk_;
  std::string dir_;
  SpoolLimits limits_;
  std::map<uint64_t, Segment> segments_;
  std::map<std::string, Position, std::less<>> index_;
  uint64_t current_ = 0;  ///< the segment that is written to; 0: none
  uint64_t next_ = 1;
  uint64_t bytes_ = 0;
  bool dirty_ = false;      ///< entries were appended since the last good sync()
  bool lost_ = false;       ///< and were given up in a failed write that nobody was told of
  bool dir_dirty_ = false;  ///< a file was made that the directory may not remember
  SpoolFindings findings_;
};

}  // namespace drover::tree

// The lease book's journal on disk: what a client was promised survives kill -9 and power cuts.
//
// FOLDER/leases.journal: 8 bytes "DRVLSE1\n", then records, integers little-endian:
//   | length u32 | crc32c u32 | address u32 | state u8 | since i64 | until i64 |
//   | client length u16 | name length u16 | client | name |
// where `length` counts what follows the checksum, the checksum covers `length` and that, and times
// are nanoseconds of Unix time. The latest record of an address holds.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "boot/dhcp/lease_book.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::io {

/// Appends the record of one lease to `out`. Texts beyond 65535 bytes are cut there.
void write_lease(std::string& out, const dhcp::Lease& lease);

/// What is left of a journal's bytes after its first eight.
struct LeasesRead {
  std::vector<dhcp::Lease> leases;  ///< the latest of each address, by address
  uint64_t records = 0;
  uint64_t bad_bytes = 0;  ///< that are no whole record: a torn end, or damage, which is skipped
};
LeasesRead read_leases(std::string_view bytes);

/// A journal whose records become durable in groups: whatever is appended while one group is being
/// synced makes the next, so that a burst of clients costs a few syncs. Writes on a worker; all
/// else on the executor's thread.
class DiskLeaseJournal final : public dhcp::LeaseJournal {
 public:
  /// Reads FOLDER/leases.journal (blocking, at start), writes it anew and takes it for this process
  /// alone: conflict while another has it, unsupported when a newer Drover wrote it. `executor`,
  /// `disk` and the log's sink outlive the journal.
  static Result<std::unique_ptr<DiskLeaseJournal>> open(Executor& executor, Disk& disk,
                                                        const std::string& folder, Log log);

  /// The leases that were found, for LeaseBook::restore().
  [[nodiscard]] const LeasesRead& found() const { return found_; }
  /// Gives all leases as they are now. The journal is written anew from them when it has grown, and
  /// after the disk failed. Must be set before the first append().
  void set_snapshot(Callback<std::vector<dhcp::Lease>()> snapshot) {
    snapshot_ = std::move(snapshot);
  }
  /// Told after each group how many records are safe.
  void on_safe(Callback<void(uint64_t records)> callback) { on_safe_ = std::move(callback); }

  void append(const dhcp::Lease& lease) override;
  /// Starts to make what was appended safe, if that is not under way already.
  void flush();

  /// Records appended, and how many of these are safe.
  [[nodiscard]] uint64_t appended() const { return appended_; }
  [[nodiscard]] uint64_t safe() const { return safe_; }
  /// Why nothing is safe since the last good write; nothing while all is well.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] uint64_t bytes() const { return size_; }

 private:
  DiskLeaseJournal(Executor& executor, Disk& disk, std::string path, Log log);
  Status take(const std::string& lock_path);
  Status load();
  Status write_group();
  Status rewrite();
  void finished();

  Executor& executor_;
  Disk& disk_;
  std::string path_;
  Log log_;
  std::unique_ptr<File> lock_;
  LeasesRead found_;
  Callback<std::vector<dhcp::Lease>()> snapshot_;
  Callback<void(uint64_t)> on_safe_;

  std::string pending_;  ///< encoded, not yet given to the worker
  uint64_t appended_ = 0;
  uint64_t safe_ = 0;
  std::optional<Error> failure_;
  bool waiting_ = false;  ///< after a failure, for the next try
  Timer retry_;

  // The worker's while `busy_`, else the executor's.
  bool busy_ = false;
  bool whole_ = false;  ///< `group_` replaces the file instead of being appended
  std::string group_;
  uint64_t group_end_ = 0;  ///< appended_ when the group was taken
  Status result_;
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
  uint64_t least_ = 0;  ///< the file's size when it was last written anew

  std::unique_ptr<Worker> worker_;  ///< last: its job uses the others
};

}  // namespace drover::boot::io

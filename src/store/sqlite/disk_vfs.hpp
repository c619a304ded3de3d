// DiskVfs: SQLite's file system calls (sqlite.org/vfs.html) on the Disk seam, for one connection.
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"

#include <memory>
#include <optional>
#include <string>

struct sqlite3_vfs;  // NOLINT(readability-identifier-naming): SQLite's

namespace drover::store {

/// Registered with SQLite under a name of its own for as long as it lives. There is one connection,
/// in exclusive locking mode, so no locks between connections and no shared memory are needed; the
/// database file itself is locked against other processes when it is opened.
class DiskVfs {
 public:
  static Result<std::unique_ptr<DiskVfs>> make(Disk& disk);
  DiskVfs(const DiskVfs&) = delete;
  DiskVfs& operator=(const DiskVfs&) = delete;
  ~DiskVfs();

  [[nodiscard]] const char* name() const { return name_.c_str(); }
  [[nodiscard]] Disk& disk() { return disk_; }

  /// The disk's words on the last call that failed; forgotten by asking.
  std::optional<Error> take_error();
  /// The first sync that failed. After it the kernel may have dropped writes in silence
  /// (lwn.net/Articles/752063), so only a restart, which reads what is really there, is safe.
  [[nodiscard]] const std::optional<Error>& disk_failure() const { return disk_failure_; }

  /// Keeps the error and returns the SQLite result code for it: `rc`, or the one for a full disk.
  int note(const Error& error, int rc);
  void note_failed_sync(const Error& error);

 private:
  explicit DiskVfs(Disk& disk);

  Disk& disk_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::optional<Error> last_error_;
  std::optional<Error> disk_failure_;
};

}  // namespace drover::store

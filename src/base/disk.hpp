// The Disk seam: the file operations of the store and of the spool.
// Real form: os/real_disk. Simulated form: sim/sim_disk, which forgets unsynced writes at a crash.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

/// An open file with positioned reads and writes. Calls block; use from one thread at a time.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Reads up to out.size() bytes at `offset`; returns how many there were (short at end of file).
  virtual Result<size_t> read(uint64_t offset, std::span<char> out) = 0;
  virtual Status write(uint64_t offset, std::string_view bytes) = 0;
  virtual Status truncate(uint64_t size) = 0;
  /// fdatasync: what was written before survives a power cut once this has returned.
  virtual Status sync() = 0;
  virtual Result<uint64_t> size() = 0;
  /// Takes the file for this open File alone until it is destroyed; Code::conflict when another
  /// File or process has it. Real form: fcntl(F_OFD_SETLK, F_WRLCK) over the whole file, never
  /// waiting, so that tools which lock by fcntl (the sqlite3 shell) are kept out too.
  virtual Status lock() = 0;
};

/// A file system below one root that exists. Paths are absolute or relative to the process.
class Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  /// Opens for reading and writing; creates with `mode` when `create` and absent.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, bool create,
                                             uint32_t mode) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  /// Removing what is not there succeeds.
  virtual Status remove(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// Names (not paths) in a directory, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& dir) = 0;
  virtual Status make_dirs(const std::string& dir, uint32_t mode) = 0;
  /// Makes creations, renames and removals in `dir` durable (fsync of the directory).
  virtual Status sync_dir(const std::string& dir) = 0;

  /// The whole of a small file. too_large beyond `limit` bytes.
  Result<std::string> read_all(const std::string& path, size_t limit = size_t{64} << 20);
  /// Replaces a file as one step that survives a crash: temporary file, sync, rename, sync_dir.
  Status write_atomic(const std::string& path, std::string_view bytes, uint32_t mode);
};

}  // namespace drover

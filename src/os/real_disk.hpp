// RealDisk: the Disk seam on the operating system's file system.
#pragma once

#include "base/disk.hpp"

namespace drover::os {

/// Plain POSIX files. Stateless, so one may serve several threads; each File belongs to one thread
/// at a time. Every descriptor is close-on-exec. Errors carry the path; a full file system or quota
/// is Code::exhausted, other refusals map by errno (errno_error).
class RealDisk final : public Disk {
 public:
  /// A file that may only be read (read-only mount, foreign owner, a program that runs) opens for
  /// reading when `create` is false; writing to it fails later.
  Result<std::unique_ptr<File>> open(const std::string& path, bool create, uint32_t mode) override;
  Result<bool> exists(const std::string& path) override;
  /// Files and empty directories.
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Result<std::vector<std::string>> list(const std::string& dir) override;
  /// Like mkdir -p; the parent of each directory made is synced, so the path itself is durable.
  Status make_dirs(const std::string& dir, uint32_t mode) override;
  Status sync_dir(const std::string& dir) override;
};

}  // namespace drover::os

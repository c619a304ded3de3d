// RealDisk over pread, pwrite, fdatasync and friends, with short transfers and EINTR taken care of.
#include "os/real_disk.hpp"

#include "os/fd.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace drover::os {
namespace {

tl::unexpected<Error> refused(std::string_view doing, const std::string& path, int err) {
  Error error = errno_error(std::string(doing) + " " + path, err);
  if (err == ENOSPC || err == EDQUOT) {
    error.code = Code::exhausted;
    error.next = "free space on the file system that holds " + path;
  }
  return tl::unexpected<Error>(std::move(error));
}

std::string parent_of(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? end : path.rfind('/', end);
  if (slash == std::string::npos) return path.starts_with('/') ? "/" : ".";
  return path.substr(0, slash == 0 ? 1 : slash);
}

class RealFile final : public File {
 public:
  RealFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> read(uint64_t offset, std::span<char> out) override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return refused("read", path_, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Status write(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put =
          ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return refused("write", path_, put == 0 ? ENOSPC : errno);
      bytes.remove_prefix(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    return {};
  }

  Status truncate(uint64_t size) override {
    int rc = 0;
    do {
      rc = ::ftruncate(fd_.get(), static_cast<off_t>(size));
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) return refused("truncate", path_, errno);
    return {};
  }

  Status sync() override {
    // After one failed sync the kernel may have dropped the dirty pages and would call the next one
    // a success (lwn.net/Articles/752063), so this file never syncs again.
    if (sync_errno_ == 0) {
      int rc = 0;
      do {
        rc = ::fdatasync(fd_.get());
      } while (rc != 0 && errno == EINTR);
      if (rc != 0) sync_errno_ = errno;
    }
    if (sync_errno_ != 0) return refused("sync", path_, sync_errno_);
    return {};
  }

  Result<uint64_t> size() override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) return refused("stat", path_, errno);
    return static_cast<uint64_t>(status.st_size);
  }

  Status lock() override {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(fd_.get(), F_OFD_SETLK, &whole) == 0) return {};
    if (errno != EAGAIN && errno != EACCES) return refused("lock", path_, errno);
    return fail(Code::conflict, path_ + " is already open by another process",
                "stop the other process; `fuser " + path_ + "` names it");
  }

 private:
  UniqueFd fd_;
  std::string path_;
  int sync_errno_ = 0;
};

int open_retrying(const std::string& path, int flags, uint32_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
  } while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

Result<std::unique_ptr<File>> RealDisk::open(const std::string& path, bool create, uint32_t mode) {
  UniqueFd fd(open_retrying(path, O_RDWR | (create ? O_CREAT : 0), mode));
  const bool may_be_readable =
      errno == EACCES || errno == EROFS || errno == EPERM || errno == ETXTBSY;
  if (!fd && !create && may_be_readable) {
    fd.reset(open_retrying(path, O_RDONLY, 0));
  }
  if (!fd) return refused("open", path, errno);
  return std::make_unique<RealFile>(std::move(fd), path);
}

Result<bool> RealDisk::exists(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return refused("look for", path, errno);
}

Status RealDisk::remove(const std::string& path) {
  if (std::remove(path.c_str()) == 0 || errno == ENOENT) return {};
  return refused("remove", path, errno);
}

Status RealDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return refused("rename " + from + " to", to, errno);
  }
  return {};
}

Result<std::vector<std::string>> RealDisk::list(const std::string& dir) {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  const std::unique_ptr<DIR, Close> stream(::opendir(dir.c_str()));
  if (!stream) return refused("list", dir, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    // readdir is safe here: the stream is this call's own.
    const dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  if (errno != 0) return refused("list", dir, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Status RealDisk::make_dirs(const std::string& dir, uint32_t mode) {
  for (size_t at = 0; at != std::string::npos;) {
    at = dir.find('/', at + 1);
    const std::string path = dir.substr(0, at);
    if (path.empty() || path == "/") continue;
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) {
      DROVER_CHECK_OK(sync_dir(parent_of(path)));
      continue;
    }
    const int err = errno;
    struct stat status{};
    const bool is_dir = ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    // An existing directory is fine whatever mkdir said (EEXIST, or EROFS on a read-only parent).
    if (!is_dir) return refused("make directory", path, err == EEXIST ? ENOTDIR : err);
  }
  return {};
}

Status RealDisk::sync_dir(const std::string& dir) {
  const UniqueFd fd(open_retrying(dir, O_RDONLY | O_DIRECTORY, 0));
  if (!fd) return refused("open directory", dir, errno);
  int rc = 0;
  do {
    rc = ::fsync(fd.get());
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return refused("sync directory", dir, errno);
  return {};
}

}  // namespace drover::os

// Every part of a path is opened by itself from the folder before it, with O_NOFOLLOW.
#include "os/placed_file.hpp"

#include "os/fd.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::os {
namespace {

constexpr mode_t kFolderMode = 0755;

struct Place {
  UniqueFd folder;
  std::string name;
};

Error path_error(const std::string& path, std::string_view what, int error) {
  const bool link = error == ELOOP || error == ENOTDIR;
  Error out = errno_error(fmt::format("{} {}", what, path), error);
  if (link) {
    out = {Code::denied,
           fmt::format("{} {}: a part of it is a symbolic link or no folder", what, path),
           {},
           {}};
  }
  return out;
}

/// The folder that holds the last part. `make`: folders that are missing are made.
Result<Place> walk(const std::string& path, const std::string& root, bool make) {
  if (path.size() < 2 || path.front() != '/') {
    return fail(Code::invalid_argument, fmt::format("'{}' is no absolute path", path));
  }
  UniqueFd at(::open(root.empty() ? "/" : root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at) return tl::unexpected(errno_error("open " + root, errno));
  size_t from = 1;
  while (true) {
    const size_t slash = path.find('/', from);
    const std::string part = path.substr(from, slash == std::string::npos ? slash : slash - from);
    if (part.empty() || part == "." || part == "..") {
      return fail(Code::invalid_argument, fmt::format("'{}' is no plain path", path));
    }
    if (slash == std::string::npos) return Place{std::move(at), part};
    constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd next(::openat(at.get(), part.c_str(), kFlags));
    if (!next && errno == ENOENT && make) {
      if (::mkdirat(at.get(), part.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        return tl::unexpected(path_error(path, "make the folders of", errno));
      }
      next = UniqueFd(::openat(at.get(), part.c_str(), kFlags));
    }
    if (!next) return tl::unexpected(path_error(path, "reach", errno));
    at = std::move(next);
    from = slash + 1;
  }
}

template <typename Id>
bool read_number(const std::string& text, Id& out) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && rest == end;
}

Result<uid_t> user_id(const std::string& name) {
  uid_t id = 0;
  if (name == "root" || read_number(name, id)) return id;
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return entry.pw_uid;
  }
  return fail(Code::not_found, fmt::format("this machine has no user '{}'", name));
}

Result<gid_t> group_id(const std::string& name) {
  gid_t id = 0;
  if (name == "root" || read_number(name, id)) return id;
  std::array<char, 16384> buffer{};
  ::group entry{};
  ::group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return entry.gr_gid;
  }
  return fail(Code::not_found, fmt::format("this machine has no group '{}'", name));
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(errno_error("write " + path, errno));
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

/// Ok when there is nothing, or an ordinary file.
Status check_ordinary(const Place& place, const std::string& path) {
  struct stat status{};
  if (::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status() : tl::unexpected(path_error(path, "look at", errno));
  }
  if (S_ISREG(status.st_mode)) return {};
  return fail(Code::denied, fmt::format("{} is there and is no ordinary file", path));
}

}  // namespace

Status place_file(const PlacedFile& file, const std::string& root) {
  DROVER_TRY(const uid_t user, user_id(file.user));
  DROVER_TRY(const gid_t group, group_id(file.group));
  DROVER_TRY(const Place place, walk(file.path, root, true));
  DROVER_CHECK_OK(check_ordinary(place, file.path));
  static std::atomic<unsigned> count{0};
  const std::string beside = fmt::format(".drover-{}-{}", ::getpid(), ++count);
  const int folder = place.folder.get();
  const UniqueFd fd(
      ::openat(folder, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return tl::unexpected(path_error(file.path, "write beside", errno));
  const auto done = [&]() -> Status {
    DROVER_CHECK_OK(write_all(fd.get(), file.content, file.path));
    // Owner before mode: a change of owner takes set-id bits away.
    const bool mine = user == ::geteuid() && group == ::getegid();
    if (!mine && ::fchown(fd.get(), user, group) != 0) {
      return tl::unexpected(errno_error("give away " + file.path, errno));
    }
    if (::fchmod(fd.get(), file.mode) != 0) {
      return tl::unexpected(errno_error("set the mode of " + file.path, errno));
    }
    if (::fsync(fd.get()) != 0) return tl::unexpected(errno_error("sync " + file.path, errno));
    if (::renameat(folder, beside.c_str(), folder, place.name.c_str()) != 0) {
      return tl::unexpected(path_error(file.path, "put in place", errno));
    }
    return {};
  }();
  if (!done) ::unlinkat(folder, beside.c_str(), 0);
  return done;
}

Status remove_placed(const std::string& path, const std::string& root) {
  const auto place = walk(path, root, false);
  if (!place) {
    if (place.error().code == Code::not_found) return {};
    return tl::unexpected<Error>(place.error());
  }
  DROVER_CHECK_OK(check_ordinary(*place, path));
  if (::unlinkat(place->folder.get(), place->name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return tl::unexpected(path_error(path, "remove", errno));
}

bool is_placed(const std::string& path, const std::string& root) {
  const auto place = walk(path, root, false);
  if (!place) return false;
  struct stat status{};
  return ::fstatat(place->folder.get(), place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode);
}

}  // namespace drover::os

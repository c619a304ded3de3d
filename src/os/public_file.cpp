#include "os/public_file.hpp"

#include "os/fd.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>

namespace drover::os {

Status write_public_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const UniqueFd file(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return tl::unexpected<Error>(errno_error("open " + fresh, errno));
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0)
      return tl::unexpected<Error>(errno_error("write " + fresh, put == 0 ? ENOSPC : errno));
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  if (::fchmod(file.get(), 0644) != 0) {
    return tl::unexpected<Error>(errno_error("change the mode of " + fresh, errno));
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return tl::unexpected<Error>(errno_error("rename " + fresh, errno));
  }
  return {};
}

}  // namespace drover::os

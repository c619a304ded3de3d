// Writes in the order of arrival; a full memory or disk is said as such.
#include "nodeboot/image_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace drover::nodeboot {

Status ImageFile::begin() {
  fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd_) return tl::unexpected(errno_error("make " + path_, errno));
  hash_.emplace();
  return {};
}

Status ImageFile::add(std::string_view bytes) {
  hash_->add(bytes);
  while (!bytes.empty()) {
    const ssize_t took = ::write(fd_.get(), bytes.data(), bytes.size());
    if (took < 0 && errno == EINTR) continue;
    if (took < 0 && errno == ENOSPC) {
      return fail(Code::exhausted, "the image does not fit into " + place_,
                  "give the machine more of it or use a smaller image");
    }
    if (took < 0) return tl::unexpected(errno_error("write " + path_, errno));
    bytes.remove_prefix(static_cast<size_t>(took));
  }
  return {};
}

Result<std::string> ImageFile::finish() {
  if (::fsync(fd_.get()) != 0) return tl::unexpected(errno_error("write " + path_, errno));
  fd_.reset();
  return hash_->finish();
}

}  // namespace drover::nodeboot

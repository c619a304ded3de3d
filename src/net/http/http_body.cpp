// HttpBody over a descriptor, and over a string.
#include "net/http/http_body.hpp"

#include "net/fd.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::net {
namespace {

class FileBody final : public HttpBody {
 public:
  FileBody(UniqueFd fd, uint64_t size) : fd_(std::move(fd)), size_(size) {}
  [[nodiscard]] uint64_t size() const override { return size_; }
  [[nodiscard]] int fd() const override { return fd_.get(); }
  [[nodiscard]] Result<size_t> read(uint64_t offset, std::span<char> out) const override {
    for (;;) {
      const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return tl::unexpected(errno_error("reading a served file", errno));
    }
  }

 private:
  UniqueFd fd_;
  uint64_t size_;
};

class MemoryBody final : public HttpBody {
 public:
  explicit MemoryBody(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] uint64_t size() const override { return bytes_->size(); }
  [[nodiscard]] Result<size_t> read(uint64_t offset, std::span<char> out) const override {
    if (offset >= bytes_->size()) return size_t{0};
    const size_t count = std::min<size_t>(out.size(), bytes_->size() - offset);
    std::copy_n(bytes_->data() + offset, count, out.data());
    return count;
  }

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace

Result<std::shared_ptr<const HttpBody>> open_file_body(const std::string& path) {
  // Without waiting: a FIFO of that name would hold the loop.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return tl::unexpected(errno_error(path, errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return tl::unexpected(errno_error(path, errno));
  if (!S_ISREG(info.st_mode)) {
    return fail(Code::invalid_argument, fmt::format("{} is no regular file", path));
  }
  return std::make_shared<const FileBody>(std::move(fd), static_cast<uint64_t>(info.st_size));
}

std::shared_ptr<const HttpBody> make_memory_body(std::string bytes) {
  return make_memory_body(std::make_shared<const std::string>(std::move(bytes)));
}

std::shared_ptr<const HttpBody> make_memory_body(std::shared_ptr<const std::string> bytes) {
  return std::make_shared<const MemoryBody>(std::move(bytes));
}

}  // namespace drover::net

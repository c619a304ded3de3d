// Bodies that are served by range: a file that the operating system sends, or bytes in memory.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace drover::net {

/// Bytes with a fixed size, shared by any number of answers. Immutable; any thread.
class HttpBody {
 public:
  HttpBody() = default;
  HttpBody(const HttpBody&) = delete;
  HttpBody& operator=(const HttpBody&) = delete;
  virtual ~HttpBody() = default;
  [[nodiscard]] virtual uint64_t size() const = 0;
  /// Up to out.size() bytes at `offset`; how many there were (0: the end). May read the disk.
  [[nodiscard]] virtual Result<size_t> read(uint64_t offset, std::span<char> out) const = 0;
  /// A descriptor that sendfile(2) can read, or -1.
  [[nodiscard]] virtual int fd() const { return -1; }
};

/// A regular file, open for as long as somebody serves it: replacing or removing its name does not
/// disturb that. not_found, denied, or invalid_argument when it is no regular file.
Result<std::shared_ptr<const HttpBody>> open_file_body(const std::string& path);

/// Bytes in memory.
std::shared_ptr<const HttpBody> make_memory_body(std::string bytes);
/// The same, shared with others; not null.
std::shared_ptr<const HttpBody> make_memory_body(std::shared_ptr<const std::string> bytes);

}  // namespace drover::net

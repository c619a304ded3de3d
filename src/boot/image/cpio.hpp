// Writes archives in the form that a Linux kernel unpacks as its first root: cpio, "newc" with
// magic 070701 (Documentation/driver-api/early-userspace/buffer-format.rst of Linux).
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace drover::boot::image {

/// A tree of files in memory that becomes one archive. The same tree gives the same bytes: entries
/// are sorted by path, owners are root, times are zero.
class Cpio {
 public:
  /// Paths are below "/", without "." and ".." (invalid_argument). Folders above are made (0755).
  /// A later entry of the same path replaces the earlier one.
  Status file(std::string_view path, std::string bytes, uint32_t permissions);
  Status folder(std::string_view path, uint32_t permissions);
  Status link(std::string_view path, std::string target);
  Status device(std::string_view path, bool block, uint32_t major, uint32_t minor,
                uint32_t permissions);

  [[nodiscard]] bool has(std::string_view path) const;
  [[nodiscard]] size_t entries() const { return entries_.size(); }
  /// The archive, padded to 512 bytes. too_large when a file has 4 GiB or more.
  [[nodiscard]] Result<std::string> bytes() const;

 private:
  struct Entry {
    uint32_t mode = 0;
    std::string body;
    uint32_t major = 0;
    uint32_t minor = 0;
  };
  Status put(std::string_view path, Entry entry);

  std::map<std::string, Entry, std::less<>> entries_;  ///< by path without the leading "/"
};

}  // namespace drover::boot::image

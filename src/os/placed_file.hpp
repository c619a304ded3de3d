// Files that are put where others may be at work: no link is followed on the way, and whoever reads
// sees the old file or the new one.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::os {

/// A file as it shall be.
struct PlacedFile {
  std::string path;  ///< absolute, without "." and ".."
  std::string content;
  uint32_t mode = 0644;        ///< permission bits
  std::string user = "root";   ///< name or number
  std::string group = "root";  ///< the same
};

/// Writes it beside the old one and renames. Folders on the way are made (0755). denied when one of
/// them is a symbolic link, or the path itself is no ordinary file; not_found for an account that
/// this machine does not have. `root` stands before every path: "" but in tests.
Status place_file(const PlacedFile& file, const std::string& root = "");

/// Removes a file that was placed; Ok when it is gone already. Never follows a link, never removes
/// anything but an ordinary file.
Status remove_placed(const std::string& path, const std::string& root = "");

/// Whether an ordinary file is there, with no link on the way.
bool is_placed(const std::string& path, const std::string& root = "");

}  // namespace drover::os

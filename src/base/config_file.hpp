// A TOML file as flat settings with line numbers. Private to base/config.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover {

/// What a TOML value is, as far as settings care.
enum class FileKind { text, integer, boolean, list, other };
std::string_view name(FileKind kind);

struct FileSetting {
  std::string key;  ///< dotted
  FileKind kind = FileKind::other;
  std::string text;  ///< lists joined with commas
  size_t line = 0;
};

/// Every leaf of the document in the order of its lines. Errors begin with "path:line:column".
Result<std::vector<FileSetting>> read_toml(std::string_view text, const std::string& path);

}  // namespace drover

// Small text helpers of the host readers: what /proc, /sys and firmware hand out is trimmed,
// bounded and made valid UTF-8 here, once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::os {

/// Without spaces, tabs, newlines and NULs at both ends.
std::string_view trim(std::string_view text);

/// Fit for JSON, logs and terminals: trimmed, control characters and bytes that are not UTF-8
/// replaced by '?', cut to 256 bytes at a character's border.
std::string clean(std::string_view text);

/// clean(), but "" for the fillers that boards ship with ("To Be Filled By O.E.M.", "None",
/// "0000").
std::string clean_identity(std::string_view text);

/// All of `text` (trimmed) as a number; "0x" marks base 16.
std::optional<uint64_t> parse_number(std::string_view text);

/// "0-3,8" -> {0,1,2,3,8} (Linux list format, Documentation/core-api/cpuset lists). Empty when it
/// is malformed or names more than 65,536 CPUs.
std::vector<uint32_t> parse_list(std::string_view text);
/// The reverse; `numbers` sorted.
std::string format_list(const std::vector<uint32_t>& numbers);

/// Cuts the first line off `text` and returns it without its newline.
std::string_view take_line(std::string_view& text);
/// Cuts the first run of non-blanks off `text`; "" at the end.
std::string_view take_word(std::string_view& text);

}  // namespace drover::os

// What the checks of fields share: one form of error, and rules that many fields have.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Most bytes of a description, and of an attribute's value.
inline constexpr size_t kMaxDescription = 1024;
inline constexpr size_t kMaxAttributeValue = 4096;
/// Longest name of a group or profile.
inline constexpr size_t kMaxSetName = 63;

/// invalid_argument naming field, value and rule: `spec.nid: '-1' is not valid: expected ...`.
/// Long values are cut.
tl::unexpected<Error> bad_field(std::string_view field, std::string_view value,
                                std::string_view rule);

/// Text for people: at most `most` bytes, no control characters. (That it is UTF-8 the JSON reader
/// has seen to.)
Status check_plain_text(std::string_view field, std::string_view value, size_t most);

/// Names of groups and profiles: letters, digits, '.', '_' and '-', at most kMaxSetName, beginning
/// with a letter or '_'; all of them can be written bare in a noderange.
Status check_set_name(std::string_view field, std::string_view name);

/// Each is a set name and is there once; at most 64.
Status check_set_names(std::string_view field, const std::vector<std::string>& names);

/// Login names of users and groups, or their numbers, or `any`: letters, digits and `._-@$`, at
/// most 64.
Status check_account(std::string_view field, std::string_view name);

}  // namespace drover::cluster

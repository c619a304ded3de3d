// NAME=VALUE in completion: what nodes, groups, profiles and networks may be set to, and settings.
// Pure.
#pragma once

#include "cli/complete.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// What `drover NOUN set` takes before the '=', attributes last.
std::vector<Candidate> settable_names(std::string_view noun);

/// Whether NAME+=VALUE and NAME-=VALUE edit it.
bool is_settable_list(std::string_view name);
/// The words that may follow "name=" after `drover NOUN set`; none where it is not one of few.
std::vector<std::string> setting_choices(std::string_view noun, std::string_view name);

}  // namespace drover::cli

// NAME=VALUE of `drover node|group|profile add|set|unset`, as the bodies of changes that the API
// takes. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// Settings of a node: service, enabled, flag, locked; nid, aliases, profiles, owner, group, mode,
/// description; bmc.FIELD; INTERFACE.mac|address|network; any attribute by its name. Lists are
/// joined by commas; NAME+=VALUE and NAME-=VALUE add to and take from aliases, profiles and
/// addresses. The body of a node's PATCH: a merge patch, and `edits` of its lists.
/// invalid_argument names what cannot be set, and the nearest name.
Result<std::string> node_settings(const std::vector<std::string>& words);
/// The same names without values: back to the default, or gone.
Result<std::string> node_unsettings(const std::vector<std::string>& names);

/// Settings of a group (description, nodes, range, profiles, priority, any attribute) or a profile
/// (description, inherits, any attribute) as a merge patch; NAME+=VALUE and NAME-=VALUE of profiles
/// and inherits become its `edits`.
Result<std::string> group_settings(const std::vector<std::string>& words);
Result<std::string> profile_settings(const std::vector<std::string>& words);
Result<std::string> group_unsettings(const std::vector<std::string>& names);
Result<std::string> profile_unsettings(const std::vector<std::string>& names);

}  // namespace drover::cli

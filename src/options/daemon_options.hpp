// The options of every daemon as data, for the daemons themselves and for `drover config`.
#pragma once

#include "base/config.hpp"
#include "cluster/settings.hpp"

#include <span>
#include <string>
#include <string_view>

namespace drover::options {

/// Roles that have a daemon, in the order of manuals.
std::span<const std::string_view> daemon_roles();
/// The table of drover-ROLE; nullptr for a role that has none. Lives as long as the program.
const ConfigTable* daemon_table(std::string_view role);
/// Where the daemon of a role looks for its file when none is named: /etc/drover/ROLE.toml.
std::string standard_file(std::string_view role);
/// What was said on this host about cluster settings: options of the same key that are not at their
/// default. It is stronger than what the cluster says.
cluster::Settings::Values own_settings(const Config& config);

}  // namespace drover::options

// The login name behind a user id, and the groups behind a login name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace drover::os {

/// Empty when the system knows none. Asks the name services of the host, which may block. Any
/// thread.
std::string user_name(uint32_t uid);

/// Names of the groups of a login name, that of `gid` (its first group) included; those without a
/// name are left out. May block, like user_name(). Any thread.
std::vector<std::string> group_names(const std::string& user, uint32_t gid);

}  // namespace drover::os

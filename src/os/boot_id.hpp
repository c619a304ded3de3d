// Who this host is and which boot of it this is.
#pragma once

#include "base/result.hpp"

#include <string>

namespace drover::os {

/// The kernel's id of this boot, 36 characters (random(4), /proc/sys/kernel/random/boot_id):
/// another one after every reboot, the same for every process of one boot.
Result<std::string> read_boot_id();

/// The kernel's host name as set, which may or may not be qualified; "localhost" when it is unset.
std::string host_name();

}  // namespace drover::os

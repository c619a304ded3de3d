// The login name behind a user id.
#pragma once

#include <cstdint>
#include <string>

namespace drover::os {

/// Empty when the system knows none. Asks the name services of the host, which may block. Any
/// thread.
std::string user_name(uint32_t uid);

}  // namespace drover::os

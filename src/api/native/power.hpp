// The routes of /api/v1/power and of what is kept to get into BMCs.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

void add_power(Router& router, Services& services);

}  // namespace drover::api

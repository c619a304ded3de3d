// The routes of /api/v1/discover.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

void add_discover(Router& router, Services& services);
void add_discover_scan(Router& router, Services& services);   ///< by add_discover()
void add_discover_adopt(Router& router, Services& services);  ///< by add_discover()

}  // namespace drover::api

// The route of /api/v1/discover.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

void add_discover(Router& router, Services& services);

}  // namespace drover::api

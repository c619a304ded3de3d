// The resources of /api/v1 that are about booting.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

void add_networks(Router& router, Services& services);
/// What nodes would boot, and what they boot once.
void add_boot(Router& router, Services& services);
/// How boots get on, and what nodes say.
void add_boot_streams(Router& router, Services& services);

}  // namespace drover::api

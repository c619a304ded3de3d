// The resources of /api/v1 that are about booting.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

void add_networks(Router& router, Services& services);
/// What nodes would boot, and what they boot once.
void add_boot(Router& router, Services& services);
/// Machines that no node is known by.
void add_boot_machines(Router& router, Services& services);
/// How boots get on, what nodes say, and which addresses are dealt out.
void add_boot_streams(Router& router, Services& services);

}  // namespace drover::api

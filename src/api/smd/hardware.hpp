// SMD's hardware inventory: each function adds the routes of one file. Views of what looks through
// BMCs and the nodes' agents found (hardware_items.hpp).
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api::smd {

void add_hardware(Router& router, Services& services);
void add_hardware_changes(Router& router, Services& services);
void add_hardware_history(Router& router, Services& services);
void add_service_endpoints(Router& router, Services& services);
void add_discovery(Router& router, Services& services);

}  // namespace drover::api::smd

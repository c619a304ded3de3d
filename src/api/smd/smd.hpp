// OpenCHAMI's State Manager (SMD, /hsm/v2) as views of the one model: each function adds the routes
// of one file. What maps to what: docs/decisions/0027 and docs/openchami.md.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

/// Everything below; called by MasterApi.
void add_smd(Router& router, Services& services);

namespace smd {

void add_service(Router& router, Services& services);
void add_components(Router& router, Services& services);
void add_component_changes(Router& router, Services& services);
void add_groups(Router& router, Services& services);
void add_memberships(Router& router, Services& services);
void add_endpoints(Router& router, Services& services);
void add_component_endpoints(Router& router, Services& services);
void add_interfaces(Router& router, Services& services);
void add_locks(Router& router, Services& services);
void add_maps(Router& router, Services& services);

}  // namespace smd
}  // namespace drover::api

#include "api/smd/smd.hpp"

#include "api/smd/hardware.hpp"
#include "api/smd/subscriptions.hpp"

namespace drover::api {

void add_smd(Router& router, Services& services) {
  smd::add_service(router, services);
  smd::add_components(router, services);
  smd::add_component_changes(router, services);
  smd::add_groups(router, services);
  smd::add_memberships(router, services);
  smd::add_endpoints(router, services);
  smd::add_component_endpoints(router, services);
  smd::add_interfaces(router, services);
  smd::add_locks(router, services);
  smd::add_maps(router, services);
  smd::add_subscriptions(router, services);
  smd::add_hardware(router, services);
  smd::add_service_endpoints(router, services);
  smd::add_discovery(router, services);
}

}  // namespace drover::api

#include "api/pcs/pcs.hpp"

namespace drover::api {

void add_pcs(Router& router, Services& services, PowerSight* const& sight) {
  for (const pcs::Paths& paths : pcs::kPaths) {
    pcs::add_transitions(router, services, paths);
    pcs::add_power_status(router, services, paths, sight);
    pcs::add_power_caps(router, services, paths);
    pcs::add_health(router, services, paths, sight);
  }
}

}  // namespace drover::api

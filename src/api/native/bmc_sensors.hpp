// What BMCs say at this moment: GET /bmc-sensors.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

class PowerSight;

/// `sight`: null until there is one; it outlives the router.
void add_bmc_sensors(Router& router, Services& services, PowerSight* const& sight);

}  // namespace drover::api

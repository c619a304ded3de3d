// OpenCHAMI's power control (PCS) as a view of our own power operations: a transition is an
// operation of kind "power", whoever began it, and a component is a node. Each function adds the
// routes of one file, under every prefix that PCS serves. What maps to what: docs/openchami.md.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

#include <array>
#include <string_view>

namespace drover::api {

class PowerSight;  // api/power_sight.hpp

/// Everything below; called by MasterApi. `sight`: null until there is one; it outlives the router.
void add_pcs(Router& router, Services& services, PowerSight* const& sight);

namespace pcs {

/// Paths under one prefix.
struct Paths {
  std::string_view transitions, transition, power_status, power_cap, snapshot, cap_task, liveness,
      readiness, health;
};
inline constexpr std::array kPaths{
    Paths{"/transitions", "/transitions/{transition}", "/power-status", "/power-cap",
          "/power-cap/snapshot", "/power-cap/{task}", "/liveness", "/readiness", "/health"},
    Paths{"/v1/transitions", "/v1/transitions/{transition}", "/v1/power-status", "/v1/power-cap",
          "/v1/power-cap/snapshot", "/v1/power-cap/{task}", "/v1/liveness", "/v1/readiness",
          "/v1/health"}};

void add_transitions(Router& router, Services& services, const Paths& paths);
void add_power_status(Router& router, Services& services, const Paths& paths,
                      PowerSight* const& sight);
void add_power_caps(Router& router, Services& services, const Paths& paths);
void add_health(Router& router, Services& services, const Paths& paths, PowerSight* const& sight);

}  // namespace pcs
}  // namespace drover::api

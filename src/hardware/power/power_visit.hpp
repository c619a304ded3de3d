// One machine's power through its BMC, from the first look to the state that was asked for.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "cluster/hardware/power_request.hpp"
#include "hardware/power/power_task.hpp"
#include "hardware/redfish/bmc_client.hpp"

#include <memory>
#include <string>

namespace drover::hardware {

struct PowerWish {
  cluster::PowerAction action = cluster::PowerAction::status;
  cluster::BootDevice device = cluster::BootDevice::none;  ///< for boot_device
  bool persistent = false;                                 ///< for boot_device
  PowerPolicy policy = {};
  /// Id of the machine among those of the BMC; empty: the only one.
  std::string system = {};
};

struct PowerOutcome {
  cluster::BmcPowerState state = cluster::BmcPowerState::unknown;  ///< as seen last
  std::string boot;                                                ///< of boot_device: "Pxe, once"
};

/// One visit. Destroying it ends it; no callback follows. What the BMC has begun goes on.
class PowerVisit {
 public:
  /// `done` runs exactly once, never in here. Errors: those of the client; not_found and conflict
  /// when the machine cannot be told; unsupported for what the BMC cannot do; timed_out when the
  /// state was not reached. `client` and `executor` outlive it.
  PowerVisit(Executor& executor, BmcClient& client, PowerWish wish,
             Callback<void(Result<PowerOutcome>)> done);
  PowerVisit(const PowerVisit&) = delete;
  PowerVisit& operator=(const PowerVisit&) = delete;
  ~PowerVisit();

 private:
  class Course;
  std::unique_ptr<Course> course_;
};

}  // namespace drover::hardware

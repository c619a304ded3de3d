// What the sensors of one machine's enclosures say, by Redfish.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "hardware/power/power_course.hpp"
#include "hardware/redfish/bmc_client.hpp"

#include <memory>
#include <string>

namespace drover::hardware {

class SensorsVisit final : public BmcVisit {
 public:
  using Done = Callback<void(Result<cluster::BmcReadings>)>;
  /// `system`: id of the machine among those of the BMC; empty: the only one. `done` runs exactly
  /// once, never in here: with what Thermal and Power say, or where there is no Thermal with what
  /// Sensors do, at most 256 of these. Errors: those of the client, and unsupported when nothing
  /// could be read. `client` and `executor` outlive it.
  SensorsVisit(Executor& executor, BmcClient& client, std::string system, Done done);
  ~SensorsVisit() override;

 private:
  class Course;
  std::unique_ptr<Course> course_;
};

}  // namespace drover::hardware

// One machine's power through its BMC by Redfish, from the first look to the state that was asked
// for; and what it boots from next.
#pragma once

#include "hardware/power/power_course.hpp"
#include "hardware/redfish/bmc_client.hpp"

#include <memory>

namespace drover::hardware {

/// One visit. What the BMC has begun goes on when it is destroyed.
class PowerVisit final : public BmcVisit {
 public:
  /// `done` runs exactly once, never in here. Errors: those of the client; not_found and conflict
  /// when the machine cannot be told; unsupported for what the BMC cannot do; timed_out when the
  /// state was not reached. `client` and `executor` outlive it. Not for PowerAction::identify.
  PowerVisit(Executor& executor, BmcClient& client, PowerWish wish, PowerCourse::Done done);
  ~PowerVisit() override;

 private:
  class Course;
  std::unique_ptr<Course> course_;
};

}  // namespace drover::hardware

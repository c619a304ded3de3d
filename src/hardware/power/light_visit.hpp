// The light that people find a machine by, through its BMC by Redfish.
#pragma once

#include "hardware/power/power_course.hpp"
#include "hardware/redfish/bmc_client.hpp"

#include <memory>

namespace drover::hardware {

class LightVisit final : public BmcVisit {
 public:
  /// Sets it on the machine, or on the enclosure around it where the machine has none, and reads it
  /// back. `done` runs exactly once, never in here. Errors: those of the client; unsupported where
  /// there is no light; conflict when the BMC took it and says otherwise. `client` and `executor`
  /// outlive it.
  LightVisit(Executor& executor, BmcClient& client, PowerWish wish, PowerCourse::Done done);
  ~LightVisit() override;

 private:
  class Course;
  std::unique_ptr<Course> course_;
};

}  // namespace drover::hardware

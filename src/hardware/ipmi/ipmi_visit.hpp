// One machine's power through a BMC that speaks IPMI: what PowerVisit is for Redfish.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "hardware/ipmi/ipmi_tool.hpp"
#include "hardware/power/power_course.hpp"

#include <memory>
#include <string_view>

namespace drover::hardware {

/// What `chassis power status` says; corrupt when it says nothing of the kind.
Result<cluster::BmcPowerState> read_ipmi_power(std::string_view output);

/// What `chassis bootparam get 5` says that it boots from; corrupt when it does not.
Result<cluster::BootDevice> read_ipmi_boot(std::string_view output);

/// One visit. What the BMC has begun goes on when it is destroyed.
class IpmiVisit final : public BmcVisit {
 public:
  /// `done` runs exactly once, never in here. Errors: those of the tool; unsupported for what IPMI
  /// cannot do; timed_out when the state was not reached; conflict when the BMC took a boot device
  /// and says another. `wish.system` means nothing here: such a BMC has one machine.
  IpmiVisit(Executor& executor, IpmiTool& tool, IpmiAccess access, PowerWish wish,
            PowerCourse::Done done);
  ~IpmiVisit() override;

 private:
  class Course;
  std::unique_ptr<Course> course_;
};

}  // namespace drover::hardware

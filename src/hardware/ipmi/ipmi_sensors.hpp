// What the sensors of a machine say by IPMI: `ipmitool sdr`.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "hardware/ipmi/ipmi_tool.hpp"
#include "hardware/power/power_course.hpp"

#include <memory>
#include <string_view>

namespace drover::hardware {

/// Lines of "NAME | VALUE UNIT | STATUS"; those without a number are left out. Never fails: what is
/// no such line is passed over. At most cluster::kMaxBmcList.
cluster::BmcReadings read_ipmi_sensors(std::string_view output);

class IpmiSensorsVisit final : public BmcVisit {
 public:
  using Done = Callback<void(Result<cluster::BmcReadings>)>;
  /// `done` runs exactly once, never in here. Errors: those of the tool, and unsupported when no
  /// sensor says anything.
  IpmiSensorsVisit(IpmiTool& tool, const IpmiAccess& access, Done done);
  ~IpmiSensorsVisit() override;

 private:
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::hardware

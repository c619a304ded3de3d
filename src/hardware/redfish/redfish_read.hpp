// From Redfish resources to what is kept of them. Pure; each takes what it finds and says what it
// did not take.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "hardware/redfish/redfish_document.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::hardware {

/// Collects warnings, at most cluster::kMaxBmcWarnings; the last then says that there were more.
class BmcWarnings {
 public:
  void add(std::string_view path, std::string_view text);
  std::vector<cluster::BmcWarning> take();

 private:
  std::vector<cluster::BmcWarning> all_;
  size_t left_out_ = 0;
};

/// Id (or the last step of the path), path, name and what else identifies the resource at `path`.
cluster::BmcIdentity read_identity(const RedfishNode& node, std::string_view path);
cluster::BmcPowerState read_power(const RedfishNode& node);

cluster::BmcSystem read_system(const RedfishNode& node, std::string_view path);
cluster::BmcManager read_manager(const RedfishNode& node, std::string_view path);
cluster::BmcChassis read_chassis(const RedfishNode& node, std::string_view path);
cluster::BmcProcessor read_processor(const RedfishNode& node, std::string_view path);
cluster::BmcMemory read_memory(const RedfishNode& node, std::string_view path);
cluster::BmcDrive read_drive(const RedfishNode& node, std::string_view path);
cluster::BmcNic read_nic(const RedfishNode& node, std::string_view path, BmcWarnings& warnings);
cluster::BmcFirmware read_firmware(const RedfishNode& node, std::string_view path);
/// PowerControl and PowerSupplies of a Power resource, with its readings.
void read_power_resource(const RedfishNode& node, std::string_view path,
                         cluster::BmcChassis& chassis, cluster::BmcReadings& readings);
/// Temperatures and Fans of a Thermal resource.
void read_thermal(const RedfishNode& node, const std::string& chassis,
                  cluster::BmcReadings& readings);

/// A Sensor resource.
void read_sensor(const RedfishNode& node, const std::string& chassis,
                 cluster::BmcReadings& readings);

/// Whether a memory slot or processor socket holds something (Status.State is not Absent).
bool is_present(const RedfishNode& node);

}  // namespace drover::hardware

// What a walk through a BMC has found so far: resources by path, put together at the end.
#pragma once

#include "cluster/hardware/bmc_inventory.hpp"
#include "hardware/redfish/redfish_read.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hardware {

/// What a resource is, by the link that led to it.
enum class RedfishRole : uint8_t {
  systems,
  system,
  managers,
  manager,
  chassis_list,
  chassis,
  update_service,
  event_service,
  firmware_list,
  firmware,
  processors,
  processor,
  memory_list,
  memory,
  storages,
  storage,
  drive,
  nics,
  nic,
  power,
  thermal,
};

/// The role of a collection's members; nothing for what is no collection.
std::optional<RedfishRole> member_role(RedfishRole role);

/// A link to follow. `owner` is the path of the system, manager or chassis that it belongs to,
/// `storage` the id of the Storage resource.
struct RedfishLink {
  RedfishRole role;
  std::string path;
  std::string owner;
  std::string storage = {};
};

/// Pure: takes documents, gives the links that lead on, and the inventory in the end.
class CrawlFindings {
 public:
  /// The service root.
  void take_root(const RedfishNode& node);
  /// A resource, found by following `link`; what leads on from it is added to `next`. `parts`
  /// false: systems, managers and chassis lead to nothing.
  void take(const RedfishLink& link, const RedfishNode& node, bool parts,
            std::vector<RedfishLink>& next);
  /// Something could not be read.
  void miss(std::string_view path, std::string_view why);

  [[nodiscard]] const cluster::BmcInventory& so_far() const { return inventory_; }
  [[nodiscard]] bool found_anything() const {
    return !systems_.empty() || !managers_.empty() || !chassis_.empty();
  }
  /// Everything in natural order of ids (then paths), within the inventory's bounds.
  cluster::BmcInventory finish(cluster::BmcReadings& readings);

 private:
  void take_system(const RedfishLink& link, const RedfishNode& node, bool parts,
                   std::vector<RedfishLink>& next);
  void take_part(const RedfishLink& link, const RedfishNode& node, std::vector<RedfishLink>& next);

  cluster::BmcInventory inventory_;
  std::map<std::string, cluster::BmcSystem> systems_;
  std::map<std::string, cluster::BmcManager> managers_;
  std::map<std::string, cluster::BmcChassis> chassis_;
  cluster::BmcReadings readings_;
  BmcWarnings warnings_;
};

}  // namespace drover::hardware

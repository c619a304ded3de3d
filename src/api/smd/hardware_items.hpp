// Hardware as SMD lists it: places with what sits in them, put together from what BMCs and the
// nodes' own agents found and what SMD's clients said of places that nobody looks at.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "base/callback.hpp"
#include "cluster/bmc/bmc.hpp"
#include "cluster/hardware/known_hardware.hpp"
#include "cluster/hardware/machine.hpp"
#include "cluster/model.hpp"
#include "cluster/xname.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace drover::api::smd {

/// How SMD calls what it writes of one type.
struct HardwareWords {
  cluster::XnameType type;
  std::string_view list;  ///< "Nodes": the member of an answer to a query
  std::string_view stem;  ///< "Node": HWInvByLoc<stem>, <stem>LocationInfo, <stem>FRUInfo
};
std::span<const HardwareWords> hardware_words();
/// Null: SMD keeps no hardware of that type.
const HardwareWords* hardware_words(cluster::XnameType type);

/// A view: valid inside the call that gives it.
struct HardwareItem {
  using What = std::variant<const cluster::KnownHardware*, const cluster::BmcSystem*,
                            const cluster::BmcProcessor*, const cluster::BmcMemory*,
                            const cluster::BmcDrive*, const cluster::BmcManager*,
                            const cluster::BmcChassis*, const cluster::BmcPowerSupply*>;
  std::string id;
  cluster::XnameType type = cluster::XnameType::node;
  uint32_t ordinal = 0;
  std::string_view node;                           ///< name of the node that it is in; empty: none
  const cluster::BmcIdentity* identity = nullptr;  ///< null: a client said so
  What what;
};

/// What tells the piece in a place from all others, as SMD makes it: TYPE.MAKER.PART.SERIAL, or
/// "FRUIDfor" and the place where maker and part number or the serial number are not known.
std::string fru_id_of(const HardwareItem& item);
std::string fru_id_of(cluster::XnameType type, std::string_view place,
                      std::string_view manufacturer, std::string_view part_number,
                      std::string_view serial);
std::string_view manufacturer_of(const HardwareItem& item);
std::string_view part_number_of(const HardwareItem& item);
std::string_view serial_of(const HardwareItem& item);

/// As an entry by location.
void append_json(std::string& out, const HardwareItem& item);
/// What sits there alone.
void append_fru_json(std::string& out, const HardwareItem& item);

using TakeItem = Callback<void(const HardwareItem&)>;

/// A node by the xname that it goes by, and what its agent found.
struct PlacedNode {
  std::string_view name;
  const cluster::NodeParts* parts = nullptr;  ///< null: there is no such node
};
using FindNode = Callback<PlacedNode(const std::string& xname)>;

/// Everything behind one BMC: its enclosure and itself, its computers and what is in them. Nothing
/// when it has no xname or was never looked through.
void walk_bmc(const cluster::ManagedBmc& bmc, FindNode& find, TakeItem& take);
/// A node that no BMC was looked through for.
void walk_node(const std::string& xname, const PlacedNode& node, TakeItem& take);
HardwareItem item_of(const cluster::KnownHardware& known);

/// All hardware: BMC by BMC, then nodes that have none, then what clients said. Where somebody
/// looks, clients are not heard. With a `place` (an xname; empty: none) at least all that lies in
/// it or around it.
void walk_hardware(const cluster::Model& model, const cluster::KnownHardwareMap& said,
                   const std::string& place, TakeItem& take);

/// Reads what clients said, then calls `then`, or fails the request.
void with_known_hardware(Services& services, const RequestPtr& request,
                         Callback<void(const cluster::KnownHardwareMap&)> then);

/// The BMC whose look says what is at this place; empty: none can.
std::string bmc_of_place(std::string_view xname);
/// Where the enclosure around a BMC is: "x1c0s4e0" of "x1c0s4b0"; empty: nowhere.
std::string enclosure_of(std::string_view bmc);
/// The enclosure among those that a BMC lists; null: it lists none.
const cluster::BmcChassis* main_chassis(const cluster::BmcInventory& inventory);
/// The controller itself: others that a BMC lists manage enclosures or PCIe. Null: it lists none.
const cluster::BmcManager* own_manager(const cluster::BmcInventory& inventory);

}  // namespace drover::api::smd

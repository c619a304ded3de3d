// Names of hardware by its place (xnames): cabinet x1000, chassis c3, slot s7, controller b0, node
// n0 make x1000c3s7b0n0. Grammar: Cray-HPE hms-xname 1.4. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

/// What an xname names, in the words of hms-xname.
enum class XnameType : uint8_t {
  system,
  all,
  all_services,
  all_components,
  partition,
  sms_box,
  cdu,
  cdu_switch,
  cabinet,
  cabinet_cdu,
  cec,
  cabinet_bmc,
  pdu_controller,
  pdu_nic,
  pdu,
  pdu_outlet,
  pdu_power_connector,
  chassis,
  chassis_bmc,
  chassis_bmc_nic,
  cmm_fpga,
  cmm_rectifier,
  compute_module,
  node_enclosure,
  node_enclosure_supply,
  node_power_connector,
  node_bmc,
  node_bmc_nic,
  node_fpga,
  node,
  virtual_node,
  node_nic,
  node_hsn_nic,
  node_accel,
  node_accel_riser,
  memory,
  processor,
  storage_group,
  drive,
  router_module,
  router_bmc,
  router_bmc_nic,
  router_fpga,
  router_tor,
  router_tor_fpga,
  hsn_board,
  hsn_asic,
  hsn_link,
  hsn_connector,
  hsn_connector_port,
  router_power_connector,
  mgmt_switch,
  mgmt_switch_connector,
  mgmt_hl_switch_enclosure,
  mgmt_hl_switch,
};
/// "NodeBMC" and the like.
std::span<const std::string_view> enum_names(XnameType);
/// The type of that name, in any case; nothing when there is none.
std::optional<XnameType> xname_type_called(std::string_view name);

/// An xname that keeps to the grammar.
struct Xname {
  std::string text;  ///< canonical: lower case, no leading zeros
  XnameType type = XnameType::node;
  bool operator==(const Xname&) const = default;
};

/// Takes spaces around it, capitals and leading zeros; nothing when no rule fits.
std::optional<Xname> parse_xname(std::string_view text);

/// What it is part of: x1000c3s7b0 of x1000c3s7b0n0, s0 of a cabinet; empty of s0 and the `all`s.
/// Of a canonical one.
std::string parent_xname(std::string_view canonical);

/// Whether `part` is `whole` or lies in it. s0 and all hold everything. Both canonical.
bool lies_in(std::string_view part, std::string_view whole);

/// Whether it can be the ID of a Redfish endpoint: a controller or a management switch.
bool is_controller(XnameType type);

/// The node number that follows from the place, for nodes that were given none: 16384 for
/// x0c0s0b0n0, as SMD has it, and then every place its own. Nothing for what is no node, and beyond
/// slot 63, controller 7 or node 7, where places would meet.
std::optional<uint64_t> nid_of_place(const Xname& node);

}  // namespace drover::cluster

// A controller that machines are managed through (a BMC, a chassis' or a power strip's controller):
// where it is, what is behind it, and how the last look at it went. Its password is kept sealed and
// elsewhere. SMD calls it a Redfish endpoint.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/hardware/bmc_inventory.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of these objects in the store; their key is the name.
inline constexpr std::string_view kBmcKind = "bmcs";
/// Bookkeeping beside them: whose an address is, by address; body {"name":".."}.
inline constexpr std::string_view kBmcAddressKind = "bmc-addresses";

/// How the last look went.
struct BmcLook {
  static constexpr std::string_view kTypeName = "BmcLook";
  WallTime attempted{};
  /// In the words of SMD: DiscoverOK, HTTPsGetFailed, NotYetQueried ..; empty: none was made.
  std::string status;
  std::string redfish_version;
  bool operator==(const BmcLook&) const = default;
  void describe(Visitor& v);
};

/// Body of a store object of kind kBmcKind. Of its inventory, systems that are nodes are found by
/// their place: the system at index i is the node whose xname is `name`n<i> (system_xname()).
struct ManagedBmc {
  static constexpr std::string_view kTypeName = "ManagedBmc";
  std::string name;     ///< its xname where it has one
  std::string address;  ///< host name or IP address; unique; empty: not known yet
  std::string host_name;
  std::string domain;
  std::string description;
  std::string uuid;
  std::string user;  ///< account on it
  std::string mac;   ///< canonical; empty: not known
  std::string ip;    ///< canonical; where `address` is a name
  bool enabled = true;
  bool announces = false;     ///< SMD's UseSSDP
  bool mac_required = false;  ///< SMD's MACRequired
  bool rediscover = false;    ///< SMD's RediscoverOnUpdate
  std::string template_id;
  BmcLook look;
  std::optional<BmcInventory> inventory;
  bool operator==(const ManagedBmc&) const = default;
  void describe(Visitor& v);
};

/// Makes it canonical and checks every field but its inventory, which check(BmcInventory) does; the
/// error names field, value and rule.
Status normalise(ManagedBmc& bmc);

/// Creates or replaces, inside a store mutation. conflict when another has its address.
Status put_bmc(store::Transaction& tx, ManagedBmc bmc);
/// Whether there was one.
Result<bool> erase_bmc(store::Transaction& tx, const std::string& name);

/// The place of a system of a BMC with an xname: its node's xname. The index comes from the digits
/// at the end of the system's id or path (Node2), else from its place in the list; two systems
/// never get one place. `systems` is in natural order of ids.
std::vector<uint32_t> system_places(const std::vector<BmcSystem>& systems);

}  // namespace drover::cluster

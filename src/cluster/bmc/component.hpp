// What is kept for hardware that is no node, and beside nodes for SMD's clients: components,
// interfaces that belong to no node, locks, default numbers, power feeds, and who is told of
// changes. What a node has of these stands in the node.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kinds of these objects in the store.
inline constexpr std::string_view kComponentKind = "components";            ///< by xname
inline constexpr std::string_view kComponentLockKind = "component-locks";   ///< by xname
inline constexpr std::string_view kInterfaceKind = "interfaces";            ///< by MAC
inline constexpr std::string_view kNodeMapKind = "node-maps";               ///< by xname
inline constexpr std::string_view kPowerMapKind = "power-maps";             ///< by xname
inline constexpr std::string_view kSubscriptionKind = "scn-subscriptions";  ///< by number

/// A component that is no node, in SMD's words.
struct Component {
  static constexpr std::string_view kTypeName = "Component";
  std::string xname;
  std::string state = "Unknown";
  std::string flag = "OK";
  bool enabled = true;
  std::string software_status;
  std::string role;
  std::string sub_role;
  std::string subtype;
  std::string net_type;
  std::string arch;
  std::string hw_class;
  bool operator==(const Component&) const = default;
  void describe(Visitor& v);
};

/// What is said of a component beside its state. Of a node, `locked` stands in the node.
struct ComponentLock {
  static constexpr std::string_view kTypeName = "ComponentLock";
  std::string xname;
  bool locked = false;
  bool no_reservations = false;  ///< SMD's ReservationDisabled
  bool operator==(const ComponentLock&) const = default;
  void describe(Visitor& v);
};

struct InterfaceAddress {
  static constexpr std::string_view kTypeName = "InterfaceAddress";
  std::string address;
  std::string network;  ///< a name, free text
  bool operator==(const InterfaceAddress&) const = default;
  void describe(Visitor& v);
};

/// An interface by its MAC. Where a node has that MAC, its addresses and whose it is stand in the
/// node, and here is what the node has no place for.
struct KnownInterface {
  static constexpr std::string_view kTypeName = "KnownInterface";
  std::string mac;  ///< canonical
  std::string description;
  std::string component;  ///< xname; empty: nobody's, or a node's
  std::vector<InterfaceAddress> addresses;
  WallTime updated{};
  bool operator==(const KnownInterface&) const = default;
  void describe(Visitor& v);
};

/// What a node gets that is defined without it: SMD's NodeMap.
struct NodeMap {
  static constexpr std::string_view kTypeName = "NodeMap";
  std::string xname;
  uint64_t nid = 0;
  std::string role;
  std::string sub_role;
  std::string info;  ///< JSON; empty: none
  bool operator==(const NodeMap&) const = default;
  void describe(Visitor& v);
};

/// What feeds a component.
struct PowerMap {
  static constexpr std::string_view kTypeName = "PowerMap";
  std::string xname;
  std::vector<std::string> powered_by;
  bool operator==(const PowerMap&) const = default;
  void describe(Visitor& v);
};

/// Who is told of changes of components: SMD's state change notifications.
struct ScnSubscription {
  static constexpr std::string_view kTypeName = "ScnSubscription";
  uint64_t id = 0;
  std::string subscriber;
  std::string url;
  bool enabled = false;  ///< told when components are enabled or disabled
  std::vector<std::string> roles;
  std::vector<std::string> sub_roles;
  std::vector<std::string> software_status;
  std::vector<std::string> states;
  bool operator==(const ScnSubscription&) const = default;
  void describe(Visitor& v);
};

}  // namespace drover::cluster

#include "cluster/bmc/component.hpp"

namespace drover::cluster {

void Component::describe(Visitor& v) {
  constexpr auto kMay = Presence::optional;
  v.field("xname", xname, "Its place.");
  v.field("state", state, "Its state, in the words of SMD.", kMay);
  v.field("flag", flag, "OK, Warning, Alert or Locked.", kMay);
  v.field("enabled", enabled, "Whether it takes part at all.", kMay);
  v.field("software_status", software_status, "What its software says.", kMay);
  v.field("role", role, "Its role, in the words of SMD.", kMay);
  v.field("sub_role", sub_role, "A finer role.", kMay);
  v.field("subtype", subtype, "A finer type.", kMay);
  v.field("net_type", net_type, "The network that it is part of.", kMay);
  v.field("arch", arch, "Its architecture, in the words of SMD.", kMay);
  v.field("hw_class", hw_class, "The kind of cabinet.", kMay);
}

void ComponentLock::describe(Visitor& v) {
  v.field("xname", xname, "Its place.");
  v.field("locked", locked, "Whether power requests are refused.", Presence::optional);
  v.field("no_reservations", no_reservations, "Whether it can be reserved.", Presence::optional);
}

void InterfaceAddress::describe(Visitor& v) {
  v.field("address", address, "IP address.");
  v.field("network", network, "The network's name.", Presence::optional);
}

void KnownInterface::describe(Visitor& v) {
  constexpr auto kMay = Presence::optional;
  v.field("mac", mac, "Hardware address.");
  v.field("description", description, "Free text.", kMay);
  v.field("component", component, "Whose it is, by xname; empty: nobody's or a node's.", kMay);
  v.field("addresses", addresses, "IP addresses; those of a node's stand in the node.", kMay);
  v.field("updated", updated, "When it was last changed.", kMay);
}

void NodeMap::describe(Visitor& v) {
  v.field("xname", xname, "The place.");
  v.field("nid", nid, "The number that a node there gets.");
  v.field("role", role, "The role that it gets.", Presence::optional);
  v.field("sub_role", sub_role, "The finer role that it gets.", Presence::optional);
  v.field("info", info, "JSON, kept as it is.", Presence::optional);
}

void PowerMap::describe(Visitor& v) {
  v.field("xname", xname, "What is fed.");
  v.field("powered_by", powered_by, "What feeds it, by xname.", Presence::optional);
}

void ScnSubscription::describe(Visitor& v) {
  constexpr auto kMay = Presence::optional;
  v.field("id", id, "Its number.");
  v.field("subscriber", subscriber, "Who asked for it.", kMay);
  v.field("url", url, "Where notifications are posted.", kMay);
  v.field("enabled", enabled, "Whether it is told of enabling and disabling.", kMay);
  v.field("roles", roles, "Roles that it is told of.", kMay);
  v.field("sub_roles", sub_roles, "Finer roles that it is told of.", kMay);
  v.field("software_status", software_status, "Software states that it is told of.", kMay);
  v.field("states", states, "States that it is told of.", kMay);
}

}  // namespace drover::cluster

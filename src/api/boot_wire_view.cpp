#include "api/boot_wire_view.hpp"

#include <array>

namespace drover::api {

std::span<const std::string_view> enum_names(BootLeaseState) {
  static constexpr std::array<std::string_view, 5> kNames{"offered", "leased", "free",
                                                          "quarantined", "reserved"};
  return kNames;
}

void BootLease::describe(Visitor& v) {
  v.field("address", address, "The IPv4 address.");
  v.field("mac", mac, "Who has it, or had it last; empty: nobody, or it is not known.");
  v.field("node", node, "The node with that MAC; empty: none.");
  v.field("network", network, "Name of the network that it belongs to.");
  v.field("state", state,
          "offered, leased, free (held for who had it last), quarantined (another machine was seen "
          "using it), reserved (the model gives it to the node).");
  v.field("name", name, "What the client calls itself.");
  v.field("since", since, "When the state began or was last confirmed; null: not known.");
  v.field("expires", expires, "When it ends; null: never.");
  v.field("daemon", daemon, "The boot daemon that gives it out.");
}

void BootTraceEvent::describe(Visitor& v) {
  v.field("time", time, "When it came.");
  v.field("mac", mac, "The machine's hardware address; empty: only its address is known.");
  v.field("node", node, "The node that it is; empty: none is known.");
  v.field("address", address, "Its IP address, where it has one.");
  v.field("what", what, "What it did.");
  v.field("outcome", outcome, "What it was answered, or what came of it.");
  v.field("ok", ok, "False: refused, failed or not answered.");
  v.field("daemon", daemon, "The boot daemon that saw it.");
}

void BootTraceQuery::describe(Visitor& v) {
  v.field("node", node, "A node's name; empty: none.", Presence::optional);
  v.field("mac", mac, "A canonical MAC; empty: none.", Presence::optional);
  v.field("events", events, "The newest so many; 0: all.", Presence::optional);
}

}  // namespace drover::api

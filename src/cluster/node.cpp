#include "cluster/node.hpp"

#include <array>

namespace drover::cluster {
namespace {

// The order of the names is the order of the enumerators.
constexpr std::array<std::string_view, 3> kPowerNames{"unknown", "off", "on"};
constexpr std::array<std::string_view, 16> kPhaseNames{
    "unknown", "off",     "powering", "dhcp",  "loader",    "kernel",  "init",   "image",
    "joining", "node_up", "up",       "error", "rebooting", "halting", "halted", "lost"};
constexpr std::array<std::string_view, 7> kServiceNames{
    "discovered",  "in_service",   "out_of_service", "admin_reserved",
    "maintenance", "soft_failure", "hard_failure"};
constexpr std::array<std::string_view, 3> kFlagNames{"ok", "warning", "alert"};
constexpr std::array<std::string_view, 2> kRoleNames{"compute", "utility"};

template <typename Axis>
void describe_axis(Axis& axis, Visitor& v) {
  v.field("state", axis.state, "Where the axis stands.");
  v.field("since", axis.since, "Since when; null when it was never known.", Presence::optional);
  v.field("why", axis.why, "Why it got there.", Presence::optional);
  v.field("who", axis.who, "Through whom it got there.", Presence::optional);
}

}  // namespace

std::span<const std::string_view> enum_names(PowerState) {
  return kPowerNames;
}
std::span<const std::string_view> enum_names(PhaseState) {
  return kPhaseNames;
}
std::span<const std::string_view> enum_names(ServiceState) {
  return kServiceNames;
}
std::span<const std::string_view> enum_names(NodeFlag) {
  return kFlagNames;
}
std::span<const std::string_view> enum_names(NodeRole) {
  return kRoleNames;
}

void Power::describe(Visitor& v) {
  describe_axis(*this, v);
}
void Phase::describe(Visitor& v) {
  describe_axis(*this, v);
}
void Service::describe(Visitor& v) {
  describe_axis(*this, v);
}

void NodeSummary::describe(Visitor& v) {
  v.field("cpus", cpus, "Hardware threads.", Presence::optional);
  v.field("memory_mib", memory_mib, "Installed memory in MiB.", Presence::optional);
  v.field("gpus", gpus, "Graphics processors.", Presence::optional);
  v.field("os", os, "Name of the operating system.", Presence::optional);
  v.field("kernel", kernel, "Release of the kernel.", Presence::optional);
}

namespace {

void describe_rest(Node& node, Visitor& v) {
  v.field("power", node.power, "Power, as the node's BMC sees it.", Presence::optional);
  v.field("service", node.service, "What the node may be used for.", Presence::optional);
  v.field("enabled", node.enabled, "Whether the node takes part at all.", Presence::optional);
  v.field("flag", node.flag, "A mark for the operator's attention.", Presence::optional);
  v.field("locked", node.locked, "Whether power and boot requests are refused.",
          Presence::optional);
  v.field("summary", node.summary, "Short form of the inventory.", Presence::optional);
  v.field("spec", node.spec, "What administrators said about it.", Presence::optional);
}

void describe_head(Node& node, Visitor& v) {
  v.field("name", node.name, "Name of the node.");
  v.field("id", node.id, "Stable id, the same over renames.");
  v.field("role", node.role, "What kind of node it is.");
}

}  // namespace

void Node::describe(Visitor& v) {
  describe_head(*this, v);
  v.field("phase", phase, "What the machine is doing.");
  describe_rest(*this, v);
}

void Agent::describe(Visitor& v) {
  v.field("version", version, "Version of the agent's software.", Presence::optional);
  v.field("incarnation", incarnation, "Start time of the agent, Unix milliseconds.",
          Presence::optional);
  v.field("starts", starts, "How often the agent has started on this host.", Presence::optional);
  v.field("boot_id", boot_id, "The kernel's boot id.", Presence::optional);
  v.field("address", address, "Where the agent's link comes from.", Presence::optional);
  v.field("primary", primary, "Aggregator that carries its messages; empty: none.",
          Presence::optional);
  v.field("secondary", secondary, "Aggregator that stands by; empty: none.", Presence::optional);
  v.field("last_seen", last_seen, "When word of it last reached this master.", Presence::optional);
}

void PhaseView::describe(Visitor& v) {
  phase.describe(v);
  v.field("confirmed", confirmed,
          "Whether somebody in touch with this master vouches for it now; false: so it was when "
          "last known.");
}

void NodeView::describe_stable(Visitor& v) {
  describe_head(node, v);
  PhaseView shown{node.phase, confirmed};
  v.field("phase", shown, "What the machine is doing.");
  node.phase = std::move(shown.phase);
  confirmed = shown.confirmed;
  describe_rest(node, v);
  v.field("revision", revision, "Of the durable record; for If-Match.");
}

void NodeView::describe(Visitor& v) {
  describe_stable(v);
  v.field("agent", agent, "What its agent said lately; null: not heard of yet.",
          Presence::optional);
}

}  // namespace drover::cluster

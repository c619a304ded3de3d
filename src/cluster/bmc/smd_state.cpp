#include "cluster/bmc/smd_state.hpp"

#include "cluster/state_views.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 8> kStateNames{"Unknown", "Empty",   "Populated", "Off",
                                                      "On",      "Standby", "Halt",      "Ready"};
constexpr std::array<std::string_view, 5> kFlagNames{"OK", "Warning", "Alert", "Locked", "Unknown"};
constexpr std::string_view kPresence = "smd_presence";
/// How the reasons of phases begin that SMD's clients report.
constexpr std::string_view kWhy = "reported as ";

template <typename... S>
constexpr unsigned set(S... states) {
  return (0U | ... | (1U << static_cast<unsigned>(states)));
}
using enum SmdState;

unsigned allowed_from(SmdState to) {
  switch (to) {
    case off:
      return set(off, on, standby, halt, ready);
    case on:
      return set(on, off, standby, halt);
    case standby:
      return set(standby, ready);
    case halt:
      return set(halt, ready);
    case ready:
      return set(ready, on, off, standby, halt);
    default:
      return 0;
  }
}

template <typename A, typename State>
void move_axis(A& axis, State to, const SmdReport& report, SmdState word) {
  if (axis.state == to) return;
  axis.state = to;
  axis.since = report.time;
  axis.why = fmt::format("{}{}", kWhy, enum_name(word));
  axis.who = report.who;
}

struct Axes {
  std::optional<PowerState> power;
  std::optional<PhaseState> phase;
};
Axes axes_of(SmdState state) {
  switch (state) {
    case off:
      return {PowerState::off, PhaseState::off};
    case on:
      return {PowerState::on, PhaseState::unknown};
    case standby:
      return {PowerState::on, PhaseState::lost};
    case halt:
      return {std::nullopt, PhaseState::halted};
    case ready:
      return {PowerState::on, PhaseState::up};
    default:
      return {PowerState::unknown, PhaseState::unknown};
  }
}

}  // namespace

std::span<const std::string_view> enum_names(SmdState) {
  return kStateNames;
}
std::span<const std::string_view> enum_names(SmdFlag) {
  return kFlagNames;
}

bool needs_force(SmdState to) {
  return allowed_from(to) == 0;
}

bool smd_allows(SmdState from, SmdState to) {
  return (allowed_from(to) & set(from)) != 0;
}

SmdState smd_state_of(const Node& node) {
  const auto state = enum_from_name<SmdState>(viewed_state(node, StateView::smd).state);
  if (state.value_or(unknown) != unknown) return *state;
  const auto said = node.spec.attributes.find(std::string(kPresence));
  if (said == node.spec.attributes.end()) return unknown;
  return enum_from_name<SmdState>(said->second).value_or(unknown);
}

SmdFlag smd_flag_of(const Node& node) {
  // Who reported the state says what it means for the flag.
  if (node.phase.state == PhaseState::lost && node.phase.why.starts_with(kWhy)) {
    switch (node.flag) {
      case NodeFlag::alert:
        return SmdFlag::alert;
      case NodeFlag::warning:
        return SmdFlag::warning;
      case NodeFlag::ok:
        return node.locked ? SmdFlag::locked : SmdFlag::ok;
    }
  }
  return enum_from_name<SmdFlag>(viewed_state(node, StateView::smd).flag).value_or(SmdFlag::ok);
}

void report_smd_state(Node& node, SmdState to, const SmdReport& report) {
  if (!report.heard && smd_state_of(node) == to) return;
  const Axes axes = axes_of(to);
  if (axes.power) move_axis(node.power, *axes.power, report, to);
  if (axes.phase && !report.heard) move_axis(node.phase, *axes.phase, report, to);
  node.spec.attributes.erase(std::string(kPresence));
  if (to == empty || to == populated) {
    node.spec.attributes[std::string(kPresence)] = enum_name(to);
  }
}

void report_smd_flag(Node& node, SmdFlag to) {
  node.locked = node.locked || to == SmdFlag::locked;
  switch (to) {
    case SmdFlag::warning:
      node.flag = NodeFlag::warning;
      return;
    case SmdFlag::alert:
      node.flag = NodeFlag::alert;
      return;
    case SmdFlag::ok:
    case SmdFlag::locked:
    case SmdFlag::unknown:
      node.flag = NodeFlag::ok;
      return;
  }
}

}  // namespace drover::cluster

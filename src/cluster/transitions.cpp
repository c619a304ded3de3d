#include "cluster/transitions.hpp"

#include <array>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kAxisNames{"power", "phase", "service"};
constexpr std::array<std::string_view, 6> kActorNames{"liveness", "boot",     "admin",
                                                      "ras",      "recovery", "bmc"};

template <typename... E>
constexpr StateSet states(E... state) {
  return (StateSet{0} | ... | (StateSet{1} << static_cast<unsigned>(state)));
}
template <typename... A>
constexpr ActorSet by(A... actor) {
  return static_cast<ActorSet>((0U | ... | (1U << static_cast<unsigned>(actor))));
}

using enum Actor;
using Ph = PhaseState;
using Sv = ServiceState;
using Pw = PowerState;

constexpr StateSet kAnyPower = states(Pw::unknown, Pw::off, Pw::on);
constexpr StateSet kAnyPhase = (StateSet{1} << 16) - 1;
constexpr StateSet kBooting = states(Ph::powering, Ph::dhcp, Ph::loader, Ph::kernel, Ph::init,
                                     Ph::image, Ph::joining, Ph::node_up);
/// Phases in which the agent ran, so that its silence means something.
constexpr StateSet kAgentRan = states(Ph::joining, Ph::node_up, Ph::up, Ph::error);
constexpr StateSet kAnyService = (StateSet{1} << 7) - 1;

constexpr TransitionRule power(StateSet from, Pw to, ActorSet actors, std::string_view when) {
  return {Axis::power, from, static_cast<uint8_t>(to), actors, when};
}
constexpr TransitionRule phase(StateSet from, Ph to, ActorSet actors, std::string_view when) {
  return {Axis::phase, from, static_cast<uint8_t>(to), actors, when};
}
constexpr TransitionRule service(StateSet from, Sv to, ActorSet actors, std::string_view when) {
  return {Axis::service, from, static_cast<uint8_t>(to), actors, when};
}

constexpr std::array kRules{
    power(kAnyPower, Pw::on, by(bmc), "its BMC says that it is on"),
    power(kAnyPower, Pw::off, by(bmc), "its BMC says that it is off"),
    power(kAnyPower, Pw::unknown, by(bmc), "its BMC does not answer or was removed"),

    phase(kAnyPhase, Ph::up, by(liveness), "its agent is heard"),
    phase(kAgentRan | states(Ph::unknown), Ph::lost, by(liveness),
          "its agent was heard and is silent now"),
    phase(states(Ph::up, Ph::lost), Ph::unknown, by(liveness),
          "no aggregator that could hear its agent is in touch"),
    phase(states(Ph::halting), Ph::halted, by(liveness, bmc),
          "it went silent after it was told to"),
    phase(kAnyPhase, Ph::off, by(bmc), "its power went off"),
    phase(kAnyPhase, Ph::powering, by(bmc), "its power came on, or was cycled"),
    phase(kAnyPhase, Ph::dhcp, by(boot), "its firmware asked for an address"),
    phase(kAnyPhase, Ph::loader, by(boot), "it fetched its boot loader"),
    phase(states(Ph::powering, Ph::dhcp, Ph::loader, Ph::unknown, Ph::lost), Ph::kernel, by(boot),
          "it fetched its kernel"),
    phase(states(Ph::loader, Ph::kernel), Ph::init, by(boot), "its initial environment runs"),
    phase(states(Ph::kernel, Ph::init), Ph::image, by(boot), "it fetches its image"),
    phase(states(Ph::kernel, Ph::init, Ph::image, Ph::unknown, Ph::lost), Ph::joining, by(boot),
          "its agent asks to be enrolled"),
    phase(states(Ph::joining), Ph::node_up, by(boot), "its agent runs and is setting up"),
    phase(kAnyPhase, Ph::node_up, by(liveness), "its agent is heard and takes its steps"),
    phase(kAnyPhase, Ph::error, by(liveness), "its agent is heard and a step or a hook failed"),
    phase(kBooting | states(Ph::rebooting), Ph::error, by(boot), "a step of its boot failed"),
    phase(states(Ph::lost), Ph::error, by(boot), "its kernel had said why it fell silent"),
    phase(states(Ph::up, Ph::node_up, Ph::error, Ph::lost, Ph::unknown), Ph::rebooting, by(admin),
          "a reboot was asked for"),
    phase(states(Ph::up, Ph::node_up, Ph::error), Ph::halting, by(admin),
          "a shutdown was asked for"),
    phase(states(Ph::error, Ph::lost, Ph::halted, Ph::rebooting, Ph::halting), Ph::unknown,
          by(admin), "the phase was cleared by hand"),

    service(kAnyService, Sv::in_service, by(admin), "it may run work"),
    service(states(Sv::soft_failure), Sv::in_service, by(recovery), "its recovery succeeded"),
    service(kAnyService, Sv::out_of_service, by(admin), "it is taken out; its events are dropped"),
    service(kAnyService, Sv::admin_reserved, by(admin), "kept for administrators"),
    service(kAnyService, Sv::maintenance, by(admin), "being worked on; its events are dropped"),
    service(states(Sv::discovered, Sv::in_service), Sv::soft_failure, by(ras),
            "an event calls for recovery"),
    service(states(Sv::discovered, Sv::in_service, Sv::soft_failure), Sv::hard_failure,
            by(ras, recovery), "an event calls for repair, or recovery was tried too often"),
};

struct Asked {
  Axis axis;
  uint8_t from;
  uint8_t to;
  Actor actor;
  std::span<const std::string_view> names;
};

bool holds(uint32_t set, unsigned member) {
  return ((set >> member) & 1U) != 0;
}

std::vector<std::string_view> actors_of(ActorSet set) {
  std::vector<std::string_view> out;
  for (unsigned i = 0; i < kActorNames.size(); ++i) {
    if (holds(set, i)) out.push_back(kActorNames.at(i));
  }
  return out;
}

Status refusal(const Asked& asked, ActorSet who_may) {
  const std::string_view axis = enum_name(asked.axis);
  const std::string_view actor = enum_name(asked.actor);
  if (who_may != 0) {
    return fail(Code::denied, fmt::format("{}: only {} may take it from {} to {}, not {}", axis,
                                          fmt::join(actors_of(who_may), " or "),
                                          asked.names[asked.from], asked.names[asked.to], actor));
  }
  std::vector<std::string_view> targets;
  for (const TransitionRule& rule : kRules) {
    const bool fits = rule.axis == asked.axis && holds(rule.from, asked.from) &&
                      holds(rule.actors, static_cast<unsigned>(asked.actor)) &&
                      rule.to != asked.from;
    if (fits) targets.push_back(asked.names[rule.to]);
  }
  return fail(Code::conflict,
              fmt::format("{}: cannot go from {} to {}; {} may take it to {}", axis,
                          asked.names[asked.from], asked.names[asked.to], actor,
                          targets.empty() ? "no other state from there"
                                          : fmt::format("{}", fmt::join(targets, ", "))));
}

Status check(const Asked& asked) {
  if (asked.from == asked.to) return {};
  ActorSet who_may = 0;
  for (const TransitionRule& rule : kRules) {
    if (rule.axis != asked.axis || rule.to != asked.to || !holds(rule.from, asked.from)) continue;
    if (holds(rule.actors, static_cast<unsigned>(asked.actor))) return {};
    who_may = static_cast<ActorSet>(who_may | rule.actors);
  }
  return refusal(asked, who_may);
}

template <typename E>
Status check_axis(Axis axis, E from, E to, Actor actor) {
  return check(
      {axis, static_cast<uint8_t>(from), static_cast<uint8_t>(to), actor, enum_names(from)});
}

}  // namespace

std::span<const std::string_view> enum_names(Axis) {
  return kAxisNames;
}
std::span<const std::string_view> enum_names(Actor) {
  return kActorNames;
}

std::span<const TransitionRule> transition_rules() {
  return kRules;
}

std::string transitions_markdown() {
  std::string out =
      "# Node states\n\nA node has three independent axes. Made from the transition table in "
      "`src/cluster/transitions.cpp`; do not edit.\n";
  for (const Axis axis : {Axis::power, Axis::phase, Axis::service}) {
    const auto names = axis == Axis::power   ? enum_names(PowerState{})
                       : axis == Axis::phase ? enum_names(PhaseState{})
                                             : enum_names(ServiceState{});
    out += fmt::format("\n## {}\n\nStates: {}.\n\n| From | To | By | When |\n|---|---|---|---|\n",
                       enum_name(axis), fmt::join(names, ", "));
    for (const TransitionRule& rule : kRules) {
      if (rule.axis != axis) continue;
      const StateSet all = (StateSet{1} << names.size()) - 1;
      std::vector<std::string_view> from;
      for (unsigned i = 0; i < names.size(); ++i) {
        if (holds(rule.from, i)) from.push_back(names[i]);
      }
      out += fmt::format("| {} | {} | {} | {} |\n",
                         rule.from == all ? "any" : fmt::format("{}", fmt::join(from, ", ")),
                         names[rule.to], fmt::join(actors_of(rule.actors), ", "), rule.when);
    }
  }
  return out;
}

Status may_change(PowerState from, PowerState to, Actor actor) {
  return check_axis(Axis::power, from, to, actor);
}
Status may_change(PhaseState from, PhaseState to, Actor actor) {
  return check_axis(Axis::phase, from, to, actor);
}
Status may_change(ServiceState from, ServiceState to, Actor actor) {
  return check_axis(Axis::service, from, to, actor);
}

}  // namespace drover::cluster

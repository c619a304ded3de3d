// The one table of allowed state transitions: for each axis of a node, from where to where, and who
// may do it. Every caller asks here; the manual and the property tests are made from it.
#pragma once

#include "base/result.hpp"
#include "cluster/node.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

enum class Axis : uint8_t { power, phase, service };
std::span<const std::string_view> enum_names(Axis);

/// Who asks for a transition.
enum class Actor : uint8_t {
  liveness,  ///< the heartbeat of the node's agent, or its absence
  boot,      ///< what the boot services see the machine fetch
  admin,     ///< a person or program through the API
  ras,       ///< an event whose type sets a state
  recovery,  ///< the recovery of soft failures
  bmc,       ///< the node's baseboard management controller
};
std::span<const std::string_view> enum_names(Actor);

/// Bit sets over the states of one axis and over actors.
using StateSet = uint32_t;
using ActorSet = uint8_t;

/// One row: from any of these states to that one, by any of these actors.
struct TransitionRule {
  Axis axis;
  StateSet from;
  uint8_t to;
  ActorSet actors;
  std::string_view when;  ///< for the manual: what it means
};

/// The whole table, in the order of the manual.
std::span<const TransitionRule> transition_rules();

/// The table as Markdown for the manual: docs/states.md.
std::string transitions_markdown();

/// Ok when `actor` may take the axis from `from` to `to`; staying is always allowed and changes
/// nothing. Otherwise conflict, naming what is allowed from there, or denied, naming who may.
Status may_change(PowerState from, PowerState to, Actor actor);
Status may_change(PhaseState from, PhaseState to, Actor actor);
Status may_change(ServiceState from, ServiceState to, Actor actor);

}  // namespace drover::cluster

// SMD's words for states, which of its transitions are allowed, and what a state that its clients
// report does to a node's axes. Pure. Facts: hms-base's HMSState, hms-smd's table of transitions.
#pragma once

#include "cluster/node.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

enum class SmdState : uint8_t { unknown, empty, populated, off, on, standby, halt, ready };
std::span<const std::string_view> enum_names(SmdState);
enum class SmdFlag : uint8_t { ok, warning, alert, locked, unknown };
std::span<const std::string_view> enum_names(SmdFlag);

/// May it go from one to the other without force? Unknown, Empty and Populated: never.
bool smd_allows(SmdState from, SmdState to);
/// What only force may set.
bool needs_force(SmdState to);

/// A node's state and flag as SMD says them: viewed_state(), and where power and phase are unknown
/// what its clients said of the place.
SmdState smd_state_of(const Node& node);
SmdFlag smd_flag_of(const Node& node);

/// Who reports, and when.
struct SmdReport {
  WallTime time{};
  std::string who;
  /// Whether the node's own agent vouches for its phase: then a report moves its power alone.
  bool heard = false;
};
/// Takes the node to what was reported. `unknown` of a flag is ok; `locked` locks the node, and no
/// flag unlocks it.
void report_smd_state(Node& node, SmdState to, const SmdReport& report);
void report_smd_flag(Node& node, SmdFlag to);

}  // namespace drover::cluster

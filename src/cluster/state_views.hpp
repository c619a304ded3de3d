// A node's three axes in one word of other systems: CSM, Scyld ClusterWare, OpenCHAMI's SMD. For
// people and tools that think in them; the axes are the truth. Pure tables.
#pragma once

#include "cluster/node.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

enum class StateView : uint8_t { native, csm, scyld, smd };
std::span<const std::string_view> enum_names(StateView);

/// What a view says of a node.
struct ViewedState {
  std::string_view state;
  std::string_view flag;  ///< native and smd: the flag; else empty
};

/// native: the phase. csm: one of the seven states of its node_state. scyld: down, boot, up, error,
/// unavailable, reboot, halt or pwroff. smd: its State and Flag.
/// Facts: CSM's csmi_node_state_t; bpctl's reference; OpenCHAMI's base.HMSState and HMSFlag.
ViewedState viewed_state(const Node& node, StateView view);

/// The tables as Markdown for the manual: the end of docs/states.md.
std::string state_views_markdown();

}  // namespace drover::cluster

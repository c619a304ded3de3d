// What it makes of a node's phase that somebody told its system to end: who asked, and why.
#pragma once

#include "base/result.hpp"
#include "cluster/node.hpp"
#include "store/store.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

/// The phase of a node whose agent has taken this call: rebooting for power.reboot, halting for
/// power.halt and power.poweroff; nothing for any other.
std::optional<PhaseState> phase_of_command(std::string_view method);

/// Writes that phase to the nodes that the table of transitions lets it have, with the
/// transaction's actor as who; `why` may be empty. Nodes that are gone, or whose next boot has been
/// seen already, stay as they are. How many were written; invalid_argument for another method.
Result<size_t> note_command(store::Transaction& tx, std::span<const std::string> nodes,
                            std::string_view method, std::string_view why);

}  // namespace drover::cluster

// What BMCs say of their nodes' power, written down.
#pragma once

#include "base/result.hpp"
#include "cluster/node.hpp"
#include "store/store.hpp"

#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

/// The power of one node as its BMC has just said it.
struct SeenPower {
  std::string node;
  PowerState state = PowerState::unknown;
};

/// Writes what changed, by the table of transitions as the BMC: power, and with it the phase: off
/// when it went off, powering when it came on from off and nothing of a boot was seen yet. Nodes
/// that are gone are left out. How many were written.
Result<size_t> note_power(store::Transaction& tx, std::span<const SeenPower> seen,
                          std::string_view why);

}  // namespace drover::cluster

#include "cluster/hardware/power_note.hpp"

#include "cluster/mutations.hpp"
#include "cluster/transitions.hpp"

namespace drover::cluster {
namespace {

void note_phase(Node& node, PhaseState phase, const store::Transaction& tx,
                const std::string& why) {
  if (node.phase.state == phase || !may_change(node.phase.state, phase, Actor::bmc)) return;
  node.phase = Phase{phase, from_unix_ms(tx.time_ms()), why, tx.actor()};
}

}  // namespace

Result<size_t> note_power(store::Transaction& tx, std::span<const SeenPower> seen,
                          std::string_view why) {
  const std::string reason(why);
  size_t written = 0;
  for (const SeenPower& one : seen) {
    auto node = read_node(tx, one.node);
    if (!node) {
      if (node.error().code == Code::not_found) continue;
      return tl::unexpected<Error>(node.error());
    }
    const PowerState before = node->power.state;
    if (before == one.state || !may_change(before, one.state, Actor::bmc)) continue;
    node->power = Power{one.state, from_unix_ms(tx.time_ms()), reason, tx.actor()};
    const bool came_on = before == PowerState::off && one.state == PowerState::on;
    if (one.state == PowerState::off) note_phase(*node, PhaseState::off, tx, reason);
    if (came_on && node->phase.state == PhaseState::off) {
      note_phase(*node, PhaseState::powering, tx, reason);
    }
    DROVER_CHECK_OK(write_node(tx, *node));
    ++written;
  }
  if (written > 0) tx.explain(reason);
  return written;
}

}  // namespace drover::cluster

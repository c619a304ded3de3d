#include "cluster/commanded_end.hpp"

#include "cluster/mutations.hpp"
#include "cluster/transitions.hpp"
#include "store/reason.hpp"

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::string_view kPower = "power.";

}  // namespace

std::optional<PhaseState> phase_of_command(std::string_view method) {
  if (method == "power.reboot") return PhaseState::rebooting;
  if (method == "power.halt" || method == "power.poweroff") return PhaseState::halting;
  return std::nullopt;
}

Result<size_t> note_command(store::Transaction& tx, std::span<const std::string> nodes,
                            std::string_view method, std::string_view why) {
  const auto phase = phase_of_command(method);
  if (!phase) return fail(Code::invalid_argument, fmt::format("{} ends no node", method));
  const std::string reason =
      store::with_reason(fmt::format("{} was asked for", method.substr(kPower.size())), why);
  tx.explain(reason);
  size_t written = 0;
  for (const std::string& name : nodes) {
    auto node = read_node(tx, name);
    if (!node) {
      if (node.error().code == Code::not_found) continue;
      return tl::unexpected<Error>(node.error());
    }
    if (node->phase.state == *phase || !may_change(node->phase.state, *phase, Actor::admin)) {
      continue;
    }
    node->phase = Phase{*phase, from_unix_ms(tx.time_ms()), reason, tx.actor()};
    DROVER_CHECK_OK(write_node(tx, *node));
    ++written;
  }
  return written;
}

}  // namespace drover::cluster

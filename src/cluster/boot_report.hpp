// What the boot services saw of a machine on its way up, and what that makes of the node's phase.
#pragma once

#include "base/describe.hpp"
#include "cluster/node.hpp"
#include "store/store.hpp"

#include <string>
#include <string_view>

namespace drover::cluster {

/// Longest `why` of a report, in bytes: a line for people.
inline constexpr size_t kMaxBootWhy = 512;

/// One stage that a node has reached, as a boot daemon's record of kind kBootRecord says it.
struct BootReport {
  static constexpr std::string_view kTypeName = "BootReport";
  std::string node;
  PhaseState stage = PhaseState::unknown;  ///< dhcp to node_up, or error
  WallTime at{};                           ///< when it was seen, by the boot daemon's clock
  std::string why;                         ///< for people: what it fetched, or what failed
  /// When the boot-next was asked for that this boot has used up; zero: none.
  WallTime once{};
  bool operator==(const BootReport&) const = default;
  void describe(Visitor& v);
};

/// Kind of the records that carry a BootReport (tree/record_sender.hpp).
inline constexpr std::string_view kBootRecord = "boot";

/// Reads one; invalid_argument for a stage that boot services do not see, an invalid name of a
/// node, or a `why` that is too long.
Result<BootReport> parse_boot_report(std::string_view text);

/// Moves the node's phase, if the table of transitions lets a boot service do so and nothing newer
/// is known. A boot-next that the boot has used up goes, unless another was said since. False when
/// the phase stays. not_found when the node is not in the model. `who` names the boot daemon.
Result<bool> apply_boot_report(store::Transaction& tx, const BootReport& report,
                               const std::string& who);

}  // namespace drover::cluster

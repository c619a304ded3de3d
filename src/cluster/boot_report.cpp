#include "cluster/boot_report.hpp"

#include "cluster/boot_next.hpp"
#include "cluster/mutations.hpp"
#include "cluster/names.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

using Ph = PhaseState;
constexpr std::array kStages{Ph::dhcp,  Ph::loader,  Ph::kernel,  Ph::init,
                             Ph::image, Ph::joining, Ph::node_up, Ph::error};

Status use_up(store::Transaction& tx, const BootReport& report) {
  if (report.once == WallTime{}) return {};
  DROVER_TRY(const auto object, tx.get(kBootNextKind, report.node));
  if (!object) return {};
  DROVER_TRY(const BootNext next, decode_text<BootNext>(object->body, Unknown::ignore));
  if (next.asked != report.once) return {};
  tx.explain("used up by the boot that it was for");
  DROVER_CHECK_OK(erase_boot_next(tx, report.node));
  return {};
}

}  // namespace

void BootReport::describe(Visitor& v) {
  v.field("node", node, "Name of the node.");
  v.field("stage", stage, "How far it has come.");
  v.field("at", at, "When it was seen.");
  v.field("why", why, "What it fetched or what failed, in words.", Presence::optional);
  v.field("once", once, "When the override for one boot was asked for that this boot used up.",
          Presence::optional);
}

Result<BootReport> parse_boot_report(std::string_view text) {
  DROVER_TRY(BootReport report, decode_text<BootReport>(text));
  DROVER_CHECK_OK(check_node_name(report.node));
  if (std::ranges::find(kStages, report.stage) == kStages.end()) {
    return fail(Code::invalid_argument,
                fmt::format("stage: {} is no stage of a boot", enum_name(report.stage)));
  }
  if (report.why.size() > kMaxBootWhy) {
    return fail(Code::too_large,
                fmt::format("why: {} bytes; at most {} are taken", report.why.size(), kMaxBootWhy));
  }
  return report;
}

Result<bool> apply_boot_report(store::Transaction& tx, const BootReport& report,
                               const std::string& who) {
  DROVER_TRY(Node node, read_node(tx, report.node));
  DROVER_CHECK_OK(use_up(tx, report));
  // A daemon that was cut off reports later: what has been seen since then stands.
  if (report.at < node.phase.since) return false;
  if (node.phase.state == report.stage) return false;
  if (!may_change(node.phase.state, report.stage, Actor::boot)) return false;
  node.phase = Phase{report.stage, report.at, report.why, who};
  tx.explain(report.why);
  DROVER_CHECK_OK(write_node(tx, node));
  return true;
}

}  // namespace drover::cluster

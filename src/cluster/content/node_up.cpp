// What comes over the tree is checked at either end: by the node, which does what it is told as
// root, and by the manager, which shows what it is told.
#include "cluster/content/node_up.hpp"

#include "base/text.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/mutations.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 6> kStatusNames{"waiting", "running",   "ok",
                                                       "failed",  "timed_out", "skipped"};
constexpr std::array<std::string_view, 3> kStateNames{"running", "done", "failed"};
constexpr size_t kMaxBootId = 64;

void tidy(std::vector<std::string>& list) {
  if (list.size() > kMaxOverlayFiles) list.resize(kMaxOverlayFiles);
  for (std::string& each : list) each = printable(each.substr(0, 2 * kMaxStepWhy));
}

}  // namespace

std::span<const std::string_view> enum_names(StepStatus) {
  return kStatusNames;
}
std::span<const std::string_view> enum_names(RunState) {
  return kStateNames;
}

void OrderedFile::describe(Visitor& v) {
  v.field("path", path, "Where it is.");
  v.field("file", file, "What it is.");
}

void NodeOrder::describe(Visitor& v) {
  v.field("attempt", attempt, "A higher one runs everything again.");
  v.field("steps", steps, "In their order.");
  v.field("files", files, "All files that the node shall have.");
}

void StepResult::describe(Visitor& v) {
  v.field("name", name, "Name of the step or hook.");
  v.field("status", status, "waiting, running, ok, failed, timed_out or skipped.");
  v.field("ms", ms, "Milliseconds that it took.");
  v.field("why", why, "Of a failure: why.");
  v.field("output", output, "The end of what it wrote.");
}

void FilesResult::describe(Visitor& v) {
  v.field("placed", placed, "Files that were written.");
  v.field("removed", removed, "Files that were taken away.");
  v.field("unchanged", unchanged, "Files that were right already.");
  v.field("problems", problems, "Files that could not be placed or removed, and why.");
}

void NodeUpReport::describe(Visitor& v) {
  v.field("boot_id", boot_id, "The kernel's id of the boot.");
  v.field("attempt", attempt, "Which run of this boot.");
  v.field("state", state, "running, done or failed.");
  v.field("steps", steps, "Every step.");
  v.field("files", files, "What became of the files.");
  v.field("why", why, "Why it failed.");
  v.field("at", at, "When this was so.");
}

void NodeUpRun::describe(Visitor& v) {
  v.field("boot_id", boot_id, "The kernel's id of the boot.");
  v.field("attempt", attempt, "Which run of that boot.");
  v.field("state", state, "running, done or failed.");
  v.field("why", why, "What failed, and why.");
  v.field("begun", begun, "When it began.");
  v.field("ended", ended, "When it ended; null: it runs.");
  v.field("steps", steps, "The steps on the node.");
  v.field("files", files, "What became of its files.");
  v.field("steps_done", steps_done, "Whether all steps are done and hooks are left.");
  v.field("hooks_begun", hooks_begun, "Whether hooks on the manager were begun.");
  v.field("hooks", hooks, "The hooks on the manager.");
}

Result<NodeOrder> parse_node_order(std::string_view text) {
  DROVER_TRY(NodeOrder order, decode_text<NodeOrder>(text, Unknown::ignore));
  StepList list;
  list.name = "node/n";  // its rules are those of a list; whose it is does not matter here
  list.steps = std::move(order.steps);
  DROVER_CHECK_OK(normalise(list));
  order.steps = std::move(list.steps);
  Overlay overlay;
  overlay.name = "node/n";
  for (const OrderedFile& each : order.files) {
    if (overlay.files.emplace(each.path, each.file).second) continue;
    return bad_field("files", each.path, "this path comes twice");
  }
  DROVER_CHECK_OK(normalise(overlay));
  order.files.clear();
  for (auto& [path, file] : overlay.files) {
    if (file.is_template) return bad_field("files", path, "a template has no place here");
    order.files.push_back({path, std::move(file)});
  }
  return order;
}

void tidy(StepResult& result) {
  result.name = printable(result.name.substr(0, kMaxSetName));
  result.why = printable(result.why.substr(0, kMaxStepWhy));
  if (result.output.size() > kStepOutput) {
    result.output.erase(0, result.output.size() - kStepOutput);
  }
  result.output = printable(result.output, true);
}

Result<NodeUpReport> parse_node_up_report(std::string_view text) {
  DROVER_TRY(NodeUpReport report, decode_text<NodeUpReport>(text, Unknown::ignore));
  if (report.steps.size() > kMaxSteps || report.boot_id.size() > kMaxBootId) {
    return fail(Code::too_large, "a report of more steps, or a longer boot id, than there are");
  }
  for (StepResult& step : report.steps) tidy(step);
  tidy(report.files.placed);
  tidy(report.files.removed);
  tidy(report.files.problems);
  report.boot_id = printable(report.boot_id);
  report.why = printable(report.why.substr(0, kMaxStepWhy));
  return report;
}

std::string progress_text(const NodeUpReport& report) {
  for (size_t i = 0; i < report.steps.size(); ++i) {
    if (report.steps[i].status != StepStatus::running) continue;
    return fmt::format("step {} of {}: {}", i + 1, report.steps.size(), report.steps[i].name);
  }
  return fmt::format("placing its files, {} steps follow", report.steps.size());
}

bool take_report(NodeUpRun& run, const NodeUpReport& report) {
  const bool mine = run.boot_id == report.boot_id && run.attempt == report.attempt;
  if (!mine || run.state != RunState::running || run.steps_done) return false;
  run.steps = report.steps;
  run.files = report.files;
  run.steps_done = report.state == RunState::done;
  if (report.state == RunState::failed) {
    run.state = RunState::failed;
    run.ended = report.at;
    run.why = report.why;
  }
  return true;
}

Status apply_node_up_report(store::Transaction& tx, const std::string& node,
                            const NodeUpReport& report) {
  DROVER_TRY(const auto held, tx.get(kNodeUpKind, node));
  if (!held) return {};
  DROVER_TRY(NodeUpRun run, decode_text<NodeUpRun>(held->body, Unknown::ignore));
  if (!take_report(run, report)) return {};
  DROVER_CHECK_OK(tx.put_quiet(kNodeUpKind, node, encode(run)));
  if (report.state != RunState::running) return {};
  DROVER_TRY(Node entry, read_node(tx, node));
  if (entry.phase.state != PhaseState::node_up) return {};
  entry.phase.why = progress_text(report);
  tx.explain(entry.phase.why);
  DROVER_CHECK_OK(write_node(tx, entry));
  return {};
}

}  // namespace drover::cluster

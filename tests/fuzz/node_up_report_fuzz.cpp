// What nodes report of their runs: what is accepted keeps to the limits and can be shown.
#include "base/text.hpp"
#include "cluster/content/node_up.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  using drover::fuzz::require;
  const auto report = drover::cluster::parse_node_up_report(input);
  if (!report) {
    require(!report.error().message.empty(), "a refusal says why");
    return;
  }
  require(report->steps.size() <= drover::cluster::kMaxSteps, "the limit of steps holds");
  for (const auto& step : report->steps) {
    require(drover::printable(step.why) == step.why, "a reason can be shown");
    require(drover::printable(step.output, true) == step.output, "an output can be shown");
  }
  require(!drover::cluster::progress_text(*report).empty(), "progress has words");
  drover::cluster::NodeUpRun run;
  run.boot_id = report->boot_id;
  run.attempt = report->attempt;
  require(take_report(run, *report), "a report of this run is taken");
}

// Orders that nodes take as root: what is accepted keeps to the rules of the model, names plain
// paths alone, and is read back alike.
#include "cluster/content/node_up.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  using drover::fuzz::require;
  const auto order = drover::cluster::parse_node_order(input);
  if (!order) {
    require(!order.error().message.empty(), "a refusal says why");
    return;
  }
  require(order->steps.size() <= drover::cluster::kMaxSteps, "the limit of steps holds");
  require(order->files.size() <= drover::cluster::kMaxOverlayFiles, "the limit of files holds");
  for (const auto& each : order->files) {
    require(drover::cluster::check_node_path("path", each.path).has_value(), "paths are plain");
    require(!each.file.is_template, "no formula reaches a node");
  }
  for (const auto& step : order->steps) {
    const bool has_path = step.kind == drover::cluster::StepKind::file;
    require(!has_path || drover::cluster::check_node_path("path", step.path).has_value(),
            "paths of steps are plain");
  }
  const auto again = drover::cluster::parse_node_order(drover::encode(*order));
  require(again.has_value() && *again == *order, "an order is read back alike");
}

// Inventory reports of agents: what is accepted keeps to the limits and can be stored and read
// back.
#include "cluster/inventory.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto report = drover::cluster::parse_inventory(input);
  if (!report) {
    drover::fuzz::require(!report.error().message.empty(), "a refusal says why");
    return;
  }
  drover::fuzz::require(report->parts.size() <= drover::cluster::kMaxParts, "the limit holds");
  for (const auto& part : report->parts) {
    const auto again = drover::decode_text<drover::cluster::Part>(drover::encode(part));
    drover::fuzz::require(again.has_value() && *again == part, "a part is read back alike");
  }
}

// Endpoints as people and peers write them.
#include "fuzz.hpp"
#include "net/net.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto endpoint = drover::net::Endpoint::parse(input);
  if (!endpoint) return;
  const auto again = drover::net::Endpoint::parse(endpoint->text());
  drover::fuzz::require(again.has_value() && *again == *endpoint, "text() reads back");
}

// Signed assertions: one spelling per value, so what parses encodes to the same bytes.
#include "auth/assertion.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto assertion = drover::auth::parse_assertion(input);
  if (!assertion) return;
  drover::fuzz::require(drover::auth::canonical_bytes(*assertion) == input, "one spelling");
}

// The identity in a certificate: drover://CLUSTER/ROLE/NAME.
#include "fuzz.hpp"
#include "tree/hello.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto name = drover::tree::parse_certificate_uri(input);
  if (!name) return;
  drover::fuzz::require(
      drover::tree::certificate_uri(name->cluster, name->role, name->name) == input,
      "one spelling");
}

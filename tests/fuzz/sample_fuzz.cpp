// Telemetry samples: what is accepted survives the round trip and can be handed on.
#include "fuzz.hpp"
#include "telemetry/latest.hpp"
#include "telemetry/sample.hpp"

DROVER_FUZZ_TARGET(input) {
  using namespace drover::telemetry;
  const auto sample = decode_sample(input);
  if (!sample) return;
  const auto again = decode_sample(encode_sample(*sample));
  drover::fuzz::require(again && *again == *sample, "a sample comes back as it was");
  Latest latest;
  latest.apply("n", *sample, drover::MonoTime());
  (void)latest.find("n", drover::MonoTime());
  const auto full = latest.full_sample("n");
  drover::fuzz::require(full.has_value() == sample->full, "full samples can be handed on");
  if (full) drover::fuzz::require(decode_sample(encode_sample(*full)).has_value(), "and be read");
}

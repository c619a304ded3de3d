// Request targets: what is taken apart can be written and taken apart again to the same.
#include "fuzz.hpp"
#include "net/http/target.hpp"

DROVER_FUZZ_TARGET(input) {
  using drover::net::percent_encode;
  using drover::net::Target;
  const auto target = Target::parse(input);
  if (!target) return;
  std::string text;
  for (const auto& segment : target->segments) text += "/" + percent_encode(segment);
  if (text.empty()) text = "/";
  char separator = '?';
  for (const auto& [name, value] : target->query) {
    text += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  }
  const auto again = Target::parse(text);
  drover::fuzz::require(again.has_value(), "what was taken apart can be written");
  drover::fuzz::require(again->segments == target->segments && again->query == target->query,
                        "it reads back the same");
}

// A Range field against a body of any size: what is served lies within it.
#include "fuzz.hpp"
#include "net/http/http_range.hpp"

#include <cstring>

DROVER_FUZZ_TARGET(input) {
  using namespace drover::net;
  uint64_t size = 0;
  if (input.size() < sizeof size) return;
  std::memcpy(&size, input.data(), sizeof size);
  const RangeRequest range = parse_range(input.substr(sizeof size), size);
  drover::fuzz::require(range.length(size) <= size, "no more than there is");
  if (range.kind != RangeRequest::Kind::part) return;
  drover::fuzz::require(range.first <= range.last && range.last < size, "within the body");
}

// Regular expressions from users, against a text: pattern and text are parted by the first newline.
#include "base/text_pattern.hpp"
#include "fuzz.hpp"

#include <algorithm>

DROVER_FUZZ_TARGET(input) {
  const size_t cut = std::min(input.find('\n'), input.size());
  const auto pattern = drover::TextPattern::compile(input.substr(0, cut));
  if (!pattern) return;
  (void)pattern->matches(input.substr(std::min(cut + 1, input.size())));
}

// Programs and libraries of an image that somebody else made: read inside their bounds or refused,
// and what is cut off them changes nothing that is read.
#include "boot/image/elf.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  using drover::fuzz::require;
  const auto facts = drover::boot::image::read_elf(input);
  const auto kept = drover::boot::image::without_sections(input);
  require(facts.has_value() == kept.has_value(), "both read it or neither");
  if (!facts) return;
  require(facts->loaded_bytes <= input.size(), "no more is needed than there is");
  const auto again = drover::boot::image::read_elf(*kept);
  require(again.has_value(), "what is kept is still a program");
  require(again->interpreter == facts->interpreter, "with the same loader");
  require(again->needed == facts->needed && again->search == facts->search,
          "and the same libraries, looked for in the same places");
}

// Recipes that others wrote: whatever is accepted becomes arguments of which none that the recipe
// gives is taken for a flag.
#include "boot/image/recipe.hpp"
#include "fuzz.hpp"

#include <algorithm>

DROVER_FUZZ_TARGET(input) {
  using namespace drover::boot::image;  // NOLINT(google-build-using-namespace): one program
  const auto recipe = parse_recipe(input, "recipe");
  if (!recipe) return;
  const auto command = build_command(*recipe, {"/root", "/recipes", "/scratch"});
  drover::fuzz::require(!command.program.empty(), "something is run");
  if (recipe->builder != Builder::mmdebstrap) return;
  const auto suite = std::ranges::find(command.arguments, recipe->suite);
  drover::fuzz::require(suite != command.arguments.end(), "the suite is an argument");
  drover::fuzz::require(
      std::none_of(suite, command.arguments.end(),
                   [](const std::string& argument) { return argument.starts_with("-"); }),
      "nothing behind it is a flag");
}

// Formulas in values that people and programs send.
#include "cluster/formula.hpp"
#include "fuzz.hpp"

#include <string>

DROVER_FUZZ_TARGET(input) {
  drover::cluster::FormulaVariable variable =
      [](const std::string& name) -> drover::Result<std::string> { return name + "7"; };
  const auto value = drover::cluster::evaluate_formula(input, variable);
  const bool right = drover::cluster::check_formula(input).has_value();
  drover::fuzz::require(right || !value, "what has a wrong syntax has no value");
  if (value) {
    drover::fuzz::require(value->size() <= drover::cluster::kMaxFormula, "values are bounded");
  }
  if (!drover::cluster::has_formula(input) && value) {
    drover::fuzz::require(*value == input, "text without formulas is itself");
  }
  (void)drover::cluster::formula_variables(input);
}

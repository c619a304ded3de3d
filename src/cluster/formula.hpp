// Formulas in values: text with ${EXPRESSION} in it, for what follows a rule from node to node,
// such as 10.1.${rack}.${number}. Own small parser, integers and text alone. Pure. docs/model.md.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Longest text before and after evaluation, and deepest nesting of parentheses.
inline constexpr size_t kMaxFormula = 4096;
inline constexpr size_t kMaxFormulaDepth = 32;

/// Whether the text has a formula, or the escape `$${` for the text `${`.
bool has_formula(std::string_view text);

/// Syntax alone. invalid_argument names the column.
Status check_formula(std::string_view text);

/// Every variable that the text's formulas name, each once, in order of appearance; none when the
/// syntax is wrong.
std::vector<std::string> formula_variables(std::string_view text);

/// Of the variables that stand for a number in a node's name: 0 for `number`, the last one; k for
/// `number<k>`. Nothing for any other name.
std::optional<size_t> number_variable(std::string_view name);

/// The value of a variable as text, or why there is none.
using FormulaVariable = Callback<Result<std::string>(const std::string& name)>;

/// The text with each formula replaced by its value.
///
///     text    := { any text | "$${" | "${" sum [":" ["0"] WIDTH? ("d"|"x"|"X")] "}" }
///     sum     := product { ("+"|"-") product }
///     product := unary { ("*"|"/"|"%") unary }
///     unary   := "-" unary | INTEGER | VARIABLE | ("min"|"max") "(" sum {"," sum} ")" | "(" sum
///     ")"
///
/// Integers have 64 bits; `/` rounds down and `%` is never negative for a positive divisor, so that
/// (number-1)/32 and (number-1)%32 split a row into racks. A variable that stands alone keeps its
/// text ("007"); in arithmetic and with a format it must be an integer. Errors: invalid_argument
/// with the column, for syntax, overflow and division by zero too; whatever `variable` gives;
/// too_large.
Result<std::string> evaluate_formula(std::string_view text, FormulaVariable& variable);

}  // namespace drover::cluster

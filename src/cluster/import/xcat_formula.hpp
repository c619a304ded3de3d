// xCAT's values of groups that are rules, "|pattern|replacement|", as Drover's formulas.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drover::cluster {

/// Whether a value is such a rule: it begins and ends with | or /.
bool is_xcat_rule(std::string_view value);

/// The rule as a formula in number1, number2, ..: "|10.0.0.($1+0)|" is "10.0.0.${number1+0}". The
/// forms are |replacement| (the k-th number of the name is $k), |pattern|replacement| with integer
/// arithmetic in parentheses, and /pattern/replacement/ (man 5 xcatdb). Nothing when the pattern is
/// more than text around numbers, or the replacement calls a function.
std::optional<std::string> xcat_formula(std::string_view rule);

}  // namespace drover::cluster

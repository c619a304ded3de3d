// Formulas: a table of what they are worth, their errors, and laws under random input.
#include "cluster/formula.hpp"

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover::cluster {
namespace {

Result<std::string> evaluated(const std::string& text) {
  FormulaVariable variable = [](const std::string& name) -> Result<std::string> {
    static const std::map<std::string, std::string> known{
        {"number", "37"}, {"nid", "1037"}, {"name", "n037"}, {"rack", "007"}, {"x.slot", "3"}};
    const auto it = known.find(name);
    if (it != known.end()) return it->second;
    return fail(Code::invalid_argument, fmt::format("there is no variable '{}'", name));
  };
  return evaluate_formula(text, variable);
}

std::string value_of(const std::string& text) {
  const auto value = evaluated(text);
  return value ? *value : value.error().message;
}

TEST(Formula, IsWorthWhatItSays) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", ""},
      {"plain $ { } text", "plain $ { } text"},
      {"10.1.${rack}.${number}", "10.1.007.37"},
      {"10.1.${rack+0}.${number}", "10.1.7.37"},
      {"${name}", "n037"},
      {"${ 1 + 2 * 3 }", "7"},
      {"${(1+2)*3}", "9"},
      {"${10-2-3}", "5"},
      {"${100/7/2}", "7"},
      {"${-7/2} ${-7%2} ${7/-2} ${7%-2}", "-4 1 -4 -1"},
      {"${--5}", "5"},
      {"${2*-3}", "-6"},
      {"r${(number-1)/32+1}u${(number-1)%32+1}", "r2u5"},
      {"${nid:06d} ${nid:x} ${number:04X} ${3:5d}|", "001037 40d 0025     3|"},
      {"${min(3,number,rack)} ${max(3,number,-1)} ${min(4)}", "3 37 4"},
      {"${min(1,2)+max(3,4)}", "5"},
      {"$${not} ${1}", "${not} 1"},
      {"${x.slot}${x.slot+1}", "34"},
      {"${9223372036854775807}", "9223372036854775807"},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(value_of(text), value) << text;
}

TEST(Formula, MistakesNameTheColumn) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a${", "formula 'a${', column 4: expected a number, a variable or '('"},
      {"${1", "formula '${1', column 4: expected '}' at the end of the formula"},
      {"${1 2}", "formula '${1 2}', column 5: expected an operator or '}'"},
      {"${}", "formula '${}', column 3: expected a number, a variable or '('"},
      {"${(1}", "formula '${(1}', column 5: expected ')'"},
      {"${min(1;2)}", "formula '${min(1;2)}', column 8: expected ',' or ')'"},
      {"${1/0}", "formula '${1/0}', column 4: division by zero"},
      {"${1%(2-2)}", "formula '${1%(2-2)}', column 4: division by zero"},
      {"${name+1}", "formula '${name+1}', column 3: 'n037' is not an integer"},
      {"${name:d}", "formula '${name:d}', column 3: 'n037' is not an integer"},
      {"${1:q}", "formula '${1:q}', column 5: expected a format such as 03d or 02x"},
      {"${1:0123d}", "formula '${1:0123d}', column 6: expected a width of at most two digits"},
      {"${9223372036854775808}",
       "formula '${9223372036854775808}', column 3: the number does not fit into 64 bits"},
      {"${9223372036854775807+1}",
       "formula '${9223372036854775807+1}', column 22: the number does not fit into 64 bits"},
      {"${(0-9223372036854775807-1)/-1}",
       "formula '${(0-9223372036854775807-1)/-1}', column 28: the number does not fit into 64 "
       "bits"},
      {"${nosuch}", "there is no variable 'nosuch'"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(value_of(text), error) << text;
}

TEST(Formula, ItsDepthAndLengthHaveLimits) {
  const std::string deep = "${" + std::string(1000, '(') + "1" + std::string(1000, ')') + "}";
  EXPECT_NE(value_of(deep).find("nested too deeply"), std::string::npos);
  EXPECT_EQ(evaluated(std::string(kMaxFormula + 1, 'a')).error().code, Code::too_large);
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "${1:99d}";
  EXPECT_EQ(evaluated(wide).error().code, Code::too_large);
}

TEST(Formula, NamesItsVariablesAndChecksItsSyntaxWithoutThem) {
  EXPECT_EQ(formula_variables("${a}${b+a*x.c:03d}${min(d,1)}"),
            (std::vector<std::string>{"a", "b", "x.c", "d"}));
  EXPECT_TRUE(check_formula("${nosuch/0}"));
  EXPECT_FALSE(check_formula("${nosuch/}"));
  EXPECT_TRUE(has_formula("a${b}"));
  EXPECT_FALSE(has_formula("a$b"));
}

RC_GTEST_PROP(FormulaProperty, ArithmeticIsThatOfIntegers, (int32_t a, int32_t b, int32_t c)) {
  const auto text = fmt::format("${{({})+({})*({})}}", a, b, c);
  RC_ASSERT(value_of(text) == std::to_string(int64_t{a} + int64_t{b} * int64_t{c}));
  if (b == 0) return;
  const std::string quotient = value_of(fmt::format("${{({})/({})}}", a, b));
  const std::string rest = value_of(fmt::format("${{({})%({})}}", a, b));
  RC_ASSERT(std::stoll(quotient) * b + std::stoll(rest) == a);
  RC_ASSERT(rest == "0" || (std::stoll(rest) < 0) == (b < 0));
}

RC_GTEST_PROP(FormulaProperty, TextWithoutFormulasIsItself, (const std::string& text)) {
  RC_PRE(!has_formula(text) && text.size() <= kMaxFormula);
  RC_ASSERT(value_of(text) == text);
}

RC_GTEST_PROP(FormulaProperty, WhatTheCheckAcceptsFailsOnValuesAlone, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("${", "}", "1", "number", "+", "-", "*", "/", "(", ")", "min(",
                                    ",", ":", "03d", "$", " ", "x"));
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  const auto value = evaluated(text);
  if (!check_formula(text)) RC_ASSERT(!value);
}

}  // namespace
}  // namespace drover::cluster

// Every mistake that a noderange can have, with the place that is shown under it.
#include "base/noderange.hpp"

#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover {
namespace {

struct Mistake {
  std::string range;
  size_t column;  ///< from 1
  std::string_view what;
};

/// Prints as the caret under the range that a person sees.
void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.range.substr(0, 60);
}

class NoderangeMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(NoderangeMistakes, AreShownWhereTheyAre) {
  const auto& [range, column, what] = GetParam();
  const auto found = find_mistake(range);
  ASSERT_TRUE(found) << range;
  EXPECT_EQ(found->what, what);
  EXPECT_EQ(found->offset + 1, column) << found->what;
  const auto result = expand_names(range);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::invalid_argument);
  EXPECT_NE(result.error().text().find(fmt::format("column {}", column)), std::string::npos)
      << result.error().text();
}

const Mistake kMistakes[] = {
    {"n1)", 3, "this parenthesis closes nothing"},
    {"(n1),(n2))", 10, "this parenthesis closes nothing"},
    {"-n1", 1, "a range cannot begin with an exclusion; write *,-NAME"},
    {"(-n1)", 2, "a range cannot begin with an exclusion; write *,-NAME"},
    {"()", 2, "a range is missing here"},
    {"n1,()", 5, "a range is missing here"},
    {"n1 n2", 4, "expected one of , ,- ! ^ @ & before this"},
    {"n1(n2)", 3, "expected one of , ,- ! ^ @ & before this"},
    {"n1@", 4, "a name is missing at the end"},
    {"n1,-", 5, "a name is missing at the end"},
    {"n1^", 4, "a name is missing at the end"},
    {"@", 2, "a group's name is missing after @"},
    {"n1,]", 4, "this bracket closes nothing"},
    {"n1-3]", 5, "expected one of , ,- ! ^ @ & before this"},
    {"n1@)", 4, "a name is missing before this parenthesis"},
    {"n1!-n2", 4, "a name cannot begin with -; exclude with ,-NAME or !NAME"},
    {"n1!!n2", 4, "a name is missing before !"},
    {"n1,&n2", 4, "a name is missing before &"},
    {"^n1", 1, "a name is missing before ^"},
    {std::string(70, '('), 65, "parentheses nest deeper than 64"},
    {"n1,(n2", 4, "this parenthesis is not closed"},
    {"((n1)", 1, "this parenthesis is not closed"},
    {"@~x", 2, "~ cannot stand here"},
    {"@a=1", 2, "expected a group's name after @"},
    {"n1,\"n2", 4, "this quotation is not closed"},
    {"\"n1\\", 1, "this quotation is not closed"},
    {"~", 2, "a regular expression is missing"},
    {"n1,~,n2", 5, "a regular expression is missing"},
    {"a" + std::string(256, 'b') + "[1-2]", 1, "a name is longer than 255 bytes"},
    {"n[1-2]=3", 1, "the left side of a comparison must be an attribute's name"},
    {"n[1-2]+1", 1, "+ cannot stand beside brackets"},
    {"n[1-2]:n4", 1, ": cannot stand beside brackets"},
    {"n1:r2", 1, "the ends of a span may differ in numbers alone"},
    {"n1:n2n3", 1, "the ends of a span may differ in numbers alone"},
    {"n1+x", 1, "expected a number of further nodes after +"},
    {"rack+1", 1, "a name before + must have a number to count up"},
    {"n3:n1", 1, "the span is reversed: 3 is after 1"},
    {"m1,n08:n03", 4, "the span is reversed: 08 is after 03"},
    {"n[1-3", 2, "this bracket is not closed"},
    {"n[1,", 2, "this bracket is not closed"},
    {"n[", 2, "this bracket is not closed"},
    {"n[1;3]", 4, "expected , - / or ] in the bracket"},
    {"n[1-3x]", 6, "expected , - / or ] in the bracket"},
    {"n[3-1]", 3, "the span is reversed: 3 is after 1"},
    {"n[1,9-7]", 5, "the span is reversed: 9 is after 7"},
    {"n[1-3/0]", 7, "a step of 0"},
    {"n[1:8:0]", 7, "a step of 0"},
    {"n[]", 3, "expected a number in the bracket"},
    {"n[a-b]", 3, "expected a number in the bracket"},
    {"n[1-3,-2]", 7, "expected a number in the bracket"},
    {"n[1-1234567890123456789]", 5, "a number has more than 18 digits"},
    {"n1234567890123456789+1", 1, "a number has more than 18 digits"},
};

INSTANTIATE_TEST_SUITE_P(Places, NoderangeMistakes, testing::ValuesIn(kMistakes));

TEST(Noderange, AWordInAListHasItsOwnPlace) {
  const auto result = expand_names("n1,n2,n9-n3,n4");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text().find("column 7, at \"n9-n3"), std::string::npos)
      << result.error().text();
  const std::string list = "n1," + std::string(256, 'a') + ",n2";
  EXPECT_NE(expand_names(list).error().text().find("column 4"), std::string::npos);
}

TEST(NoderangeInCluster, MistakesThatNeedItHavePlacesToo) {
  for (const auto& [range, column] :
       {std::pair<std::string_view, int>{"n1,@g", 4}, {"n1,*", 4}, {"n1,~x", 4}, {"n1@a=1", 4}}) {
    const auto result = expand_names(range);
    ASSERT_FALSE(result) << range;
    EXPECT_NE(result.error().text().find(fmt::format("column {}", column)), std::string::npos)
        << range << ": " << result.error().text();
  }
}

}  // namespace
}  // namespace drover

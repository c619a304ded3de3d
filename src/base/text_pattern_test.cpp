#include "base/text_pattern.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto compiled = TextPattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern << ": " << compiled.error().text();
  return compiled && compiled->matches(text);
}

TEST(TextPattern, MatchesAsUsersExpect) {
  EXPECT_TRUE(matches("b", "abc"));
  EXPECT_TRUE(matches("", "abc"));
  EXPECT_FALSE(matches("^b", "abc"));
  EXPECT_TRUE(matches("^abc$", "abc"));
  EXPECT_FALSE(matches("^ab$", "abc"));
  EXPECT_TRUE(matches("^(cn|sn)[0-9]+$", "sn12"));
  EXPECT_FALSE(matches("^(cn|sn)[0-9]+$", "tn12"));
  EXPECT_TRUE(matches("^a?b*c+$", "bbc"));
  EXPECT_TRUE(matches("^n\\d{2,3}$", "n123"));
  EXPECT_FALSE(matches("^n\\d{2,3}$", "n1234"));
  EXPECT_TRUE(matches("^n\\d{2,}$", "n12345"));
  EXPECT_FALSE(matches("^n\\d{2}$", "n1"));
  EXPECT_TRUE(matches("^[^a-c]+$", "xyz"));
  EXPECT_FALSE(matches("^[^a-c]+$", "xbz"));
  EXPECT_TRUE(matches("^[]a-]+$", "]-a"));
  EXPECT_TRUE(matches("^\\w+\\.example\\.com$", "login1.example.com"));
  EXPECT_FALSE(matches("^\\w+\\.example\\.com$", "login1xexample.com"));
  EXPECT_TRUE(matches("^(?:a|)b$", "b"));
  EXPECT_TRUE(matches("(a*)*$", "b"));
  EXPECT_TRUE(matches("^(a|b)*$", "abba"));
  EXPECT_TRUE(matches("[\\d_]", "x_"));
}

TEST(TextPattern, RefusesWhatItCannotMean) {
  for (const std::string_view bad : {"(", ")", "[", "[a", "[b-a]", "*", "a{2", "a{3,2}", "a{1001}",
                                     "\\", "\\1", "(?=a)", "a*****", "[\\", "a{,2}", "a{x}"}) {
    EXPECT_FALSE(TextPattern::compile(bad)) << bad;
  }
}

TEST(TextPattern, CostStaysBounded) {
  EXPECT_EQ(TextPattern::compile("((a{1000}){1000}){1000}").error().code, Code::too_large);
  EXPECT_EQ(TextPattern::compile("((((){1000}){1000}){1000}){1000}").error().code, Code::too_large);
  EXPECT_FALSE(TextPattern::compile(std::string(10'000, '(')));
  // Backtracking engines need 2^40 steps here.
  EXPECT_FALSE(matches("^(a|a)*$", std::string(40, 'a') + "b"));
  EXPECT_FALSE(matches("^(a?){60}a{60}b$", std::string(60, 'a')));
}

}  // namespace
}  // namespace drover

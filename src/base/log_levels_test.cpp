#include "base/log_levels.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(LogLevels, AComponentHasItsOwnLevelOrTheStandardOne) {
  LogLevels levels({Severity::notice, {{"link", Severity::debug}}});
  EXPECT_TRUE(levels.passes(Severity::debug, "link"));
  EXPECT_FALSE(levels.passes(Severity::info, "call"));
  EXPECT_TRUE(levels.passes(Severity::notice, "call"));
  levels.set({Severity::info, {{"call", Severity::error}}});
  EXPECT_FALSE(levels.passes(Severity::debug, "link")) << "known components follow";
  EXPECT_FALSE(levels.passes(Severity::warning, "call"));
  EXPECT_TRUE(levels.passes(Severity::info, "link"));
  EXPECT_EQ(levels.components(), (std::vector<std::string>{"call", "link"}));
}

TEST(LogLevels, MadeUpComponentsCostNothing) {
  LogLevels levels;
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(levels.passes(Severity::debug, std::to_string(i)));
  EXPECT_LE(levels.components().size(), 256U);
  EXPECT_TRUE(levels.passes(Severity::info, "another"));
}

TEST(LogLevels, TextsAreRead) {
  const auto read = parse_log_levels("link=debug,,call=error");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at("call"), Severity::error);
  EXPECT_TRUE(parse_log_levels("")->empty());
  for (const char* bad : {"link", "=debug", "link=", "link=loud", "li nk=debug", "Link=info",
                          "a=info,a=info", "link=debug=info"}) {
    EXPECT_FALSE(parse_log_levels(bad)) << bad;
  }
}

}  // namespace
}  // namespace drover

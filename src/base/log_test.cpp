#include "base/log.hpp"

#include "base/json_values.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(LogLine, EachFormIsOneLineWhateverItHolds) {
  const LogRecord record{Severity::warning,
                         "link",
                         "lost\n<0>forged",
                         {{"peer", "a\"b\\c\x01"}, {"why", "two words"}}};
  EXPECT_EQ(format_line(record, LogForm::text, "T"),
            "T warning link: lost\\x0a<0>forged peer=\"a\\\"b\\c\\x01\" why=\"two words\"\n");
  EXPECT_EQ(format_line(record, LogForm::journald, "T").rfind("<4>link: lost", 0), 0U);
  const std::string json = format_line(record, LogForm::json, "T");
  EXPECT_EQ(json,
            R"({"time":"T","severity":"warning","component":"link","message":"lost\\x0a<0>forged",)"
            R"("fields":{"peer":"a\"b\\c\\x01","why":"two words"}})"
            "\n");
  EXPECT_TRUE(parse_json(json)) << json;
  EXPECT_TRUE(parse_json(format_line({Severity::info, "x", "\xff\xfe", {}}, LogForm::json, "T")));
}

}  // namespace
}  // namespace drover

// Range fields: what each form asks for, and what is taken for none.
#include "net/http/http_range.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::net {
namespace {

using Kind = RangeRequest::Kind;

/// "first-last", "whole" or "416".
std::string asked(std::string_view field, uint64_t size) {
  const RangeRequest range = parse_range(field, size);
  if (range.kind == Kind::whole) return "whole";
  if (range.kind == Kind::unsatisfiable) return "416";
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

TEST(HttpRange, ReadsTheThreeForms) {
  EXPECT_EQ(asked("bytes=0-99", 1000), "0-99");
  EXPECT_EQ(asked("bytes=0-0", 1000), "0-0");
  EXPECT_EQ(asked("bytes=990-", 1000), "990-999");
  EXPECT_EQ(asked("bytes=-10", 1000), "990-999");
  EXPECT_EQ(asked("Bytes= 5-6 ", 1000), "5-6");
}

TEST(HttpRange, CutsWhatLiesBehindTheEnd) {
  EXPECT_EQ(asked("bytes=990-5000", 1000), "990-999");
  EXPECT_EQ(asked("bytes=-5000", 1000), "0-999");
  EXPECT_EQ(asked("bytes=1000-", 1000), "416");
  EXPECT_EQ(asked("bytes=0-", 0), "416");
  EXPECT_EQ(asked("bytes=-0", 1000), "416");
  EXPECT_EQ(asked("bytes=-5", 0), "416");
  // Numbers beyond 64 bits are behind every end.
  EXPECT_EQ(asked("bytes=0-99999999999999999999999", 1000), "0-999");
  EXPECT_EQ(asked("bytes=99999999999999999999999-", 1000), "416");
}

TEST(HttpRange, TakesWhatItDoesNotKnowForNoRange) {
  for (const char* field :
       {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=9-5", "bytes=a-b", "bytes=0x1-2",
        "bytes=+1-2", "bytes=1--2", "lines=0-5", "bytes=0-1,5-6", "bytes 0-5"}) {
    EXPECT_EQ(asked(field, 1000), "whole") << field;
  }
}

TEST(HttpRange, WritesContentRange) {
  EXPECT_EQ(content_range(parse_range("bytes=1-2", 10), 10), "bytes 1-2/10");
  EXPECT_EQ(content_range(parse_range("bytes=10-", 10), 10), "bytes */10");
}

}  // namespace
}  // namespace drover::net

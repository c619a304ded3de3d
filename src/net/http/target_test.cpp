// Request targets: decoding, and the refusal of what could mean two things.
#include "net/http/target.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::net {
namespace {

TEST(Target, TakesPathAndQueryApart) {
  const auto target = Target::parse("/api/v1/nodes/n%201/x%2Fy?limit=5&all&why=a+b%2Bc#frag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"api", "v1", "nodes", "n 1", "x/y"}));
  EXPECT_EQ(target->get("limit"), "5");
  EXPECT_EQ(target->get("all"), "");
  EXPECT_EQ(target->get("why"), "a b+c");
  EXPECT_FALSE(target->get("none"));
}

TEST(Target, TakesTheRootAndOneTrailingSlash) {
  EXPECT_TRUE(Target::parse("/")->segments.empty());
  EXPECT_TRUE(Target::parse("/?a=1")->segments.empty());
  EXPECT_EQ(Target::parse("/api/")->segments.size(), 1U);
  EXPECT_EQ(Target::parse("/n+1")->segments[0], "n+1");
  EXPECT_TRUE(Target::parse("/a?")->query.empty());
  EXPECT_EQ(Target::parse("/a?x=1&")->query.size(), 1U);
  EXPECT_EQ(Target::parse("/a?x=b=c")->get("x"), "b=c");
}

TEST(Target, RefusesWhatIsMalformed) {
  for (const std::string& text : std::vector<std::string>{
           "", "api", "*", "http://host/x", "/%", "/%4", "/%zz", "/a%00", "/a//b", "//", "/.",
           "/a/..", "/%2e%2E/x", "/a?x=%", "/a?x=1&x=2", "/a?=1"}) {
    const auto target = Target::parse(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, Code::invalid_argument);
  }
}

TEST(Target, EncodingIsDecodedBack) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  const std::string encoded = percent_encode(all);
  EXPECT_EQ(percent_decode(encoded, false), all);
  EXPECT_EQ(percent_decode(encoded, true), all);
  EXPECT_EQ(percent_encode("n[1-8],a b"), "n%5B1-8%5D%2Ca%20b");
}

}  // namespace
}  // namespace drover::net

#include "cluster/ip_range.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

TEST(IpRange, ReadsPrefixesOfBothFamilies) {
  const auto v4 = IpRange::parse_prefix("10.77.0.9/24");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->first.text(), "10.77.0.0");
  EXPECT_EQ(v4->last.text(), "10.77.0.255");
  const auto v6 = IpRange::parse_prefix("fd77::5/62");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->first.text(), "fd77::");
  EXPECT_EQ(v6->last.text(), "fd77::3:ffff:ffff:ffff:ffff");
  EXPECT_EQ(IpRange::parse_prefix("0.0.0.0/0")->last.text(), "255.255.255.255");
  EXPECT_EQ(IpRange::parse_prefix("10.0.0.7/32")->first.text(), "10.0.0.7");
  EXPECT_EQ(canonical_prefix("10.77.3.9/13"), "10.72.0.0/13");
  EXPECT_EQ(canonical_prefix("FD77:0::1/64"), "fd77::/64");
  for (const char* bad : {"", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd77::/129", "x/8", "/8"}) {
    EXPECT_FALSE(IpRange::parse_prefix(bad)) << bad;
    EXPECT_FALSE(canonical_prefix(bad)) << bad;
  }
}

TEST(IpRange, ReadsRuns) {
  const auto run = IpRange::parse_run("10.0.0.250-10.0.1.5");
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->contains(*IpAddress::parse("10.0.0.255")));
  EXPECT_TRUE(run->contains(*IpAddress::parse("10.0.1.5")));
  EXPECT_FALSE(run->contains(*IpAddress::parse("10.0.1.6")));
  EXPECT_FALSE(run->contains(*IpAddress::parse("10.0.0.249")));
  for (const char* bad :
       {"10.0.0.1", "10.0.0.2-10.0.0.1", "10.0.0.1-fd77::1", "-10.0.0.1", "a-b"}) {
    EXPECT_FALSE(IpRange::parse_run(bad)) << bad;
  }
}

TEST(IpRange, OverlapsWithinOneFamily) {
  const auto range = [](const char* text) { return *IpRange::parse_prefix(text); };
  EXPECT_TRUE(range("10.0.0.0/8").overlaps(range("10.77.0.0/24")));
  EXPECT_TRUE(range("10.77.0.0/24").overlaps(range("10.0.0.0/8")));
  EXPECT_FALSE(range("10.77.0.0/24").overlaps(range("10.77.1.0/24")));
  EXPECT_FALSE(range("0.0.0.0/0").overlaps(range("::/0")));
}

}  // namespace
}  // namespace drover::cluster

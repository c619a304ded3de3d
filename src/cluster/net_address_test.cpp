#include "cluster/net_address.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

TEST(NetAddress, MacsBecomeLowerCaseWithColons) {
  EXPECT_EQ(canonical_mac("02:AB:cd:00:00:01"), "02:ab:cd:00:00:01");
  EXPECT_EQ(canonical_mac("02-ab-CD-00-00-01"), "02:ab:cd:00:00:01");
  EXPECT_EQ(canonical_mac("02ab.cd00.0001"), "02:ab:cd:00:00:01");
  EXPECT_EQ(canonical_mac("00:02:c9:03:00:00:00:01"), "00:02:c9:03:00:00:00:01");
  for (const char* bad :
       {"", ":", "02:ab:cd:00:00", "02:ab:cd:00:00:01:02", "02:ab:cd:00:00:0g", "2:ab:cd:0:0:1",
        "00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "02ab:cd00:0001",
        "02:ab-cd:00:00:01", " 02:ab:cd:00:00:01"}) {
    EXPECT_FALSE(canonical_mac(bad)) << bad;
  }
}

TEST(NetAddress, AddressesBecomeCanonical) {
  const std::vector<std::pair<std::string, std::string>> good{
      {"10.0.0.1", "10.0.0.1"},
      {"10.0.0.1/8", "10.0.0.1/8"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"::ffff:10.0.0.1", "::ffff:a00:1"},
      {"fe80::1/64", "fe80::1/64"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
  };
  for (const auto& [text, canonical] : good) {
    EXPECT_EQ(canonical_address(text), canonical) << text;
    EXPECT_EQ(canonical_address(canonical), canonical);
  }
  for (const char* bad : {"",
                          "10.0.0",
                          "10.0.0.0.1",
                          "10.0.0.256",
                          "10.0.0.01",
                          "10.0.0.1/33",
                          "10.0.0.1/",
                          "/8",
                          "::1/129",
                          "1:2:3:4:5:6:7",
                          "1:2:3:4:5:6:7:8:9",
                          ":::",
                          "1::2::3",
                          "12345::",
                          "g::",
                          "1:2:3:4:5:6:7:8::",
                          "10.0.0.1 ",
                          "::10.0.0",
                          "1.2.3.4::",
                          "localhost"}) {
    EXPECT_FALSE(canonical_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace drover::cluster

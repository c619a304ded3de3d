// Which addresses a scan asks, and what it refuses.
#include "cluster/discovery/scan_request.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

Result<std::vector<std::string>> addresses(const std::vector<std::string>& networks) {
  return scan_addresses(networks);
}

TEST(ScanRequest, NetworksRunsAndAddressesBecomeOneList) {
  const auto all = addresses({"10.0.0.8-10.0.0.10", "10.0.0.9", "10.0.0.0/30", "fd77::a"});
  ASSERT_TRUE(all) << all.error().text();
  EXPECT_EQ(*all, (std::vector<std::string>{"10.0.0.1", "10.0.0.2", "10.0.0.8", "10.0.0.9",
                                            "10.0.0.10", "fd77::a"}));
  EXPECT_EQ(addresses({"10.0.0.0/31"})->size(), 2U);
  EXPECT_EQ(addresses({"10.0.0.7/32"}).value(), std::vector<std::string>{"10.0.0.7"});
  EXPECT_EQ(addresses({"10.0.0.77/24"})->front(), "10.0.0.1");
  EXPECT_EQ(addresses({"10.0.0.250-10.0.1.4"})->size(), 11U);
  EXPECT_EQ(addresses({"10.8.0.0/16"})->size(), 65'534U);
  EXPECT_EQ(addresses({"fd77::/120"})->size(), 256U);
}

TEST(ScanRequest, TooManyAreRefusedWithTheirNumber) {
  const auto eight = addresses({"10.0.0.0/8"});
  ASSERT_FALSE(eight);
  EXPECT_EQ(eight.error().code, Code::too_large);
  EXPECT_EQ(eight.error().message,
            "networks: 10.0.0.0/8 has 16777214 addresses, and one scan asks at most 65536");
  EXPECT_EQ(addresses({"fd77::/64"}).error().code, Code::too_large);
  EXPECT_EQ(addresses({"0.0.0.1-223.255.255.255"}).error().code, Code::invalid_argument);
  const auto many = addresses({"10.1.0.0/16", "10.2.0.0/24"});
  EXPECT_EQ(many.error().message, "networks: they have more than 65536 addresses together");
}

TEST(ScanRequest, WhatIsNobodysAddressIsRefused) {
  for (const char* bad : {"", "10.0.0", "10.0.0.0/33", "10.0.0.9-10.0.0.1", "10.0.0.1-fd77::1",
                          "224.0.0.1", "0.0.0.0", "255.255.255.255", "ff02::1", "::", "bmc1",
                          "10.0.0.1 ", "010.0.0.1", "10.0.0.0/24/24", "10.0.0.0/24-10.0.1.0"}) {
    const auto read = addresses({bad});
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, Code::invalid_argument) << bad;
  }
  EXPECT_FALSE(addresses({std::string(100'000, '1')}));
}

TEST(ScanRequest, KeepsToItsBounds) {
  ScanRequest request;
  EXPECT_FALSE(check(request));
  request.networks = {"10.0.0.0/24"};
  EXPECT_TRUE(check(request));
  request.ports = {443, 0};
  EXPECT_EQ(check(request).error().message, "ports: expected 1 to 65535, got 0");
  request.ports.assign(9, 443);
  EXPECT_FALSE(check(request));
  request.ports.clear();
  request.plain_ports.clear();
  EXPECT_TRUE(check(request));
  request.ipmi = false;
  EXPECT_EQ(check(request).error().message,
            "ports: there is nothing to ask without ports and IPMI");
  request.ipmi = true;
  request.at_a_time = 513;
  EXPECT_FALSE(check(request));
  request.at_a_time = 1;
  request.patience_ms = 99;
  EXPECT_FALSE(check(request));
  request.patience_ms = 100;
  request.per_second = 0;
  EXPECT_FALSE(check(request));
  EXPECT_EQ(decode_text<ScanRequest>(encode(request)).value(), request);
  EXPECT_FALSE(decode_text<ScanRequest>(R"({"networks":["10.0.0.0/24"],"ports":[70000]})"));
}

TEST(ScanRequest, ThePlanSaysWhatIsAskedAndHowLong) {
  ScanRequest request;
  request.networks = {"10.0.0.0/24"};
  const auto all = addresses(request.networks).value();
  const std::vector<std::string> left(all.begin() + 4, all.end());
  const ScanPlan plan = plan_of(request, all, left);
  EXPECT_EQ(plan.addresses, 254U);
  EXPECT_EQ(plan.known, 4U);
  EXPECT_EQ(plan.asks, "10.0.0.[5-254]");
  EXPECT_EQ(plan.seconds, 4U);
  ASSERT_EQ(plan.questions.size(), 3U);
  EXPECT_EQ(plan.questions.front(), "GET /redfish/v1/ by HTTPS at port 443");
  EXPECT_EQ(plan_of(request, all, {}).seconds, 0U);
}

}  // namespace
}  // namespace drover::cluster

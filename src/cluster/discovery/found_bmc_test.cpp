// What scans have found stays until it is forgotten, and is written only when it changes.
#include "cluster/discovery/found_bmc.hpp"

#include "cluster/memory_store.hpp"
#include "cluster/names.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

FoundBmc redfish(const std::string& address) {
  FoundBmc bmc;
  bmc.address = address;
  bmc.port = 443;
  bmc.redfish_version = "1.15.0";
  bmc.vendor = "Contoso";
  bmc.product = "Contoso Controller";
  return bmc;
}

TEST(FoundBmc, IsWrittenWhenItIsNewOrChanged) {
  testing::MemoryTransaction tx;
  EXPECT_TRUE(keep_found(tx, redfish("10.0.0.10")).value());
  tx.time += 60'000;
  EXPECT_FALSE(keep_found(tx, redfish("10.0.0.10")).value());
  FoundBmc updated = redfish("10.0.0.10");
  updated.redfish_version = "1.16.0";
  EXPECT_TRUE(keep_found(tx, updated).value());
  EXPECT_EQ(to_unix_ms(found_bmc(tx, "10.0.0.10")->value().found), 1'000'000);
  EXPECT_EQ(tx.changes.size(), 2U);
}

TEST(FoundBmc, WhatWasNotAskedStays) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(keep_found(tx, redfish("10.0.0.10")));
  FoundBmc ipmi;
  ipmi.address = "10.0.0.10";
  ipmi.ipmi_port = 623;
  ipmi.ipmi_version = "2.0";
  EXPECT_TRUE(keep_found(tx, ipmi).value());
  const auto both = found_bmc(tx, "10.0.0.10").value();
  EXPECT_EQ(summary_of(*both), "Redfish 1.15.0 at port 443 (Contoso Controller), IPMI 2.0");
  EXPECT_FALSE(keep_found(tx, redfish("10.0.0.10")).value());
}

TEST(FoundBmc, TheyAreListedInOrderOfTheirAddresses) {
  testing::MemoryTransaction tx;
  for (const char* address : {"10.0.0.10", "fd77::1", "10.0.0.9", "9.0.0.200"}) {
    ASSERT_TRUE(keep_found(tx, redfish(address)));
  }
  std::string order;
  const auto all = found_bmcs(tx).value();
  for (const FoundBmc& bmc : all) order += bmc.address + " ";
  EXPECT_EQ(order, "9.0.0.200 10.0.0.9 10.0.0.10 fd77::1 ");
}

TEST(FoundBmc, IsForgottenByAnyFormOfItsAddress) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(keep_found(tx, redfish("fd77::1")));
  EXPECT_TRUE(forget_found(tx, "FD77:0::1"));
  EXPECT_EQ(forget_found(tx, "fd77::1").error().code, Code::not_found);
  EXPECT_EQ(forget_found(tx, "no address\x1b").error().code, Code::not_found);
}

TEST(FoundBmc, NamesAndWordsAreFitForWhereTheyGo) {
  EXPECT_EQ(bmc_name_of("10.1.0.7"), "bmc-10-1-0-7");
  EXPECT_TRUE(check_node_name(bmc_name_of("fd77::1")));
  FoundBmc bare;
  bare.port = 8000;
  bare.plain = true;
  EXPECT_EQ(summary_of(bare), "Redfish at port 8000 without TLS");
  FoundBmc other = redfish("10.0.0.1");
  other.product = "XClarity";
  EXPECT_EQ(summary_of(other), "Redfish 1.15.0 at port 443 (Contoso XClarity)");
  FoundBmc ipmi;
  ipmi.ipmi_port = 623;
  EXPECT_EQ(summary_of(ipmi), "IPMI");
}

}  // namespace
}  // namespace drover::cluster

// Managed BMCs: what is made canonical and refused, and which place each system has.
#include "cluster/bmc/bmc.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

std::vector<BmcSystem> systems(const std::vector<std::string>& ids) {
  std::vector<BmcSystem> out;
  for (const std::string& id : ids) {
    BmcSystem system;
    system.identity.id = id;
    system.identity.path = "/redfish/v1/Systems/" + id;
    out.push_back(std::move(system));
  }
  return out;
}
using Places = std::vector<uint32_t>;

TEST(ManagedBmcTest, SystemsHaveThePlacesThatTheirIdsSay) {
  EXPECT_EQ(system_places(systems({"Node0", "Node1", "Node2", "Node3"})), (Places{0, 1, 2, 3}));
  EXPECT_EQ(system_places(systems({"Node2", "Node3"})), (Places{2, 3}));  // two of four
  EXPECT_EQ(system_places(systems({"1", "2"})), (Places{0, 1}));
  EXPECT_EQ(system_places(systems({"Self"})), (Places{0}));
  EXPECT_EQ(system_places(systems({"1"})), (Places{0}));
  EXPECT_EQ(system_places(systems({"System.Embedded.7"})), (Places{0}));
  EXPECT_EQ(system_places(systems({"QSBP74100021", "QSBP74100022"})), (Places{0, 1}));
  EXPECT_EQ(system_places(systems({"A1", "B1"})), (Places{0, 1}));  // one number for two
  EXPECT_EQ(system_places({}), (Places{}));
}

TEST(ManagedBmcTest, IsMadeCanonical) {
  ManagedBmc bmc;
  bmc.name = "X3000c0s017B0";
  bmc.address = "172.016.0.1";
  bmc.mac = "02-AA-00-00-00-01";
  bmc.ip = "172.16.0.1/24";
  bmc.address = "172.16.0.1";
  ASSERT_TRUE(normalise(bmc));
  EXPECT_EQ(bmc.name, "x3000c0s17b0");
  EXPECT_EQ(bmc.mac, "02:aa:00:00:00:01");
  EXPECT_EQ(bmc.ip, "172.16.0.1");
  EXPECT_EQ(decode_text<ManagedBmc>(encode(bmc)).value(), bmc);
  bmc.name = "rack1-bmc7";  // nothing requires xnames
  EXPECT_TRUE(normalise(bmc));
}

TEST(ManagedBmcTest, WhatIsWrongIsNamed) {
  const auto refused = [](auto change) {
    ManagedBmc bmc;
    bmc.name = "x0c0s0b0";
    change(bmc);
    const Status status = normalise(bmc);
    return status ? std::string() : status.error().text();
  };
  EXPECT_NE(refused([](ManagedBmc& b) { b.name = "x0c0s0b0n0"; }).find("name"), std::string::npos);
  EXPECT_NE(refused([](ManagedBmc& b) { b.name = "No Name"; }).find("name"), std::string::npos);
  EXPECT_NE(refused([](ManagedBmc& b) { b.address = "a b"; }).find("address"), std::string::npos);
  EXPECT_NE(refused([](ManagedBmc& b) { b.mac = "Not Available"; }).find("mac"), std::string::npos);
  EXPECT_NE(refused([](ManagedBmc& b) { b.ip = "N/A"; }).find("ip"), std::string::npos);
  EXPECT_NE(refused([](ManagedBmc& b) { b.user = "a\nb"; }).find("user"), std::string::npos);
  EXPECT_EQ(refused([](ManagedBmc&) {}), "");
}

}  // namespace
}  // namespace drover::cluster

#include "cluster/hardware/collected.hpp"

#include "cluster/memory_store.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

CollectedBmc found(const std::string& serial) {
  BmcInventory inventory;
  inventory.redfish_version = "1.15.0";
  inventory.systems.resize(1);
  inventory.systems[0].identity.id = "Self";
  inventory.systems[0].identity.path = "/redfish/v1/Systems/Self";
  inventory.systems[0].identity.serial = serial;
  return {"10.0.0.7", "x1000c0s1b0", "root", inventory};
}

ManagedBmc stored(store::Transaction& tx, const std::string& name) {
  const auto object = tx.get(kBmcKind, name);
  EXPECT_TRUE(object && *object) << name;
  return decode_text<ManagedBmc>((*object)->body).value();
}

TEST(Collected, ASecondLookThatFindsTheSameWritesNothing) {
  testing::MemoryTransaction tx;
  EXPECT_EQ(keep_collected(tx, found("S1")), true);
  EXPECT_EQ(stored(tx, "x1000c0s1b0").look.status, "DiscoverOK");
  tx.changes.clear();
  EXPECT_EQ(keep_collected(tx, found("S1")), false);
  EXPECT_TRUE(tx.changes.empty());
  EXPECT_EQ(keep_collected(tx, found("S2")), true);
  EXPECT_EQ(stored(tx, "x1000c0s1b0").inventory->systems.at(0).identity.serial, "S2");
}

TEST(Collected, WhoeverHasTheAddressKeepsItsNameAndWords) {
  testing::MemoryTransaction tx;
  ManagedBmc known;
  known.name = "x9c0s0b0";
  known.address = "10.0.0.7";
  known.description = "by the door";
  ASSERT_TRUE(put_bmc(tx, known));
  ASSERT_EQ(keep_collected(tx, found("S1")), true);
  EXPECT_EQ(stored(tx, "x9c0s0b0").description, "by the door");
  EXPECT_TRUE(stored(tx, "x9c0s0b0").inventory);
  EXPECT_FALSE(*tx.get(kBmcKind, "x1000c0s1b0"));
}

TEST(Collected, AFailedLookLeavesWhatWasFound) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(keep_collected(tx, found("S1")));
  CollectedBmc failed = found("");
  failed.inventory.reset();
  EXPECT_EQ(keep_collected(tx, failed), true);
  EXPECT_EQ(stored(tx, "x1000c0s1b0").look.status, "HTTPsGetFailed");
  EXPECT_EQ(stored(tx, "x1000c0s1b0").inventory->systems.at(0).identity.serial, "S1");
  EXPECT_EQ(keep_collected(tx, failed), false);
}

TEST(Collected, BadNamesAndNumbersAreRefused) {
  testing::MemoryTransaction tx;
  CollectedBmc bad = found("S1");
  bad.name = "no name";
  EXPECT_FALSE(keep_collected(tx, bad));
  CollectRequest request;
  EXPECT_TRUE(check(request));
  request.in_flight = 0;
  EXPECT_EQ(check(request).error().message, "in_flight: expected 1 to 16, got 0");
  EXPECT_EQ(summary_of(*found("S1").inventory),
            "1 machine, 0 parts, 0 NICs, 0 firmware versions, 0 warnings");
}

}  // namespace
}  // namespace drover::cluster

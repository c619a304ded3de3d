#include "cluster/inventory.hpp"

#include "cluster/memory_store.hpp"
#include "cluster/mutations.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover::cluster {
namespace {

constexpr std::string_view kReport = R"({"parts":[
  {"kind":"cpu","slot":"0","serial":"","attributes":{"cores":8,"mhz":2400.5,"smt":true,"model":"X\"Y"}},
  {"kind":"disk","slot":"nvme0n1","serial":"S1","attributes":{}}],
  "summary":{"cpus":16,"memory_mib":1024,"gpus":0,"os":"Debian 12","kernel":"6.1"}})";

InventoryReport parsed(std::string_view text) {
  auto report = parse_inventory(text);
  EXPECT_TRUE(report) << report.error().message;
  return report ? *report : InventoryReport{};
}

std::string why(std::string_view text) {
  const auto report = parse_inventory(text);
  EXPECT_FALSE(report) << text;
  return report ? "" : report.error().message;
}

TEST(Inventory, ReadsAttributesAsText) {
  const InventoryReport report = parsed(kReport);
  ASSERT_EQ(report.parts.size(), 2U);
  const std::map<std::string, std::string> expected{
      {"cores", "8"}, {"mhz", "2400.5"}, {"model", "X\"Y"}, {"smt", "true"}};
  EXPECT_EQ(report.parts[0].attributes, expected);
  EXPECT_EQ(report.summary.memory_mib, 1024U);
}

TEST(Inventory, BadReportsNameThePlace) {
  EXPECT_EQ(why("{}"), "parts: is required");
  EXPECT_EQ(why(R"({"parts":[{"kind":"cpu"}]})"), "parts[0].slot: is required");
  EXPECT_EQ(why(R"({"parts":[{"kind":"cpu","slot":""}]})"), "parts[0].slot: is empty");
  EXPECT_EQ(why(R"({"parts":[{"kind":"a/b","slot":"1"}]})").substr(0, 13), "parts[0].kind");
  EXPECT_EQ(why(R"({"parts":[{"kind":"cpu","slot":"a\u0000b"}]})"),
            "parts[0].slot: holds a control character");
  EXPECT_EQ(why(R"({"parts":[{"kind":"cpu","slot":"1","attributes":{"a":[1]}}]})"),
            "parts[0].attributes.a: expected a string, a number, true or false");
  EXPECT_EQ(why(R"({"parts":[{"kind":"cpu","slot":"1"},{"kind":"cpu","slot":"1"}]})"),
            "parts: cpu in slot '1' is there twice");
  EXPECT_EQ(why(R"({"parts":[],"summary":{"cpus":-1}})"),
            "summary.cpus: expected a whole number, 0 or more, got -1");
  EXPECT_EQ(parse_inventory(std::string(kMaxReportBytes + 1, ' ')).error().code, Code::too_large);
  const std::string long_slot(kMaxPartSlot + 1, 'x');
  EXPECT_EQ(why(R"({"parts":[{"kind":"cpu","slot":")" + long_slot + "\"}]}"),
            "parts[0].slot: longer than 256 bytes");
}

TEST(Inventory, FirstReportMakesTheNode) {
  testing::MemoryTransaction tx;
  const auto outcome = apply_inventory(tx, "n1", NodeRole::compute, parsed(kReport), "id1");
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(*outcome, (InventoryOutcome{2, 0, 0, true, true}));
  const auto node = read_node(tx, "n1");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->service.state, ServiceState::discovered);
  EXPECT_EQ(node->id, "id1");
  EXPECT_EQ(node->summary.cpus, 16U);
}

TEST(Inventory, AnEqualReportWritesNothing) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(apply_inventory(tx, "n1", NodeRole::compute, parsed(kReport), "id1"));
  tx.changes.clear();
  const auto outcome = apply_inventory(tx, "n1", NodeRole::compute, parsed(kReport), "id2");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(*outcome, InventoryOutcome{});
  EXPECT_TRUE(tx.changes.empty());
}

TEST(Inventory, OnlyDifferencesAreWritten) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(apply_inventory(tx, "n1", NodeRole::compute, parsed(kReport), "id1"));
  ASSERT_TRUE(apply_inventory(tx, "n10", NodeRole::compute, parsed(kReport), "id2"));
  tx.changes.clear();
  InventoryReport report = parsed(kReport);
  report.parts[0].attributes["cores"] = "9";
  report.parts[1].slot = "nvme1n1";
  const auto outcome = apply_inventory(tx, "n1", NodeRole::compute, report, "x");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(*outcome, (InventoryOutcome{1, 1, 1, false, false}));
  ASSERT_EQ(tx.changes.size(), 3U);
  EXPECT_EQ(tx.changes[0].key, "n1/cpu/0");
  EXPECT_EQ(tx.changes[1].key, "n1/disk/nvme1n1");
  EXPECT_EQ(tx.changes[2].key, "n1/disk/nvme0n1");
  EXPECT_EQ(tx.changes[2].operation, store::Operation::erase);
}

/// Whatever reports follow one another, what is stored is the last one, and no write was in vain.
RC_GTEST_PROP(InventoryProperty, TheStoreHoldsTheLastReport, ()) {
  testing::MemoryTransaction tx;
  const auto rounds = *rc::gen::inRange(1, 5);
  for (int round = 0; round < rounds; ++round) {
    std::map<std::string, int> wanted;
    for (const int slot : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 6))) {
      wanted["s" + std::to_string(slot)] = *rc::gen::inRange(0, 3);
    }
    InventoryReport report;
    for (const auto& [slot, value] : wanted) {
      Part part;
      part.kind = "disk";
      part.slot = slot;
      part.attributes["value"] = std::to_string(value);
      report.parts.push_back(part);
    }
    tx.changes.clear();
    RC_ASSERT(apply_inventory(tx, "n1", NodeRole::compute, report, "id").has_value());
    for (const store::Change& change : tx.changes) RC_ASSERT(change.before != change.after);
    store::ListQuery query;
    query.kind = kPartKind;
    const auto stored = tx.list(query);
    RC_ASSERT(stored->size() == report.parts.size());
    for (size_t i = 0; i < report.parts.size(); ++i) {
      Part expected = report.parts[i];
      expected.node = "n1";
      RC_ASSERT(stored->at(i).body == encode(expected));
    }
  }
}

TEST(Inventory, ANodeKeepsItsRole) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(apply_inventory(tx, "n1", NodeRole::compute, parsed(kReport), "id1"));
  const auto refused = apply_inventory(tx, "n1", NodeRole::utility, parsed(kReport), "id1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
}

}  // namespace
}  // namespace drover::cluster

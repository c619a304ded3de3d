// Patches of a node's spec: each way through SpecPatch gives what RFC 7396 says of the whole
// text, and what a patch leaves alone is neither checked again nor claimed again.
#include "cluster/node_mutations.hpp"

#include "base/json_values.hpp"
#include "base/merge_patch.hpp"
#include "cluster/memory_store.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

/// By the text of the whole spec.
Result<NodeSpec> merged_as_text(const NodeSpec& spec, const std::string& patch) {
  DROVER_TRY(const std::string merged, merge_patch_text(encode(spec), patch));
  auto out = decode_text<NodeSpec>(merged);
  if (!out) return fail_in("spec", std::move(out).error());
  return out;
}

Result<NodeSpec> patched(NodeSpec spec, const std::string& patch) {
  DROVER_TRY(const SpecPatch asked, SpecPatch::parse(RawJson{patch}));
  DROVER_CHECK_OK(asked.apply(spec));
  return spec;
}

NodeSpec a_spec() {
  return decode_text<NodeSpec>(R"({"nid":7,"aliases":["x1"],"interfaces":[{"name":"eth0",)"
                               R"("addresses":["10.0.0.7"]}],"bmc":{"address":"10.1.0.7",)"
                               R"("user":"root"},"profiles":["gpu"],"attributes":)"
                               R"({"rack":"r1","slot":"7","image":"a"},"owner":"alice"})")
      .value();
}

TEST(MergeSpec, IsTheMergePatchOfTheWhole) {
  const std::vector<std::string> patches = {
      "{}",
      R"({"attributes":{}})",
      R"({"attributes":null})",
      R"({"attributes":{"rack":"r2"}})",
      R"({"attributes":{"rack":null,"new":"x","none":null}})",
      R"({"attributes":{"rack":7}})",
      R"({"attributes":{"rack":"r2","slot":["a"]}})",
      R"({"attributes":["rack"]})",
      R"({"attributes":{"rack":"r2"},"nid":9})",
      R"({"attributes":{"rack":"r2"},"nid":"nine"})",
      R"({"attributes":{"rack":"r2"},"unknown":1})",
      R"({"attributes":{"rack":{"deep":null}}})",
      R"({"attributes":{"":"empty name","ü":"ö"}})",
      R"({"bmc":{"user":null,"mac":"02:00:00:00:00:01"}})",
      R"({"bmc":null,"aliases":null,"nid":null,"interfaces":[]})",
      R"({"owner":"bob","description":"two\nlines"})",
      R"({"interfaces":{"eth0":{}}})",
  };
  for (const std::string& patch : patches) {
    for (const NodeSpec& spec : {a_spec(), NodeSpec()}) {
      const auto merged = patched(spec, patch);
      const auto expected = merged_as_text(spec, patch);
      ASSERT_EQ(merged.has_value(), expected.has_value()) << patch;
      if (expected) {
        EXPECT_EQ(*merged, *expected) << patch;
      } else {
        EXPECT_EQ(merged.error().text(), expected.error().text()) << patch;
      }
    }
  }
  for (const char* patch : {"[]", "null", "7", ""}) {
    EXPECT_FALSE(SpecPatch::parse(RawJson{patch})) << patch;
  }
}

class ChangeNode : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(add("n1", R"({"nid":1,"interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01",)"
                          R"("addresses":["10.0.0.1"]}]})"));
    ASSERT_TRUE(add("n2", R"({"interfaces":[{"name":"eth0","addresses":["10.0.0.${slot}"]}],)"
                          R"("attributes":{"slot":"2"}})"));
  }
  Status add(const std::string& name, const std::string& spec) {
    DefinitionWriter writer(tx);
    DROVER_TRY(NodeSpec wanted, decode_text<NodeSpec>(spec));
    DROVER_CHECK_OK(writer.add_node(name, NodeRole::compute, std::move(wanted), "id-" + name));
    return writer.finish();
  }
  Result<ChangedNode> change(const std::string& name, const std::string& patch) {
    DefinitionWriter writer(tx);
    DROVER_TRY(const NodePatch asked, decode_text<NodePatch>(patch));
    DROVER_TRY(const NodeChange wanted, NodeChange::of(asked));
    return wanted.make(tx, writer, name, true);
  }
  testing::MemoryTransaction tx;
};

TEST_F(ChangeNode, WritesTheNodeAloneWhenOnlyAttributesChange) {
  const size_t before = tx.changes.size();
  const auto changed = change("n1", R"({"spec":{"attributes":{"rack":"r1"}},"flag":"warning"})");
  ASSERT_TRUE(changed) << changed.error().text();
  EXPECT_TRUE(changed->changed);
  EXPECT_EQ(changed->stored->node.spec.attributes.at("rack"), "r1");
  EXPECT_EQ(tx.changes.size(), before + 1);
  EXPECT_EQ(read_node(tx, "n1").value(), changed->stored->node);
  // The same once more is no change, and a state beside it is one.
  EXPECT_FALSE(change("n1", R"({"spec":{"attributes":{"rack":"r1"}}})").value().changed);
  EXPECT_TRUE(change("n1", R"({"spec":{"attributes":{"rack":"r1"}},"flag":"ok"})").value().changed);
  EXPECT_EQ(tx.changes.size(), before + 2);
  EXPECT_EQ(read_node(tx, "n1").value().flag, NodeFlag::ok);
}

TEST_F(ChangeNode, AnAttributeThatGivesAnAddressIsClaimed) {
  const auto taken = change("n2", R"({"spec":{"attributes":{"slot":"1"}}})");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::conflict);
  EXPECT_NE(taken.error().text().find("10.0.0.1"), std::string::npos) << taken.error().text();
  ASSERT_TRUE(change("n2", R"({"spec":{"attributes":{"slot":"3"}}})"));
  // What it gave up is free, and what it has now is not.
  EXPECT_TRUE(add("n3", R"({"interfaces":[{"name":"eth0","addresses":["10.0.0.2"]}]})"));
  EXPECT_FALSE(add("n4", R"({"interfaces":[{"name":"eth0","addresses":["10.0.0.3"]}]})"));
}

TEST_F(ChangeNode, WhatNodesClaimAndNameIsLookedAtStill) {
  const auto address = R"({"spec":{"interfaces":[{"name":"eth0","addresses":["10.0.0.2"]}]}})";
  EXPECT_EQ(change("n1", address).error().code, Code::conflict);
  EXPECT_FALSE(change("n1", R"({"spec":{"profiles":["nowhere"]}})"));
  EXPECT_FALSE(change("n1", R"({"spec":{"attributes":{"no such name!":"x"}}})"));
  EXPECT_EQ(read_node(tx, "n1").value().spec.interfaces.at(0).addresses.at(0), "10.0.0.1");
}

}  // namespace
}  // namespace drover::cluster

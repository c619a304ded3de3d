// Nodes by xname: given ones, made ones, and which is the stronger.
#include "cluster/xname_map.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

Node node(std::string name, std::vector<std::string> aliases = {}, uint64_t nid = 0) {
  Node out;
  out.name = std::move(name);
  out.id = "id-" + out.name;
  out.spec.aliases = std::move(aliases);
  out.spec.nid = nid;
  return out;
}

void fill(Model& model, const std::vector<Node>& nodes) {
  std::vector<store::Change> changes;
  for (const Node& each : nodes) {
    store::Change change;
    change.sequence = changes.size() + 1;
    change.kind = kNodeKind;
    change.key = each.name;
    change.after = encode(each);
    changes.push_back(std::move(change));
  }
  ASSERT_TRUE(model.apply(changes));
}

TEST(XnameMapTest, TheNameOrTheFirstFittingAliasCounts) {
  EXPECT_EQ(xname_of(node("x0c0s1b0n0")), "x0c0s1b0n0");
  EXPECT_EQ(xname_of(node("n1", {"login", "x0c0s2b0n0", "x0c0s3b0n0"})), "x0c0s2b0n0");
  EXPECT_EQ(xname_of(node("n1", {"x0c0s2b0n0v1"})), "x0c0s2b0n0v1");
  // What is another thing's place, or not canonical, is an alias like others.
  EXPECT_EQ(given_xname(node("n1", {"x0c0s2b0", "x00c0s2b0n0"})), "");
  EXPECT_EQ(given_xname(node("xenon1")), "");
}

TEST(XnameMapTest, WithoutOneItIsMadeFromNumberOrId) {
  EXPECT_EQ(xname_of(node("n7", {}, 7)), "x9999c0s7b0n0");
  const std::string made = xname_of(node("n7"));
  EXPECT_TRUE(made.starts_with("x9998c0s")) << made;
  ASSERT_TRUE(parse_xname(made));
  EXPECT_EQ(parse_xname(made)->text, made);
  EXPECT_EQ(made, xname_of(node("n7")));
  EXPECT_NE(made, xname_of(node("n8")));
}

TEST(XnameMapTest, FindsWhatItNamed) {
  Model model;
  fill(model, {node("n1", {"x0c0s1b0n0"}, 1), node("n2", {"x0c0s2b0n0", "x9999c0s3b0n0"}, 2),
               node("n3", {}, 3), node("n4"), node("x0c0s5b0n0")});
  XnameIndex index(model);
  for (const auto& [name, entry] : model.nodes()) {
    EXPECT_EQ(index.find(xname_of(entry.node())), &entry) << name;
  }
  EXPECT_EQ(index.find("x0c0s9b0n0"), nullptr);
  EXPECT_EQ(index.find("n1"), nullptr);
  EXPECT_EQ(index.find_nid(2), model.find("n2"));
  EXPECT_EQ(index.find_nid(0), nullptr);
  EXPECT_EQ(index.find_nid(9), nullptr);
}

TEST(XnameMapTest, AGivenXnameIsStrongerThanAMadeOne) {
  Model model;
  fill(model, {node("n1", {"x9999c0s3b0n0"}, 1), node("n3", {}, 3)});
  EXPECT_EQ(XnameIndex(model).find("x9999c0s3b0n0"), model.find("n1"));
}

}  // namespace
}  // namespace drover::cluster

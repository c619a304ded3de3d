// One node's membership is what the model says of all of them.
#include "boot/site/membership.hpp"

#include "boot/site/test_site.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::boot {
namespace {

TEST(Membership, AgreesWithTheModelForEveryNodeAndGroup) {
  test::TestCluster cluster;
  std::vector<std::pair<std::string, std::string>> objects{
      {"profile/default", R"({"name":"default","attributes":{"rack":"${(number-1)/4+1}"}})"},
      {"group/fixed", R"({"name":"fixed","nodes":"n[2-5]","attributes":{"room":"a"}})"},
      {"group/byrack", R"({"name":"byrack","range":"rack=2","attributes":{"x.a":"1"}})"},
      {"group/room", R"({"name":"room","range":"attr.room=a,-n3","attributes":{"x.b":"1"}})"},
      {"group/both", R"({"name":"both","range":"@byrack&@room","profiles":["default"]})"},
      {"group/not", R"({"name":"not","range":"*,-@byrack","attributes":{"x.c":"1"},"priority":5})"},
      {"group/odd", R"({"name":"odd","range":"n[1-10]^@fixed,~^n1$","attributes":{"x.d":"1"}})"},
      {"group/alias", R"({"name":"alias","range":"login","attributes":{"x.e":"1"}})"},
      {"group/loop", R"({"name":"loop","range":"n1,@loop","attributes":{"x.f":"1"}})"},
      {"group/wrong", R"({"name":"wrong","range":"nosuch","attributes":{"x.g":"1"}})"},
      {"group/all2", R"({"name":"all2","range":"@compute&@all","attributes":{"x.h":"1"}})"},
      {"group/idle", R"({"name":"idle","range":"*"})"}};
  for (int i = 1; i <= 10; ++i) {
    objects.emplace_back(
        fmt::format("node/n{}", i),
        test::TestCluster::node(fmt::format("n{}", i), i == 7 ? R"({"aliases":["login"]})" : "{}"));
  }
  cluster.commit(objects);
  const NodeDefinitions ours(cluster.model);
  const cluster::ModelDefinitions models(cluster.model);
  size_t dynamic = 0;
  for (const auto& [name, entry] : cluster.model.nodes()) {
    auto expected = models.groups_of(entry.node());
    for (const auto* group : expected) {
      EXPECT_TRUE(is_member(cluster.model, entry.node(), group->name))
          << name << " " << group->name;
    }
    std::erase_if(expected, [](const auto* group) { return group->name == "idle"; });
    EXPECT_EQ(ours.groups_of(entry.node()), expected) << name;
    dynamic += expected.size();
    EXPECT_FALSE(is_member(cluster.model, entry.node(), "utility"));
    EXPECT_FALSE(is_member(cluster.model, entry.node(), "none"));
  }
  EXPECT_GT(dynamic, 20U) << "the test compares something";
}

}  // namespace
}  // namespace drover::boot

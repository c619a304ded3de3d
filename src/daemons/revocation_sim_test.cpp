// Revoked nodes in the simulated tree: cut at once, and kept out whatever else fails meanwhile.
#include "daemons/test_tree.hpp"
#include "sim/sim_random.hpp"

#include <algorithm>
#include <set>

namespace drover::daemons::testing {
namespace {

using RevocationSim = TreeSim;

size_t count_of(std::string_view what, std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) {
    ++count;
  }
  return count;
}

TEST_F(RevocationSim, ARevokedNodeIsCutWithinASecondAndStaysOut) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(20)));
  ASSERT_EQ(links_of("n1"), 2U);
  revoke({"n1"});
  EXPECT_TRUE(reach([&] { return links_of("n1") == 0; }, seconds(1)));
  EXPECT_TRUE(reach(
      [&] { return master->model.find("n1")->node().phase.state == cluster::PhaseState::lost; },
      seconds(5)));
  EXPECT_EQ(ping({"n1", "n2"}).totals.of(tree::Outcome::done), 1U);
  const size_t refused_before = count_of("refused a link", world.trace().text());
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(world.run_for(milliseconds(100)));
    ASSERT_EQ(links_of("n1"), 0U) << "it dials again and again";
    ASSERT_EQ(links_of("n2"), 2U) << "nobody else is touched";
  }
  const size_t refused = count_of("refused a link", world.trace().text()) - refused_before;
  EXPECT_GE(refused, 3U);
  EXPECT_LE(refused, 100U) << "with back-off, in thirty seconds";
  // Neither a new master nor a new aggregator lets it in for long.
  kill_master();
  start_master();
  ASSERT_TRUE(world.run_for(seconds(20)));
  EXPECT_EQ(links_of("n1"), 0U);
  kill_aggregator("agg1");
  start_aggregator("agg1");
  ASSERT_TRUE(reach([&] { return aggregators.at("agg1")->daemon->revocations().size() == 1; },
                    seconds(10)));
  ASSERT_TRUE(reach([&] { return links_of("n1") == 0; }, seconds(1)));
  ASSERT_TRUE(world.run_for(seconds(10)));
  EXPECT_EQ(links_of("n1"), 0U);
  // It joins again.
  revoke({});
  EXPECT_TRUE(reach([&] { return all_redundant(); }, seconds(90)));
}

TEST_F(RevocationSim, AnAggregatorThatWasCutOffLearnsWhomToRefuseWithItsLink) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(20)));
  fabric.partition({"master"}, {"agg1", "agg2", "agg3"});
  ASSERT_TRUE(world.run_for(seconds(10)));
  revoke({"n1", "n2"});
  ASSERT_TRUE(world.run_for(seconds(5)));
  EXPECT_EQ(links_of("n1"), 2U) << "nobody could tell them";
  fabric.heal({"master"}, {"agg1", "agg2", "agg3"});
  ASSERT_TRUE(reach([&] { return !aggregators.at("agg1")->daemon->masters().ready().empty(); },
                    seconds(60)));
  EXPECT_TRUE(reach([&] { return links_of("n1") + links_of("n2") == 0; }, seconds(60)));
  EXPECT_EQ(links_of("n3"), 2U);
}

/// Minutes of faults while nodes are revoked one after another.
class RevocationFaults : public TreeSim, public ::testing::WithParamInterface<uint64_t> {
 protected:
  RevocationFaults() : TreeSim(GetParam()) {}

  void fault() {
    const std::vector<std::string> names{"agg1", "agg2", "agg3"};
    const std::string& one = names[random.below(names.size())];
    switch (random.below(6)) {
      case 0:
        if (aggregators.contains(one)) kill_aggregator(one);
        return;
      case 1:
        if (!aggregators.contains(one)) start_aggregator(one);
        return;
      case 2:
        if (master) kill_master();
        return;
      case 3:
        if (!master) start_master();
        return;
      case 4:
        if (cut.insert(one).second) fabric.partition({"master"}, {one});
        return;
      default:
        if (cut.erase(one) > 0) fabric.heal({"master"}, {one});
    }
  }
  void mend() {
    for (const std::string& name : cut) fabric.heal({"master"}, {name});
    if (!master) start_master();
    for (const char* name : {"agg1", "agg2", "agg3"}) {
      if (!aggregators.contains(name)) start_aggregator(name);
    }
  }
  /// Whether every aggregator that has the whole list refuses everybody on it.
  void check_lists() {
    for (const auto& [name, aggregator] : aggregators) {
      const RevocationBoard& board = aggregator->daemon->revocations();
      for (const std::string& node : out) {
        if (board.check("compute", node, "")) continue;
        EXPECT_EQ(aggregator->daemon->nodes().find(node), nullptr)
            << name << " knows that " << node << " is revoked, and serves it";
      }
    }
  }

  sim::SimRandom random{GetParam(), "faults"};
  std::vector<std::string> out;
  std::set<std::string> cut;
};

TEST_P(RevocationFaults, NobodyOnTheListIsServedAndEverybodyElseComesBack) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(20)));
  for (int step = 0; step < 60; ++step) {
    fault();
    if (step % 20 == 10) {
      if (!master) start_master();
      out.push_back(fmt::format("n{}", out.size() + 1));
      revoke(out);
    }
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(world.run_for(milliseconds(1 + random.below(3000))));
      check_lists();
    }
  }
  mend();
  ASSERT_FALSE(out.empty());
  EXPECT_TRUE(reach(
      [&] {
        return std::ranges::all_of(aggregators, [&](const auto& each) {
          return each.second->daemon->revocations().size() == out.size();
        });
      },
      seconds(60)));
  const auto served = [&] {
    size_t links = 0;
    for (const std::string& node : out) links += links_of(node);
    return links;
  };
  EXPECT_TRUE(reach([&] { return served() == 0; }, seconds(2)));
  EXPECT_TRUE(reach(
      [&] {
        for (const auto& [name, compute] : computes) {
          const bool revoked_one = std::ranges::find(out, name) != out.end();
          if (links_of(name) != (revoked_one ? 0U : 2U)) return false;
        }
        return true;
      },
      seconds(120)));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(world.run_for(milliseconds(100)));
    ASSERT_EQ(served(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RevocationFaults, ::testing::Range(uint64_t{1}, uint64_t{9}));

}  // namespace
}  // namespace drover::daemons::testing

#include "tree/path_planner.hpp"

#include <set>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::tree {
namespace {

using std::chrono::seconds;

MonoTime at(int64_t second) {
  return MonoTime{} + seconds(second);
}

class Planner : public ::testing::Test {
 protected:
  void add_nodes(int count) {
    for (int i = 1; i <= count; ++i) planner.add_node(fmt::format("n{}", i), 0);
  }
  /// Nodes follow what they are told, as real ones do.
  void obey(const std::vector<std::string>& changed) {
    for (const std::string& node : changed) {
      const PathAssignment* assigned = planner.assignment(node);
      planner.observe(node, assigned->primary, assigned->epoch);
    }
  }
  /// Plans and obeys until nothing changes; how many decisions it took.
  size_t settle(int64_t from) {
    size_t decisions = 0;
    for (int64_t second = from; second < from + 600; ++second) {
      const auto changed = planner.plan(at(second));
      decisions += changed.size();
      obey(changed);
    }
    return decisions;
  }
  [[nodiscard]] std::map<std::string, int> loads(int count) const {
    std::map<std::string, int> out;
    for (int i = 1; i <= count; ++i) {
      ++out[planner.assignment(fmt::format("n{}", i))->primary];
    }
    return out;
  }

  PathPlanner planner{PathPlannerSettings{}};
};

TEST_F(Planner, SplitsASmallClusterEvenly) {
  add_nodes(8);
  planner.aggregator_up("agg1", at(0));
  planner.aggregator_up("agg2", at(0));
  settle(100);
  EXPECT_EQ(loads(8), (std::map<std::string, int>{{"agg1", 4}, {"agg2", 4}}));
  for (int i = 1; i <= 8; ++i) {
    const PathAssignment* assigned = planner.assignment(fmt::format("n{}", i));
    EXPECT_NE(assigned->primary, assigned->secondary);
    EXPECT_FALSE(assigned->secondary.empty());
  }
}

TEST_F(Planner, SplitsALargeClusterWithinFivePercent) {
  add_nodes(3000);
  for (const char* name : {"a", "b", "c"}) planner.aggregator_up(name, at(0));
  settle(100);
  for (const auto& [name, load] : loads(3000)) {
    EXPECT_GE(load, 900) << name;
    EXPECT_LE(load, 1050) << name;
  }
}

TEST_F(Planner, TheLossOfAnAggregatorMovesOnlyItsNodesAndAtOnce) {
  add_nodes(30);
  for (const char* name : {"a", "b", "c"}) planner.aggregator_up(name, at(0));
  settle(100);
  std::map<std::string, std::string> before;
  for (int i = 1; i <= 30; ++i) {
    const std::string node = fmt::format("n{}", i);
    before[node] = planner.assignment(node)->primary;
  }
  planner.aggregator_down("b", at(701));
  obey(planner.plan(at(701)));
  for (const auto& [node, primary] : before) {
    if (primary != "b") {
      EXPECT_EQ(planner.assignment(node)->primary, primary) << node;
    }
    EXPECT_NE(planner.assignment(node)->primary, "b");
    EXPECT_NE(planner.assignment(node)->secondary, "b");
  }
}

TEST_F(Planner, NodesComeHomeInBatchesAfterTheHoldAndNotBefore) {
  add_nodes(100);
  planner.aggregator_up("a", at(0));
  planner.aggregator_up("b", at(0));
  settle(100);
  planner.aggregator_down("a", at(701));
  obey(planner.plan(at(701)));
  EXPECT_EQ(loads(100)["a"], 0);
  planner.aggregator_up("a", at(702));
  obey(planner.plan(at(703)));
  EXPECT_EQ(loads(100)["a"], 0) << "only the secondary comes back at once";
  obey(planner.plan(at(761)));
  EXPECT_EQ(loads(100)["a"], 0) << "the hold is not over";
  const auto first = planner.plan(at(763));
  EXPECT_EQ(first.size(), 5U) << "5 % of 100";
  EXPECT_TRUE(planner.plan(at(764)).empty()) << "the first batch is still under way";
  obey(first);
  EXPECT_EQ(planner.plan(at(765)).size(), 5U);
  settle(780);
  EXPECT_GE(loads(100)["a"], 48) << "full is 5 % over an even share";
}

TEST_F(Planner, DecidesNothingTwice) {
  add_nodes(50);
  planner.aggregator_up("a", at(0));
  planner.aggregator_up("b", at(0));
  settle(100);
  EXPECT_EQ(settle(1000), 0U);
}

TEST_F(Planner, EpochsOnlyGrowAndOverrideWhatNodesBring) {
  planner.add_node("n1", 41);
  planner.aggregator_up("a", at(0));
  obey(planner.plan(at(1)));
  EXPECT_GT(planner.assignment("n1")->epoch, 41U);
}

TEST_F(Planner, ANodeThatStrayedByItselfIsBroughtBack) {
  add_nodes(2);
  planner.aggregator_up("a", at(0));
  planner.aggregator_up("b", at(0));
  settle(100);
  const PathAssignment before = *planner.assignment("n1");
  planner.observe("n1", before.secondary, before.epoch);
  settle(800);
  EXPECT_EQ(planner.assignment("n1")->primary, before.primary);
  EXPECT_GT(planner.assignment("n1")->epoch, before.epoch);
}

TEST_F(Planner, NodesThatCannotReachTheirHomeDoNotKeepTheOthersFromTheirs) {
  add_nodes(40);
  planner.aggregator_up("agg1", at(0));
  planner.aggregator_up("agg2", at(0));
  settle(100);
  // The first in order never come back: their network to agg1 is cut.
  const auto cut = [](const std::string& node) { return node < "n20"; };
  std::set<std::string> away;
  size_t cut_off = 0;
  for (int i = 1; i <= 40; ++i) {
    const std::string node = fmt::format("n{}", i);
    if (planner.assignment(node)->primary != "agg1") continue;
    cut(node) ? ++cut_off : away.insert(node).second;
  }
  ASSERT_GE(cut_off, PathPlannerSettings{}.batch_least) << "else this proves nothing";
  planner.aggregator_down("agg1", at(1000));
  obey(planner.plan(at(1000)));
  planner.aggregator_up("agg1", at(1001));
  for (int64_t second = 1001; second < 1400; ++second) {
    for (const std::string& node : planner.plan(at(second))) {
      const PathAssignment* assigned = planner.assignment(node);
      if (cut(node) && assigned->primary == "agg1") continue;
      if (assigned->primary == "agg1") away.erase(node);
      planner.observe(node, assigned->primary, assigned->epoch);
    }
  }
  EXPECT_TRUE(away.empty()) << away.size() << " are not home";
}

TEST_F(Planner, ANodeThatFollowsALaterDecisionIsToldOursAnew) {
  planner.aggregator_up("agg1", at(0));
  planner.aggregator_up("agg2", at(0));
  planner.add_node("n1", 0);
  obey(planner.plan(at(1)));
  ASSERT_TRUE(planner.plan(at(100)).empty() || planner.assignment("n1")->epoch < 17);
  // A report of what a former life of this master decided comes late.
  planner.add_node("n1", 17);
  EXPECT_EQ(planner.plan(at(101)), std::vector<std::string>{"n1"});
  EXPECT_EQ(planner.assignment("n1")->epoch, 18U);
  // A number that only a liar can have does not bring ours to its end.
  planner.add_node("n1", ~uint64_t{0});
  EXPECT_TRUE(planner.plan(at(102)).empty());
  EXPECT_EQ(planner.assignment("n1")->epoch, 18U);
}

TEST_F(Planner, TwoLivesOfAMasterNeverGiveOneNumberToTwoDecisions) {
  // The first life decides while agg1 alone is linked, tells it so and dies before n1 confirms.
  const auto settings = [](uint64_t incarnation) {
    PathPlannerSettings out;
    out.epoch_floor = epoch_floor(incarnation);
    return out;
  };
  PathPlanner first(settings(1'700'000'000'000));
  first.aggregator_up("agg1", at(0));
  first.add_node("n1", 7);
  ASSERT_EQ(first.plan(at(1)), std::vector<std::string>{"n1"});
  const PathAssignment decided = *first.assignment("n1");
  ASSERT_EQ(decided.secondary, "");
  // The second, a moment later, hears the old epoch and decides otherwise.
  PathPlanner second(settings(1'700'000'000'001));
  second.aggregator_up("agg1", at(0));
  second.aggregator_up("agg2", at(0));
  second.add_node("n1", 7);
  ASSERT_EQ(second.plan(at(1)), std::vector<std::string>{"n1"});
  EXPECT_GT(second.assignment("n1")->epoch, decided.epoch) << "else agg1 keeps to the first";
}

TEST_F(Planner, IsNotAtRestWhileAHoldRuns) {
  add_nodes(8);
  planner.aggregator_up("agg1", at(0));
  obey(planner.plan(at(1)));
  EXPECT_EQ(planner.displaced(), 0U);
  EXPECT_FALSE(planner.at_rest()) << "agg1 is not trusted yet";
  settle(100);
  EXPECT_TRUE(planner.at_rest());
  planner.aggregator_up("agg2", at(101));
  obey(planner.plan(at(101)));
  EXPECT_EQ(planner.displaced(), 0U);
  EXPECT_FALSE(planner.at_rest()) << "nodes will move to agg2";
  settle(300);
  EXPECT_TRUE(planner.at_rest());
}

TEST(Rendezvous, ScoresAreFrozen) {
  // Part of the protocol: two masters of different versions must agree. Values from an independent
  // computation of FNV-1a and SplitMix64's finaliser.
  EXPECT_EQ(rendezvous_score("n1", "agg1"), 11724254708083661531U);
  EXPECT_EQ(rendezvous_score("rack1n01", "service-2"), 5045623132351330731U);
}

}  // namespace
}  // namespace drover::tree

// Revoked nodes in the simulated tree: cut at once, and kept out whatever else fails meanwhile.
#include "daemons/test_tree.hpp"

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
  EXPECT_TRUE(
      reach([&] { return master->model.find("n1")->node.phase.state == cluster::PhaseState::lost; },
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

}  // namespace
}  // namespace drover::daemons::testing

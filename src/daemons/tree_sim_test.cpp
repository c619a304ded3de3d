// The daemons' tree end to end in the simulator: joining, calls, failover, failback, restarts.
#include "daemons/test_tree.hpp"

#include <gtest/gtest.h>

namespace drover::daemons::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(TreeSim, EveryNodeComesUpWithTwoPaths) {
  EXPECT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  EXPECT_TRUE(reach([&] { return all_home(); }, seconds(30)));
}

TEST_F(TreeSim, TwoEndpointsOfOneMasterAreOneLink) {
  ASSERT_TRUE(world.run_for(seconds(20)));  // past the hold: nodes have moved where they belong
  ASSERT_TRUE(all_home());
  const auto agent = *master->model.find("n1")->agent;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(world.run_for(milliseconds(50)));
    ASSERT_TRUE(all_home()) << "a link that is replaced over and over shows as flapping";
    ASSERT_EQ(*master->model.find("n1")->agent, agent);
  }
  EXPECT_EQ(aggregators.at("agg1")->daemon->masters().status().size(), 1U);
}

TEST_F(TreeSim, ATwinEndpointIsKnownBeforeTheHello) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  // A master replaces the older of two links of one name and says so to it.
  EXPECT_EQ(world.trace().text().find("replaced by a newer link"), std::string::npos);
  EXPECT_EQ(world.trace().text().find("went before its hello"), std::string::npos);
}

TEST_F(TreeSim, NobodyIsLostBecauseTheMasterWasStopped) {
  auto& disk = disks["login1"];
  disk = std::make_unique<sim::SimDisk>();
  SimUtility login(world, fabric, "login1", *disk, timing);
  const auto login_up = [&] {
    const auto* entry = master->model.find("login1");
    return entry != nullptr && entry->confirmed &&
           entry->node().phase.state == cluster::PhaseState::up;
  };
  const auto computes_up = [&] {
    for (const auto& [name, compute] : computes) {
      const auto* entry = master->model.find(name);
      if (entry == nullptr || !entry->confirmed || !entry->agent->primary.starts_with("agg"))
        return false;
    }
    return true;
  };
  ASSERT_TRUE(reach([&] { return login_up() && computes_up(); }, seconds(10)));
  ASSERT_TRUE(world.run_for(seconds(10)));
  for (const Duration pause : {Duration(seconds(3)), Duration(seconds(6)), Duration(seconds(60))}) {
    const uint64_t changes = master->store->head();
    master->host.process.pause();
    ASSERT_TRUE(world.run_for(pause));
    master->host.process.resume();
    ASSERT_TRUE(world.run_for(milliseconds(1)));
    ASSERT_TRUE(reach([&] { return login_up() && computes_up(); }, seconds(14)));
    ASSERT_TRUE(world.run_for(seconds(20)));
    EXPECT_TRUE(login_up() && computes_up());
    EXPECT_EQ(master->store->head(), changes) << "a pause of " << pause / seconds(1) << " s";
  }
  login.host.process.kill();
  EXPECT_TRUE(reach(
      [&] { return master->model.find("login1")->node().phase.state == cluster::PhaseState::lost; },
      milliseconds(200)));
}

TEST_F(TreeSim, NobodyIsLostBecauseTheAggregatorsWereStopped) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  const uint64_t changes = master->store->head();
  for (auto& [name, aggregator] : aggregators) aggregator->host.process.pause();
  ASSERT_TRUE(world.run_for(seconds(8)));  // within the grace: the master says nothing new either
  for (auto& [name, aggregator] : aggregators) aggregator->host.process.resume();
  ASSERT_TRUE(world.run_for(milliseconds(1)));
  EXPECT_TRUE(reach([&] { return all_home(); }, seconds(60)));
  ASSERT_TRUE(world.run_for(seconds(20)));
  EXPECT_EQ(master->store->head(), changes);
}

TEST_F(TreeSim, WhoDiedWhileItsAggregatorsSleptIsLostAWhileAfterTheyWake) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  for (auto& [name, aggregator] : aggregators) aggregator->host.process.pause();
  ASSERT_TRUE(world.run_for(seconds(1)));
  computes.at("n3")->host.process.kill();
  computes.erase("n3");
  ASSERT_TRUE(world.run_for(seconds(1)));
  for (auto& [name, aggregator] : aggregators) aggregator->host.process.resume();
  EXPECT_TRUE(reach(
      [&] { return master->model.find("n3")->node().phase.state == cluster::PhaseState::lost; },
      timing.confirm_grace + seconds(1)));
}

TEST_F(TreeSim, ANodeSaysThatItsAggregatorHasNoMaster) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  EXPECT_FALSE(computes.at("n1")->daemon->cut_off());
  kill_master();
  EXPECT_TRUE(reach([&] { return computes.at("n1")->daemon->cut_off().has_value(); }, seconds(6)));
  EXPECT_NE(computes.at("n1")->daemon->cut_off()->why.find("no link to a master"),
            std::string::npos);
  start_master();
  EXPECT_TRUE(reach([&] { return !computes.at("n1")->daemon->cut_off(); }, seconds(10)));
}

TEST_F(TreeSim, ANewMasterHasEveryNodesValuesAtOnce) {
  for (auto& [name, compute] : computes) compute->facts.samples = true;
  ASSERT_TRUE(reach([&] { return all_home() && master->samples.size() == 8; }, seconds(40)));
  kill_master();
  ASSERT_TRUE(world.run_for(seconds(1)));
  start_master();
  EXPECT_TRUE(reach([&] { return master->samples.size() == 8; }, seconds(10)))
      << master->samples.size() << " of 8";
}

TEST_F(TreeSim, AStuckSpoolIsTold) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  EXPECT_TRUE(master->tree->spools().empty());
  // The master's disk refuses everything: records wait where they were made.
  master_disk.set_fault_hook([](const sim::DiskOperation& op) {
    return op.kind == sim::DiskOperation::Kind::sync ? sim::DiskFault::full : sim::DiskFault::none;
  });
  computes.at("n1")->facts.generation = 1;
  computes.at("n1")->daemon->agent().collect_now();
  const auto told = [&] {
    for (const auto& spool : master->tree->spools()) {
      if (spool.daemon == "compute/n1") return spool.records == 1;
    }
    return false;
  };
  EXPECT_TRUE(reach(told, seconds(30)));
  master_disk.set_fault_hook({});
  kill_master();  // it takes no more writes after a sync that failed
  start_master();
  EXPECT_TRUE(reach([&] { return master->model.parts_of("n1").begin()->second.serial == "c1"; },
                    seconds(30)));
  ASSERT_TRUE(world.run_for(seconds(3)));
  EXPECT_TRUE(master->tree->spools().empty());
}

TEST_F(TreeSim, ACallInTheMomentOfAFailoverReachesEveryNode) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  kill_aggregator("agg1");
  for (int i = 0; i < 40; ++i) {
    const tree::CallReport report = ping({"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"});
    EXPECT_EQ(report.totals.of(tree::Outcome::done), 8U);
    ASSERT_TRUE(world.run_for(milliseconds(1)));
  }
}

TEST_F(TreeSim, NewCertificatesReplaceEveryLinkWithoutALoss) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  const auto dials = [&] {
    uint64_t sum = 0;
    for (const auto& [name, aggregator] : aggregators) {
      for (const auto& [peer, status] : aggregator->daemon->masters().status()) {
        sum += status.attempts;
      }
    }
    for (const auto& [name, compute] : computes) {
      for (const auto& slot : compute->daemon->paths().slots) sum += slot.link.attempts;
    }
    return sum;
  };
  const uint64_t changes = master->store->head();
  const uint64_t before = dials();
  for (int round = 0; round < 20; ++round) {
    for (auto& [name, aggregator] : aggregators) aggregator->daemon->masters().refresh();
    for (auto& [name, compute] : computes) compute->daemon->refresh();
    ASSERT_TRUE(world.run_for(milliseconds(500 + round)));
    ASSERT_TRUE(all_home());
    ASSERT_EQ(ping({"n1", "n2", "n3"}).totals.of(tree::Outcome::done), 3U);
  }
  EXPECT_EQ(dials(), before) << "a link that was lost is dialled again";
  EXPECT_EQ(master->store->head(), changes);
}

TEST_F(TreeSim, APingToAllFoldsIntoOneAnswer) {
  ASSERT_TRUE(reach([&] { return all_up(); }, seconds(10)));
  const tree::CallReport report = ping({"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"});
  ASSERT_EQ(report.groups.size(), 1U);
  EXPECT_EQ(report.groups[0].nodes, "n[1-8]");
  EXPECT_EQ(report.groups[0].result, "pong");
}

TEST_F(TreeSim, NodesMoveWhenTheirAggregatorDiesAndComeHomeWhenItReturns) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  kill_aggregator("agg1");
  EXPECT_TRUE(reach([&] { return all_up() && ping({"n1"}).totals.of(tree::Outcome::done) == 1; },
                    seconds(3)));
  for (const auto& [name, entry] : master->model.nodes()) EXPECT_NE(entry.agent->primary, "agg1");
  EXPECT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  start_aggregator("agg1");
  EXPECT_FALSE(reach([&] { return served_by("agg1") > 0; }, seconds(4)))
      << "before the hold is over";
  EXPECT_TRUE(reach([&] { return served_by("agg1") > 0 && all_home(); }, seconds(60)));
}

TEST_F(TreeSim, ADeadNodeIsLostAtOnceAndAStoppedOneInThreeSeconds) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  computes.at("n3")->host.process.kill();
  computes.at("n3").reset();
  EXPECT_TRUE(reach(
      [&] { return master->model.find("n3")->node().phase.state == cluster::PhaseState::lost; },
      milliseconds(200)));
  computes.at("n4")->host.process.pause();
  EXPECT_TRUE(reach(
      [&] { return master->model.find("n4")->node().phase.state == cluster::PhaseState::lost; },
      milliseconds(4500)));
  computes.at("n4")->host.process.resume();
  EXPECT_TRUE(
      reach([&] { return master->model.find("n4")->node().phase.state == cluster::PhaseState::up; },
            seconds(10)));
}

TEST_F(TreeSim, AMasterThatRestartsKnowsEverythingAgain) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  const uint64_t changes = master->store->head();
  kill_master();
  ASSERT_TRUE(world.run_for(seconds(2)));
  start_master();
  EXPECT_TRUE(reach([&] { return all_home(); }, seconds(10)));
  ASSERT_TRUE(world.run_for(seconds(10)));
  EXPECT_EQ(master->store->head(), changes) << "a restart of the master changes nothing";
}

TEST_F(TreeSim, BothAggregatorsOfANodeDie) {
  ASSERT_TRUE(reach([&] { return all_home(); }, seconds(40)));
  const auto agent = *master->model.find("n1")->agent;
  kill_aggregator(agent.primary);
  kill_aggregator(agent.secondary);
  ASSERT_TRUE(world.run_for(milliseconds(1)));
  EXPECT_FALSE(all_up());
  const std::string last = aggregators.begin()->first;
  EXPECT_TRUE(reach([&] { return all_up() && served_by(last) == computes.size(); }, seconds(5)));
  EXPECT_EQ(ping({"n1"}).totals.of(tree::Outcome::done), 1U);
  start_aggregator(agent.primary);
  start_aggregator(agent.secondary);
  EXPECT_TRUE(reach([&] { return all_home(); }, seconds(60)));
  for (const auto& [name, compute] : computes) {
    EXPECT_EQ(compute->daemon->paths().slots.size(), 2U) << name;
  }
}

TEST_F(TreeSim, AnInventoryThatChangesNothingWritesNothing) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  ASSERT_TRUE(world.run_for(seconds(5)));
  EXPECT_EQ(master->model.parts_of("n1").size(), 1U);
  const uint64_t before = master->store->head();
  computes.at("n1")->daemon->agent().collect_now();
  ASSERT_TRUE(world.run_for(seconds(2)));
  EXPECT_EQ(master->store->head(), before);
  computes.at("n1")->facts.generation = 1;
  computes.at("n1")->daemon->agent().collect_now();
  ASSERT_TRUE(world.run_for(seconds(2)));
  EXPECT_EQ(master->store->head(), before + 1);
}

class SettingsSim : public TreeSim {
 protected:
  void set(const std::string& key, const std::string& value) {
    bool done = false;
    master->store->write(
        "test",
        [key, value](store::Transaction& tx) -> Status {
          if (!value.empty()) return cluster::set_setting(tx, key, value);
          DROVER_TRY([[maybe_unused]] const bool was, cluster::unset_setting(tx, key));
          return {};
        },
        [&](const Result<store::Committed>& committed) {
          EXPECT_TRUE(committed);
          done = true;
        });
    ASSERT_TRUE(reach([&] { return done; }, seconds(2)));
  }
  /// How many daemons have `value` in force.
  [[nodiscard]] size_t with(const std::string& key, const std::string& value) const {
    size_t out = 0;
    for (const auto& [name, one] : aggregators) {
      out += one->daemon->settings().in_force().text(key) == value ? 1 : 0;
    }
    for (const auto& [name, one] : computes) {
      out += one->daemon->settings().in_force().text(key) == value ? 1 : 0;
    }
    return out;
  }
  [[nodiscard]] size_t daemons() const { return aggregators.size() + computes.size(); }
};

TEST_F(SettingsSim, AChangeIsInForceEverywhereAtOnceAndAgainAfterItIsTakenBack) {
  ASSERT_TRUE(reach([&] { return all_home() && master->tree->planner().at_rest(); }, seconds(60)));
  const auto agent = *master->model.find("n1")->agent;
  set("confirm.above", "5");
  EXPECT_TRUE(reach([&] { return with("confirm.above", "5") == daemons(); }, milliseconds(100)));
  set("tree.silence", "30s");
  set("tree.heartbeat", "10s");
  ASSERT_TRUE(world.run_for(seconds(60)));
  set("tree.heartbeat", "200ms");
  set("tree.silence", "400ms");
  ASSERT_TRUE(world.run_for(seconds(20)));
  EXPECT_EQ(with("tree.silence", "400ms"), daemons());
  EXPECT_EQ(*master->model.find("n1")->agent, agent) << "no link was lost over it";
  set("confirm.above", "");
  EXPECT_TRUE(reach([&] { return with("confirm.above", "16") == daemons(); }, milliseconds(100)));
}

TEST_F(SettingsSim, TheNewSilenceCounts) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  set("tree.heartbeat", "100ms");
  set("tree.silence", "300ms");
  ASSERT_TRUE(world.run_for(seconds(1)));
  computes.at("n4")->host.process.pause();
  EXPECT_TRUE(reach(
      [&] { return master->model.find("n4")->node().phase.state == cluster::PhaseState::lost; },
      milliseconds(700)));
}

TEST_F(SettingsSim, WhoWasAwayGetsThemWhenItComesBack) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  computes.at("n4")->host.process.kill();
  computes.erase("n4");
  kill_aggregator("agg2");
  set("confirm.above", "7");
  start_compute("n4");
  start_aggregator("agg2");
  EXPECT_TRUE(reach([&] { return with("confirm.above", "7") == daemons(); }, seconds(5)));
}

TEST_F(SettingsSim, TakenBackWhileTheMasterWasNotReachedCountsAfterItsRestart) {
  ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(10)));
  set("confirm.above", "7");
  ASSERT_TRUE(reach([&] { return with("confirm.above", "7") == daemons(); }, seconds(1)));
  fabric.partition({"master"}, {"agg1", "agg2", "agg3"});
  ASSERT_TRUE(world.run_for(seconds(10)));
  set("confirm.above", "");
  kill_master();
  fabric.heal({"master"}, {"agg1", "agg2", "agg3"});
  EXPECT_EQ(with("confirm.above", "7"), daemons());
  start_master();
  EXPECT_TRUE(reach([&] { return with("confirm.above", "16") == daemons(); }, seconds(15)));
}

}  // namespace
}  // namespace drover::daemons::testing

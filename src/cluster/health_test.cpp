#include "cluster/health.hpp"

#include "cluster/memory_store.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    facts_.cluster = "c1";
    facts_.answered_by = {"master", "m1"};
    facts_.version = "0.1.0";
    facts_.now = from_unix_ms(1'700'000'000'000);
    facts_.model = &model_;
    add_daemon("master", "m1", DaemonState::up);
    add_daemon("aggregator", "agg1", DaemonState::up);
    add_daemon("aggregator", "agg2", DaemonState::up);
  }
  void add_daemon(const std::string& role, const std::string& name, DaemonState state) {
    DaemonFacts daemon;
    daemon.role = role;
    daemon.name = name;
    daemon.state = state;
    daemon.version = "0.1.0";
    daemon.starts = 2;
    facts_.daemons.push_back(daemon);
  }
  void add_node(const std::string& name, PhaseState phase, const std::string& secondary) {
    testing::MemoryTransaction tx;
    Node node;
    node.name = name;
    node.phase.state = phase;
    node.phase.since = facts_.now;
    node.phase.why = "silent for 3 s";
    EXPECT_TRUE(write_node(tx, node));
    EXPECT_TRUE(model_.apply(tx.changes));
    Agent agent;
    agent.version = "0.1.0";
    agent.primary = "agg1";
    agent.secondary = secondary;
    model_.set_agent(name, agent);
    model_.set_confirmed(name, true);
  }
  Model model_;
  HealthFacts facts_;
};

TEST_F(HealthTest, AHealthyClusterHasNoProblems) {
  add_node("n1", PhaseState::up, "agg2");
  const Health health = compute_health(facts_);
  EXPECT_EQ(health.status, HealthStatus::ok);
  EXPECT_TRUE(health.problems.empty());
  ASSERT_EQ(health.daemons.size(), 4U);
  EXPECT_EQ(health.daemons[0].role, "master");
  EXPECT_EQ(health.daemons[3].name, "n1");
  EXPECT_EQ(health.daemons[3].links.size(), 2U);
  EXPECT_EQ(health.daemons[0].restarts, 1U);
  EXPECT_EQ(health.totals.at("nodes").at("up"), 1U);
}

TEST_F(HealthTest, NodesInTheSameTroubleShareOneProblem) {
  for (int i = 1; i <= 9; ++i) add_node(fmt::format("n{}", i), PhaseState::lost, "");
  const Health health = compute_health(facts_);
  EXPECT_EQ(health.status, HealthStatus::degraded);
  ASSERT_EQ(health.problems.size(), 1U);
  EXPECT_EQ(health.problems[0].subject, "n[1-9]");
  EXPECT_EQ(health.problems[0].why, "silent for 3 s");
  EXPECT_FALSE(health.problems[0].next.empty());
  EXPECT_EQ(health.daemons.back().problems.at(0).subject, "n9");
}

TEST_F(HealthTest, LosingTheLastAggregatorIsCritical) {
  add_node("n1", PhaseState::up, "");
  facts_.daemons[1].state = DaemonState::lost;
  facts_.daemons[1].why = "connection reset";
  Health health = compute_health(facts_);
  EXPECT_EQ(health.status, HealthStatus::degraded);
  EXPECT_EQ(health.problems[0].subject, "agg1");
  EXPECT_EQ(health.problems[0].why, "connection reset");
  facts_.daemons[2].state = DaemonState::lost;
  health = compute_health(facts_);
  EXPECT_EQ(health.status, HealthStatus::critical);
}

TEST_F(HealthTest, EveryProblemSaysWhatWhyAndNext) {
  add_node("n1", PhaseState::lost, "");
  add_node("n2", PhaseState::up, "");
  add_node("n3", PhaseState::unknown, "");
  add_node("n4", PhaseState::error, "");
  facts_.daemons[1].version = "0.0.9";
  facts_.certificates.push_back({"aggregator/agg2", facts_.now});
  facts_.certificates.push_back({"aggregator/agg1", facts_.now + std::chrono::hours(100)});
  facts_.spools.push_back({"aggregator/agg1", 7, facts_.now - std::chrono::minutes(5), 700});
  facts_.store = {1, "No space left on device", 20'000};
  facts_.daemons[2].links.push_back(
      {"m2", LinkRole::uplink, LinkState::down, facts_.now, "refused"});
  const Health health = compute_health(facts_);
  EXPECT_EQ(health.status, HealthStatus::critical);
  EXPECT_EQ(health.problems.size(), 10U);
  const auto agg1 = std::ranges::find_if(
      health.daemons, [](const DaemonHealth& daemon) { return daemon.name == "agg1"; });
  ASSERT_NE(agg1, health.daemons.end());
  EXPECT_EQ(agg1->spool, (SpoolHealth{7, 700, facts_.now - std::chrono::minutes(5)}));
  for (const Problem& problem : health.problems) {
    EXPECT_FALSE(problem.subject.empty()) << problem.what;
    EXPECT_FALSE(problem.what.empty());
    EXPECT_FALSE(problem.why.empty()) << problem.what;
    EXPECT_FALSE(problem.next.empty()) << problem.what;
  }
  EXPECT_TRUE(std::ranges::is_sorted(health.problems, std::greater<>(), &Problem::severity));
}

TEST_F(HealthTest, AnEnrolledDaemonThatNeverCameIsNamed) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(note_daemon(tx, {"aggregator", "agg3", {}, {}}, "x"));
  ASSERT_TRUE(model_.apply(tx.changes));
  const Health health = compute_health(facts_);
  ASSERT_EQ(health.problems.size(), 1U);
  EXPECT_EQ(health.problems[0].what, "aggregator agg3 is unknown");
}

}  // namespace
}  // namespace drover::cluster

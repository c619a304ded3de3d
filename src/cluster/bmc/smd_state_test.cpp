// SMD's states on the three axes: every word there and back, its transitions, and who is believed.
#include "cluster/bmc/smd_state.hpp"

#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using enum SmdState;

const SmdReport kReport{WallTime{std::chrono::seconds(7)}, "person:pcs", false};

TEST(SmdStateTest, TheTableOfTransitions) {
  const std::set<std::pair<SmdState, SmdState>> allowed{
      {off, off},       {on, off},        {standby, off}, {halt, off},    {ready, off},
      {on, on},         {off, on},        {standby, on},  {halt, on},     {standby, standby},
      {ready, standby}, {halt, halt},     {ready, halt},  {ready, ready}, {on, ready},
      {off, ready},     {standby, ready}, {halt, ready}};
  for (size_t from = 0; from < 8; ++from) {
    for (size_t to = 0; to < 8; ++to) {
      const std::pair pair{static_cast<SmdState>(from), static_cast<SmdState>(to)};
      EXPECT_EQ(smd_allows(pair.first, pair.second), allowed.contains(pair)) << from << " " << to;
    }
  }
  EXPECT_TRUE(needs_force(unknown) && needs_force(empty) && needs_force(populated));
  EXPECT_FALSE(needs_force(off) || needs_force(ready));
}

TEST(SmdStateTest, EveryReportIsReadBack) {
  for (size_t from = 0; from < 8; ++from) {
    for (size_t to = 0; to < 8; ++to) {
      Node node;
      report_smd_state(node, static_cast<SmdState>(from), kReport);
      report_smd_state(node, static_cast<SmdState>(to), kReport);
      EXPECT_EQ(smd_state_of(node), static_cast<SmdState>(to)) << from << " to " << to;
    }
  }
  for (const SmdFlag flag : {SmdFlag::ok, SmdFlag::warning, SmdFlag::alert, SmdFlag::locked}) {
    Node node;
    report_smd_state(node, standby, kReport);
    report_smd_flag(node, flag);
    EXPECT_EQ(smd_flag_of(node), flag);
  }
}

TEST(SmdStateTest, NoFlagUnlocksANode) {
  Node node;
  node.locked = true;
  report_smd_flag(node, SmdFlag::ok);
  EXPECT_TRUE(node.locked);
}

TEST(SmdStateTest, SaysWhoReportedAndWhen) {
  Node node;
  report_smd_state(node, ready, kReport);
  EXPECT_EQ(node.phase.state, PhaseState::up);
  EXPECT_EQ(node.phase.who, "person:pcs");
  EXPECT_EQ(node.phase.why, "reported as Ready");
  EXPECT_EQ(node.phase.since, kReport.time);
}

TEST(SmdStateTest, AnAgentIsBelievedBeforeAReport) {
  Node node;
  node.phase.state = PhaseState::up;
  SmdReport report = kReport;
  report.heard = true;
  report_smd_state(node, off, report);
  EXPECT_EQ(node.power.state, PowerState::off);
  EXPECT_EQ(node.phase.state, PhaseState::up);
  EXPECT_EQ(smd_state_of(node), ready);
  node.phase.state = PhaseState::lost;  // it falls silent
  EXPECT_EQ(smd_state_of(node), off);
}

TEST(SmdStateTest, SilenceThatWasNotedIsAWarning) {
  Node node;
  node.phase.state = PhaseState::lost;
  node.phase.why = "no heartbeat for 3 s";
  EXPECT_EQ(smd_flag_of(node), SmdFlag::warning);
}

}  // namespace
}  // namespace drover::cluster

// The course of one machine, by scripts of what its BMC says.
#include "hardware/power/power_task.hpp"

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::BmcPowerState;
using cluster::PowerAction;
using Kind = PowerStep::Kind;

const std::vector<std::string> kAll{"On",           "ForceOff",   "GracefulShutdown",
                                    "ForceRestart", "PowerCycle", "Nmi"};

MonoTime at(Duration time) {
  return MonoTime(time);
}

TEST(ChooseReset, TakesTheFirstThatIsOffered) {
  const std::vector<std::string_view> wanted{"On", "ForceOn"};
  EXPECT_EQ(choose_reset(wanted, {}), "On");
  EXPECT_EQ(choose_reset(wanted, {"ForceOn", "Nmi"}), "ForceOn");
  EXPECT_EQ(choose_reset(wanted, {"Nmi"}), "");
}

TEST(PowerTask, OnIsDoneWhenItIsSeen) {
  PowerTask task(PowerAction::on, {}, kAll);
  auto step = task.looked(BmcPowerState::off, at(0s));
  ASSERT_EQ(step.kind, Kind::reset);
  EXPECT_EQ(step.reset, "On");
  step = task.accepted(at(0s));
  ASSERT_EQ(step.kind, Kind::wait);
  EXPECT_EQ(step.wait, 250ms);
  for (const Duration later : {500ms, 1000ms, 2000ms, 2000ms}) {
    step = task.looked(BmcPowerState::powering_on, at(2s));
    EXPECT_EQ(step.kind, Kind::wait);
    EXPECT_EQ(step.wait, later);
  }
  step = task.looked(BmcPowerState::on, at(4s));
  ASSERT_EQ(step.kind, Kind::done);
  EXPECT_EQ(step.state, BmcPowerState::on);
}

TEST(PowerTask, WhatIsSoAlreadyAsksForNothing) {
  EXPECT_EQ(PowerTask(PowerAction::on, {}, kAll).looked(BmcPowerState::on, at(0s)).kind,
            Kind::done);
  for (const auto action : {PowerAction::off, PowerAction::soft_off, PowerAction::force_off}) {
    EXPECT_EQ(PowerTask(action, {}, kAll).looked(BmcPowerState::off, at(0s)).kind, Kind::done);
  }
  EXPECT_EQ(PowerTask(PowerAction::status, {}, {}).looked(BmcPowerState::unknown, at(0s)).kind,
            Kind::done);
}

TEST(PowerTask, OnThatIsNotReachedFails) {
  PowerTask task(PowerAction::on, {}, kAll);
  task.looked(BmcPowerState::off, at(0s));
  task.accepted(at(0s));
  EXPECT_EQ(task.looked(BmcPowerState::off, at(59s)).kind, Kind::wait);
  const auto step = task.looked(BmcPowerState::off, at(60s));
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_EQ(step.error->code, Code::timed_out);
  EXPECT_EQ(step.error->message, "On was accepted, but after 60 s the BMC says off");
}

TEST(PowerTask, OffAsksFirstAndForcesThen) {
  PowerTask task(PowerAction::off, {.graceful = 30s}, kAll);
  auto step = task.looked(BmcPowerState::on, at(0s));
  EXPECT_EQ(step.reset, "GracefulShutdown");
  task.accepted(at(0s));
  EXPECT_EQ(task.looked(BmcPowerState::on, at(29900ms)).wait, 100ms);
  step = task.looked(BmcPowerState::on, at(30s));
  ASSERT_EQ(step.kind, Kind::reset);
  EXPECT_EQ(step.reset, "ForceOff");
  task.accepted(at(30s));
  EXPECT_EQ(task.looked(BmcPowerState::powering_off, at(31s)).kind, Kind::wait);
  EXPECT_EQ(task.looked(BmcPowerState::off, at(33s)).kind, Kind::done);
}

TEST(PowerTask, OffForcesAtOnceWhereNothingElseIsOfferedOrWanted) {
  EXPECT_EQ(PowerTask(PowerAction::off, {}, {"ForceOff"}).looked(BmcPowerState::on, at(0s)).reset,
            "ForceOff");
  EXPECT_EQ(
      PowerTask(PowerAction::off, {.graceful = 0s}, kAll).looked(BmcPowerState::on, at(0s)).reset,
      "ForceOff");
  EXPECT_EQ(PowerTask(PowerAction::force_off, {}, kAll).looked(BmcPowerState::on, at(0s)).reset,
            "ForceOff");
}

TEST(PowerTask, ARefusedRequestToShutDownIsForced) {
  PowerTask task(PowerAction::off, {}, kAll);
  task.looked(BmcPowerState::on, at(0s));
  const auto step = task.refused({Code::invalid_argument, "not now", {}, {}}, at(1s));
  EXPECT_EQ(step.reset, "ForceOff");
}

TEST(PowerTask, ForcedOffThatIsNotReachedFails) {
  PowerTask task(PowerAction::force_off, {.forced = 10s}, kAll);
  task.looked(BmcPowerState::on, at(0s));
  task.accepted(at(0s));
  EXPECT_EQ(task.looked(BmcPowerState::on, at(10s)).error->message,
            "ForceOff was accepted, but after 10 s the BMC says on");
}

TEST(PowerTask, SoftOffNeverForces) {
  PowerTask task(PowerAction::soft_off, {.graceful = 30s}, kAll);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(0s)).reset, "GracefulShutdown");
  task.accepted(at(0s));
  const auto step = task.looked(BmcPowerState::on, at(30s));
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_EQ(step.error->next, "drover power off forces it");
  const auto none =
      PowerTask(PowerAction::soft_off, {}, {"ForceOff"}).looked(BmcPowerState::on, at(0s));
  EXPECT_EQ(none.error->code, Code::unsupported);
}

TEST(PowerTask, CycleGoesOffAndOn) {
  PowerTask task(PowerAction::cycle, {}, kAll);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(0s)).reset, "GracefulShutdown");
  task.accepted(at(0s));
  const auto step = task.looked(BmcPowerState::off, at(2s));
  EXPECT_EQ(step.reset, "On");
  task.accepted(at(2s));
  EXPECT_EQ(task.looked(BmcPowerState::off, at(4s)).kind, Kind::wait);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(6s)).kind, Kind::done);
  // One that is off is only started.
  PowerTask started(PowerAction::cycle, {}, kAll);
  EXPECT_EQ(started.looked(BmcPowerState::off, at(0s)).reset, "On");
}

TEST(PowerTask, ResetIsOneStepOrTwo) {
  PowerTask task(PowerAction::reset, {}, kAll);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(0s)).reset, "ForceRestart");
  task.accepted(at(0s));
  EXPECT_EQ(task.looked(BmcPowerState::off, at(2s)).kind, Kind::wait);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(4s)).kind, Kind::done);

  PowerTask two(PowerAction::reset, {}, {"On", "ForceOff"});
  EXPECT_EQ(two.looked(BmcPowerState::on, at(0s)).reset, "ForceOff");
  two.accepted(at(0s));
  EXPECT_EQ(two.looked(BmcPowerState::off, at(2s)).reset, "On");
  EXPECT_EQ(PowerTask(PowerAction::reset, {}, kAll).looked(BmcPowerState::off, at(0s)).error->code,
            Code::conflict);
}

TEST(PowerTask, AConflictIsLookedAtOnceMore) {
  PowerTask task(PowerAction::on, {}, kAll);
  task.looked(BmcPowerState::off, at(0s));
  const Error conflict{Code::conflict, "moving", {}, {}};
  EXPECT_EQ(task.refused(conflict, at(0s)).kind, Kind::wait);
  EXPECT_EQ(task.looked(BmcPowerState::off, at(2s)).reset, "On");
  EXPECT_EQ(task.refused(conflict, at(2s)).kind, Kind::failed);
}

TEST(PowerTask, ASoftRestartIsAskedForWhereItIsOffered) {
  auto offered = kAll;
  offered.emplace_back("GracefulRestart");
  PowerTask task(PowerAction::soft_restart, {}, offered);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(0s)).reset, "GracefulRestart");
  EXPECT_EQ(task.accepted(at(0s)).wait, 2s);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(2s)).kind, Kind::done);
  EXPECT_EQ(PowerTask(PowerAction::soft_restart, {}, offered)
                .looked(BmcPowerState::off, at(0s))
                .error->code,
            Code::conflict);
}

TEST(PowerTask, ASoftRestartThatIsNotOfferedOrRefusedIsOffAndOn) {
  for (const bool offered : {false, true}) {
    auto resets = kAll;
    if (offered) resets.emplace_back("GracefulRestart");
    PowerTask task(PowerAction::soft_restart, {}, resets);
    auto step = task.looked(BmcPowerState::on, at(0s));
    if (offered) {
      EXPECT_EQ(step.reset, "GracefulRestart");
      step = task.refused({Code::unsupported, "no", {}, {}}, at(0s));
    }
    EXPECT_EQ(step.reset, "GracefulShutdown");
    task.accepted(at(0s));
    EXPECT_EQ(task.looked(BmcPowerState::off, at(5s)).reset, "On");
    task.accepted(at(5s));
    EXPECT_EQ(task.looked(BmcPowerState::on, at(6s)).kind, Kind::done);
  }
}

TEST(PowerTask, AHardRestartIsOfWhatIsOn) {
  EXPECT_EQ(
      PowerTask(PowerAction::hard_restart, {}, kAll).looked(BmcPowerState::off, at(0s)).error->code,
      Code::conflict);
  PowerTask task(PowerAction::hard_restart, {}, kAll);
  EXPECT_EQ(task.looked(BmcPowerState::on, at(0s)).reset, "GracefulShutdown");
  task.accepted(at(0s));
  // Off now, and that is no reason to stop.
  EXPECT_EQ(task.looked(BmcPowerState::off, at(1s)).reset, "On");
}

TEST(PowerTask, WithoutConfirmationTheLastResetNeedOnlyBeAccepted) {
  PowerTask on(PowerAction::on, {.confirm = false}, kAll);
  on.looked(BmcPowerState::off, at(0s));
  EXPECT_EQ(on.accepted(at(0s)).kind, Kind::done);
  PowerTask cycle(PowerAction::cycle, {.confirm = false}, kAll);
  cycle.looked(BmcPowerState::on, at(0s));
  EXPECT_EQ(cycle.accepted(at(0s)).kind, Kind::wait);
  EXPECT_EQ(cycle.looked(BmcPowerState::off, at(1s)).reset, "On");
  EXPECT_EQ(cycle.accepted(at(1s)).kind, Kind::done);
}

}  // namespace
}  // namespace drover::hardware

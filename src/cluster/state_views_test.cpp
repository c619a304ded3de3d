#include "cluster/state_views.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

TEST(StateViews, SayWhatOtherSystemsWouldSay) {
  struct Case {
    PhaseState phase;
    ServiceState service;
    std::string_view csm;
    std::string_view scyld;
    std::string_view smd;
    std::string_view smd_flag;
  };
  using Ph = PhaseState;
  using Sv = ServiceState;
  constexpr Case kCases[] = {
      {Ph::unknown, Sv::discovered, "DISCOVERED", "down", "Unknown", "OK"},
      {Ph::off, Sv::in_service, "IN_SERVICE", "pwroff", "Off", "OK"},
      {Ph::kernel, Sv::in_service, "IN_SERVICE", "boot", "On", "OK"},
      {Ph::up, Sv::in_service, "IN_SERVICE", "up", "Ready", "OK"},
      {Ph::up, Sv::discovered, "DISCOVERED", "up", "Ready", "OK"},
      {Ph::up, Sv::maintenance, "MAINTENANCE", "unavailable", "Ready", "OK"},
      {Ph::up, Sv::soft_failure, "SOFT_FAILURE", "unavailable", "Ready", "Warning"},
      {Ph::up, Sv::hard_failure, "HARD_FAILURE", "unavailable", "Ready", "Alert"},
      {Ph::error, Sv::in_service, "IN_SERVICE", "error", "On", "Alert"},
      {Ph::rebooting, Sv::in_service, "IN_SERVICE", "reboot", "On", "OK"},
      {Ph::halting, Sv::in_service, "IN_SERVICE", "halt", "Ready", "OK"},
      {Ph::halted, Sv::in_service, "IN_SERVICE", "halt", "Halt", "OK"},
      {Ph::lost, Sv::in_service, "IN_SERVICE", "down", "Standby", "Warning"},
  };
  for (const Case& c : kCases) {
    Node node;
    node.phase.state = c.phase;
    node.service.state = c.service;
    EXPECT_EQ(viewed_state(node, StateView::csm).state, c.csm);
    EXPECT_EQ(viewed_state(node, StateView::scyld).state, c.scyld) << enum_name(c.phase);
    EXPECT_EQ(viewed_state(node, StateView::smd).state, c.smd) << enum_name(c.phase);
    EXPECT_EQ(viewed_state(node, StateView::smd).flag, c.smd_flag) << enum_name(c.phase);
    EXPECT_EQ(viewed_state(node, StateView::native).state, enum_name(c.phase));
  }
}

TEST(StateViews, MarksAndPowerCount) {
  Node node;
  node.power.state = PowerState::on;
  EXPECT_EQ(viewed_state(node, StateView::smd).state, "On");
  node.power.state = PowerState::off;
  EXPECT_EQ(viewed_state(node, StateView::smd).state, "Off");
  node.locked = true;
  EXPECT_EQ(viewed_state(node, StateView::smd).flag, "Locked");
  node.flag = NodeFlag::warning;
  EXPECT_EQ(viewed_state(node, StateView::smd).flag, "Warning");
  node.flag = NodeFlag::alert;
  EXPECT_EQ(viewed_state(node, StateView::smd).flag, "Alert");
  node.phase.state = PhaseState::up;
  node.enabled = false;
  EXPECT_EQ(viewed_state(node, StateView::scyld).state, "unavailable");
}

}  // namespace
}  // namespace drover::cluster

// Power through emulated BMCs, in virtual time.
#include "hardware/power/power_visit.hpp"

#include "hardware/redfish/bmc_test_ground.hpp"

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::BmcPowerState;
using cluster::BootDevice;
using cluster::PowerAction;

class PowerVisitTest : public testing::BmcGroundTest {
 protected:
  Result<PowerOutcome> visit(PowerWish wish, size_t index = 0) {
    BmcClient client(ground_, access(index));
    std::optional<Result<PowerOutcome>> result;
    const PowerVisit visit(near_.executor(), client, std::move(wish),
                           [&](Result<PowerOutcome> got) { result = std::move(got); });
    const Duration begin = world_.now();
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 1h));
    took_ = world_.now() - begin;
    return *std::move(result);
  }
  Result<PowerOutcome> visit(PowerAction action) { return visit(PowerWish{.action = action}); }
  Duration took_{};
};

TEST_F(PowerVisitTest, OnOffAndStatus) {
  auto& bmc = add_bmc().bmc();
  EXPECT_EQ(visit(PowerAction::status)->state, BmcPowerState::off);
  EXPECT_EQ(visit(PowerAction::on)->state, BmcPowerState::on);
  EXPECT_TRUE(bmc.machines().at(0).on);
  EXPECT_EQ(visit(PowerAction::on)->state, BmcPowerState::on);
  EXPECT_EQ(bmc.counts().resets, 1U);  // it was on already
  EXPECT_EQ(visit(PowerAction::soft_off)->state, BmcPowerState::off);
  EXPECT_EQ(visit(PowerAction::cycle)->state, BmcPowerState::on);
  EXPECT_EQ(visit(PowerAction::reset)->state, BmcPowerState::on);
  EXPECT_EQ(visit(PowerAction::force_off)->state, BmcPowerState::off);
  EXPECT_EQ(visit(PowerAction::reset).error().code, Code::conflict);
}

TEST_F(PowerVisitTest, AnOperatingSystemThatDoesNotHearIsForced) {
  sim::BmcTraits traits;
  traits.starts_on = true;
  traits.ignores_graceful = true;
  add_bmc(traits);
  EXPECT_EQ(visit(PowerAction::soft_off).error().code, Code::timed_out);
  EXPECT_EQ(visit(PowerAction::off)->state, BmcPowerState::off);
  EXPECT_GE(took_, 120s);
  EXPECT_LT(took_, 130s);
}

TEST_F(PowerVisitTest, AStateThatIsNotReachedIsNotCalledDone) {
  sim::BmcTraits traits;
  traits.stuck = true;
  add_bmc(traits);
  const auto result = visit(PowerAction::on);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::timed_out);
}

TEST_F(PowerVisitTest, ResetsByTaskAreWatched) {
  sim::BmcTraits traits;
  traits.reset_by_task = true;
  traits.power_time = 20s;
  add_bmc(traits);
  EXPECT_EQ(visit(PowerAction::on)->state, BmcPowerState::on);
}

TEST_F(PowerVisitTest, OneOfManyMachinesIsNamed) {
  sim::BmcTraits traits;
  traits.systems = 4;
  auto& bmc = add_bmc(traits).bmc();
  const auto unnamed = visit(PowerAction::on);
  ASSERT_FALSE(unnamed);
  EXPECT_EQ(unnamed.error().message, "the BMC has 4 machines: Node0, Node1, Node2, Node3");
  EXPECT_TRUE(visit({.action = PowerAction::on, .system = "Node2"}));
  EXPECT_TRUE(bmc.machines().at(2).on);
  EXPECT_FALSE(bmc.machines().at(0).on);
  EXPECT_EQ(visit({.action = PowerAction::on, .system = "Node9"}).error().code, Code::not_found);
}

TEST_F(PowerVisitTest, BootDeviceOnceAndAlwaysWithETags) {
  sim::BmcTraits traits;
  traits.demands_etag = true;
  auto& bmc = add_bmc(traits).bmc();
  auto result = visit({.action = PowerAction::boot_device, .device = BootDevice::pxe});
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->said, "Pxe, once");
  EXPECT_EQ(bmc.machines().at(0).boot_enabled, "Once");
  EXPECT_EQ(visit({.action = PowerAction::boot_device, .device = BootDevice::pxe})->said,
            "Pxe, once");
  EXPECT_EQ(bmc.counts().patches, 1U);
  result =
      visit({.action = PowerAction::boot_device, .device = BootDevice::disk, .persistent = true});
  EXPECT_EQ(result->said, "Hdd, always");
  EXPECT_EQ(bmc.machines().at(0).boot_enabled, "Continuous");
  EXPECT_TRUE(visit({.action = PowerAction::boot_device, .device = BootDevice::none}));
  EXPECT_EQ(bmc.machines().at(0).boot_enabled, "Disabled");
  EXPECT_EQ(visit({.action = PowerAction::boot_device, .device = BootDevice::usb}).error().code,
            Code::unsupported);
}

TEST_F(PowerVisitTest, HostileBmcsEndInTime) {
  for (const auto name : enum_names(sim::BmcHostility{})) {
    const auto kind = *enum_from_name<sim::BmcHostility>(name);
    if (kind == sim::BmcHostility::none) continue;
    sim::BmcTraits traits;
    traits.hostility = kind;
    add_bmc(traits);
    const auto result = visit({.action = PowerAction::on}, bmcs_.size() - 1);
    EXPECT_FALSE(result) << name;
    EXPECT_LT(took_, 5min) << name;
    if (!result) {
      EXPECT_EQ(result.error().text().find('\x1b'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace drover::hardware

// Power by IPMI, with a machine behind the seam that answers in ipmitool's words.
#include "hardware/ipmi/ipmi_visit.hpp"

#include "sim/world.hpp"

#include <algorithm>
#include <optional>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::BmcPowerState;
using cluster::BootDevice;
using cluster::PowerAction;

/// What ipmitool 1.8.19 prints about a BMC (recorded with ipmi_sim 1.0.13).
class Machine final : public IpmiTool {
 public:
  explicit Machine(Executor& executor) : executor_(executor) {}

  void run(const IpmiAccess&, Words words, Done done) override {
    asked.push_back(fmt::format("{}", fmt::join(words, " ")));
    executor_.post(
        [done = std::move(done), said = answer(words)]() mutable { done(std::move(said)); });
  }

  std::vector<std::string> asked;
  bool on = false;
  bool hears_soft = true;
  bool stuck = false;
  int silent = 0;  ///< so many looks are not answered
  std::string boot = "No override";

 private:
  Result<std::string> answer(const Words& words) {
    const std::string& last = words.back();
    if (words.at(1) == "power" && last == "status") {
      if (silent > 0 && silent-- > 0) return fail(Code::unreachable, "no BMC answers IPMI there");
      return fmt::format("Loading IANA PEN Registry...\nChassis Power is {}\n", on ? "on" : "off");
    }
    if (words.at(1) == "power") {
      if (last == "soft" && !hears_soft) return "Chassis Power Control: Soft\n";
      if (!stuck) on = last == "on" || last == "cycle" || last == "reset";
      return "Chassis Power Control: done\n";
    }
    if (words.at(1) == "bootdev") {
      if (words.at(2) == "pxe") boot = "Force PXE";
      if (words.at(2) == "none") boot = "No override";
      return "Set Boot Device to " + words.at(2) + "\n";
    }
    return fmt::format(
        " Boot Flags :\n   - Boot Flag Invalid\n   - Boot Device Selector : {}\n"
        "   - BIOS verbosity : System Default\n",
        boot);
  }

  Executor& executor_;
};

class IpmiVisitTest : public ::testing::Test {
 protected:
  Result<PowerOutcome> visit(PowerWish wish) {
    std::optional<Result<PowerOutcome>> result;
    const IpmiVisit visit(process_.executor(), machine_,
                          {.host = "10.1.0.7", .user = "root", .password = "x"}, std::move(wish),
                          [&](Result<PowerOutcome> got) { result = std::move(got); });
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 1h));
    return *std::move(result);
  }
  Result<PowerOutcome> visit(PowerAction action) { return visit(PowerWish{.action = action}); }

  sim::World world_{1};
  sim::SimProcess process_{world_, {.name = "master", .host = "h"}};
  Machine machine_{process_.executor()};
};

TEST_F(IpmiVisitTest, OnOffAndStatus) {
  EXPECT_EQ(visit(PowerAction::status)->state, BmcPowerState::off);
  EXPECT_EQ(visit(PowerAction::on)->state, BmcPowerState::on);
  EXPECT_EQ(visit(PowerAction::on)->state, BmcPowerState::on);
  EXPECT_EQ(std::ranges::count(machine_.asked, "chassis power on"), 1) << "it was on already";
  EXPECT_EQ(visit(PowerAction::reset)->state, BmcPowerState::on);
  EXPECT_EQ(visit(PowerAction::soft_off)->state, BmcPowerState::off);
  EXPECT_EQ(visit(PowerAction::cycle)->state, BmcPowerState::on);
  EXPECT_EQ(visit(PowerAction::force_off)->state, BmcPowerState::off);
  EXPECT_EQ(machine_.asked.back(), "chassis power status") << "seen, not believed";
}

TEST_F(IpmiVisitTest, AnOperatingSystemThatDoesNotHearIsForced) {
  machine_.on = true;
  machine_.hears_soft = false;
  EXPECT_EQ(visit(PowerAction::soft_off).error().code, Code::timed_out);
  EXPECT_EQ(visit(PowerAction::off)->state, BmcPowerState::off);
  EXPECT_EQ(std::ranges::count(machine_.asked, "chassis power off"), 1);
}

TEST_F(IpmiVisitTest, AStateThatIsNotReachedIsNotCalledDone) {
  machine_.stuck = true;
  EXPECT_EQ(visit(PowerAction::on).error().code, Code::timed_out);
}

TEST_F(IpmiVisitTest, ABmcThatIsSilentForAMomentIsAskedAgainOnceSomethingHasBegun) {
  machine_.silent = 1;
  EXPECT_EQ(visit(PowerAction::on).error().code, Code::unreachable) << "nothing had begun";
  EXPECT_FALSE(machine_.on);
  machine_.asked.clear();
  machine_.silent = 0;
  EXPECT_TRUE(visit(PowerAction::on));
}

TEST_F(IpmiVisitTest, TheBootDeviceIsReadBack) {
  const PowerWish pxe{.action = PowerAction::boot_device, .device = BootDevice::pxe};
  EXPECT_EQ(visit(pxe)->said, "pxe, once");
  EXPECT_EQ(std::ranges::count(machine_.asked, "chassis bootdev pxe"), 1);
  PowerWish always = pxe;
  always.persistent = true;
  EXPECT_EQ(visit(always)->said, "pxe, always");
  EXPECT_EQ(std::ranges::count(machine_.asked, "chassis bootdev pxe options=persistent"), 1);
  // This one takes the word and keeps another, as some do.
  EXPECT_EQ(visit({.action = PowerAction::boot_device, .device = BootDevice::cd}).error().code,
            Code::conflict);
  EXPECT_EQ(visit({.action = PowerAction::boot_device, .device = BootDevice::http}).error().code,
            Code::unsupported);
  EXPECT_EQ(visit({.action = PowerAction::boot_device, .device = BootDevice::none})->said,
            "as its firmware says");
}

TEST(IpmiText, WhatSaysNothingOfPowerIsCorrupt) {
  for (const char* said : {"", "Chassis Power is", "Chassis Power is perhaps", "\x1b[2Jon"}) {
    const auto read = read_ipmi_power(said);
    ASSERT_FALSE(read) << said;
    EXPECT_EQ(read.error().code, Code::corrupt);
    EXPECT_EQ(read.error().message.find('\x1b'), std::string::npos);
  }
  EXPECT_FALSE(read_ipmi_boot("   - Boot Device Selector : Force Lunch\n"));
}

}  // namespace
}  // namespace drover::hardware

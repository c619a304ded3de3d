// Power of emulated BMCs that is processes: on starts one, off ends it, its own end is off.
#include "sim/bmc/machine_processes.hpp"

#include "base/log_levels.hpp"
#include "net/real_net.hpp"
#include "os/real_random.hpp"
#include "os/test_folder.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace drover::sim {
namespace {

using namespace std::chrono_literals;

class MachineProcessesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string path = folder_.path() + "/machine";
    std::ofstream(path) << "#!/bin/sh\ncd " << folder_.path()
                        << "\ntrap 'echo \"$* off\" >> log' EXIT\n"
                           "echo \"$* on\" >> log\nwhile [ ! -e end ]; do sleep 0.05; done\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    BmcFleetOptions options;
    options.first = 7;
    options.traits.systems = 2;
    options.traits.power_time = 10ms;
    auto fleet = BmcFleet::start({*loop_, net_, random_, Log(sink_, "bmc")}, options);
    ASSERT_TRUE(fleet) << fleet.error().text();
    fleet_ = *std::move(fleet);
    machines_.emplace(*loop_, Log(sink_, "machine"), path, *fleet_);
  }
  std::string log() const {
    std::stringstream text;
    text << std::ifstream(folder_.path() + "/log").rdbuf();
    return text.str();
  }
  void reset(uint32_t system, std::string_view type) {
    const Status done = states().reset(system, type);
    ASSERT_TRUE(done) << done.error().text();
  }
  BmcMachines& states() { return fleet_->at(0).bmc().machines(); }
  void wait(Callback<bool()> until) { EXPECT_TRUE(loop_->run_until(std::move(until), 30s)); }

  os::testing::TestFolder folder_;
  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  net::RealNet net_{*loop_};
  os::RealRandom random_;
  LogLevels levels_;
  StderrSink sink_{levels_, LogForm::text};
  std::unique_ptr<BmcFleet> fleet_;
  std::optional<MachineProcesses> machines_;
};

TEST_F(MachineProcessesTest, OnRunsOneAndOffEndsIt) {
  BmcSystemState& state = states().edit(1);
  state.boot_enabled = "Once";
  state.boot_target = "Pxe";
  reset(1, "On");
  wait([&] { return log() == "7 1 Pxe on\n"; });
  reset(1, "ForceRestart");
  wait([&] { return log().find("7 1 None on\n") != std::string::npos; });
  EXPECT_TRUE(states().at(1).on);
  EXPECT_FALSE(states().at(0).on);
  reset(1, "ForceOff");
  wait([&] { return !states().at(1).on; });
}

TEST_F(MachineProcessesTest, OneThatEndsByItselfIsOff) {
  reset(0, "On");
  wait([&] { return log() == "7 0 None on\n"; });
  std::ofstream(folder_.path() + "/end") << "x";
  wait([&] { return !states().at(0).on; });
  EXPECT_EQ(log(), "7 0 None on\n7 0 None off\n");
}

TEST_F(MachineProcessesTest, AllEndWithTheProgram) {
  reset(0, "On");
  reset(1, "On");
  wait([&] { return log().size() == 24; });
  machines_.reset();
  // They are killed, so their traps say nothing; nobody is left who would write.
  std::ofstream(folder_.path() + "/end") << "x";
  EXPECT_EQ(log().size(), 24U);
}

}  // namespace
}  // namespace drover::sim

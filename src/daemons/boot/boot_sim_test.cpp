#include "daemons/boot/test_boot.hpp"
#include "daemons/test_tree.hpp"
#include "sim/sim_random.hpp"

namespace drover::daemons::testing {
namespace {

using Ph = cluster::PhaseState;

class BootSim : public TreeSim {
 protected:
  BootSim() : random_(1, "disk") {}
  void SetUp() override {
    TreeSim::SetUp();
    boot_ = std::make_unique<SimBoot>(world, fabric, disk_, timing);
    ASSERT_TRUE(reach([this] { return all_redundant() && linked(); }, seconds(30)));
  }
  [[nodiscard]] bool linked() const { return boot_->daemon->masters().up() != nullptr; }
  /// Power goes and comes back: what was not synced may be gone.
  void crash_boot() {
    boot_->host.process.kill();
    disk_.crash(random_);
    boot_.reset();
    boot_ = std::make_unique<SimBoot>(world, fabric, disk_, timing);
  }
  void report(const std::string& node, Ph stage) {
    boot_->daemon->report({node, stage, boot_->host.process.executor().wall(), "seen"});
  }
  [[nodiscard]] cluster::Phase phase(const std::string& node) const {
    return master->model.find(node)->node().phase;
  }
  void kill_node(const std::string& node) {
    computes.at(node)->host.process.kill();
    disks.at(node)->detach();
    computes.erase(node);
  }

  sim::SimRandom random_;
  sim::SimDisk disk_;
  std::unique_ptr<SimBoot> boot_;
};

TEST_F(BootSim, AStageIsTheNodesPhaseWithinATenthOfASecond) {
  kill_node("n1");
  ASSERT_TRUE(reach([&] { return phase("n1").state == Ph::lost; }, seconds(10)));
  for (const Ph stage : {Ph::dhcp, Ph::loader, Ph::kernel, Ph::init, Ph::joining}) {
    ASSERT_TRUE(world.run_for(milliseconds(300)));
    report("n1", stage);
    EXPECT_TRUE(reach([&] { return phase("n1").state == stage; }, milliseconds(100)))
        << enum_name(stage);
    EXPECT_EQ(phase("n1").who, "boot/boot1");
  }
  start_compute("n1");
  EXPECT_TRUE(reach([&] { return phase("n1").state == Ph::up; }, seconds(10)));
}

TEST_F(BootSim, WhatWasSeenWithoutAMasterIsToldToTheNext) {
  kill_node("n1");
  ASSERT_TRUE(reach([&] { return phase("n1").state == Ph::lost; }, seconds(10)));
  kill_master();
  ASSERT_TRUE(world.run_for(seconds(5)));
  report("n1", Ph::dhcp);
  report("n1", Ph::loader);
  ASSERT_TRUE(world.run_for(seconds(5)));
  crash_boot();
  ASSERT_TRUE(world.run_for(seconds(5)));
  report("n1", Ph::kernel);
  start_master();
  ASSERT_TRUE(reach([&] { return phase("n1").state == Ph::kernel; }, seconds(60)));
  EXPECT_EQ(boot_->daemon->records().refused, 0U);
  ASSERT_TRUE(reach([&] { return boot_->daemon->records().records == 0; }, seconds(60)));
}

TEST_F(BootSim, APacketInTheNameOfANodeThatRunsIsNoReboot) {
  report("n2", Ph::dhcp);
  ASSERT_TRUE(world.run_for(seconds(5)));
  EXPECT_EQ(phase("n2").state, Ph::up) << "its agent is heard all the time";
  EXPECT_TRUE(all_up());
}

TEST_F(BootSim, WhatABootFailedByStaysSaidOfANodeThatRanBefore) {
  kill_node("n1");
  ASSERT_TRUE(reach([&] { return phase("n1").state == Ph::lost; }, seconds(10)));
  for (const Ph stage : {Ph::dhcp, Ph::loader, Ph::kernel, Ph::error}) {
    ASSERT_TRUE(world.run_for(milliseconds(300)));
    report("n1", stage);
  }
  ASSERT_TRUE(reach([&] { return phase("n1").state == Ph::error; }, seconds(10)));
  ASSERT_TRUE(world.run_for(seconds(30)));
  EXPECT_EQ(phase("n1").state, Ph::error) << "its old silence is no news";
  EXPECT_EQ(phase("n1").why, "seen");
  start_compute("n1");
  EXPECT_TRUE(reach([&] { return phase("n1").state == Ph::up; }, seconds(10)));
}

TEST_F(BootSim, ANodeThatIsHeardIsNotInErrorForAWordOfTheBootDaemon) {
  report("n2", Ph::error);
  ASSERT_TRUE(world.run_for(seconds(5)));
  EXPECT_EQ(phase("n2").state, Ph::up);
  kill_node("n2");
  ASSERT_TRUE(reach([&] { return phase("n2").state == Ph::lost; }, seconds(10)));
  ASSERT_TRUE(world.run_for(milliseconds(300)));
  report("n2", Ph::error);
  ASSERT_TRUE(reach([&] { return phase("n2").state == Ph::error; }, seconds(10)));
  ASSERT_TRUE(world.run_for(seconds(30)));
  EXPECT_EQ(phase("n2").state, Ph::error) << "why it fell silent is more than that it did";
}

TEST_F(BootSim, ReportsOfStrangersChangeNothing) {
  const size_t before = master->model.nodes().size();
  report("stranger", Ph::dhcp);
  report("n3", Ph::unknown);
  ASSERT_TRUE(reach([&] { return boot_->daemon->records().records == 0; }, seconds(10)));
  EXPECT_EQ(master->model.nodes().size(), before);
  EXPECT_TRUE(all_up());
}

}  // namespace
}  // namespace drover::daemons::testing

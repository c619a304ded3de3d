#include "cluster/commanded_end.hpp"

#include "cluster/memory_store.hpp"
#include "cluster/mutations.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using testing::MemoryTransaction;

class CommandedEnds : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, state] : {std::pair{"n1", PhaseState::up},
                                      {"n2", PhaseState::dhcp},
                                      {"n3", PhaseState::lost},
                                      {"n4", PhaseState::node_up}}) {
      ASSERT_TRUE(ensure_node(tx_, name, NodeRole::compute, name, "").has_value());
      Node node = read_node(tx_, name).value();
      node.phase.state = state;
      ASSERT_TRUE(write_node(tx_, node).has_value());
    }
  }
  Phase phase(const std::string& name) { return read_node(tx_, name).value().phase; }

  MemoryTransaction tx_;
  std::vector<std::string> all_{"n1", "n2", "gone", "n3", "n4"};
};

TEST_F(CommandedEnds, ARebootIsThePhaseWithWhoAndWhy) {
  EXPECT_EQ(note_command(tx_, all_, "power.reboot", "new kernel").value(), 3U);
  EXPECT_EQ(phase("n1").state, PhaseState::rebooting);
  EXPECT_EQ(phase("n1").why, "reboot was asked for: new kernel");
  EXPECT_EQ(phase("n1").who, tx_.actor());
  EXPECT_EQ(phase("n2").state, PhaseState::dhcp) << "its next boot was seen already";
  EXPECT_EQ(phase("n3").state, PhaseState::rebooting);
  EXPECT_EQ(tx_.changes.back().why, "reboot was asked for: new kernel");
}

TEST_F(CommandedEnds, HaltAndPoweroffAreHalting) {
  EXPECT_EQ(note_command(tx_, all_, "power.poweroff", "").value(), 2U);
  EXPECT_EQ(phase("n4").state, PhaseState::halting);
  EXPECT_EQ(phase("n4").why, "poweroff was asked for");
  const size_t before = tx_.changes.size();
  EXPECT_EQ(note_command(tx_, all_, "power.halt", "again").value(), 0U);
  EXPECT_EQ(tx_.changes.size(), before) << "what is so is not written again";
}

TEST_F(CommandedEnds, NothingElseEndsANode) {
  EXPECT_FALSE(phase_of_command("ping"));
  EXPECT_FALSE(phase_of_command("power.cycle"));
  EXPECT_EQ(note_command(tx_, all_, "ping", "").error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace drover::cluster

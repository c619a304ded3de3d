#include "cluster/boot_report.hpp"

#include "cluster/boot_next.hpp"
#include "cluster/memory_store.hpp"
#include "cluster/mutations.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using testing::MemoryTransaction;

WallTime at(int seconds) {
  return from_unix_ms(1'700'000'000'000) + std::chrono::seconds(seconds);
}

class BootReports : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ensure_node(tx_, "n1", NodeRole::compute, "id", "").has_value());
  }
  bool apply(PhaseState stage, int seconds, const std::string& why = "seen") {
    return apply_boot_report(tx_, {"n1", stage, at(seconds), why}, "boot/b1").value();
  }
  Phase phase() { return read_node(tx_, "n1").value().phase; }
  void set_phase(PhaseState state, int seconds) {
    Node node = read_node(tx_, "n1").value();
    node.phase = {state, at(seconds), "", ""};
    ASSERT_TRUE(write_node(tx_, node).has_value());
  }

  MemoryTransaction tx_;
};

TEST_F(BootReports, AMachineOnItsWayUpMovesThroughThePhases) {
  int second = 0;
  for (const PhaseState stage : {PhaseState::dhcp, PhaseState::loader, PhaseState::kernel,
                                 PhaseState::init, PhaseState::joining, PhaseState::node_up}) {
    EXPECT_TRUE(apply(stage, ++second, "step"));
    EXPECT_EQ(phase(), (Phase{stage, at(second), "step", "boot/b1"}));
  }
}

TEST_F(BootReports, WhatIsOlderThanWhatIsKnownChangesNothing) {
  set_phase(PhaseState::up, 10);
  EXPECT_FALSE(apply(PhaseState::dhcp, 9));
  EXPECT_EQ(phase().state, PhaseState::up);
  EXPECT_TRUE(apply(PhaseState::dhcp, 11));
  EXPECT_EQ(phase().state, PhaseState::dhcp);
}

TEST_F(BootReports, WhatTheTableForbidsChangesNothing) {
  set_phase(PhaseState::halted, 1);
  EXPECT_FALSE(apply(PhaseState::node_up, 2));
  EXPECT_EQ(phase().state, PhaseState::halted);
}

TEST_F(BootReports, TheSameStageAgainIsNoChange) {
  ASSERT_TRUE(apply(PhaseState::dhcp, 1));
  EXPECT_FALSE(apply(PhaseState::dhcp, 2, "again"));
  EXPECT_EQ(phase().why, "seen");
}

TEST_F(BootReports, TheBootThatUsedAnOverrideTakesItAway) {
  ASSERT_TRUE(put_boot_next(tx_, {"n1", "", "", BootMode::lean, {}}));
  const auto there = [&] { return tx_.get(kBootNextKind, "n1").value(); };
  ASSERT_TRUE(there().has_value());
  const WallTime asked = decode_text<BootNext>(there()->body).value().asked;
  const auto report = [&](WallTime once) {
    ASSERT_TRUE(apply_boot_report(tx_, {"n1", PhaseState::init, at(1), "", once}, "boot/b1"));
  };
  report({});
  EXPECT_TRUE(there().has_value()) << "a boot that began before it was said";
  report(asked - std::chrono::seconds(1));
  EXPECT_TRUE(there().has_value()) << "another was said since";
  report(asked);
  EXPECT_FALSE(there().has_value());
  report(asked);
}

TEST_F(BootReports, ANodeThatIsNotThereIsAnError) {
  const auto applied = apply_boot_report(tx_, {"n9", PhaseState::dhcp, at(1), ""}, "boot/b1");
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().code, Code::not_found);
}

TEST(BootReport, IsReadAsItIsWritten) {
  const BootReport report{"n1", PhaseState::kernel, at(3), "vmlinuz", at(2)};
  EXPECT_EQ(parse_boot_report(encode(report)).value(), report);
}

TEST(BootReport, OthersThanBootStagesAreRefused) {
  for (const PhaseState stage : {PhaseState::up, PhaseState::lost, PhaseState::unknown,
                                 PhaseState::off, PhaseState::rebooting}) {
    const auto parsed = parse_boot_report(encode(BootReport{"n1", stage, at(1), ""}));
    ASSERT_FALSE(parsed.has_value());
    EXPECT_NE(parsed.error().message.find("stage"), std::string::npos);
  }
}

TEST(BootReport, BadNamesAndLongReasonsAreRefused) {
  EXPECT_FALSE(parse_boot_report(encode(BootReport{"n 1", PhaseState::dhcp, at(1), ""})));
  const BootReport wordy{"n1", PhaseState::dhcp, at(1), std::string(kMaxBootWhy + 1, 'x')};
  EXPECT_FALSE(parse_boot_report(encode(wordy)));
  EXPECT_FALSE(parse_boot_report("{}"));
  EXPECT_FALSE(parse_boot_report("nonsense"));
}

}  // namespace
}  // namespace drover::cluster

#include "daemons/settings_board.hpp"

#include "proto/settings.pb.h"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

class Silent final : public LogSink {
 public:
  void write(const LogRecord& record) override { lines.push_back(format(record)); }
  std::vector<std::string> lines;
};

std::string message(uint64_t term, uint64_t version, bool current, const std::string& hold) {
  proto::Settings out;
  out.set_term(term);
  out.set_version(version);
  out.set_current(current);
  auto* entry = out.add_entries();
  entry->set_key("tree.hold");
  entry->set_value(hold);
  return out.SerializeAsString();
}

class SettingsBoardTest : public ::testing::Test {
 protected:
  Silent sink;
  Log log{sink, "test"};
  SettingsBoard board{log, {}};
  [[nodiscard]] std::string hold() const { return board.in_force().text("tree.hold"); }
};

TEST_F(SettingsBoardTest, NewerOnesAreTakenFromAnyLinkAndPassedOn) {
  EXPECT_EQ(board.message(true), "") << "nothing heard yet, nothing to say";
  EXPECT_TRUE(board.take(message(5, 3, false, "3s"), false));
  EXPECT_EQ(hold(), "3s");
  EXPECT_FALSE(board.take(message(5, 3, true, "3s"), true)) << "known";
  EXPECT_FALSE(board.take(message(5, 2, true, "2s"), false)) << "old, from a second path";
  EXPECT_TRUE(board.take(message(5, 4, false, "4s"), false));
  EXPECT_TRUE(board.take(message(6, 1, false, "1s"), false)) << "a younger master";
  EXPECT_EQ(hold(), "1s");
  SettingsBoard below(log, {});
  EXPECT_TRUE(below.take(board.message(true), true));
  EXPECT_EQ(below.in_force(), board.in_force());
  EXPECT_EQ(below.version(), board.version());
}

TEST_F(SettingsBoardTest, TheWayUpDecidesWhileItHasAMaster) {
  ASSERT_TRUE(board.take(message(9, 9, true, "9s"), false));
  EXPECT_FALSE(board.take(message(5, 3, false, "3s"), true)) << "an aggregator that is cut off";
  EXPECT_TRUE(board.take(message(5, 3, true, "3s"), true)) << "a store that was restored";
  EXPECT_EQ(hold(), "3s");
}

TEST_F(SettingsBoardTest, WhatThisHostSaysIsStronger) {
  SettingsBoard own(log, {{"tree.hold", "7s"}});
  std::vector<std::string> applied;
  own.on_change([&](const cluster::Settings& now) { applied.push_back(now.text("tree.hold")); });
  EXPECT_TRUE(own.take(message(1, 1, true, "2s"), true));
  EXPECT_EQ(own.in_force().text("tree.hold"), "7s");
  SettingsBoard below(log, {});
  EXPECT_TRUE(below.take(own.message(true), true));
  EXPECT_EQ(below.in_force().text("tree.hold"), "2s") << "it holds on that host alone";
  own.set_own({});
  EXPECT_EQ(applied, (std::vector<std::string>{"7s", "2s"}));
}

TEST_F(SettingsBoardTest, NonsenseChangesNothing) {
  ASSERT_TRUE(board.take(message(1, 1, true, "3s"), true));
  EXPECT_FALSE(board.take("\xff\xff", true));
  EXPECT_FALSE(board.take("", false));
  EXPECT_EQ(hold(), "3s");
  EXPECT_TRUE(board.take(message(1, 2, true, "soon"), true));
  EXPECT_EQ(hold(), "1m") << "a value that breaks its rule counts as not set";
  proto::Settings flood;
  flood.set_term(2);
  for (int i = 0; i < 1001; ++i) flood.add_entries()->set_key(std::to_string(i));
  EXPECT_FALSE(board.take(flood.SerializeAsString(), true));
}

TEST_F(SettingsBoardTest, AnOverrideThatDoesNotFitIsToldAbout) {
  SettingsBoard own(log, {{"tree.heartbeat", "2s"}});
  sink.lines.clear();
  EXPECT_TRUE(own.take(message(1, 1, true, "2s"), true));
  ASSERT_FALSE(sink.lines.empty());
  EXPECT_NE(sink.lines.back().find("do not fit together"), std::string::npos);
}

}  // namespace
}  // namespace drover::daemons

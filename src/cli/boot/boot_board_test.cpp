#include "cli/boot/boot_board.hpp"

#include "base/json_values.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

json::value node(const std::string& name, const std::string& phase, const std::string& since,
                 const std::string& why = "seen") {
  return parse_json(
             fmt::format(R"({{"name":"{}","phase":{{"state":"{}","since":"{}","why":"{}"}}}})",
                         name, phase, since, why))
      .value();
}

json::value boot(const std::string& name, const std::string& stage, const std::string& since,
                 const std::string& item, int done, int total, const std::string& deadline) {
  return parse_json(
             fmt::format(
                 R"({{"boot":{{"node":"{}","stage":"{}","since":"{}","why":"fetching","item":"{}",)"
                 R"("done":{},"total":{},"deadline":"{}","daemon":"b"}},"ended":""}})",
                 name, stage, since, item, done, total, deadline))
      .value();
}

constexpr const char* kNoon = "2026-01-01T12:00:00.000Z";
constexpr const char* kSoon = "2026-01-01T12:00:01.500Z";
constexpr const char* kLate = "2026-01-01T12:03:00.000Z";
WallTime at(const char* text) {
  return from_rfc3339(text).value();
}

TEST(BootBoard, EachChangeOfAPhaseIsALine) {
  BootBoard board;
  board.take_node(node("n1", "kernel", kNoon, "fetches its kernel"), 1);
  board.take_node(node("n10", "up", kSoon, "agg1"), 1);
  board.take_node(node("n10", "up", kSoon, "agg1"), 1);  // a change of something else
  EXPECT_EQ(board.take_lines(at(kNoon)),
            "     0 ms  n1   kernel     fetches its kernel\n"
            "  1500 ms  n10  up         agg1\n");
  EXPECT_EQ(board.take_lines(at(kNoon)), "");
  board.take_node(node("n1", "error", kSoon, "stopped"), 5);
  board.take_node(node("n1", "kernel", kNoon, "a list that was read before"), 4);
  EXPECT_EQ(board.take_json(),
            R"({"node":"n1","phase":"error","since":"2026-01-01T12:00:01.500Z","why":"stopped"})"
            "\n");
  EXPECT_TRUE(board.settled());
  EXPECT_FALSE(board.all_up());
  EXPECT_EQ(board.not_up(), "n1 error");
}

TEST(BootBoard, BytesAreABarAndTheTimeIsShown) {
  BootBoard board;
  board.take_node(node("n1", "image", kNoon), 1);
  board.take_progress(boot("n1", "image", kNoon, "image", 5 << 20, 10 << 20, kLate));
  board.take_progress(boot("n9", "image", kNoon, "image", 1, 2, kLate));  // not watched
  const auto screen = board.screen(100, 10, at(kSoon), false);
  ASSERT_EQ(screen.size(), 2U);
  EXPECT_EQ(screen[0], "n1  image      [##########..........]  50%  5.0/10.0 MiB  1s  fetching");
  EXPECT_EQ(screen[1], "1 nodes: 1 image");
}

TEST(BootBoard, WhatLastsTooLongIsSaid) {
  BootBoard board;
  board.take_node(node("n1", "dhcp", kNoon), 1);
  board.take_progress(boot("n1", "dhcp", kNoon, "", 0, 0, "2026-01-01T12:01:30.000Z"));
  EXPECT_EQ(board.screen(80, 10, at("2026-01-01T12:01:00.000Z"), false)[0],
            "n1  dhcp       60s, 30s left  fetching");
  EXPECT_EQ(board.screen(80, 10, at("2026-01-01T12:01:40.000Z"), false)[0],
            "n1  dhcp       100s, 10s too long  fetching");
}

TEST(BootBoard, AnOldBootSaysNothingOfANewerPhase) {
  BootBoard board;
  board.take_node(node("n1", "kernel", kNoon), 1);
  board.take_progress(boot("n1", "kernel", kNoon, "kernel", 1, 2, kLate));
  board.take_node(node("n1", "error", kSoon, "gave up"), 1);
  EXPECT_EQ(board.screen(80, 10, at(kLate), false)[0], "n1  error      178s  gave up");
  board.take_progress(parse_json(R"({"boot":null,"ended":"n1"})").value());
  board.take_node(node("n1", "up", kLate, "agg1"), 1);
  EXPECT_EQ(board.screen(80, 10, at(kLate), false)[0], "n1  up         agg1");
}

TEST(BootBoard, ALowScreenShowsWhatMoves) {
  BootBoard board;
  for (int i = 1; i <= 9; ++i) {
    board.take_node(node(fmt::format("n{}", i), i == 5 ? "kernel" : "up", kNoon), 1);
  }
  const auto screen = board.screen(12, 4, at(kSoon), false);
  ASSERT_EQ(screen.size(), 2U);
  EXPECT_EQ(screen[0].substr(0, 10), "n5  kernel");
  EXPECT_LE(screen[0].size(), 17U);
  EXPECT_EQ(screen[1], "9 nodes: 1 kernel, 8 up");
}

TEST(BootBoard, BytesWithoutATotal) {
  EXPECT_EQ(progress_bar(3 << 20, 0), "3.0 MiB");
  EXPECT_EQ(progress_bar(9, 3), "[####################] 100%  0.0/0.0 MiB");
}

}  // namespace
}  // namespace drover::cli

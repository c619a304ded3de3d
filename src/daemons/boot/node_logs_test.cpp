#include "daemons/boot/node_logs.hpp"

#include "sim/sim_disk.hpp"
#include "sim/world.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

class NodeLogTest : public ::testing::Test {
 protected:
  std::string file(const std::string& path) { return disk_.read_all(path).value_or("(none)"); }

  /// What a reader gets, as text; "error" when the log cannot be read.
  std::vector<std::string> read(const std::string& node, NodeLogs::Wanted wanted = {}) {
    std::optional<std::vector<std::string>> out;
    logs_.read(node, std::move(wanted), [&](const Result<std::vector<NodeLogLine>>& found) {
      out.emplace();
      if (!found) return out->push_back("error");
      for (const NodeLogLine& line : *found) out->push_back(line.source + ": " + line.text);
    });
    EXPECT_TRUE(world_.run_until([&] { return out.has_value(); }, std::chrono::seconds(5)));
    return out.value_or(std::vector<std::string>{});
  }
  static std::shared_ptr<const TextPattern> pattern(const std::string& text) {
    return std::make_shared<const TextPattern>(TextPattern::compile(text).value());
  }

  sim::World world_{3};
  sim::SimDisk disk_;
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot", .disk = &disk_}};
  NodeLogs logs_{process_.executor(), disk_, process_.log(), "/logs", {.file_bytes = 4096}};
};

using Lines = std::vector<std::string>;

TEST_F(NodeLogTest, LinesAreReadAtOnceAndOnDiskSoon) {
  logs_.add("n1", LogSource::boot, "asked for an address");
  logs_.add_kernel("n1", "6,1,2500000,-;Linux version 6.1\n SUBSYSTEM=x\n");
  EXPECT_EQ(read("n1"),
            (Lines{"boot: asked for an address", "kernel: [    2.500000] Linux version 6.1"}));
  EXPECT_NE(file("/logs/n1.log").find("boot: asked for an address\n"), std::string::npos);
  logs_.add("n1", LogSource::boot, "later");
  ASSERT_TRUE(world_.run_for(std::chrono::seconds(1)));
  EXPECT_NE(file("/logs/n1.log").find("boot: later\n"), std::string::npos);
  EXPECT_TRUE(read("n2").empty());
}

TEST_F(NodeLogTest, LinesThatComeWhileOthersAreWrittenFollow) {
  for (int i = 0; i < 50; ++i) {
    logs_.add("n1", LogSource::boot, "line " + std::to_string(i));
    logs_.add("n" + std::to_string(i + 2), LogSource::boot, "another");
    ASSERT_TRUE(world_.run_for(std::chrono::milliseconds(7 * i)));
  }
  ASSERT_TRUE(world_.run_for(std::chrono::seconds(3)));
  const std::string all = file("/logs/n1.log");
  for (int i = 0; i < 50; ++i) {
    EXPECT_NE(all.find("line " + std::to_string(i) + "\n"), std::string::npos) << i;
    EXPECT_NE(file("/logs/n" + std::to_string(i + 2) + ".log"), "(none)") << i;
  }
}

TEST_F(NodeLogTest, WhatWasToldBeforeIsNotToldAgain) {
  logs_.add_kernel("n1", "6,1,1,-;one\n6,2,2,-;two\n");
  logs_.add_kernel("n1", "6,2,2,-;two\n6,3,3,-;three\n");
  EXPECT_EQ(read("n1").size(), 3U);
  logs_.boots("n1");
  logs_.add_kernel("n1", "6,1,1,-;one\n");
  EXPECT_EQ(read("n1").size(), 4U);
}

TEST_F(NodeLogTest, BytesOfAMachineCannotSpoilATerminal) {
  logs_.add_kernel("n1", "6,1,1,-;a\x1b[31mred\n");
  EXPECT_EQ(read("n1").at(0).find('\x1b'), std::string::npos);
}

TEST_F(NodeLogTest, ReadersChooseByPatternTimeAndNumber) {
  logs_.add("n1", LogSource::boot, "error: early");
  ASSERT_TRUE(world_.run_for(std::chrono::seconds(10)));
  const WallTime later = process_.executor().wall();
  for (const char* text : {"one", "error: two", "three", "error: four"}) {
    logs_.add("n1", LogSource::kernel, text);
  }
  EXPECT_EQ(read("n1", {.grep = pattern("error"), .since = {}, .lines = 0}),
            (Lines{"boot: error: early", "kernel: error: two", "kernel: error: four"}));
  EXPECT_EQ(read("n1", {.grep = pattern("^kernel: error"), .since = later, .lines = 0}),
            (Lines{"kernel: error: two", "kernel: error: four"}));
  EXPECT_EQ(read("n1", {.grep = nullptr, .since = later, .lines = 2}),
            (Lines{"kernel: three", "kernel: error: four"}));
  EXPECT_EQ(read("n1", {.grep = pattern("error"), .since = {}, .lines = 1}),
            (Lines{"kernel: error: four"}));
}

TEST_F(NodeLogTest, AReaderGetsWhatWasThereAndAListenerWhatComes) {
  Lines heard;
  logs_.on_line([&](const std::string& node, const NodeLogLine& line) {
    heard.push_back(node + " " + line.text);
  });
  logs_.add("n1", LogSource::boot, "before");
  std::optional<size_t> found;
  logs_.read("n1", {}, [&](const auto& lines) { found = lines ? lines->size() : 0; });
  logs_.add("n1", LogSource::boot, "after");
  ASSERT_TRUE(world_.run_until([&] { return found.has_value(); }, std::chrono::seconds(5)));
  EXPECT_EQ(*found, 1U);
  EXPECT_EQ(heard, (Lines{"n1 before", "n1 after"}));
}

TEST_F(NodeLogTest, APanicIsToldAsWhatItIs) {
  std::string told;
  logs_.on_panic(
      [&](const std::string& node, std::string_view why) { told = node + " " + std::string(why); });
  logs_.add_kernel("n1", "0,7,2000000,-;Kernel panic - not syncing: Attempted to kill init!\n");
  EXPECT_EQ(told, "n1 Kernel panic - not syncing: Attempted to kill init!");
  EXPECT_EQ(read("n1"), (Lines{"panic: [    2.000000] Kernel panic - not syncing: Attempted to "
                               "kill init!"}));
  logs_.add("n1", LogSource::boot, "a name such as Kernel panic - not syncing is none");
  EXPECT_EQ(read("n1").back().substr(0, 5), "boot:");
}

TEST_F(NodeLogTest, BothFilesAreReadAndWhatIsTornIsLeftOut) {
  for (int i = 0; i < 100; ++i) {
    logs_.add("n1", LogSource::boot, "line " + std::to_string(i));
    ASSERT_TRUE(world_.run_for(std::chrono::milliseconds(300)));
  }
  const Lines lines = read("n1");
  ASSERT_GT(lines.size(), 60U);
  EXPECT_EQ(lines.back(), "boot: line 99");
  auto torn = disk_.open("/logs/n2.log", true, 0640).value();
  ASSERT_TRUE(
      torn->write(0, "26-01-01 half\nno line at all\n2026-01-01T00:00:00.000Z boot: whole\n2026"));
  EXPECT_EQ(read("n2"), (Lines{"boot: whole"}));
}

TEST_F(NodeLogTest, AFullFileIsTurnedOver) {
  for (int i = 0; i < 200; ++i) {
    logs_.add("n1", LogSource::boot, "line " + std::to_string(i));
    ASSERT_TRUE(world_.run_for(std::chrono::milliseconds(300)));
  }
  EXPECT_LE(file("/logs/n1.log").size(), 4096U);
  EXPECT_LE(file("/logs/n1.log.1").size(), 4096U);
  EXPECT_NE(file("/logs/n1.log").find("line 199\n"), std::string::npos);
}

TEST_F(NodeLogTest, AFullDiskCostsLinesAndNothingElse) {
  disk_.set_capacity(1);
  for (int i = 0; i < 100; ++i) logs_.add("n1", LogSource::boot, "line");
  ASSERT_TRUE(world_.run_for(std::chrono::seconds(5)));
  disk_.set_capacity(0);
  logs_.add("n1", LogSource::boot, "after");
  ASSERT_TRUE(world_.run_for(std::chrono::seconds(5)));
  EXPECT_NE(file("/logs/n1.log").find("after"), std::string::npos);
}

}  // namespace
}  // namespace drover::daemons

#include "daemons/boot/node_logs.hpp"

#include "sim/sim_disk.hpp"
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

class NodeLogTest : public ::testing::Test {
 protected:
  std::string file(const std::string& path) { return disk_.read_all(path).value_or("(none)"); }

  sim::World world_{3};
  sim::SimDisk disk_;
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot", .disk = &disk_}};
  NodeLogs logs_{process_.executor(),
                 disk_,
                 process_.log(),
                 "/logs",
                 {.file_bytes = 4096, .lines_in_memory = 3}};
};

TEST_F(NodeLogTest, LinesAreInMemoryAtOnceAndOnDiskSoon) {
  logs_.add("n1", LogSource::boot, "asked for an address");
  logs_.add_kernel("n1", "6,1,2500000,-;Linux version 6.1\n SUBSYSTEM=x\n");
  ASSERT_EQ(logs_.tail("n1", 10).size(), 2U);
  EXPECT_NE(logs_.tail("n1", 1).at(0).find("kernel: [    2.500000] Linux version 6.1"),
            std::string::npos);
  ASSERT_TRUE(world_.run_for(std::chrono::seconds(1)));
  EXPECT_NE(file("/logs/n1.log").find("boot: asked for an address\n"), std::string::npos);
  EXPECT_TRUE(logs_.tail("n2", 10).empty());
}

TEST_F(NodeLogTest, WhatWasToldBeforeIsNotToldAgain) {
  logs_.add_kernel("n1", "6,1,1,-;one\n6,2,2,-;two\n");
  logs_.add_kernel("n1", "6,2,2,-;two\n6,3,3,-;three\n");
  EXPECT_EQ(logs_.tail("n1", 10).size(), 3U);
  logs_.boots("n1");
  logs_.add_kernel("n1", "6,1,1,-;one\n");
  EXPECT_NE(logs_.tail("n1", 1).at(0).find("one"), std::string::npos);
}

TEST_F(NodeLogTest, BytesOfAMachineCannotSpoilATerminal) {
  logs_.add_kernel("n1", "6,1,1,-;a\x1b[31mred\n");
  EXPECT_EQ(logs_.tail("n1", 1).at(0).find('\x1b'), std::string::npos);
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

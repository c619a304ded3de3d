#include "daemons/boot/sighting_book.hpp"

#include "sim/world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class SightingBooks : public ::testing::Test {
 protected:
  void seen(const std::string& mac, const std::string& client = "pxe",
            const std::string& port = "") {
    cluster::Sighting sighting;
    sighting.mac = mac;
    sighting.network = "boot";
    sighting.client = client;
    sighting.port = port;
    book_.seen(std::move(sighting));
  }

  sim::World world_{1};
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot"}};
  std::vector<cluster::Sighting> told_;
  SightingBook book_{process_.executor(),
                     [this](const cluster::Sighting& sighting) { told_.push_back(sighting); },
                     {.again = minutes(5), .burst = 3, .refill = seconds(2), .machines = 4}};
};

TEST_F(SightingBooks, ANewOneIsToldAtOnceAndThenNowAndThen) {
  seen("m1");
  seen("m1");
  seen("m1", "ipxe");
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].count, 1U);
  EXPECT_EQ(told_[0].at, process_.executor().wall());
  ASSERT_TRUE(world_.run_for(minutes(6)));
  seen("m1", "plain");
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].count, 3U);
  EXPECT_EQ(told_[1].client, "ipxe") << "what its firmware was is worth more";
}

TEST_F(SightingBooks, WhatIsNewIsToldAtOnce) {
  seen("m1");
  seen("m1", "pxe", "sw1/7");
  seen("m1", "pxe", "");
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].port, "sw1/7");
  book_.forget("m1");
  book_.forget("m1");
  seen("m1");
  EXPECT_EQ(told_.size(), 3U);
  EXPECT_EQ(told_[2].port, "");
}

TEST_F(SightingBooks, AFloodIsToldSlowlyAndNobodyIsLost) {
  for (int i = 0; i < 100; ++i) seen(fmt::format("m{}", i));
  EXPECT_EQ(told_.size(), 3U);
  seen("real");
  EXPECT_EQ(told_.size(), 3U);
  ASSERT_TRUE(world_.run_for(seconds(3)));
  seen("real");
  ASSERT_EQ(told_.size(), 4U);
  EXPECT_EQ(told_[3].mac, "real");
  EXPECT_EQ(told_[3].count, 2U);
}

}  // namespace
}  // namespace drover::daemons

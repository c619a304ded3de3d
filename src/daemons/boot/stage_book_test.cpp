#include "daemons/boot/stage_book.hpp"

#include "sim/world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using Ph = cluster::PhaseState;
using std::chrono::seconds;

class StageBooks : public ::testing::Test {
 protected:
  std::string last() const {
    if (reports_.empty()) return "";
    const auto& report = reports_.back();
    return report.node + " " + std::string(enum_name(report.stage)) + ": " + report.why;
  }

  sim::World world_{1};
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot"}};
  std::vector<cluster::BootReport> reports_;
  StageBook book_{process_.executor(),
                  [this](const cluster::BootReport& report) { reports_.push_back(report); }};
};

TEST_F(StageBooks, EachStageIsReportedOnce) {
  for (const Ph stage : {Ph::dhcp, Ph::dhcp, Ph::loader, Ph::loader, Ph::kernel, Ph::init}) {
    book_.seen("n1", stage, "seen");
  }
  ASSERT_EQ(reports_.size(), 4U);
  EXPECT_EQ(last(), "n1 init: seen");
}

TEST_F(StageBooks, AFailureIsNotOlderThanWhatTheClusterKnows) {
  const WallTime known = process_.executor().wall() + seconds(2);
  book_.failed("n1", "panic", known);
  EXPECT_EQ(reports_.back().at, known);
  book_.failed("n2", "panic", known - seconds(4));
  EXPECT_EQ(reports_.back().at, process_.executor().wall());
}

TEST_F(StageBooks, OfABootThatGoesOnElsewhereNothingIsWaitedFor) {
  const WallTime asked = from_unix_ms(1'700'000'000'123);
  book_.seen("n1", Ph::dhcp, "asks");
  book_.uses("n1", asked);
  book_.left("n1", "was given its boot script");
  EXPECT_EQ(last(), "n1 loader: was given its boot script");
  EXPECT_EQ(reports_.back().once, asked) << "nothing will say later that the kernel runs";
  EXPECT_FALSE(book_.boots("n1"));
  ASSERT_TRUE(world_.run_for(seconds(600)));
  EXPECT_EQ(last(), "n1 loader: was given its boot script") << "it has not failed";
  book_.seen("n1", Ph::dhcp, "asks");
  EXPECT_EQ(last(), "n1 dhcp: asks");
}

TEST_F(StageBooks, AnOverrideIsUsedUpOnceTheKernelRuns) {
  const WallTime asked = from_unix_ms(1'700'000'000'123);
  book_.uses("n1", asked);
  book_.seen("n1", Ph::loader, "script");
  book_.seen("n1", Ph::kernel, "vmlinuz");
  EXPECT_EQ(reports_.back().once, WallTime{}) << "it may still fail";
  book_.seen("n1", Ph::init, "runs");
  EXPECT_EQ(reports_.back().once, asked);
  book_.seen("n1", Ph::joining, "joins");
  EXPECT_EQ(reports_.back().once, WallTime{}) << "said once";
  // A boot that was begun anew without one uses none.
  book_.uses("n1", asked);
  book_.uses("n1", {});
  book_.seen("n1", Ph::dhcp, "reset");
  book_.seen("n1", Ph::init, "runs");
  EXPECT_EQ(reports_.back().once, WallTime{});
}

TEST_F(StageBooks, ALoaderThatAsksForAnAddressIsNoNewBoot) {
  book_.seen("n1", Ph::dhcp, "firmware");
  book_.seen("n1", Ph::loader, "undionly.kpxe");
  book_.seen("n1", Ph::dhcp, "iPXE");
  EXPECT_EQ(reports_.size(), 2U);
  book_.seen("n1", Ph::kernel, "vmlinuz");
  book_.seen("n1", Ph::dhcp, "firmware");
  EXPECT_EQ(last(), "n1 dhcp: firmware") << "that is a machine that was reset";
}

TEST_F(StageBooks, AStageThatLastsTooLongIsAnError) {
  book_.seen("n1", Ph::kernel, "fetched vmlinuz");
  ASSERT_TRUE(world_.run_for(StageBook::patience(Ph::kernel) - seconds(1)));
  EXPECT_EQ(reports_.size(), 1U);
  ASSERT_TRUE(world_.run_for(seconds(2)));
  EXPECT_EQ(last(), "n1 error: stopped at kernel: nothing more for 180 s after: fetched vmlinuz");
  ASSERT_TRUE(world_.run_for(std::chrono::hours(1)));
  EXPECT_EQ(reports_.size(), 2U);
}

TEST_F(StageBooks, WhoWatchesHearsOfEveryStepAndOfTheEnd) {
  std::vector<std::string> heard;
  book_.on_change([&](const BootProgress& boot, bool ended) {
    heard.push_back(ended ? boot.node + " ended"
                          : fmt::format("{} {} {} {}/{}", boot.node, enum_name(boot.stage),
                                        boot.item, boot.done, boot.total));
    EXPECT_EQ(boot.deadline,
              ended ? boot.deadline : process_.executor().wall() + StageBook::patience(boot.stage));
  });
  book_.uses("n1", {});
  EXPECT_TRUE(book_.under_way().empty());
  book_.seen("n1", Ph::kernel, "fetches");
  book_.progress("n1", "kernel", 5, 9);
  EXPECT_TRUE(book_.boots("n1"));
  book_.seen("n1", Ph::init, "runs");
  book_.ended("n1");
  book_.ended("n1");
  EXPECT_FALSE(book_.boots("n1"));
  EXPECT_EQ(heard, (std::vector<std::string>{"n1 kernel  0/0", "n1 kernel kernel 5/9",
                                             "n1 init  0/0", "n1 ended"}));
}

TEST_F(StageBooks, ProgressIsASignOfLife) {
  book_.seen("n1", Ph::image, "squashfs");
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(world_.run_for(StageBook::patience(Ph::image) / 2));
    book_.progress("n1", "image", static_cast<uint64_t>(i), 10);
  }
  EXPECT_EQ(reports_.size(), 1U);
  EXPECT_EQ(book_.under_way().at(0).done, 9U);
}

TEST_F(StageBooks, WhatIsUpIsWaitedForNoLonger) {
  book_.seen("n1", Ph::joining, "enrolled");
  book_.ended("n1");
  ASSERT_TRUE(world_.run_for(std::chrono::hours(1)));
  EXPECT_EQ(reports_.size(), 1U);
  EXPECT_TRUE(book_.under_way().empty());
}

TEST_F(StageBooks, WhatAMachineSaysIsOneHarmlessLine) {
  book_.failed("n1", "bad\x1b[2Jnews\n" + std::string(5000, 'x'));
  EXPECT_EQ(reports_.back().stage, Ph::error);
  EXPECT_EQ(reports_.back().why.find('\x1b'), std::string::npos);
  EXPECT_LE(reports_.back().why.size(), cluster::kMaxBootWhy);
}

TEST_F(StageBooks, AFailureThatIsToldAgainIsReportedOnce) {
  for (int i = 0; i < 5; ++i) book_.failed("n1", "it has no image");
  EXPECT_EQ(reports_.size(), 1U);
  book_.failed("n1", "its image has no root");
  EXPECT_EQ(reports_.size(), 2U);
}

}  // namespace
}  // namespace drover::daemons

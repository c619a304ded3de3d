// Limits of power on emulated BMCs that offer them in three ways.
#include "hardware/power/cap_visit.hpp"

#include "hardware/redfish/bmc_test_ground.hpp"

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::PowerCaps;

class CapVisitTest : public testing::BmcGroundTest {
 protected:
  Result<PowerCaps> visit(cluster::CapWishes wishes = {}, size_t index = 0) {
    BmcClient client(ground_, access(index));
    std::optional<Result<PowerCaps>> result;
    const CapVisit visit(near_.executor(), client, "", std::move(wishes),
                         [&](Result<PowerCaps> got) { result = std::move(got); });
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 30min));
    return *std::move(result);
  }
  sim::EmulatedBmc& add(const std::string& caps) {
    sim::BmcTraits traits;
    traits.caps = caps;
    return add_bmc(traits).bmc();
  }
};

TEST_F(CapVisitTest, IsReadSetAndTakenAway) {
  for (const std::string way : {"power", "controls", "environment"}) {
    auto& bmc = add(way);
    const size_t index = bmcs_.size() - 1;
    const auto before = visit({}, index);
    ASSERT_TRUE(before) << way << before.error().text();
    ASSERT_EQ(before->caps.size(), 1U) << way;
    EXPECT_EQ(before->caps[0].limit, 0U);
    EXPECT_EQ(before->caps[0].most, 1600U);
    EXPECT_EQ(before->caps[0].least, way == "power" ? std::nullopt : std::optional(350U)) << way;
    const auto set = visit({{before->caps[0].name, 500}}, index);
    ASSERT_TRUE(set) << way << set.error().text();
    EXPECT_EQ(set->caps[0].limit, 500U);
    EXPECT_EQ(bmc.board().cap(), 500U);
    const auto patches = bmc.counts().patches;
    EXPECT_TRUE(visit({{"", 500}}, index));
    EXPECT_EQ(bmc.counts().patches, patches) << "it is so already";
    EXPECT_EQ(visit({{"", 0}}, index)->caps[0].limit, 0U) << way;
    EXPECT_EQ(bmc.board().cap(), 0U);
  }
}

TEST_F(CapVisitTest, WhatItDoesNotTakeIsNotSent) {
  auto& bmc = add("controls");
  const auto more = visit({{"", 5000}});
  EXPECT_EQ(more.error().code, Code::invalid_argument);
  EXPECT_EQ(more.error().message,
            "Control (Node Power Limit) value (5000) is more than maximum (1600)");
  EXPECT_EQ(visit({{"", 10}}).error().message,
            "Control (Node Power Limit) value (10) is less than minimum (350)");
  EXPECT_EQ(visit({{"Lunch\x1b[2J", 500}, {"", 500}}).error().code, Code::not_found);
  EXPECT_EQ(visit({{"Lunch\x1b[2J", 500}}).error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(bmc.counts().patches, 0U);
}

TEST_F(CapVisitTest, WithoutAnyItSaysSo) {
  add("none");
  EXPECT_EQ(visit().error().code, Code::unsupported);
}

TEST_F(CapVisitTest, HostileBmcsEndItWithAnError) {
  for (const auto harm :
       {sim::BmcHostility::wrong_types, sim::BmcHostility::garbage,
        sim::BmcHostility::foreign_links, sim::BmcHostility::recursive, sim::BmcHostility::deep,
        sim::BmcHostility::huge, sim::BmcHostility::cut}) {
    sim::BmcTraits traits;
    traits.hostility = harm;
    add_bmc(traits);
    EXPECT_FALSE(visit({{"", 500}}, bmcs_.size() - 1)) << enum_name(harm);
  }
}

}  // namespace
}  // namespace drover::hardware

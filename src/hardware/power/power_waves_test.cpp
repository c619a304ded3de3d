#include "hardware/power/power_waves.hpp"

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;

MonoTime at(Duration time) {
  return MonoTime(1000s + time);
}

TEST(PowerWaves, SoManyAtATime) {
  PowerWaves waves({.at_a_time = 2, .per_second = 1000});
  for (size_t i = 0; i < 3; ++i) waves.add(i, {});
  EXPECT_EQ(waves.next(at(0s)), 0U);
  EXPECT_EQ(waves.next(at(1s)), 1U);
  EXPECT_EQ(waves.next(at(2s)), std::nullopt);
  EXPECT_EQ(waves.wait(at(2s)), std::nullopt);
  waves.ended(0);
  EXPECT_EQ(waves.next(at(2s)), 2U);
  EXPECT_EQ(waves.waiting(), 0U);
  EXPECT_EQ(waves.running(), 2U);
}

TEST(PowerWaves, SoManyASecondAndNoCrowdAfterAPause) {
  PowerWaves waves({.at_a_time = 100, .per_second = 10});
  for (size_t i = 0; i < 100; ++i) waves.add(i, {});
  size_t begun = 0;
  for (Duration time{}; time < 1s; time += 10ms) {
    while (waves.next(at(time))) ++begun;
  }
  EXPECT_EQ(begun, 10U);
  EXPECT_TRUE(waves.wait(at(990ms)).has_value());
  EXPECT_LE(*waves.wait(at(990ms)), 100ms);
  begun = 0;
  while (waves.next(at(60s))) ++begun;
  EXPECT_LE(begun, 2U);
}

TEST(PowerWaves, AFullGroupHoldsUpOnlyItsOwn) {
  PowerWaves waves({.at_a_time = 100, .per_second = 1000, .groups = {{"rack1", 1}}});
  waves.add(0, {"rack1", "compute"});
  waves.add(1, {"rack1"});
  waves.add(2, {"rack2"});
  EXPECT_EQ(waves.next(at(0s)), 0U);
  EXPECT_EQ(waves.next(at(1s)), 2U);
  EXPECT_EQ(waves.next(at(2s)), std::nullopt);
  waves.ended(2);
  EXPECT_EQ(waves.next(at(3s)), std::nullopt);
  waves.ended(0);
  EXPECT_EQ(waves.next(at(4s)), 1U);
  waves.ended(7);  // none of its own
}

}  // namespace
}  // namespace drover::hardware

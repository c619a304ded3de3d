// Readings are of one revision, and go with the last who keeps them.
#include "store/readings.hpp"

#include <gtest/gtest.h>

namespace drover::store {
namespace {

struct Number final : Reading {
  explicit Number(int number) : value(number) {}
  int value;
};

TEST(Readings, AreOfOneObjectAtOneRevision) {
  Readings readings;
  const auto one = std::make_shared<const Number>(1);
  readings.keep("node", "n1", 7, one);
  EXPECT_EQ(readings.find("node", "n1", 7), one);
  EXPECT_EQ(readings.find("node", "n1", 6), nullptr);
  EXPECT_EQ(readings.find("node", "n2", 7), nullptr);
  EXPECT_EQ(readings.find("group", "n1", 7), nullptr);
  readings.keep("node", "n1", 8, nullptr);
  EXPECT_EQ(readings.find("node", "n1", 7), nullptr);
  EXPECT_EQ(readings.find("node", "n1", 8), nullptr);
}

TEST(Readings, AreNotKeptForTheirOwnSake) {
  Readings readings;
  auto one = std::make_shared<const Number>(1);
  readings.keep("node", "n1", 7, one);
  one.reset();
  EXPECT_EQ(readings.find("node", "n1", 7), nullptr);
}

}  // namespace
}  // namespace drover::store

// What is known goes with the last who keeps its reading, and is what was kept last.
#include "store/readings.hpp"

#include <gtest/gtest.h>

namespace drover::store {
namespace {

struct Number final : Reading {
  explicit Number(int number) : value(number) {}
  int value;
};

TEST(Readings, AreOfOneObjectEach) {
  Readings readings;
  const auto one = std::make_shared<const Number>(1);
  const auto two = std::make_shared<const Number>(2);
  readings.keep("node", "n1", 11, 7, "one", one);
  readings.keep("node", "n2", 12, 8, "two", two);
  EXPECT_EQ(readings.reading("node", "n1"), one);
  EXPECT_EQ(readings.reading("node", "n2"), two);
  EXPECT_EQ(readings.reading("group", "n1"), nullptr);
  EXPECT_EQ(readings.find("node", "n3"), nullptr);
  const Readings::Known* const known = readings.find("node", "n1");
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->row, 11);
  EXPECT_EQ(known->revision, 7U);
  EXPECT_EQ(known->body, "one");
}

TEST(Readings, WhatHasNoReadingIsNotKnown) {
  Readings readings;
  const auto one = std::make_shared<const Number>(1);
  readings.keep("node", "n1", 11, 7, "one", one);
  readings.keep("node", "n1", 11, 8, "other", nullptr);
  EXPECT_EQ(readings.find("node", "n1"), nullptr);
  readings.keep("node", "n1", 11, 7, "one", one);
  readings.forget("node", "n1");
  EXPECT_EQ(readings.find("node", "n1"), nullptr);
  readings.keep("node", "n1", 11, 7, "one", one);
  readings.clear();
  EXPECT_EQ(readings.find("node", "n1"), nullptr);
}

TEST(Readings, ARowIsNotedForItsRevisionAlone) {
  Readings readings;
  const auto one = std::make_shared<const Number>(1);
  readings.keep("node", "n1", 0, 7, "one", one);
  readings.note_row("node", "n1", 11, 6);
  EXPECT_EQ(readings.find("node", "n1")->row, 0);
  readings.note_row("node", "n1", 11, 7);
  EXPECT_EQ(readings.find("node", "n1")->row, 11);
  readings.note_row("node", "n2", 12, 7);
  EXPECT_EQ(readings.find("node", "n2"), nullptr);
}

TEST(Readings, AreNotKeptForTheirOwnSake) {
  Readings readings;
  auto one = std::make_shared<const Number>(1);
  readings.keep("node", "n1", 11, 7, "one", one);
  one.reset();
  EXPECT_EQ(readings.find("node", "n1"), nullptr);
  EXPECT_EQ(readings.reading("node", "n1"), nullptr);
}

}  // namespace
}  // namespace drover::store

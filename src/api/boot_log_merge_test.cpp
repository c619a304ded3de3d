#include "api/boot_log_merge.hpp"

#include <gtest/gtest.h>

namespace drover::api {
namespace {

BootLogLine line(const std::string& node, int64_t ms, const std::string& text,
                 const std::string& daemon = "boot1") {
  return {from_unix_ms(ms), node, "kernel", text, daemon};
}

std::string texts(const std::vector<BootLogLine>& lines) {
  std::string out;
  for (const BootLogLine& each : lines) out += each.node + ":" + each.text + " ";
  return out;
}

TEST(BootLogMerge, OrdersByNodeAndThenByTime) {
  BootLogMerge merge(2, 0);
  merge.add(0, line("n2", 1, "a"));
  merge.add(0, line("n2", 5, "c"));
  EXPECT_EQ(texts(merge.take()), "");  // the other may have something earlier
  merge.add(1, line("n2", 3, "b", "boot2"));
  EXPECT_EQ(texts(merge.take()), "n2:a n2:b ");
  EXPECT_EQ(merge.waiting(0), 1U);
  merge.add(1, line("n10", 2, "d", "boot2"));
  EXPECT_EQ(texts(merge.take()), "n2:c ");
  merge.close(0);
  EXPECT_EQ(texts(merge.take()), "n10:d ");
  EXPECT_FALSE(merge.done());
  merge.close(1);
  EXPECT_TRUE(merge.done());
}

TEST(BootLogMerge, WhatTwoDaemonsHeardAlikeIsToldOnce) {
  BootLogMerge merge(2, 0);
  merge.add(0, line("n1", 1, "same"));
  merge.add(1, line("n1", 1, "same", "boot2"));
  merge.add(0, line("n1", 2, "twice"));
  merge.add(0, line("n1", 2, "twice"));  // one daemon heard it twice: so it was
  merge.close(0);
  merge.close(1);
  EXPECT_EQ(texts(merge.take()), "n1:same n1:twice n1:twice ");
}

TEST(BootLogMerge, KeepsTheNewestOfEachNode) {
  BootLogMerge merge(2, 2);
  for (int i = 1; i <= 3; ++i) merge.add(0, line("n1", i, std::to_string(i)));
  merge.add(0, line("n2", 1, "x"));
  merge.add(1, line("n1", 9, "9", "boot2"));
  merge.close(1);
  EXPECT_EQ(texts(merge.take()), "n1:3 n1:9 ");
  merge.close(0);
  EXPECT_EQ(texts(merge.take()), "n2:x ");
}

}  // namespace
}  // namespace drover::api

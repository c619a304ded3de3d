#include "daemons/loss_log.hpp"

#include "sim/world.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Lines final : public LogSink {
 public:
  void write(const LogRecord& record) override { lines.push_back(format(record)); }
  std::vector<std::string> lines;
};

class LossLogTest : public ::testing::Test {
 protected:
  sim::World world{1};
  sim::SimProcess process{world, {.name = "agg1", .host = "h1", .disk = nullptr}};
  Lines sink;
  LossLog losses{process.executor(), Log(sink, "aggregator")};
  Error silent{Code::timed_out, "silent for 3000 ms", {}, {}};
  Error closed{Code::unreachable, "the peer closed the connection", {}, {}};
};

TEST_F(LossLogTest, OneLossIsToldAtOnceInWords) {
  losses.lost("n1", silent);
  ASSERT_TRUE(world.run_for(milliseconds(250)));
  EXPECT_EQ(
      sink.lines,
      (std::vector<std::string>{"aggregator: lost a node node=n1 why=\"silent for 3000 ms\""}));
}

TEST_F(LossLogTest, AStormIsOneLineAndThenOneEachFiveSeconds) {
  for (int i = 1; i <= 400; ++i) losses.lost(fmt::format("n{}", i), i % 4 == 0 ? closed : silent);
  ASSERT_TRUE(world.run_for(milliseconds(250)));
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.lines[0],
            "aggregator: lost nodes nodes=n[1-400] count=400 "
            "why=\"silent for 3000 ms\" other_reasons=1");
  for (int second = 0; second < 20; ++second) {
    losses.lost("n7", closed);
    losses.lost(fmt::format("n{}", 500 + second), closed);
    ASSERT_TRUE(world.run_for(seconds(1)));
  }
  EXPECT_LE(sink.lines.size(), 6U);
  EXPECT_GE(sink.lines.size(), 4U);
  ASSERT_TRUE(world.run_for(seconds(10)));
  std::string all;
  for (const std::string& line : sink.lines) all += line + "\n";
  EXPECT_NE(all.find("519"), std::string::npos) << "nothing is left out: " << all;
}

}  // namespace
}  // namespace drover::daemons

// The collector on virtual time, and once on the real machine's readings.
#include "telemetry/collector.hpp"

#include "sim/world.hpp"
#include "telemetry/latest.hpp"

#include <gtest/gtest.h>

namespace drover::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CountingSource final : public MetricSource {
 public:
  void read(os::RawMetrics& out) override {
    ++reads;
    out.load = os::RawMetrics::Load{.one = static_cast<double>(reads)};
  }
  int reads = 0;
};

class CollectorTest : public ::testing::Test {
 protected:
  sim::World world_{1};
  sim::SimProcess process_{world_, {.name = "n1", .host = "n1"}};
};

TEST_F(CollectorTest, ReadsEachSecondAndGivesWhatIsNew) {
  CountingSource source;
  Collector collector(process_.executor(), source);
  collector.start();
  EXPECT_EQ(collector.sample(true), "") << "nothing is read yet";
  ASSERT_TRUE(world_.run_for(milliseconds(100)));
  const Sample first = decode_sample(collector.sample(false)).value();
  EXPECT_TRUE(first.full);
  EXPECT_EQ(collector.sample(false), "");
  ASSERT_TRUE(world_.run_for(seconds(5)));
  EXPECT_EQ(source.reads, 6);
  EXPECT_NE(collector.sample(false), "");
  EXPECT_TRUE(decode_sample(collector.sample(true)).value().full);
  collector.stop();
  ASSERT_TRUE(world_.run_for(seconds(5)));
  EXPECT_EQ(source.reads, 6);
}

TEST_F(CollectorTest, ASlowReadingIsWaitedForNotPiledUp) {
  process_.set_worker_delay(seconds(10), seconds(10));
  CountingSource source;
  Collector collector(process_.executor(), source);
  collector.start();
  ASSERT_TRUE(world_.run_for(milliseconds(5'500)));
  EXPECT_LE(source.reads, 1);
  EXPECT_EQ(collector.busy_for(), milliseconds(5'500));
  EXPECT_EQ(collector.sample(false), "");
  ASSERT_TRUE(world_.run_for(seconds(5)));
  EXPECT_NE(collector.sample(false), "");
}

TEST_F(CollectorTest, MayGoAwayWhileAReadingIsOnItsWay) {
  CountingSource source;
  {
    Collector collector(process_.executor(), source);
    collector.start();
  }
  EXPECT_TRUE(world_.run_for(seconds(3)));
}

TEST_F(CollectorTest, TheRealMachinesMetricsReachTheMastersTable) {
  HostMetricSource source({.nvml_library = ""});
  Collector collector(process_.executor(), source);
  collector.start();
  ASSERT_TRUE(world_.run_for(milliseconds(2'500)));
  Latest latest;
  ASSERT_TRUE(latest.apply_bytes("n1", collector.sample(true), MonoTime()));
  EXPECT_GT(latest.value("n1", metric_id(Metric::memory_total)).value_or(0), 0);
  EXPECT_TRUE(latest.value("n1", metric_id(Metric::load1)));
  EXPECT_TRUE(latest.value("n1", metric_id(Metric::net_rx)));
}

}  // namespace
}  // namespace drover::telemetry

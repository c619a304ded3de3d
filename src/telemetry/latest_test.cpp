// What the master knows of the nodes' metrics.
#include "telemetry/latest.hpp"

#include "telemetry/metrics.hpp"

#include <gtest/gtest.h>

namespace drover::telemetry {
namespace {

using std::chrono::seconds;

constexpr uint32_t kLoad = metric_id(Metric::load1);
constexpr uint32_t kRx = metric_id(Metric::net_rx);
constexpr uint32_t kRx1 = metric_id(Metric::net_rx, 1);
constexpr uint32_t kIdle = metric_id(Metric::cpu_idle);

Sample full(int64_t time_ms) {
  return {.time_ms = time_ms,
          .full = true,
          .values = {{kLoad, 1}, {kIdle, 90}, {kRx, 100}, {kRx1, 100}},
          .devices = {"eth0"}};
}
Sample partial(int64_t time_ms, std::vector<std::pair<uint32_t, double>> values) {
  return {.time_ms = time_ms, .full = false, .values = std::move(values), .devices = {}};
}
MonoTime at(int second) {
  return MonoTime(seconds(second));
}

TEST(Latest, ChangesAreMergedAndNamed) {
  Latest latest;
  latest.apply("n1", full(1'000), at(1));
  latest.apply("n1", partial(2'000, {{kLoad, 2.5}, {metric_id(Metric::load5), 3}}), at(2));
  const auto metrics = latest.find("n1", at(4));
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->node, "n1");
  EXPECT_EQ(to_unix_ms(metrics->time), 2'000);
  EXPECT_EQ(metrics->age, seconds(2));
  EXPECT_FALSE(metrics->stale);
  EXPECT_EQ(metrics->values,
            (std::vector<std::pair<std::string, double>>{{"load_1m", 2.5},
                                                         {"load_5m", 3},
                                                         {"cpu_idle_percent", 90},
                                                         {"net_rx_bytes_per_second", 100},
                                                         {"net_rx_bytes_per_second/eth0", 100}}));
  EXPECT_EQ(latest.value("n1", kLoad), 2.5);
  EXPECT_FALSE(latest.value("n1", kRx1 + 1));
  EXPECT_FALSE(latest.find("n2", at(4)));
}

TEST(Latest, AFullSampleReplacesAll) {
  Latest latest;
  latest.apply("n1", full(1'000), at(1));
  latest.apply("n1", {.time_ms = 2'000, .full = true, .values = {{kLoad, 7}}, .devices = {}},
               at(2));
  EXPECT_EQ(latest.find("n1", at(2))->values.size(), 1U);
}

TEST(Latest, LateSamplesOfAnOldPathChangeNothingButAClockSetBackDoes) {
  Latest latest;
  latest.apply("n1", full(100'000), at(1));
  latest.apply("n1", partial(99'000, {{kLoad, 9}}), at(2));
  EXPECT_EQ(latest.value("n1", kLoad), 1.0);
  latest.apply("n1", partial(30'000, {{kLoad, 9}}), at(3));
  EXPECT_EQ(latest.value("n1", kLoad), 9.0);
}

TEST(Latest, SilenceAndLossAreShown) {
  Latest latest;
  latest.apply("n1", full(1'000), at(0));
  EXPECT_FALSE(latest.find("n1", at(90))->stale);
  EXPECT_TRUE(latest.find("n1", at(91))->stale);
  latest.apply("n1", full(92'000), at(92));
  latest.lost("n1");
  EXPECT_TRUE(latest.find("n1", at(93))->stale);
  EXPECT_FALSE(latest.find("n1", at(93))->values.empty()) << "the last known values stay";
  latest.apply("n1", partial(94'000, {{kLoad, 2}}), at(94));
  EXPECT_FALSE(latest.find("n1", at(94))->stale);
  latest.forget("n1");
  EXPECT_EQ(latest.size(), 0U);
}

TEST(Latest, WithoutAFullSampleDevicesHaveNoNamesAndNothingIsHandedOn) {
  Latest latest;
  latest.apply("n1", partial(1'000, {{kLoad, 2}, {kRx1, 5}, {999, 5}}), at(1));
  EXPECT_EQ(latest.find("n1", at(1))->values,
            (std::vector<std::pair<std::string, double>>{{"load_1m", 2}}));
  EXPECT_FALSE(latest.full_sample("n1"));
  EXPECT_FALSE(latest.full_sample("n2"));
}

TEST(Latest, AFullSampleHandedOnGivesAnotherTheSameKnowledge) {
  Latest first;
  first.apply("n1", full(1'000), at(1));
  first.apply("n1", partial(2'000, {{kLoad, 2.5}}), at(2));
  Latest second;
  const auto sample = first.full_sample("n1");
  ASSERT_TRUE(sample);
  ASSERT_TRUE(second.apply_bytes("n1", encode_sample(*sample), at(2)));
  EXPECT_EQ(second.find("n1", at(2))->values, first.find("n1", at(2))->values);
}

TEST(Latest, BadBytesChangeNothing) {
  Latest latest;
  latest.apply("n1", full(1'000), at(1));
  EXPECT_FALSE(latest.apply_bytes("n1", "\xff\xff\xff", at(2)));
  EXPECT_FALSE(latest.apply_bytes("n2", "\xff\xff\xff", at(2)));
  EXPECT_EQ(latest.size(), 1U);
  EXPECT_EQ(latest.find("n1", at(2))->age, seconds(1));
}

}  // namespace
}  // namespace drover::telemetry

// The table of metrics is sound, and rounding gives the decimals that people expect.
#include "telemetry/metrics.hpp"

#include <set>

#include <gtest/gtest.h>

namespace drover::telemetry {
namespace {

TEST(Metrics, NumbersAndNamesAreUnique) {
  std::set<uint32_t> numbers;
  std::set<std::string_view> names;
  for (const MetricInfo& info : metrics()) {
    EXPECT_TRUE(numbers.insert(static_cast<uint32_t>(info.metric)).second) << info.name;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(find_metric(info.name), &info);
    EXPECT_EQ(find_metric(static_cast<uint32_t>(info.metric)), &info);
    EXPECT_NE(info.step == 0, info.digits == 0) << info.name << ": one way to round, not two";
    EXPECT_FALSE(info.help.empty());
  }
  EXPECT_EQ(find_metric(0), nullptr);
  EXPECT_EQ(find_metric("cpu"), nullptr);
}

TEST(Metrics, NumbersOnTheWireNeverChange) {
  EXPECT_EQ(static_cast<int>(Metric::load1), 1);
  EXPECT_EQ(static_cast<int>(Metric::memory_used), 12);
  EXPECT_EQ(static_cast<int>(Metric::cpu_idle), 23);
  EXPECT_EQ(static_cast<int>(Metric::net_rx), 30);
  EXPECT_EQ(static_cast<int>(Metric::disk_write_ops), 43);
  EXPECT_EQ(static_cast<int>(Metric::gpu_memory_used), 53);
}

TEST(Metrics, IdsHoldMetricAndDevice) {
  const uint32_t id = metric_id(Metric::net_tx, 3);
  EXPECT_EQ(metric_of(id), static_cast<uint32_t>(Metric::net_tx));
  EXPECT_EQ(device_of(id), 3U);
}

TEST(Metrics, RoundingGivesShortDecimals) {
  const MetricInfo& percent = *find_metric("cpu_user_percent");
  EXPECT_EQ(rounded(percent, 33.333333), 33.3);
  EXPECT_EQ(rounded(percent, 0.04), 0.0);
  const MetricInfo& rate = *find_metric("net_rx_bytes_per_second");
  EXPECT_EQ(rounded(rate, 123456.7), 123000.0);
  EXPECT_EQ(rounded(rate, 1.23456), 1.23);
  EXPECT_EQ(rounded(rate, 0.0), 0.0);
  const MetricInfo& used = *find_metric("memory_used_bytes");
  EXPECT_EQ(rounded(used, 137438953472.0), 137400000000.0);
  const MetricInfo& uptime = *find_metric("uptime_seconds");
  EXPECT_EQ(rounded(uptime, 3629.0), 3600.0);
}

}  // namespace
}  // namespace drover::telemetry

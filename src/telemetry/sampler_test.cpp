// The sampler: rates, sums, what is sent when, and that the steady state costs no memory.
#include "telemetry/sampler.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

// Counts what the whole test program allocates; sanitizers have operators of their own.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define DROVER_FOREIGN_ALLOCATOR 1
#endif
#endif
#ifndef DROVER_FOREIGN_ALLOCATOR
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
#endif

namespace drover::telemetry {
namespace {

using std::chrono::seconds;

os::RawMetrics reading(uint64_t n) {
  os::RawMetrics raw;
  raw.load = {.one = 0.5, .five = 0.25, .fifteen = 0.1, .running = 1, .threads = 100};
  raw.memory = {.total = 1ULL << 34, .available = 1ULL << 33, .swap_total = 0, .swap_free = 0};
  raw.cpu = {.user = 25 * n, .system = 15 * n, .idle = 50 * n, .iowait = 10 * n, .steal = 0};
  raw.uptime_s = 1000.0 + static_cast<double>(n);
  raw.nics = {{"eth0", 1000 * n, 2000 * n}, {"eth1", 500 * n, 0}};
  raw.disks = {{"nvme0n1", 4096 * n, 8192 * n, n, 2 * n}};
  return raw;
}

class SamplerTest : public ::testing::Test {
 protected:
  /// One second later: reads `raw` in and takes the sample.
  const Sample* step(const os::RawMetrics& raw) {
    now_ += seconds(1);
    sampler_.update(raw, now_);
    return sampler_.take(now_, from_unix_ms(0) + (now_ - MonoTime()));
  }
  const Sample* step_and_acknowledge(const os::RawMetrics& raw) {
    const Sample* sample = step(raw);
    sampler_.acknowledge();
    return sample;
  }
  /// Brings it to where only changes are sent.
  void settle() {
    step_and_acknowledge(reading(1));
    const Sample* full = step_and_acknowledge(reading(2));
    ASSERT_NE(full, nullptr);
    ASSERT_TRUE(full->full);
  }
  static std::optional<double> value(const Sample* sample, Metric metric, uint32_t device = 0) {
    if (sample == nullptr) return std::nullopt;
    for (const auto& [id, number] : sample->values) {
      if (id == metric_id(metric, device)) return number;
    }
    return std::nullopt;
  }
  Sampler sampler_;
  MonoTime now_{seconds(5)};
};

TEST_F(SamplerTest, GaugesComeAtOnceAndRatesWithTheSecondReading) {
  const Sample* first = step_and_acknowledge(reading(1));
  ASSERT_NE(first, nullptr);
  EXPECT_TRUE(first->full);
  EXPECT_EQ(value(first, Metric::load1), 0.5);
  EXPECT_EQ(value(first, Metric::memory_used), 8590000000.0);
  EXPECT_FALSE(value(first, Metric::net_rx));
  const Sample* second = step(reading(2));
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->full) << "there are new values";
  EXPECT_EQ(second->time_ms, 7000);
  EXPECT_EQ(value(second, Metric::net_rx), 1500.0);
  EXPECT_EQ(value(second, Metric::net_rx, 1), 1000.0);
  EXPECT_EQ(value(second, Metric::net_rx, 2), 500.0);
  EXPECT_EQ(value(second, Metric::disk_write), 8190.0) << "three digits";
  EXPECT_EQ(value(second, Metric::disk_write_ops), 2.0);
  EXPECT_EQ(value(second, Metric::cpu_user), 25.0);
  EXPECT_EQ(value(second, Metric::cpu_iowait), 10.0);
  EXPECT_EQ(second->devices, (std::vector<std::string>{"eth0", "eth1", "nvme0n1"}));
}

TEST_F(SamplerTest, OnlyChangesAreSentAndNothingWhenThereAreNone) {
  settle();
  EXPECT_EQ(step(reading(3)), nullptr) << "rates are as before";
  os::RawMetrics raw = reading(4);
  raw.load->one = 3;
  const Sample* sample = step(raw);
  ASSERT_NE(sample, nullptr);
  EXPECT_FALSE(sample->full);
  ASSERT_EQ(sample->values.size(), 1U);
  EXPECT_EQ(value(sample, Metric::load1), 3.0);
  EXPECT_TRUE(sample->devices.empty());
}

TEST_F(SamplerTest, WhatWasNotAcknowledgedIsSentAgainWithWhatCameSince) {
  settle();
  os::RawMetrics raw = reading(3);
  raw.load->one = 3;
  step(raw);
  raw = reading(4);
  raw.load->one = 3;
  raw.load->five = 4;
  const Sample* sample = step_and_acknowledge(raw);
  EXPECT_EQ(value(sample, Metric::load1), 3.0);
  EXPECT_EQ(value(sample, Metric::load5), 4.0);
  raw = reading(5);
  raw.load->one = 3;
  raw.load->five = 4;
  EXPECT_EQ(step(raw), nullptr);
}

TEST_F(SamplerTest, ANewLinkGetsEverything) {
  settle();
  sampler_.start_over();
  const Sample* sample = step(reading(3));
  ASSERT_NE(sample, nullptr);
  EXPECT_TRUE(sample->full);
  EXPECT_TRUE(value(sample, Metric::load15));
  EXPECT_FALSE(sample->devices.empty());
  sample = step(reading(4));
  ASSERT_NE(sample, nullptr);
  EXPECT_TRUE(sample->full) << "the one before was not acknowledged";
}

TEST_F(SamplerTest, EverythingGoesOutEachMinute) {
  settle();
  int full = 0;
  for (uint64_t n = 3; n < 3 + 180; ++n) {
    const Sample* sample = step_and_acknowledge(reading(n));
    if (sample != nullptr && sample->full) ++full;
  }
  EXPECT_EQ(full, 3);
}

TEST_F(SamplerTest, DevicesThatComeAndGoAreToldInFullSamples) {
  settle();
  os::RawMetrics raw = reading(3);
  raw.nics.erase(raw.nics.begin());
  const Sample* sample = step_and_acknowledge(raw);
  ASSERT_NE(sample, nullptr);
  EXPECT_TRUE(sample->full);
  EXPECT_EQ(sample->devices, (std::vector<std::string>{"eth1", "nvme0n1"}));
  sample = step_and_acknowledge(reading(4));
  EXPECT_EQ(sample->devices.size(), 3U);
  EXPECT_EQ(value(sample, Metric::net_rx, 1), 0.0) << "a new device has no rate yet";
}

TEST_F(SamplerTest, CountersThatStartOverGiveNoGiantRate) {
  settle();
  os::RawMetrics raw = reading(3);
  raw.nics[0].rx_bytes = 300;
  raw.cpu->iowait = 0;
  const Sample* sample = step(raw);
  EXPECT_EQ(value(sample, Metric::net_rx, 1), 300.0);
  EXPECT_EQ(value(sample, Metric::cpu_iowait), 0.0);
}

TEST_F(SamplerTest, RatesAreBySecondsPassed) {
  settle();
  now_ += seconds(3);  // the next step is four seconds after the last reading
  const Sample* sample = step(reading(3));
  EXPECT_EQ(value(sample, Metric::net_rx, 1), 250.0);
  sampler_.update(reading(9), now_);
  EXPECT_EQ(value(sampler_.take(now_, WallTime()), Metric::net_rx, 1), 250.0)
      << "the same moment twice";
}

TEST_F(SamplerTest, ManyDevicesAreSummedAndTheFirstOnesNamed) {
  const auto many = [](uint64_t n) {
    os::RawMetrics raw;
    for (int i = 0; i < 30; ++i) raw.nics.push_back({"n" + std::to_string(100 + i), 10 * n, 0});
    return raw;
  };
  step_and_acknowledge(many(1));
  const Sample* sample = step(many(2));
  EXPECT_EQ(value(sample, Metric::net_rx), 300.0);
  EXPECT_EQ(sample->devices.size(), kMaxNics);
}

TEST_F(SamplerTest, GpusOfTheNodeAndEach) {
  os::RawMetrics raw = reading(1);
  raw.gpus.push_back({"gpu0",
                      {.utilization_percent = 80,
                       .temperature_c = 60,
                       .power_mw = 500'400,
                       .memory_used_bytes = 1000}});
  raw.gpus.push_back(
      {"gpu1",
       {.utilization_percent = 20, .temperature_c = 41, .power_mw = {}, .memory_used_bytes = 500}});
  step(raw);
  const Sample* sample = step(raw);
  EXPECT_EQ(value(sample, Metric::gpu_utilization), 50.0);
  EXPECT_EQ(value(sample, Metric::gpu_temperature), 60.0);
  EXPECT_EQ(value(sample, Metric::gpu_power), 500.0);
  EXPECT_EQ(value(sample, Metric::gpu_memory_used, 4), 1000.0);
  EXPECT_FALSE(value(sample, Metric::gpu_power, 5));
  EXPECT_EQ(sample->devices.back(), "gpu1");
}

TEST_F(SamplerTest, NothingReadIsNothingSent) {
  EXPECT_EQ(sampler_.take(now_, WallTime()), nullptr);
  EXPECT_EQ(step(os::RawMetrics()), nullptr);
}

TEST_F(SamplerTest, TheSteadyStateAllocatesNothing) {
  settle();
  std::vector<os::RawMetrics> readings;
  for (uint64_t n = 3; n < 53; ++n) {
    readings.push_back(reading(n));
    readings.back().load->one = static_cast<double>(n);
  }
  for (size_t i = 0; i < 3; ++i) step_and_acknowledge(readings[i]);
  const uint64_t before = allocations;
  for (size_t i = 3; i < readings.size(); ++i) step_and_acknowledge(readings[i]);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace drover::telemetry

// Samples as bytes: there and back, joined, and refused.
#include "telemetry/sample.hpp"

#include "proto/telemetry.pb.h"
#include "telemetry/metrics.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace drover::telemetry {
namespace {

constexpr uint32_t kNet1 = metric_id(Metric::net_rx, 1);
constexpr uint32_t kLoad = metric_id(Metric::load1);

const Sample kFull{
    .time_ms = 1'000, .full = true, .values = {{kLoad, 0.25}, {kNet1, 4096}}, .devices = {"eth0"}};

TEST(SampleBytes, ComeBackAsTheyWere) {
  EXPECT_EQ(decode_sample(encode_sample(kFull)).value(), kFull);
  const Sample partial{.time_ms = 5, .full = false, .values = {{kNet1, 1.5}}, .devices = {}};
  EXPECT_EQ(decode_sample(encode_sample(partial)).value(), partial);
  EXPECT_EQ(decode_sample("").value(), Sample());
}

TEST(SampleBytes, JoinedOnesAreOneSampleInWhichTheLastCounts) {
  const Sample later{.time_ms = 2'000, .full = false, .values = {{kLoad, 0.75}}, .devices = {}};
  const Sample joined = decode_sample(encode_sample(kFull) + encode_sample(later)).value();
  EXPECT_TRUE(joined.full);
  EXPECT_EQ(joined.time_ms, 2'000);
  EXPECT_EQ(joined.values,
            (std::vector<std::pair<uint32_t, double>>{{kLoad, 0.75}, {kNet1, 4096}}));
  EXPECT_EQ(joined.devices, kFull.devices);
  Sample renamed = kFull;
  renamed.devices = {"eth9"};
  EXPECT_EQ(decode_sample(encode_sample(kFull) + encode_sample(renamed)).value(), renamed);
}

Code code_of(const proto::Sample& message) {
  const auto sample = decode_sample(message.SerializeAsString());
  return sample ? Code::internal : sample.error().code;
}

TEST(SampleBytes, WhatIsNoSampleIsRefused) {
  EXPECT_EQ(decode_sample("\xff\xff\xff").error().code, Code::corrupt);
  EXPECT_EQ(decode_sample(std::string(kMaxSampleBytes + 1, 'x')).error().code, Code::too_large);
  proto::Sample message;
  for (const int64_t time : {int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    message.set_time_ms(time);
    EXPECT_EQ(code_of(message), Code::corrupt) << "a time that nobody lives in";
  }
  message.set_time_ms(1);
  message.add_ids(kLoad);
  EXPECT_EQ(code_of(message), Code::corrupt) << "an id without a value";
  message.add_values(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(code_of(message), Code::corrupt) << "not a number";
  message.set_values(0, std::numeric_limits<double>::infinity());
  EXPECT_EQ(code_of(message), Code::corrupt);
  message.set_values(0, 1);
  message.set_full(true);
  message.set_ids(0, kNet1);
  EXPECT_EQ(code_of(message), Code::corrupt) << "a device without a name";
  auto* device = message.add_devices();
  device->set_number(2);
  device->set_name("eth0");
  EXPECT_EQ(code_of(message), Code::corrupt) << "device 1 is left out";
  device->set_number(0);
  EXPECT_EQ(code_of(message), Code::corrupt);
  device->set_number(4'000'000'000);
  EXPECT_EQ(code_of(message), Code::corrupt);
  device->set_number(1);
  device->set_name("evil\x1b[2J");
  EXPECT_EQ(code_of(message), Code::corrupt);
  device->set_name("eth0");
  EXPECT_EQ(code_of(message), Code::internal) << "now it is right";
  message.set_full(false);
  EXPECT_EQ(code_of(message), Code::corrupt) << "devices in a partial sample";
}

TEST(SampleBytes, TooManyValuesAreTooLarge) {
  proto::Sample message;
  for (uint32_t id = 1; id <= kMaxSampleValues + 1; ++id) {
    message.add_ids(id);
    message.add_values(1);
  }
  EXPECT_EQ(code_of(message), Code::too_large);
}

}  // namespace
}  // namespace drover::telemetry

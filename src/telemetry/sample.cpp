// Sample to protobuf and back.
#include "telemetry/sample.hpp"

#include "proto/telemetry.pb.h"
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace drover::telemetry {
namespace {

tl::unexpected<Error> corrupt(std::string_view what) {
  return fail(Code::corrupt, "sample: " + std::string(what));
}

bool is_device_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxDeviceName &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Status read_devices(const proto::Sample& message, Sample& sample) {
  if (!message.full() && message.devices_size() != 0) return corrupt("devices in a partial sample");
  for (const auto& device : message.devices()) {
    const uint32_t number = device.number();
    if (number == 0 || number > kMaxSampleDevices)
      return corrupt("a device's number is impossible");
    if (!is_device_name(device.name())) return corrupt("a device's name is not printable");
    if (sample.devices.size() < number) sample.devices.resize(number);
    sample.devices[number - 1] = device.name();
  }
  const bool whole = std::none_of(sample.devices.begin(), sample.devices.end(),
                                  [](const std::string& name) { return name.empty(); });
  return whole ? Status() : corrupt("a device's number is left out");
}

Status read_values(const proto::Sample& message, Sample& sample) {
  if (message.ids_size() != message.values_size())
    return corrupt("ids and values differ in number");
  const size_t devices = sample.full ? sample.devices.size() : kMaxSampleDevices;
  auto& values = sample.values;
  values.reserve(static_cast<size_t>(message.ids_size()));
  bool ascending = true;
  for (int i = 0; i < message.ids_size(); ++i) {
    const uint32_t id = message.ids(i);
    if (device_of(id) > devices) return corrupt("a value of a device without a name");
    if (!std::isfinite(message.values(i))) return corrupt("a value that is no number");
    ascending = ascending && (values.empty() || values.back().first < id);
    values.emplace_back(id, message.values(i));
  }
  if (!ascending) {  // samples were joined: the last value of each id counts
    std::map<uint32_t, double> last;
    for (const auto& [id, value] : values) last.insert_or_assign(id, value);
    values.assign(last.begin(), last.end());
  }
  if (values.size() > kMaxSampleValues) return fail(Code::too_large, "sample: too many values");
  return {};
}

}  // namespace

std::string encode_sample(const Sample& sample) {
  proto::Sample message;
  message.set_time_ms(sample.time_ms);
  message.set_full(sample.full);
  const int count = static_cast<int>(sample.values.size());
  message.mutable_ids()->Reserve(count);
  message.mutable_values()->Reserve(count);
  for (const auto& [id, value] : sample.values) {
    message.add_ids(id);
    message.add_values(value);
  }
  for (size_t i = 0; i < sample.devices.size(); ++i) {
    auto* device = message.add_devices();
    device->set_number(static_cast<uint32_t>(i + 1));
    device->set_name(sample.devices[i]);
  }
  return message.SerializeAsString();
}

Result<Sample> decode_sample(std::string_view bytes) {
  if (bytes.size() > kMaxSampleBytes) return fail(Code::too_large, "sample: larger than 64 KiB");
  proto::Sample message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return corrupt("not a message");
  }
  // Nanoseconds since the epoch, in which times are held, end in 2262.
  constexpr int64_t kLastMs = 9'000'000'000'000;
  if (message.time_ms() < 0 || message.time_ms() > kLastMs) return corrupt("an impossible time");
  Sample sample;
  sample.time_ms = message.time_ms();
  sample.full = message.full();
  DROVER_CHECK_OK(read_devices(message, sample));
  DROVER_CHECK_OK(read_values(message, sample));
  return sample;
}

}  // namespace drover::telemetry

// Sample: metric values of one node at one moment, and its bytes on the wire.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::telemetry {

struct Sample {
  int64_t time_ms = 0;  ///< Unix time at the node
  /// All values that the node has: whoever receives it forgets earlier ones. Otherwise only what
  /// changed since a sample before it on the same link.
  bool full = false;
  std::vector<std::pair<uint32_t, double>> values;  ///< by metric_id(), ascending
  std::vector<std::string> devices;                 ///< of a full sample; metric_id() counts from 1

  bool operator==(const Sample&) const = default;
};

inline constexpr size_t kMaxSampleValues = 1024;
inline constexpr size_t kMaxSampleDevices = 64;
inline constexpr size_t kMaxDeviceName = 64;  ///< bytes; the kernel's are at most 31

inline constexpr size_t kMaxSampleBytes = size_t{64} << 10;

/// Bytes of a drover.proto.Sample. Bytes of several samples of one node, joined in their order, are
/// one sample too: what was not sent yet can wait as bytes.
std::string encode_sample(const Sample& sample);
/// Trusts nothing: Code::corrupt for what is no sample (counts that differ, values that are no
/// numbers, devices without a name), too_large over a limit above.
Result<Sample> decode_sample(std::string_view bytes);

}  // namespace drover::telemetry

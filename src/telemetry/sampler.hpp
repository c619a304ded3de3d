// Sampler: counters in, samples out: rates from differences, and only what changed.
#pragma once

#include "base/clock.hpp"
#include "os/host/metrics.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/sample.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drover::telemetry {

/// A full sample goes out this often even without need, so that whatever was lost heals.
inline constexpr Duration kFullSampleEvery = std::chrono::seconds(60);
/// Devices that get values of their own, of each kind; all count in the node's sums.
inline constexpr size_t kMaxNics = 8;
inline constexpr size_t kMaxDisks = 16;
inline constexpr size_t kMaxGpus = 16;

/// Pure: no clock, no files. In steady state it allocates nothing. One thread.
///
///     each second:     sampler.update(raw, now)
///     each heartbeat:  if (const Sample* sample = sampler.take(now, wall)) send(*sample)
///     sent or acked:   sampler.acknowledge()      new link:  sampler.start_over()
class Sampler {
 public:
  /// Takes a reading in. Rates need two of them; a counter that went back is taken to have started
  /// over at zero.
  void update(const os::RawMetrics& raw, MonoTime now);

  /// What the other end lacks: all values in a full sample after start_over(), when devices came or
  /// went, and every kFullSampleEvery; else what changed since the sample last acknowledged.
  /// nullptr when that is nothing. Valid until the next call.
  const Sample* take(MonoTime now, WallTime wall);

  /// The sample last taken has arrived (on an ordered link: has been sent). Without it, the next
  /// one repeats its values.
  void acknowledge();

  /// The other end knows nothing any more (a new link, or another daemon).
  void start_over();

 private:
  using Values = std::vector<std::pair<uint32_t, double>>;
  void put(Metric metric, uint32_t device, double value);
  void put_gauges(const os::RawMetrics& raw);
  void put_cpu(const os::RawMetrics& raw);
  uint32_t put_nics(const os::RawMetrics& raw, double seconds);
  uint32_t put_disks(const os::RawMetrics& raw, double seconds, uint32_t device);
  uint32_t put_gpus(const os::RawMetrics& raw, uint32_t device);
  uint32_t name_device(uint32_t device, std::string_view name);

  os::RawMetrics previous_;
  std::optional<MonoTime> previous_time_;
  Values current_;
  Values acknowledged_;
  std::vector<std::string> devices_;
  bool devices_changed_ = false;
  bool full_wanted_ = true;
  bool taken_ = false;  ///< sample_ was given out and is not acknowledged
  std::optional<MonoTime> last_full_;
  Values at_take_;  ///< current_ when sample_ was made
  Sample sample_;
};

}  // namespace drover::telemetry

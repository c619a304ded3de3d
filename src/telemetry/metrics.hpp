// The metrics that Drover knows: numbers on the wire, names for people, units and resolution.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace drover::telemetry {

/// Numbers are for ever: a retired one is never used again.
enum class Metric : uint16_t {
  load1 = 1,
  load5 = 2,
  load15 = 3,
  uptime = 4,
  running = 5,
  threads = 6,
  memory_total = 10,
  memory_available = 11,
  memory_used = 12,
  swap_total = 13,
  swap_used = 14,
  cpu_user = 20,
  cpu_system = 21,
  cpu_iowait = 22,
  cpu_idle = 23,
  cpu_steal = 24,
  net_rx = 30,
  net_tx = 31,
  disk_read = 40,
  disk_write = 41,
  disk_read_ops = 42,
  disk_write_ops = 43,
  gpu_utilization = 50,
  gpu_power = 51,
  gpu_temperature = 52,
  gpu_memory_used = 53,
};

struct MetricInfo {
  Metric metric;
  std::string_view name;  ///< stable, with the unit at its end as OpenMetrics wants
  std::string_view unit;
  std::string_view help;
  /// What a change must reach to be worth telling: values are rounded to multiples of `step`, or to
  /// `digits` significant digits where step is 0.
  double step;
  int digits;
};

/// All of them, by number.
std::span<const MetricInfo> metrics();
/// nullptr for a number or name that this version does not know.
const MetricInfo* find_metric(uint32_t number);
const MetricInfo* find_metric(std::string_view name);

/// A metric of the whole node (device 0) or of one device (its position in Sample::devices, from
/// 1).
constexpr uint32_t metric_id(Metric metric, uint32_t device = 0) {
  return device << 16 | static_cast<uint32_t>(metric);
}
constexpr uint32_t metric_of(uint32_t id) {
  return id & 0xffffU;
}
constexpr uint32_t device_of(uint32_t id) {
  return id >> 16;
}

/// `value` at the resolution of its metric.
double rounded(const MetricInfo& info, double value);

}  // namespace drover::telemetry

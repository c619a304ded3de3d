// The table of metrics.
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace drover::telemetry {
namespace {

constexpr std::array<MetricInfo, 26> kMetrics{{
    {Metric::load1, "load_1m", "tasks", "Tasks running or waiting, 1 minute mean", 0.01, 0},
    {Metric::load5, "load_5m", "tasks", "Tasks running or waiting, 5 minutes mean", 0.01, 0},
    {Metric::load15, "load_15m", "tasks", "Tasks running or waiting, 15 minutes mean", 0.01, 0},
    {Metric::uptime, "uptime_seconds", "seconds", "Time since the kernel started", 60, 0},
    {Metric::running, "tasks_running", "tasks", "Threads that run or could run", 1, 0},
    {Metric::threads, "tasks", "tasks", "Threads of all processes", 1, 0},
    {Metric::memory_total, "memory_total_bytes", "bytes", "Memory the kernel manages", 1024, 0},
    {Metric::memory_available, "memory_available_bytes", "bytes",
     "Memory that programs could take without swapping", 0, 4},
    {Metric::memory_used, "memory_used_bytes", "bytes", "Total less available", 0, 4},
    {Metric::swap_total, "swap_total_bytes", "bytes", "Swap space", 1024, 0},
    {Metric::swap_used, "swap_used_bytes", "bytes", "Swap space in use", 0, 4},
    {Metric::cpu_user, "cpu_user_percent", "percent", "Time in programs, of all processors", 0.1,
     0},
    {Metric::cpu_system, "cpu_system_percent", "percent",
     "Time in the kernel and its interrupts, of all processors", 0.1, 0},
    {Metric::cpu_iowait, "cpu_iowait_percent", "percent", "Idle time with I/O outstanding", 0.1, 0},
    {Metric::cpu_idle, "cpu_idle_percent", "percent", "Idle time without", 0.1, 0},
    {Metric::cpu_steal, "cpu_steal_percent", "percent", "Time taken by the hypervisor", 0.1, 0},
    {Metric::net_rx, "net_rx_bytes_per_second", "bytes/s", "Received by physical interfaces", 0, 3},
    {Metric::net_tx, "net_tx_bytes_per_second", "bytes/s", "Sent by physical interfaces", 0, 3},
    {Metric::disk_read, "disk_read_bytes_per_second", "bytes/s", "Read from physical disks", 0, 3},
    {Metric::disk_write, "disk_write_bytes_per_second", "bytes/s", "Written to physical disks", 0,
     3},
    {Metric::disk_read_ops, "disk_reads_per_second", "1/s", "Reads that physical disks completed",
     0, 3},
    {Metric::disk_write_ops, "disk_writes_per_second", "1/s",
     "Writes that physical disks completed", 0, 3},
    {Metric::gpu_utilization, "gpu_utilization_percent", "percent",
     "Time in which kernels ran; of the node: mean of its GPUs", 1, 0},
    {Metric::gpu_power, "gpu_power_watts", "watts", "Power drawn; of the node: sum", 1, 0},
    {Metric::gpu_temperature, "gpu_temperature_celsius", "celsius",
     "Core temperature; of the node: the hottest", 1, 0},
    {Metric::gpu_memory_used, "gpu_memory_used_bytes", "bytes",
     "Device memory in use; of the node: sum", 0, 4},
}};

double to_digits(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = static_cast<int>(std::floor(std::log10(std::fabs(value)))) + 1 - digits;
  const double unit = std::pow(10.0, std::abs(exponent));
  // Dividing by a whole power of ten gives the double nearest to the decimal.
  return exponent >= 0 ? std::round(value / unit) * unit : std::round(value * unit) / unit;
}

}  // namespace

std::span<const MetricInfo> metrics() {
  return kMetrics;
}

const MetricInfo* find_metric(uint32_t number) {
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(), [number](const auto& info) {
    return static_cast<uint32_t>(info.metric) == number;
  });
  return found == kMetrics.end() ? nullptr : &*found;
}

const MetricInfo* find_metric(std::string_view name) {
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(),
                                  [name](const auto& info) { return info.name == name; });
  return found == kMetrics.end() ? nullptr : &*found;
}

double rounded(const MetricInfo& info, double value) {
  if (info.step == 0) return to_digits(value, info.digits);
  if (info.step >= 1) return std::round(value / info.step) * info.step;
  const double per_unit = std::round(1 / info.step);
  return std::round(value * per_unit) / per_unit;
}

}  // namespace drover::telemetry

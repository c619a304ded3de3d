// What a node pays for telling about itself, and a master for remembering it: bench_host [nodes]
//   inventory   time of one reading, resident memory before and after
//   sample      CPU of one reading of all metrics with its sample as bytes
//   latest      CPU of taking in one node's sample, memory per node
#include "os/host/cpu_topology.hpp"
#include "os/host/inventory.hpp"
#include "telemetry/latest.hpp"
#include "telemetry/sampler.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include <malloc.h>

namespace {

using namespace drover;

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double wall_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

/// One line of /proc/self/smaps_rollup in KiB.
long memory_kib(const std::string& field) {
  std::ifstream file("/proc/self/smaps_rollup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(field + ":")) return std::atol(line.c_str() + field.size() + 1);
  }
  return 0;
}

void inventory() {
  const long rss = memory_kib("Rss");
  const long own = memory_kib("Anonymous");
  std::vector<double> times;
  size_t parts = 0;
  size_t bytes = 0;
  constexpr int kRounds = 21;
  for (int round = 0; round < kRounds; ++round) {
    const double began = wall_ms();
    const auto found = os::read_inventory(os::HostRoot(), {.nvml_library = ""});
    times.push_back(wall_ms() - began);
    if (!found) return;
    parts = found->size();
    bytes = os::encode_inventory(*found).size();
  }
  const double first = times.front();
  std::sort(times.begin(), times.end());
  std::printf("inventory  %zu parts, %zu bytes: first %.1f ms, median %.1f ms\n", parts, bytes,
              first, times[times.size() / 2]);
  std::printf("           resident %ld -> %ld KiB, of it anonymous %ld -> %ld KiB\n", rss,
              memory_kib("Rss"), own, memory_kib("Anonymous"));
}

std::string sample() {
  os::HostMetrics metrics(os::HostRoot(), {.nvml_library = ""});
  telemetry::Sampler sampler;
  os::RawMetrics raw;
  MonoTime now{std::chrono::seconds(1)};
  std::string full;
  size_t bytes = 0;
  constexpr int kRounds = 5000;
  const auto step = [&] {
    now += std::chrono::seconds(1);
    metrics.read(raw);
    sampler.update(raw, now);
    const telemetry::Sample* taken = sampler.take(now, WallTime());
    if (taken == nullptr) return;
    const std::string encoded = telemetry::encode_sample(*taken);
    bytes += encoded.size();
    if (taken->full) full = encoded;
    sampler.acknowledge();
  };
  for (int i = 0; i < 10; ++i) step();
  bytes = 0;
  const double began = cpu_us();
  for (int i = 0; i < kRounds; ++i) step();
  const double each = (cpu_us() - began) / kRounds;
  const double percent = each / 1e6 * 100;
  std::printf("sample     %.1f us CPU each: %.4f %% of a core at 1 Hz (budget 0.1 %%)\n", each,
              percent);
  std::printf("           %.0f bytes on average, full %zu bytes\n",
              static_cast<double>(bytes) / kRounds, full.size());
  return full;
}

void latest(int nodes, const std::string& full) {
  telemetry::Latest table;
  const auto name = [](int i) { return "n" + std::to_string(100000 + i); };
  const long before = memory_kib("Anonymous");
  double began = cpu_us();
  for (int i = 0; i < nodes; ++i) (void)table.apply_bytes(name(i), full, MonoTime());
  const double first = (cpu_us() - began) / nodes;
  const long after = memory_kib("Anonymous");
  began = cpu_us();
  for (int i = 0; i < nodes; ++i) (void)table.apply_bytes(name(i), full, MonoTime());
  const double again = (cpu_us() - began) / nodes;
  std::printf("latest     %d nodes: %.2f us CPU per full sample (first %.2f), %.2f KiB per node\n",
              nodes, again, first, static_cast<double>(after - before) / nodes);
}

}  // namespace

int main(int argc, char** argv) {
  os::keep_hwloc_small();
  inventory();
  const std::string full = sample();
  latest(argc > 1 ? std::max(std::atoi(argv[1]), 1) : 10'000, full);
  return 0;
}

// HostMetrics: the machine's counters and gauges, read again and again at little cost.
#pragma once

#include "os/fd.hpp"
#include "os/host/host_root.hpp"
#include "os/host/nvml.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::os {

/// Counters and gauges as the kernel gives them; a group that could not be read is absent. Counters
/// start anywhere and may start over.
struct RawMetrics {
  struct Load {
    double one = 0, five = 0, fifteen = 0;
    uint64_t running = 0, threads = 0;
  };
  struct Memory {
    uint64_t total = 0, available = 0, swap_total = 0, swap_free = 0;  ///< bytes
  };
  /// Clock ticks since boot over all processors; guests are inside user, interrupts inside system.
  struct Cpu {
    uint64_t user = 0, system = 0, idle = 0, iowait = 0, steal = 0;
  };
  struct Nic {
    std::string name;
    uint64_t rx_bytes = 0, tx_bytes = 0;
  };
  struct Disk {
    std::string name;
    uint64_t read_bytes = 0, write_bytes = 0, reads = 0, writes = 0;
  };
  struct Gpu {
    std::string name;  ///< "gpu0": NVML's index
    GpuUse use;
  };
  std::optional<Load> load;
  std::optional<Memory> memory;
  std::optional<Cpu> cpu;
  std::optional<double> uptime_s;
  std::vector<Nic> nics;    ///< physical ones, sorted by name
  std::vector<Disk> disks;  ///< whole physical ones, sorted by name
  std::vector<Gpu> gpus;
};

struct HostMetricsOptions {
  std::string nvml_library = kNvmlLibrary;  ///< "" leaves GPUs out
  /// GPUs are asked at every so many reads, since each question goes to the driver; in between the
  /// last answers stand.
  uint32_t gpu_every = 10;
};

/// Keeps the files of /proc open and reads them in place: no opening, and in steady state no
/// allocation. Blocks (on the GPU driver for long, if that is sick): use on a Worker. One thread.
class HostMetrics {
 public:
  HostMetrics(HostRoot root, HostMetricsOptions options);
  HostMetrics(const HostMetrics&) = delete;
  HostMetrics& operator=(const HostMetrics&) = delete;
  ~HostMetrics();

  /// Replaces `out`; its storage is used again.
  void read(RawMetrics& out);

 private:
  struct KeptFile {
    const char* path;
    UniqueFd fd;
  };
  /// Whether a network or block device is a physical one, remembered by name.
  struct Known {
    std::string name;
    bool physical = false;
  };
  enum Which : uint8_t {
    load_file,
    memory_file,
    stat_file,
    uptime_file,
    net_file,
    disks_file,
    file_count
  };

  std::string_view contents(Which which);
  bool is_physical(std::vector<Known>& known, std::string_view name, const char* class_dir);
  void read_nics(RawMetrics& out);
  void read_disks(RawMetrics& out);
  void read_gpus(RawMetrics& out);

  HostRoot root_;
  HostMetricsOptions options_;
  std::array<KeptFile, file_count> files_;
  std::vector<char> buffer_;
  std::vector<Known> known_nics_;
  std::vector<Known> known_disks_;
  std::unique_ptr<Nvml> nvml_;
  uint64_t reads_ = 0;
};

// The parsers, pure: what does not look as it should leaves `out` as it is and returns false.
bool parse_loadavg(std::string_view text, RawMetrics::Load& out);
bool parse_meminfo(std::string_view text, RawMetrics::Memory& out);
bool parse_stat(std::string_view text, RawMetrics::Cpu& out);
/// One line of /proc/net/dev; the name is a view into it.
bool parse_net_line(std::string_view line, std::string_view& name, uint64_t& rx, uint64_t& tx);
/// One line of /proc/diskstats (Documentation/admin-guide/iostats.rst).
bool parse_disk_line(std::string_view line, std::string_view& name, RawMetrics::Disk& out);

}  // namespace drover::os

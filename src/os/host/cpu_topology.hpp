// CpuTopology: packages, cores, threads, caches and NUMA nodes, from hwloc or straight from /sys.
#pragma once

#include "base/result.hpp"
#include "os/host/host_root.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::os {

struct CpuTopology {
  struct Package {
    uint32_t index = 0;  ///< the kernel's physical package id
    uint32_t cores = 0;
    uint32_t threads = 0;
    uint32_t first_cpu = 0;
    bool operator==(const Package&) const = default;
  };
  /// All caches of one level, type and size, counted.
  struct Cache {
    uint32_t level = 0;
    char type = 'u';  ///< 'd' data, 'i' instruction, 'u' unified
    uint64_t size_kib = 0;
    uint32_t count = 0;
    uint32_t shared_by = 0;  ///< threads that share one
    uint32_t line_bytes = 0;
    bool operator==(const Cache&) const = default;
  };
  struct NumaNode {
    uint32_t index = 0;
    uint64_t memory_mib = 0;
    std::vector<uint32_t> cpus;  ///< online ones, sorted; empty for memory without processors
    bool operator==(const NumaNode&) const = default;
  };
  std::vector<Package> packages;  ///< by index
  std::vector<Cache> caches;      ///< by level, type, size
  std::vector<NumaNode> nodes;    ///< by index
  bool operator==(const CpuTopology&) const = default;
};

/// The running machine through hwloc: whole machine whatever the cgroup allows. Binds nothing and
/// runs nothing on other processors (hwloc's x86 probe is left out), so computing is undisturbed.
Result<CpuTopology> read_topology_hwloc();

/// The same from /sys/devices/system alone. Online processors; empty where /sys has nothing.
CpuTopology read_topology_sysfs(const HostRoot& root);

/// Keeps hwloc from loading its plugins (OpenCL, CUDA, X11), which cost megabytes and tell nothing
/// that is asked for here. Changes the environment: call first in main, before there are threads.
void keep_hwloc_small();

}  // namespace drover::os

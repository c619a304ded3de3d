// The inventory of a host: all of its parts, their summary, and their form on the wire.
#pragma once

#include "base/result.hpp"
#include "os/host/host_root.hpp"
#include "os/host/nvml.hpp"
#include "os/host/part.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::os {

struct InventoryOptions {
  std::string nvml_library = kNvmlLibrary;  ///< "" leaves NVIDIA's GPUs out
  bool virtual_nics = false;                ///< bridges, bonds, tunnels and virtual functions too
};

/// Reads the machine behind `root`: sorted by (kind, slot), attributes by name. Blocks on /proc and
/// /sys, and on the driver where there is NVML: run it on a Worker. Missing facts are gaps; fails
/// only when nothing at all can be read. No more than 4,096 parts.
Result<std::vector<Part>> read_inventory(const HostRoot& root, const InventoryOptions& options);
/// The same with the defaults for the running machine and without NVML for a recorded tree.
Result<std::vector<Part>> read_inventory(const HostRoot& root);

/// What a list of nodes shows of each.
struct Summary {
  uint64_t cpus = 0;  ///< hardware threads, as schedulers count
  uint64_t sockets = 0;
  uint64_t memory_mib = 0;
  uint64_t gpus = 0;
  std::string os;      ///< "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;  ///< release
  std::string model;   ///< of the machine: vendor and product
  bool operator==(const Summary&) const = default;
};
Summary summarize(const std::vector<Part>& parts);

/// The report that an agent sends, as canonical JSON: {"parts":[{"kind","slot","serial",
/// "attributes":{..}}],"summary":{"cpus","memory_mib","gpus","os","kernel"}}. Equal parts give
/// equal bytes. cluster/inventory.hpp reads it, and its limits are kept: at most 4,096 parts (PCI
/// functions go first), all texts far below 1 KiB.
std::string encode_inventory(const std::vector<Part>& parts);

}  // namespace drover::os

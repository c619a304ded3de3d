// All readers in one pass, put into canonical order.
#include "os/host/inventory.hpp"

#include "os/host/readers.hpp"
#include "os/host/text.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <malloc.h>

namespace drover::os {
namespace {

/// Keeps within what a master takes: PCI functions are the most numerous and the least told of.
void cap(std::vector<Part>& parts) {
  constexpr size_t kMost = 4096;
  while (parts.size() > kMost) {
    const auto last = std::find_if(parts.rbegin(), parts.rend(),
                                   [](const Part& part) { return part.kind == "pci"; });
    if (last == parts.rend()) break;
    parts.erase(std::next(last).base());
  }
  if (parts.size() > kMost) parts.resize(kMost);
}

void canonicalize(std::vector<Part>& parts) {
  constexpr size_t kMaxSlot = 200;
  // Firmware gives twins the same locator; the order of reading, which is stable, tells them apart.
  std::map<std::pair<std::string, std::string>, uint32_t> seen;
  for (Part& part : parts) {
    if (part.slot.empty()) part.slot = "unnamed";
    if (part.slot.size() > kMaxSlot) part.slot = clean(part.slot.substr(0, kMaxSlot));
    const uint32_t count = ++seen[{part.kind, part.slot}];
    if (count > 1) part.slot += "#" + std::to_string(count);
    std::sort(part.attributes.begin(), part.attributes.end());
  }
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return std::tie(a.kind, a.slot) < std::tie(b.kind, b.slot);
  });
}

}  // namespace

Result<std::vector<Part>> read_inventory(const HostRoot& root, const InventoryOptions& options) {
  std::vector<Part> parts;
  {
    const std::string bytes = read_smbios_bytes(root);
    const SmbiosTable smbios = parse_smbios(bytes);
    read_cpu(root, smbios, parts);
    read_memory(root, smbios, parts);
    read_dmi(root, smbios, parts);
  }
  read_disks(root, parts);
  read_nics(root, options.virtual_nics, parts);
  read_infiniband(root, parts);
  read_pci(root, parts);
  read_nvidia_gpus(options.nvml_library, parts);
  read_amd_gpus(root, parts);
  read_os(root, parts);
  // The topology and the tables are gone; their pages go back, since an agent lives long after.
  ::malloc_trim(0);
  if (parts.empty()) {
    return fail(Code::io, "no fact about this host can be read",
                "mount /proc and /sys, and let the agent read them");
  }
  cap(parts);
  canonicalize(parts);
  return parts;
}

Result<std::vector<Part>> read_inventory(const HostRoot& root) {
  InventoryOptions options;
  if (!root.is_real()) options.nvml_library.clear();
  return read_inventory(root, options);
}

Summary summarize(const std::vector<Part>& parts) {
  Summary summary;
  for (const Part& part : parts) {
    if (part.kind == "cpu") {
      ++summary.sockets;
      summary.cpus += parse_number(part.get("threads")).value_or(0);
    } else if (part.kind == "gpu") {
      ++summary.gpus;
    } else if (part.kind == "memory" && part.slot == "total") {
      summary.memory_mib = parse_number(part.get("size_mib")).value_or(0);
    } else if (part.kind == "os" && part.slot == "distribution") {
      summary.os = part.get(part.get("name").empty() ? "id" : "name");
    } else if (part.kind == "os" && part.slot == "kernel") {
      summary.kernel = part.get("release");
    } else if (part.kind == "board" && part.slot == "system") {
      summary.model = part.get("vendor");
      const std::string_view product = part.get("product");
      if (!summary.model.empty() && !product.empty()) summary.model += " ";
      summary.model += product;
    }
  }
  return summary;
}

}  // namespace drover::os

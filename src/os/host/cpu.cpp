// Processors, caches and NUMA nodes as parts.
#include "os/host/cpu_topology.hpp"
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

#include <map>

namespace drover::os {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

/// The fields of /proc/cpuinfo that name a model, of the first processor: all sockets of a machine
/// take the same. Only the head of the file is read, since producing it costs per processor.
Fields cpuinfo_fields(const HostRoot& root) {
  constexpr size_t kHead = 4096;
  const std::string bytes = root.read("/proc/cpuinfo", kHead).value_or("");
  std::string_view rest = bytes;
  Fields fields;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      if (!fields.empty()) break;  // the blank line after the first processor
      continue;
    }
    fields.try_emplace(std::string(trim(line.substr(0, colon))), clean(line.substr(colon + 1)));
  }
  return fields;
}

std::string field(const Fields& fields, std::string_view x86_name, std::string_view arm_name) {
  if (const auto found = fields.find(x86_name); found != fields.end()) return found->second;
  if (const auto found = fields.find(arm_name); found != fields.end()) return found->second;
  return {};
}

std::optional<uint64_t> khz_as_mhz(const HostRoot& root, const std::string& path) {
  const auto khz = root.number(path);
  return khz ? std::optional(*khz / 1000) : std::nullopt;
}

void append_packages(const HostRoot& root, const CpuTopology& topology,
                     const std::vector<Processor>& processors, std::vector<Part>& parts) {
  const Fields fields = cpuinfo_fields(root);
  for (size_t i = 0; i < topology.packages.size(); ++i) {
    const CpuTopology::Package& package = topology.packages[i];
    Part part{.kind = "cpu",
              .slot = "socket" + std::to_string(package.index),
              .serial = {},
              .attributes = {}};
    std::string model = field(fields, "model name", "Processor");
    std::optional<uint64_t> max_mhz;
    // Firmware lists the sockets in the kernel's order on every board seen; counts must agree.
    if (processors.size() == topology.packages.size()) {
      const Processor& processor = processors[i];
      part.serial = processor.serial;
      part.set("socket", processor.socket);
      part.set("part_number", processor.part_number);
      if (model.empty()) model = processor.model;
      max_mhz = processor.max_mhz;
    }
    const std::string cpufreq =
        "/sys/devices/system/cpu/cpu" + std::to_string(package.first_cpu) + "/cpufreq/";
    if (const auto mhz = khz_as_mhz(root, cpufreq + "cpuinfo_max_freq")) max_mhz = mhz;
    part.set("max_mhz", max_mhz);
    part.set("base_mhz", khz_as_mhz(root, cpufreq + "base_frequency"));
    part.set("model", std::move(model));
    part.set("vendor", field(fields, "vendor_id", "CPU implementer"));
    part.set("family", field(fields, "cpu family", "CPU architecture"));
    part.set("model_number", field(fields, "model", "CPU part"));
    part.set("stepping", field(fields, "stepping", "CPU revision"));
    part.set("microcode", field(fields, "microcode", {}));
    part.set("cores", package.cores);
    part.set("threads", package.threads);
    parts.push_back(std::move(part));
  }
}

void append_caches(const CpuTopology& topology, std::vector<Part>& parts) {
  std::map<std::string, int> sizes;
  const auto name = [](const CpuTopology::Cache& cache) {
    return "L" + std::to_string(cache.level) +
           (cache.type == 'u' ? "" : std::string(1, cache.type));
  };
  for (const auto& cache : topology.caches) ++sizes[name(cache)];
  for (const auto& cache : topology.caches) {
    // Mixed cores have caches of one level in several sizes: the size tells them apart.
    std::string slot = name(cache);
    if (sizes[slot] > 1) slot += "-" + std::to_string(cache.size_kib) + "KiB";
    Part part{.kind = "cache", .slot = std::move(slot), .serial = {}, .attributes = {}};
    part.set("size_kib", cache.size_kib);
    part.set("count", cache.count);
    part.set("threads", cache.shared_by);
    if (cache.line_bytes != 0) part.set("line_bytes", cache.line_bytes);
    parts.push_back(std::move(part));
  }
}

void append_nodes(const CpuTopology& topology, std::vector<Part>& parts) {
  for (const auto& node : topology.nodes) {
    Part part{.kind = "numa",
              .slot = "node" + std::to_string(node.index),
              .serial = {},
              .attributes = {}};
    part.set("memory_mib", node.memory_mib);
    part.set("cpus", format_list(node.cpus));
    parts.push_back(std::move(part));
  }
}

}  // namespace

void read_cpu(const HostRoot& root, const SmbiosTable& smbios, std::vector<Part>& parts) {
  auto found = root.is_real() ? read_topology_hwloc() : Result<CpuTopology>(CpuTopology());
  const CpuTopology topology =
      found && !found->packages.empty() ? *std::move(found) : read_topology_sysfs(root);
  append_packages(root, topology, processors_of(smbios), parts);
  append_caches(topology, parts);
  append_nodes(topology, parts);
}

}  // namespace drover::os

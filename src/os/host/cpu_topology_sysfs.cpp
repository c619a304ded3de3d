// CpuTopology from /sys/devices/system (Documentation/ABI/testing/sysfs-devices-system-cpu), for
// machines on which hwloc fails and for recorded trees.
#include "os/host/cpu_topology.hpp"
#include "os/host/text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace drover::os {
namespace {

constexpr const char* kCpuDir = "/sys/devices/system/cpu";
constexpr const char* kNodeDir = "/sys/devices/system/node";

std::string cpu_path(uint32_t cpu) {
  return std::string(kCpuDir) + "/cpu" + std::to_string(cpu);
}

std::vector<uint32_t> online_cpus(const HostRoot& root) {
  const auto listed = root.read(std::string(kCpuDir) + "/online");
  if (listed) return parse_list(*listed);
  std::vector<uint32_t> cpus;
  for (const std::string& name : root.list(kCpuDir)) {
    const auto number = name.starts_with("cpu") ? parse_number(name.substr(3)) : std::nullopt;
    if (number && *number < UINT32_MAX) cpus.push_back(static_cast<uint32_t>(*number));
  }
  std::sort(cpus.begin(), cpus.end());
  return cpus;
}

std::vector<CpuTopology::Package> packages_of(const HostRoot& root,
                                              const std::vector<uint32_t>& cpus) {
  std::map<uint32_t, CpuTopology::Package> packages;
  std::map<uint32_t, std::set<std::string>> cores;
  for (const uint32_t cpu : cpus) {
    const std::string topology = cpu_path(cpu) + "/topology/";
    // Absent or -1 on machines without the notion: one package then.
    const auto id =
        static_cast<uint32_t>(root.number(topology + "physical_package_id").value_or(0));
    auto [entry, fresh] = packages.try_emplace(id);
    if (fresh) entry->second = {.index = id, .cores = 0, .threads = 0, .first_cpu = cpu};
    ++entry->second.threads;
    // The siblings' list names a core without its id, which is unique only within a die.
    std::string core = root.text(topology + "thread_siblings_list");
    if (core.empty()) core = std::to_string(cpu);
    cores[id].insert(std::move(core));
  }
  std::vector<CpuTopology::Package> result;
  for (auto& [id, package] : packages) {
    package.cores = static_cast<uint32_t>(cores[id].size());
    result.push_back(package);
  }
  return result;
}

/// "1024K" or "32M" in KiB.
uint64_t cache_size_kib(std::string_view text) {
  if (text.empty()) return 0;
  const uint64_t unit = text.ends_with('M') ? 1024 : 1;
  if (text.ends_with('K') || text.ends_with('M')) text.remove_suffix(1);
  return parse_number(text).value_or(0) * unit;
}

char cache_type(std::string_view text) {
  if (text == "Data") return 'd';
  if (text == "Instruction") return 'i';
  return 'u';
}

std::vector<CpuTopology::Cache> caches_of(const HostRoot& root, const std::vector<uint32_t>& cpus) {
  constexpr uint32_t kMaxIndexes = 16;
  std::map<std::tuple<uint32_t, char, uint64_t>, CpuTopology::Cache> found;
  for (const uint32_t cpu : cpus) {
    for (uint32_t index = 0; index < kMaxIndexes; ++index) {
      const std::string dir = cpu_path(cpu) + "/cache/index" + std::to_string(index) + "/";
      const auto listed = root.read(dir + "shared_cpu_list");
      if (!listed) break;
      const std::vector<uint32_t> sharing = parse_list(*listed);
      if (sharing.empty() || sharing.front() != cpu) continue;  // counted at its first processor
      const auto level = static_cast<uint32_t>(root.number(dir + "level").value_or(0));
      const char type = cache_type(root.text(dir + "type"));
      const uint64_t size = cache_size_kib(root.text(dir + "size"));
      auto& cache = found[{level, type, size}];
      cache.level = level;
      cache.type = type;
      cache.size_kib = size;
      cache.line_bytes =
          static_cast<uint32_t>(root.number(dir + "coherency_line_size").value_or(0));
      cache.shared_by = std::max(cache.shared_by, static_cast<uint32_t>(sharing.size()));
      ++cache.count;
    }
  }
  std::vector<CpuTopology::Cache> result;
  for (const auto& [key, cache] : found) result.push_back(cache);
  return result;
}

/// "Node 0 MemTotal:  1234 kB" or "MemTotal:  1234 kB" in MiB.
uint64_t total_mib(std::string_view meminfo) {
  while (!meminfo.empty()) {
    const std::string_view line = take_line(meminfo);
    const size_t at = line.find("MemTotal:");
    if (at == std::string_view::npos) continue;
    std::string_view rest = line.substr(at + 9);
    return parse_number(take_word(rest)).value_or(0) / 1024;
  }
  return 0;
}

std::vector<CpuTopology::NumaNode> nodes_of(const HostRoot& root,
                                            const std::vector<uint32_t>& cpus) {
  std::vector<CpuTopology::NumaNode> nodes;
  for (const std::string& name : root.list(kNodeDir)) {
    const auto index = name.starts_with("node") ? parse_number(name.substr(4)) : std::nullopt;
    if (!index || *index > UINT32_MAX) continue;
    const std::string dir = std::string(kNodeDir) + "/" + name;
    nodes.push_back({.index = static_cast<uint32_t>(*index),
                     .memory_mib = total_mib(root.read(dir + "/meminfo").value_or("")),
                     .cpus = parse_list(root.read(dir + "/cpulist").value_or(""))});
  }
  if (nodes.empty() && !cpus.empty()) {  // a kernel without NUMA: all of it is one node
    nodes.push_back({.index = 0,
                     .memory_mib = total_mib(root.read("/proc/meminfo").value_or("")),
                     .cpus = cpus});
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  return nodes;
}

}  // namespace

CpuTopology read_topology_sysfs(const HostRoot& root) {
  const std::vector<uint32_t> cpus = online_cpus(root);
  return {.packages = packages_of(root, cpus),
          .caches = caches_of(root, cpus),
          .nodes = nodes_of(root, cpus)};
}

}  // namespace drover::os

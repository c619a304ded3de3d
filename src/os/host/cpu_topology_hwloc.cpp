// CpuTopology through hwloc: the topology is loaded, read and destroyed at once to give its memory
// back.
#include "os/host/cpu_topology.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <tuple>

#include <hwloc.h>

namespace drover::os {
namespace {

struct Destroy {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<hwloc_topology, Destroy>;

Result<Topology> load() {
  hwloc_topology* raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return fail(Code::io, "hwloc cannot start");
  Topology topology(raw);
  hwloc_topology_set_all_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_type_filter(raw, HWLOC_OBJ_PACKAGE, HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_type_filter(raw, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_cache_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_icache_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  hwloc_topology_set_components(raw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
  if (hwloc_topology_load(raw) != 0) return fail(Code::io, "hwloc cannot read this machine");
  return topology;
}

uint32_t weight(hwloc_const_bitmap_t set) {
  return static_cast<uint32_t>(std::max(hwloc_bitmap_weight(set), 0));
}

std::vector<CpuTopology::Package> packages_of(hwloc_topology* topology) {
  std::vector<CpuTopology::Package> packages;
  hwloc_obj_t object = nullptr;
  while ((object = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PACKAGE, object)) != nullptr) {
    const int cores =
        hwloc_get_nbobjs_inside_cpuset_by_type(topology, object->cpuset, HWLOC_OBJ_CORE);
    packages.push_back(
        {.index =
             object->os_index == HWLOC_UNKNOWN_INDEX ? object->logical_index : object->os_index,
         .cores = static_cast<uint32_t>(std::max(cores, 0)),
         .threads = weight(object->cpuset),
         .first_cpu = static_cast<uint32_t>(std::max(hwloc_bitmap_first(object->cpuset), 0))});
  }
  std::sort(packages.begin(), packages.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  return packages;
}

std::vector<CpuTopology::Cache> caches_of(hwloc_topology* topology) {
  std::map<std::tuple<uint32_t, char, uint64_t>, CpuTopology::Cache> found;
  const int depth = hwloc_topology_get_depth(topology);
  for (int level = 0; level < depth; ++level) {
    const hwloc_obj_type_t type = hwloc_get_depth_type(topology, level);
    if (hwloc_obj_type_is_cache(type) == 0) continue;
    hwloc_obj_t object = nullptr;
    while ((object = hwloc_get_next_obj_by_depth(topology, level, object)) != nullptr) {
      const hwloc_obj_attr_u::hwloc_cache_attr_s& attr = object->attr->cache;
      const char letter = attr.type == HWLOC_OBJ_CACHE_DATA          ? 'd'
                          : attr.type == HWLOC_OBJ_CACHE_INSTRUCTION ? 'i'
                                                                     : 'u';
      auto& cache = found[{attr.depth, letter, attr.size / 1024}];
      cache.level = attr.depth;
      cache.type = letter;
      cache.size_kib = attr.size / 1024;
      cache.line_bytes = attr.linesize;
      cache.shared_by = std::max(cache.shared_by, weight(object->cpuset));
      ++cache.count;
    }
  }
  std::vector<CpuTopology::Cache> caches;
  for (auto& [key, cache] : found) caches.push_back(cache);
  return caches;
}

std::vector<CpuTopology::NumaNode> nodes_of(hwloc_topology* topology) {
  std::vector<CpuTopology::NumaNode> nodes;
  hwloc_obj_t object = nullptr;
  while ((object = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, object)) != nullptr) {
    CpuTopology::NumaNode node;
    node.index = object->os_index == HWLOC_UNKNOWN_INDEX ? 0 : object->os_index;
    node.memory_mib = object->attr->numanode.local_memory >> 20;
    for (int cpu = hwloc_bitmap_first(object->cpuset); cpu >= 0;
         cpu = hwloc_bitmap_next(object->cpuset, cpu)) {
      node.cpus.push_back(static_cast<uint32_t>(cpu));
    }
    nodes.push_back(std::move(node));
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  return nodes;
}

}  // namespace

Result<CpuTopology> read_topology_hwloc() {
  DROVER_TRY(const Topology topology, load());
  CpuTopology result;
  result.packages = packages_of(topology.get());
  result.caches = caches_of(topology.get());
  result.nodes = nodes_of(topology.get());
  return result;
}

void keep_hwloc_small() {
  ::setenv("HWLOC_PLUGINS_PATH", "/nonexistent", 0);  // NOLINT(concurrency-mt-unsafe): see header
}

}  // namespace drover::os

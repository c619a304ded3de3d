#include "hardware/redfish/crawl_findings.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

using cluster::BmcInventory;

void follow(RedfishRole role, const RedfishNode& node, std::string_view name,
            const std::string& owner, std::vector<RedfishLink>& next) {
  std::string path = node.link(name);
  if (!path.empty()) next.push_back({role, std::move(path), owner});
}

template <typename T>
const std::string& id_of(const T& item) {
  if constexpr (requires { item.identity; }) {
    return item.identity.id;
  } else {
    return item.id;
  }
}
template <typename T>
const std::string& path_of(const T& item) {
  if constexpr (requires { item.identity; }) {
    return item.identity.path;
  } else {
    return item.path;
  }
}

template <typename T>
void sort_by_id(std::vector<T>& items) {
  std::ranges::sort(items, [](const T& a, const T& b) {
    const int ids = natural_compare(id_of(a), id_of(b));
    return ids != 0 ? ids < 0 : natural_compare(path_of(a), path_of(b)) < 0;
  });
}

template <typename T>
std::vector<T> values_by_id(std::map<std::string, T>& all) {
  std::vector<T> items;
  items.reserve(all.size());
  for (auto& [path, item] : all) items.push_back(std::move(item));
  all.clear();
  sort_by_id(items);
  return items;
}

/// Adds to a list that has its bound.
template <typename T>
bool add(std::vector<T>& list, T item) {
  if (list.size() >= cluster::kMaxBmcList) return false;
  list.push_back(std::move(item));
  return true;
}

void sort_texts(std::vector<std::string>& texts) {
  std::ranges::sort(texts, NaturalLess());
  texts.erase(std::ranges::unique(texts).begin(), texts.end());
}

}  // namespace

std::optional<RedfishRole> member_role(RedfishRole role) {
  switch (role) {
    case RedfishRole::systems:
      return RedfishRole::system;
    case RedfishRole::managers:
      return RedfishRole::manager;
    case RedfishRole::chassis_list:
      return RedfishRole::chassis;
    case RedfishRole::firmware_list:
      return RedfishRole::firmware;
    case RedfishRole::processors:
      return RedfishRole::processor;
    case RedfishRole::memory_list:
      return RedfishRole::memory;
    case RedfishRole::storages:
      return RedfishRole::storage;
    case RedfishRole::nics:
      return RedfishRole::nic;
    default:
      return std::nullopt;
  }
}

void CrawlFindings::take_root(const RedfishNode& node) {
  inventory_.redfish_version = node.text("RedfishVersion");
  inventory_.uuid = node.text("UUID");
  for (char& c : inventory_.uuid) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
  }
  inventory_.vendor = node.text("Vendor");
  inventory_.product = node.text("Product");
}

void CrawlFindings::take_system(const RedfishLink& link, const RedfishNode& node, bool parts,
                                std::vector<RedfishLink>& next) {
  if (systems_.size() >= cluster::kMaxBmcSystems) {
    return miss(link.path, fmt::format("more than {} systems", cluster::kMaxBmcSystems));
  }
  systems_[link.path] = read_system(node, link.path);
  if (!parts) return;
  follow(RedfishRole::processors, node, "Processors", link.path, next);
  follow(RedfishRole::memory_list, node, "Memory", link.path, next);
  follow(RedfishRole::nics, node, "EthernetInterfaces", link.path, next);
  follow(RedfishRole::storages, node, "Storage", link.path, next);
}

void CrawlFindings::take(const RedfishLink& link, const RedfishNode& node, bool parts,
                         std::vector<RedfishLink>& next) {
  switch (link.role) {
    case RedfishRole::system:
      return take_system(link, node, parts, next);
    case RedfishRole::manager:
      if (managers_.size() >= cluster::kMaxBmcList) return miss(link.path, "too many managers");
      managers_[link.path] = read_manager(node, link.path);
      if (parts) follow(RedfishRole::nics, node, "EthernetInterfaces", link.path, next);
      return;
    case RedfishRole::chassis:
      if (chassis_.size() >= cluster::kMaxBmcList) return miss(link.path, "too many chassis");
      chassis_[link.path] = read_chassis(node, link.path);
      if (parts) {
        follow(RedfishRole::power, node, "Power", link.path, next);
        follow(RedfishRole::thermal, node, "Thermal", link.path, next);
      }
      return;
    case RedfishRole::update_service:
      inventory_.update_target =
          redfish_path(node.at("Actions").at("#UpdateService.SimpleUpdate").text("target"));
      if (parts) follow(RedfishRole::firmware_list, node, "FirmwareInventory", link.path, next);
      return;
    case RedfishRole::event_service:
      inventory_.event_stream = redfish_path(node.text("ServerSentEventUri"));
      return;
    default:
      return take_part(link, node, next);
  }
}

void CrawlFindings::take_part(const RedfishLink& link, const RedfishNode& node,
                              std::vector<RedfishLink>& next) {
  bool kept = true;
  const auto system = systems_.find(link.owner);
  const auto manager = managers_.find(link.owner);
  const auto chassis = chassis_.find(link.owner);
  if (link.role == RedfishRole::firmware) {
    kept = add(inventory_.firmware, read_firmware(node, link.path));
  } else if (link.role == RedfishRole::nic) {
    auto nic = read_nic(node, link.path, warnings_);
    if (system != systems_.end()) {
      kept = add(system->second.nics, std::move(nic));
    } else if (manager != managers_.end()) {
      kept = add(manager->second.nics, std::move(nic));
    }
  } else if (link.role == RedfishRole::power && chassis != chassis_.end()) {
    read_power_resource(node, link.path, chassis->second, readings_);
  } else if (link.role == RedfishRole::thermal && chassis != chassis_.end()) {
    read_thermal(node, chassis->first, readings_);
  } else if (system == systems_.end() || !is_present(node)) {
    return;
  } else if (link.role == RedfishRole::processor) {
    auto processor = read_processor(node, link.path);
    const bool cpu = processor.kind == "CPU" || processor.kind.empty();
    kept = add(cpu ? system->second.processors : system->second.accelerators, std::move(processor));
  } else if (link.role == RedfishRole::memory) {
    kept = add(system->second.memory, read_memory(node, link.path));
  } else if (link.role == RedfishRole::storage) {
    const std::string id = read_identity(node, link.path).id;
    for (std::string& path : node.links("Drives")) {
      next.push_back({RedfishRole::drive, std::move(path), link.owner, id});
    }
  } else if (link.role == RedfishRole::drive) {
    auto drive = read_drive(node, link.path);
    drive.storage = link.storage;
    kept = add(system->second.drives, std::move(drive));
  }
  if (!kept) miss(link.path, fmt::format("more than {} of its kind", cluster::kMaxBmcList));
}

void CrawlFindings::miss(std::string_view path, std::string_view why) {
  inventory_.complete = false;
  warnings_.add(path, why);
}

BmcInventory CrawlFindings::finish(cluster::BmcReadings& readings) {
  inventory_.systems = values_by_id(systems_);
  inventory_.managers = values_by_id(managers_);
  inventory_.chassis = values_by_id(chassis_);
  sort_by_id(inventory_.firmware);
  for (auto& system : inventory_.systems) {
    sort_by_id(system.processors);
    sort_by_id(system.accelerators);
    sort_by_id(system.memory);
    sort_by_id(system.drives);
    sort_by_id(system.nics);
    sort_texts(system.chassis);
    sort_texts(system.managers);
  }
  for (auto& manager : inventory_.managers) sort_by_id(manager.nics);
  for (auto& chassis : inventory_.chassis) sort_texts(chassis.systems);
  std::ranges::sort(readings_.readings, [](const auto& a, const auto& b) {
    return std::tie(a.chassis, a.kind, a.name) < std::tie(b.chassis, b.kind, b.name);
  });
  readings = std::move(readings_);
  inventory_.warnings = warnings_.take();
  return std::move(inventory_);
}

}  // namespace drover::hardware

#include "api/smd/hardware_replay.hpp"

#include "cluster/bmc/hardware_book.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <tuple>

namespace drover::api::smd {
namespace {

constexpr std::array<std::string_view, 4> kTypeNames{"Added", "Removed", "Scanned", "Detected"};

std::string_view node_of_part(std::string_view key) {
  return key.substr(0, key.find('/'));
}
std::string_view place_of_part(std::string_view key) {
  const size_t slash = key.find('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(slash + 1);
}

/// What was there before; nothing also where it cannot be read any more.
template <typename T>
std::optional<T> before(const store::Change& change) {
  if (!change.before) return std::nullopt;
  auto out = decode_text<T>(*change.before, Unknown::ignore);
  if (!out) return std::nullopt;
  return *std::move(out);
}

}  // namespace

std::span<const std::string_view> enum_names(HardwareEventType) {
  return kTypeNames;
}

HardwareReplay::HardwareReplay(const cluster::Model& model, cluster::KnownHardwareMap said)
    : model_(model), said_(std::move(said)) {
  for (const auto& [name, entry] : model.nodes()) {
    std::string xname = cluster::xname_of(entry.node());
    nodes_.emplace(bmc_of_place(xname), name);
    xnames_.emplace(name, std::move(xname));
  }
}

std::string HardwareReplay::unit_of(std::string_view kind, std::string_view key) const {
  if (kind == cluster::kBmcKind) return std::string(key);
  std::string xname(key);
  if (kind == cluster::kPartKind) {
    const std::string_view node = node_of_part(key);
    const auto known = xnames_.find(node);
    const auto named = cluster::parse_xname(node);
    xname = known != xnames_.end() ? known->second : named ? named->text : "";
  }
  std::string bmc = bmc_of_place(xname);
  return bmc.empty() ? xname : bmc;
}

std::set<std::string> HardwareReplay::nodes_of(const std::string& unit) const {
  std::set<std::string> out;
  const auto [from, to] = nodes_.equal_range(unit);
  for (auto it = from; it != to; ++it) out.insert(it->second);
  return out;
}

HardwareReplay::Unit& HardwareReplay::unit(const std::string& name) {
  const auto [found, fresh] = units_.try_emplace(name);
  Unit& unit = found->second;
  if (!fresh) return unit;
  const cluster::HardwareBook& book = model_.hardware();
  if (const auto bmc = book.bmcs().find(name); bmc != book.bmcs().end()) unit.bmc = bmc->second;
  const auto [from, to] = nodes_.equal_range(name);
  for (auto it = from; it != to; ++it) {
    unit.nodes[xnames_.at(it->second)] = model_.parts_of(it->second);
  }
  for (const auto& [xname, known] : said_) {
    if (unit_of(cluster::kKnownHardwareKind, xname) == name) unit.said[xname] = known;
  }
  for (const store::Change& change : std::views::reverse(newer_)) {
    if (unit_of(change.kind, change.key) == name) go_back(unit, change);
  }
  return unit;
}

void HardwareReplay::came(const store::Change& change) {
  if (std::ranges::find(kHardwareHistoryKinds, change.kind) == kHardwareHistoryKinds.end()) return;
  if (!units_.contains(unit_of(change.kind, change.key))) newer_.push_back(change);
}

void HardwareReplay::go_back(Unit& unit, const store::Change& change) const {
  if (change.kind == cluster::kBmcKind) {
    unit.bmc = before<cluster::ManagedBmc>(change);
  } else if (change.kind == cluster::kKnownHardwareKind) {
    auto known = before<cluster::KnownHardware>(change);
    if (known) {
      unit.said[change.key] = *std::move(known);
    } else {
      unit.said.erase(change.key);
    }
  } else {
    const auto xname = xnames_.find(node_of_part(change.key));
    const std::string node =
        xname != xnames_.end() ? xname->second : std::string(node_of_part(change.key));
    auto part = before<cluster::Part>(change);
    if (part) {
      unit.nodes[node][std::string(place_of_part(change.key))] = *std::move(part);
    } else {
      unit.nodes[node].erase(std::string(place_of_part(change.key)));
    }
  }
}

void HardwareReplay::undo(const store::Change& change) {
  const std::string name = unit_of(change.kind, change.key);
  if (name.empty()) return;
  Unit& at = unit(name);
  // What one report or look changed has one time.
  if (at.open && at.time_ms != change.time_ms) close(at);
  if (!at.open) {
    if (at.sequence == 0) at.after = places_of(at);
    at.open = true;
    at.time_ms = change.time_ms;
    at.sequence = change.sequence;
  }
  go_back(at, change);
}

HardwareReplay::Places HardwareReplay::places_of(const Unit& unit) {
  Places out;
  TakeItem take = [&](const HardwareItem& item) { out.try_emplace(item.id, fru_id_of(item)); };
  std::set<std::string> behind;
  FindNode find = [&](const std::string& xname) -> PlacedNode {
    behind.insert(xname);
    const auto node = unit.nodes.find(xname);
    if (node == unit.nodes.end()) return {};
    return {node->first, &node->second};
  };
  if (unit.bmc) walk_bmc(*unit.bmc, find, take);
  for (const auto& [xname, parts] : unit.nodes) {
    if (!behind.contains(xname)) walk_node(xname, {xname, &parts}, take);
  }
  for (const auto& [xname, known] : unit.said) take(item_of(known));
  return out;
}

void HardwareReplay::close(Unit& unit) {
  Places before = places_of(unit);
  const auto tell = [&](const std::string& id, const std::string& fru, HardwareEventType type) {
    events_.push_back({id, fru, unit.time_ms, type, unit.sequence, events_.size()});
  };
  for (const auto& [id, fru] : before) {
    const auto now = unit.after.find(id);
    if (now == unit.after.end() || now->second != fru) tell(id, fru, HardwareEventType::removed);
  }
  const auto came = before.empty() ? HardwareEventType::detected : HardwareEventType::added;
  for (const auto& [id, fru] : unit.after) {
    const auto was = before.find(id);
    if (was == before.end() || was->second != fru) tell(id, fru, came);
  }
  unit.after = std::move(before);
  unit.open = false;
}

std::vector<HardwareEvent> HardwareReplay::finish() {
  for (auto& [name, unit] : units_) {
    if (unit.open) close(unit);
  }
  std::ranges::sort(events_, [](const HardwareEvent& a, const HardwareEvent& b) {
    return std::tie(a.sequence, a.order) < std::tie(b.sequence, b.order);
  });
  return std::move(events_);
}

}  // namespace drover::api::smd

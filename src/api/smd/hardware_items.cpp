#include "api/smd/hardware_items.hpp"

#include "api/smd/words.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::BmcChassis;
using cluster::BmcIdentity;
using cluster::BmcInventory;
using cluster::BmcManager;
using cluster::KnownHardware;
using cluster::Machine;
using cluster::ManagedBmc;
using cluster::XnameType;

/// Longest that SMD makes.
constexpr size_t kMostFruId = 255;

/// Of a canonical xname.
std::optional<XnameType> type_of_place(std::string_view xname) {
  const auto parsed = cluster::parse_xname(xname);
  return parsed ? std::optional(parsed->type) : std::nullopt;
}

uint32_t ordinal_of(std::string_view xname) {
  const size_t letter = xname.find_last_not_of("0123456789");
  uint32_t out = 0;
  const std::string_view digits = xname.substr(letter + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

template <typename T>
const KnownHardware* posted(const T& item) {
  const auto* known = std::get_if<const KnownHardware*>(&item.what);
  return known == nullptr ? nullptr : *known;
}

std::string letters_and_digits(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool keeps = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (keeps) out += c;
  }
  return out;
}

/// Gives items of one BMC or node, each where the grammar of xnames has a place for it.
class Walker {
 public:
  Walker(std::string_view node, TakeItem& take) : node_(node), take_(take) {}

  template <typename T>
  void give(std::string id, uint32_t ordinal, const T& what) {
    const auto type = type_of_place(id);
    if (!type || hardware_words(*type) == nullptr) return;
    take_({std::move(id), *type, ordinal, node_, &what.identity, &what});
  }
  template <typename T>
  void give_all(std::string_view stem, const std::vector<T>& list) {
    for (size_t i = 0; i < list.size(); ++i) {
      give(fmt::format("{}{}", stem, i), static_cast<uint32_t>(i), list[i]);
    }
  }
  void machine(const std::string& xname, const Machine& machine) {
    give(xname, ordinal_of(xname), machine.self());
    give_all(xname + "p", machine.processors());
    give_all(xname + "a", machine.accelerators());
    give_all(xname + "d", machine.memory());
    drives(xname, machine.drives());
  }

 private:
  /// By their controllers, in natural order of these.
  void drives(const std::string& xname, const std::vector<cluster::BmcDrive>& drives) {
    std::map<std::string, uint32_t, NaturalLess> controllers;
    for (const auto& drive : drives) controllers.emplace(drive.storage, 0);
    uint32_t number = 0;
    for (auto& [name, group] : controllers) group = number++;
    std::vector<uint32_t> taken(controllers.size());
    for (const auto& drive : drives) {
      const uint32_t group = controllers.at(drive.storage);
      const uint32_t place = taken.at(group)++;
      give(fmt::format("{}g{}k{}", xname, group, place), place, drive);
    }
  }
  std::string_view node_;
  TakeItem& take_;
};

/// Power supplies of all enclosures that a BMC lists; those of one are often listed under another.
void walk_supplies(const BmcInventory& inventory, const std::string& enclosure, Walker& walker) {
  uint32_t number = 0;
  for (const BmcChassis& chassis : inventory.chassis) {
    for (const cluster::BmcPowerSupply& supply : chassis.power_supplies) {
      walker.give(fmt::format("{}t{}", enclosure, number), number, supply);
      ++number;
    }
  }
}

FindNode node_finder(const cluster::Model& model, cluster::XnameIndex& index,
                     std::set<std::string_view>* seen) {
  return [&model, &index, seen](const std::string& xname) -> PlacedNode {
    const cluster::NodeEntry* entry = index.find(xname);
    if (entry == nullptr) return {};
    const std::string& name = entry->node().name;
    if (seen != nullptr) seen->insert(name);
    return {name, &model.parts_of(name)};
  };
}

}  // namespace

void walk_hardware(const cluster::Model& model, const cluster::KnownHardwareMap& said,
                   const std::string& place, TakeItem& take) {
  const std::string around = bmc_of_place(place);
  const auto wanted = [&](std::string_view xname) {
    return place.empty() || xname == around || cluster::lies_in(xname, place) ||
           cluster::lies_in(place, xname);
  };
  cluster::XnameIndex index(model);
  std::set<std::string_view> behind;
  FindNode find = node_finder(model, index, &behind);
  std::set<std::string, std::less<>> found;
  TakeItem note = [&](const HardwareItem& item) {
    if (!said.empty()) found.insert(item.id);
    take(item);
  };
  for (const auto& [name, bmc] : model.hardware().bmcs()) {
    if (wanted(name)) walk_bmc(bmc, find, note);
  }
  const auto node = [&](const cluster::NodeEntry& entry) {
    const std::string& name = entry.node().name;
    const auto& parts = model.parts_of(name);
    if (parts.empty() || behind.contains(name)) return;
    const std::string xname = cluster::xname_of(entry.node());
    if (wanted(xname)) walk_node(xname, {name, &parts}, note);
  };
  for (const auto& [name, entry] : model.nodes()) node(entry);
  for (const auto& [xname, known] : said) {
    if (wanted(xname) && !found.contains(xname)) take(item_of(known));
  }
}

const BmcManager* own_manager(const BmcInventory& inventory) {
  const auto found = std::ranges::find_if(
      inventory.managers, [](const BmcManager& manager) { return lower(manager.kind) == "bmc"; });
  if (found != inventory.managers.end()) return &*found;
  return inventory.managers.empty() ? nullptr : &inventory.managers.front();
}

const BmcChassis* main_chassis(const BmcInventory& inventory) {
  const auto& all = inventory.chassis;
  if (all.empty()) return nullptr;
  const auto enclosure = std::ranges::find_if(
      all, [](const BmcChassis& chassis) { return lower(chassis.identity.id) == "enclosure"; });
  if (enclosure != all.end()) return &*enclosure;
  const auto holds =
      std::ranges::find_if(all, [](const BmcChassis& chassis) { return !chassis.systems.empty(); });
  return holds != all.end() ? &*holds : &all.front();
}

std::string enclosure_of(std::string_view bmc) {
  const auto type = type_of_place(bmc);
  if (!type) return {};
  const size_t letter = bmc.find_last_not_of("0123456789");
  switch (*type) {
    case XnameType::node_bmc:
      return fmt::format("{}e{}", bmc.substr(0, letter), bmc.substr(letter + 1));
    case XnameType::chassis_bmc:
    case XnameType::router_bmc:
      return std::string(bmc.substr(0, letter));
    default:
      return {};
  }
}

std::string bmc_of_place(std::string_view xname) {
  std::string at(xname);
  for (; !at.empty(); at = cluster::parent_xname(at)) {
    const auto type = type_of_place(at);
    if (!type) return {};
    switch (*type) {
      case XnameType::node_bmc:
      case XnameType::chassis_bmc:
      case XnameType::router_bmc:
        return at;
      case XnameType::node_enclosure:
        at.at(at.find_last_not_of("0123456789")) = 'b';
        return at;
      case XnameType::chassis:
      case XnameType::router_module:
        return at + "b0";
      default:
        break;
    }
  }
  return {};
}

void walk_bmc(const ManagedBmc& bmc, FindNode& find, TakeItem& take) {
  const auto type = type_of_place(bmc.name);
  if (!bmc.inventory || !type) return;
  const BmcInventory& inventory = *bmc.inventory;
  Walker walker({}, take);
  if (const std::string place = enclosure_of(bmc.name); !place.empty()) {
    const BmcChassis* chassis = main_chassis(inventory);
    if (chassis != nullptr) walker.give(place, ordinal_of(place), *chassis);
    walk_supplies(inventory, place, walker);
  }
  if (const BmcManager* manager = own_manager(inventory)) {
    walker.give(bmc.name, ordinal_of(bmc.name), *manager);
  }
  if (*type != XnameType::node_bmc) return;
  static const cluster::NodeParts kNone;
  const auto places = cluster::system_places(inventory.systems);
  for (size_t i = 0; i < places.size(); ++i) {
    const std::string xname = fmt::format("{}n{}", bmc.name, places[i]);
    const PlacedNode node = find(xname);
    const Machine machine(&inventory.systems[i], node.parts == nullptr ? kNone : *node.parts);
    Walker(node.name, take).machine(xname, machine);
  }
}

void walk_node(const std::string& xname, const PlacedNode& node, TakeItem& take) {
  if (node.parts == nullptr || node.parts->empty()) return;
  const Machine machine(nullptr, *node.parts);
  Walker(node.name, take).machine(xname, machine);
}

HardwareItem item_of(const KnownHardware& known) {
  const auto type = type_of_place(known.xname);
  return {known.xname, type.value_or(XnameType::system), ordinal_of(known.xname), {}, nullptr,
          &known};
}

std::string_view manufacturer_of(const HardwareItem& item) {
  if (const KnownHardware* known = posted(item)) return known->manufacturer;
  return item.identity->manufacturer;
}

std::string_view part_number_of(const HardwareItem& item) {
  if (const KnownHardware* known = posted(item)) return known->part_number;
  return item.identity->part_number;
}

std::string_view serial_of(const HardwareItem& item) {
  if (const KnownHardware* known = posted(item)) return known->serial;
  return item.identity->serial;
}

std::string fru_id_of(XnameType type, std::string_view place, std::string_view manufacturer,
                      std::string_view part_number, std::string_view serial) {
  const std::string maker = letters_and_digits(manufacturer);
  const std::string part = letters_and_digits(part_number);
  const std::string number = letters_and_digits(serial);
  std::string out(enum_name(type));
  for (const std::string* text : {&maker, &part, &number}) {
    if (text->empty()) continue;
    out += '.';
    out += *text;
  }
  const bool known = !number.empty() && !(maker.empty() && part.empty());
  if (known && out.size() <= kMostFruId) return out;
  return fmt::format("FRUIDfor{}", place);
}

std::string fru_id_of(const HardwareItem& item) {
  if (const KnownHardware* known = posted(item)) return known->fru_id;
  return fru_id_of(item.type, item.id, item.identity->manufacturer, item.identity->part_number,
                   item.identity->serial);
}

}  // namespace drover::api::smd

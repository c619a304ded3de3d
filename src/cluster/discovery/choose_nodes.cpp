// Pass one of an adoption: each machine's node, by its place, its map or its switch port.
#include "base/noderange.hpp"
#include "cluster/discovery/adopt_plan.hpp"
#include "cluster/ip_range.hpp"
#include "cluster/net_address.hpp"
#include "cluster/new_name.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

using Place = std::pair<std::string, std::string>;  ///< BMC and system

std::string attribute(const NodeSpec& spec, const char* name) {
  const auto it = spec.attributes.find(name);
  return it == spec.attributes.end() ? std::string() : it->second;
}

bool has_mac(const NodeSpec& spec) {
  return std::ranges::any_of(spec.interfaces, [](const Interface& i) { return !i.mac.empty(); });
}

std::string words_of(const FoundMachine& machine) {
  return machine.count > 1 ? fmt::format("{} of {}", machine.system, machine.bmc) : machine.bmc;
}

/// How far `to` is behind `from`; nothing when it is before it, too far, or of another family.
std::optional<uint64_t> distance(const IpAddress& from, const IpAddress& to) {
  if (from.size != to.size || to < from) return std::nullopt;
  uint64_t out = 0;
  for (size_t i = 0; i < from.size; ++i) {
    if (out > kMostPlaces) return std::nullopt;
    // Borrowing is left to the sum: digits may be negative, the whole is not.
    out = out * 256 + to.octets.at(i) - from.octets.at(i);
  }
  return out <= kMostPlaces ? std::optional(out) : std::nullopt;
}

/// "leaf1/Gi1/0/7" is 7.
std::optional<size_t> last_number(std::string_view port) {
  const size_t end = port.find_last_of("0123456789");
  if (end == std::string_view::npos) return std::nullopt;
  const size_t before = port.find_last_not_of("0123456789", end);
  const std::string_view digits = port.substr(before == std::string_view::npos ? 0 : before + 1);
  size_t out = 0;
  const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} ? std::optional(out) : std::nullopt;
}

class Chooser {
 public:
  Chooser(const AdoptRequest& request, const AdoptWorld& world)
      : request_(request), world_(world), choices_(world.machines.size()) {
    if (auto names = expand_names(request.names)) names_ = *std::move(names);
    index_nodes();
    index_map();
    for (const FoundMachine& machine : world.machines) {
      if (!machine.serial.empty()) ++serials_[machine.serial];
    }
  }

  std::vector<AdoptChoice> choose() && {
    for (size_t i = 0; i < choices_.size(); ++i) choices_[i].problem = machine(i).problem;
    if (request_.by == AdoptBy::map) each([this](size_t i) { by_map(i); });
    if (request_.by == AdoptBy::port) each([this](size_t i) { by_port(i); });
    // What has a node keeps it; machines that have moved take theirs along; then come new names.
    each([this](size_t i) { take(i, node_at(machine(i))); });
    each([this](size_t i) { take(i, node_of_parts(machine(i))); });
    each([this](size_t i) { by_name(i); });
    for (size_t i = 0; i < choices_.size(); ++i) check_place(i);
    return std::move(choices_);
  }

 private:
  const FoundMachine& machine(size_t i) const { return world_.machines[i]; }

  /// For every machine that has neither a node nor a problem yet.
  template <typename F>
  void each(F visit) {
    for (size_t i = 0; i < choices_.size(); ++i) {
      if (choices_[i].node.empty() && choices_[i].problem.empty()) visit(i);
    }
  }

  void index_nodes() {
    for (const auto& [name, spec] : world_.nodes) {
      for (const std::string& alias : spec.aliases) aliases_.emplace(alias, name);
      for (const Interface& interface : spec.interfaces) {
        if (!interface.mac.empty()) node_of_mac_.emplace(interface.mac, name);
      }
      if (const std::string serial = attribute(spec, "serial"); !serial.empty()) {
        const bool is_new = node_of_serial_.emplace(serial, name).second;
        if (!is_new) node_of_serial_[serial].clear();  // of two it tells nothing
      }
      const auto bmc = world_.facts.bmc_of.find(name);
      if (bmc == world_.facts.bmc_of.end()) continue;
      node_at_.emplace(Place{bmc->second, attribute(spec, "bmc_system")}, name);
      nodes_on_[bmc->second].push_back(name);
    }
  }

  void index_map() {
    for (const AdoptPlace& place : request_.map.nodes) {
      mapped_.insert(place.node);
      const std::string key = !place.serial.empty() ? "serial/" + place.serial
                              : !place.mac.empty()  ? "mac/" + canonical_mac(place.mac).value_or("")
                              : !place.bmc.empty()
                                  ? "bmc/" + canonical_address(place.bmc).value_or(place.bmc)
                                  : "port/" + place.port;
      places_[key].push_back(&place);
    }
    for (const AdoptRack& rack : request_.map.racks) {
      Rack read;
      read.first = IpAddress::parse(rack.first).value_or(IpAddress{});
      if (auto names = expand_names(rack.nodes)) read.names = *std::move(names);
      read.rack = &rack;
      mapped_.insert(read.names.begin(), read.names.end());
      racks_.push_back(std::move(read));
    }
  }

  /// The node that has this place already; empty: none.
  std::string node_at(const FoundMachine& machine) const {
    const auto find = [&](const std::string& system) {
      const auto it = node_at_.find({machine.bmc, system});
      return it == node_at_.end() ? std::string() : it->second;
    };
    if (std::string own = find(machine.system); !own.empty()) return own;
    if (machine.count > 1) return {};
    if (std::string only = find(""); !only.empty()) return only;
    const auto on = nodes_on_.find(machine.bmc);
    return on != nodes_on_.end() && on->second.size() == 1 ? on->second.front() : std::string();
  }

  /// The node whose machine this was somewhere else, or that was defined by its MAC alone.
  std::string node_of_parts(const FoundMachine& machine) const {
    for (const FoundNic& nic : machine.nics) {
      const auto it = node_of_mac_.find(nic.mac);
      if (it != node_of_mac_.end() && !used_.contains(it->second)) return it->second;
    }
    const auto same = serials_.find(machine.serial);
    if (same == serials_.end() || same->second != 1) return {};
    const auto it = node_of_serial_.find(machine.serial);
    return it == node_of_serial_.end() ? std::string() : it->second;
  }

  void take(size_t i, const std::string& node) {
    if (node.empty() || used_.contains(node)) return;
    // A map says whose these names are.
    if (request_.by == AdoptBy::map && mapped_.contains(node) && choices_[i].node != node) return;
    used_.emplace(node, i);
    choices_[i].node = node;
  }

  /// A name that somebody said the machine has.
  void give(size_t i, const std::string& node) {
    AdoptChoice& choice = choices_[i];
    if (const auto it = used_.find(node); it != used_.end()) {
      choice.problem =
          fmt::format("{} is the machine at {} already", node, words_of(machine(it->second)));
      return;
    }
    if (!world_.nodes.contains(node)) {
      if (const Status good = check_new_node_name(node); !good) {
        choice.problem = good.error().message;
        return;
      }
      if (const auto alias = aliases_.find(node); alias != aliases_.end()) {
        choice.problem = fmt::format("{} is an alias of {}", node, alias->second);
        return;
      }
    }
    used_.emplace(node, i);
    choice.node = node;
  }

  std::string port_of(const FoundMachine& machine) const {
    for (const FoundNic& nic : machine.nics) {
      const auto it = world_.port_of_mac.find(nic.mac);
      if (it != world_.port_of_mac.end() && !it->second.empty()) return it->second;
    }
    const auto it = world_.port_of_mac.find(machine.bmc_mac);
    // A BMC's own port tells its machine only where there is one.
    return it != world_.port_of_mac.end() && machine.count == 1 ? it->second : std::string();
  }

  bool fits(const AdoptPlace& place, const FoundMachine& machine) const {
    const auto has_nic = [&] {
      const auto mac = canonical_mac(place.mac);
      return std::ranges::find(machine.nics, mac.value_or(""), &FoundNic::mac) !=
             machine.nics.end();
    };
    const auto address = canonical_address(place.bmc).value_or(place.bmc);
    return (place.bmc.empty() || address == machine.bmc) &&
           (place.system.empty() || place.system == machine.system) &&
           (place.serial.empty() || place.serial == machine.serial) &&
           (place.mac.empty() || has_nic()) &&
           (place.port.empty() || place.port == port_of(machine));
  }

  const AdoptPlace* place_of(const FoundMachine& machine) const {
    std::vector<std::string> keys{"serial/" + machine.serial, "bmc/" + machine.bmc,
                                  "port/" + port_of(machine)};
    for (const FoundNic& nic : machine.nics) keys.push_back("mac/" + nic.mac);
    for (const std::string& key : keys) {
      const auto it = places_.find(key);
      if (it == places_.end()) continue;
      for (const AdoptPlace* place : it->second) {
        if (fits(*place, machine)) return place;
      }
    }
    return nullptr;
  }

  void by_map(size_t i) {
    const FoundMachine& found = machine(i);
    if (const AdoptPlace* place = place_of(found)) return give(i, place->node);
    const auto address = IpAddress::parse(found.bmc);
    if (!address) return;
    for (const Rack& rack : racks_) {
      const auto offset = distance(rack.first, *address);
      if (!offset) continue;
      const uint64_t place = *offset * rack.rack->per_bmc + found.index;
      if (place >= rack.names.size() || found.index >= rack.rack->per_bmc) continue;
      choices_[i].rack = rack.rack->rack;
      give(i, rack.names[place]);
      set_xname(i, rack_xname(*rack.rack, *offset, found.index));
      return;
    }
  }

  /// Unless it is somebody else's name.
  void set_xname(size_t i, const std::string& xname) {
    const auto held = aliases_.find(xname);
    const bool taken = world_.nodes.contains(xname) ||
                       (held != aliases_.end() && held->second != choices_[i].node);
    if (!taken && xname != choices_[i].node) choices_[i].xname = xname;
  }

  void by_port(size_t i) {
    const std::string port = port_of(machine(i));
    if (port.empty()) return;
    if (const auto it = world_.facts.node_at_port.find(port);
        it != world_.facts.node_at_port.end()) {
      return give(i, it->second);
    }
    const auto number = last_number(port);
    if (names_.empty() || !number) return;
    if (*number == 0 || *number > names_.size()) {
      choices_[i].problem =
          fmt::format("port {} is number {}, and there are {} names", port, *number, names_.size());
      return;
    }
    give(i, names_[*number - 1]);
  }

  /// Whether a name stands for no machine yet.
  bool is_free(const std::string& name) const {
    if (used_.contains(name) || aliases_.contains(name)) return false;
    const auto node = world_.nodes.find(name);
    return node == world_.nodes.end() || (!node->second.bmc && !has_mac(node->second));
  }

  void by_name(size_t i) {
    AdoptChoice& choice = choices_[i];
    if (request_.by == AdoptBy::map) {
      choice.problem = "the map has no place for it";
    } else if (request_.by == AdoptBy::port) {
      const std::string port = port_of(machine(i));
      choice.problem = port.empty() ? "no relay has told of its switch port"
                                    : fmt::format("no node has the switch port {}", port);
    } else if (names_.empty()) {
      choice.problem = "it is new, and no names were given";
    } else {
      while (next_ < names_.size() && !is_free(names_[next_])) ++next_;
      if (next_ < names_.size()) return give(i, names_[next_]);
      choice.problem = fmt::format("each of the {} names has a machine", names_.size());
    }
  }

  /// Two nodes with one machine would switch each other off.
  void check_place(size_t i) {
    AdoptChoice& choice = choices_[i];
    if (choice.node.empty() || !choice.problem.empty()) return;
    const std::string other = node_at(machine(i));
    if (other.empty() || other == choice.node || used_.contains(other)) return;
    choice.problem = fmt::format("node {} has this machine: drover node rename {} {}", other, other,
                                 choice.node);
    choice.node.clear();
  }

  struct Rack {
    IpAddress first;
    std::vector<std::string> names;
    const AdoptRack* rack = nullptr;
  };

  const AdoptRequest& request_;
  const AdoptWorld& world_;
  std::vector<AdoptChoice> choices_;
  std::vector<std::string> names_;
  size_t next_ = 0;
  std::map<std::string, size_t> used_;  ///< node to machine
  std::map<std::string, std::string> aliases_;
  std::map<std::string, std::string> node_of_mac_;
  std::map<std::string, std::string> node_of_serial_;
  std::map<std::string, size_t> serials_;  ///< how many machines say so
  std::map<Place, std::string> node_at_;
  std::map<std::string, std::vector<std::string>> nodes_on_;
  std::map<std::string, std::vector<const AdoptPlace*>> places_;
  std::vector<Rack> racks_;
  std::set<std::string> mapped_;
};

}  // namespace

std::vector<AdoptChoice> choose_nodes(const AdoptRequest& request, const AdoptWorld& world) {
  return Chooser(request, world).choose();
}

}  // namespace drover::cluster

// Pass two of an adoption: what each machine makes of its node's spec.
#include "cluster/discovery/adopt_plan.hpp"

#include "cluster/formula.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 5> kActionNames{"create", "change", "replace", "keep",
                                                       "skip"};
constexpr uint16_t kHttps = 443;
constexpr uint16_t kIpmi = 623;

/// Who may have which MAC: each belongs to one.
class MacOwners {
 public:
  MacOwners(const AdoptWorld& world, const std::vector<AdoptChoice>& choices) {
    std::set<std::string> planned;
    for (const AdoptChoice& choice : choices) planned.insert(choice.node);
    for (const auto& [name, spec] : world.nodes) {
      if (planned.contains(name)) continue;
      for (const Interface& interface : spec.interfaces) {
        if (!interface.mac.empty()) owners_.emplace(interface.mac, name);
      }
      if (spec.bmc && !spec.bmc->mac.empty()) owners_.emplace(spec.bmc->mac, "the BMC of " + name);
      const auto bmc = world.facts.bmc_of.find(name);
      if (spec.bmc && bmc != world.facts.bmc_of.end()) others_.emplace(bmc->second, &*spec.bmc);
    }
    for (size_t i = 0; i < choices.size(); ++i) {
      if (choices[i].node.empty()) continue;
      const FoundMachine& machine = world.machines[i];
      for (const FoundNic& nic : machine.nics) owners_.emplace(nic.mac, choices[i].node);
    }
    for (const FoundMachine& machine : world.machines) {
      if (!machine.bmc_mac.empty()) owners_.emplace(machine.bmc_mac, "the BMC at " + machine.bmc);
    }
  }
  /// Empty: nobody's.
  [[nodiscard]] std::string owner(const std::string& mac) const {
    const auto it = owners_.find(mac);
    return it == owners_.end() ? std::string() : it->second;
  }
  /// What a node without a machine says of the BMC at this address, which nodes that share it must
  /// say too; null: none does.
  [[nodiscard]] const Bmc* said_by_others(const std::string& address) const {
    const auto it = others_.find(address);
    return it == others_.end() ? nullptr : it->second;
  }
  [[nodiscard]] bool is_bmcs(const std::string& mac, const std::string& address) const {
    return owner(mac) == "the BMC at " + address;
  }

 private:
  std::map<std::string, std::string> owners_;
  std::map<std::string, const Bmc*> others_;
};

/// Makes the spec of one node.
class SpecMaker {
 public:
  SpecMaker(const AdoptRequest& request, const AdoptWorld& world, const MacOwners& owners,
            const FoundMachine& machine, const AdoptChoice& choice)
      : request_(request), world_(world), owners_(owners), machine_(machine), choice_(choice) {
    out_.row.node = choice.node;
    out_.row.bmc = machine.bmc;
    if (machine.count > 1) out_.row.system = machine.system;
    out_.row.serial = machine.serial;
    out_.row.warnings = machine.warnings;
  }

  AdoptedNode make() && {
    if (!choice_.problem.empty()) {
      out_.row.action = AdoptAction::skip;
      out_.row.problem = choice_.problem;
      return std::move(out_);
    }
    const auto before = world_.nodes.find(choice_.node);
    const bool is_new = before == world_.nodes.end();
    if (!is_new) out_.spec = before->second;
    if (const auto known = out_.spec.attributes.find("serial");
        known != out_.spec.attributes.end()) {
      serial_before_ = known->second;
    }
    const bool replaced = !is_new && is_other_machine();
    set_bmc();
    set_attributes();
    set_interfaces(replaced);
    if (is_new) {
      first_interface();
      std::erase_if(out_.row.changes, [](const std::string& change) {  // the row says them already
        return change.starts_with("bmc.address: ") || change.starts_with("serial: ");
      });
    }
    out_.row.action = is_new                        ? AdoptAction::create
                      : out_.spec == before->second ? AdoptAction::keep
                      : replaced                    ? AdoptAction::replace
                                                    : AdoptAction::change;
    return std::move(out_);
  }

 private:
  void note(std::string_view field, std::string_view from, std::string_view to) {
    if (from.empty()) {
      out_.row.changes.push_back(fmt::format("{}: {}", field, to));
    } else {
      out_.row.changes.push_back(fmt::format("{}: {} becomes {}", field, from, to));
    }
  }
  void warn(std::string text) { out_.row.warnings.push_back(std::move(text)); }

  void set(const std::string& name, const std::string& value) {
    if (value.empty()) return;
    std::string& there = out_.spec.attributes[name];
    if (there == value) return;
    note(name, there, value);
    there = value;
  }

  /// Another machine has another serial number or, where there are none, no MAC in common. Of a
  /// node that people have defined and no machine was adopted into, nothing speaks for another one.
  [[nodiscard]] bool is_other_machine() const {
    if (!serial_before_.empty() && !machine_.serial.empty()) {
      return serial_before_ != machine_.serial;
    }
    if (!serial_before_.empty() || !machine_.serial.empty()) return false;
    bool had = false;
    for (const Interface& interface : out_.spec.interfaces) {
      if (interface.mac.empty() || has_formula(interface.mac)) continue;
      had = true;
      if (is_ours(interface.mac)) return false;
    }
    return had && !machine_.nics.empty();
  }
  [[nodiscard]] bool is_ours(const std::string& mac) const {
    return std::ranges::find(machine_.nics, mac, &FoundNic::mac) != machine_.nics.end();
  }

  void set_bmc() {
    const bool is_new = !out_.spec.bmc.has_value();
    if (is_new) out_.spec.bmc.emplace();
    Bmc& bmc = *out_.spec.bmc;
    const auto known = world_.facts.bmc_of.find(choice_.node);
    const bool same = known != world_.facts.bmc_of.end() && known->second == machine_.bmc;
    if (is_new || !same) {
      if (bmc.address != machine_.bmc) note("bmc.address", bmc.address, machine_.bmc);
      bmc.address = machine_.bmc;
    }
    if (const Bmc* others = owners_.said_by_others(machine_.bmc)) {
      bmc.protocol = others->protocol;
      bmc.mac = others->mac;
      bmc.user = others->user;
      return;
    }
    if (bmc.protocol != machine_.protocol) {
      note("bmc.protocol", is_new ? "" : enum_name(bmc.protocol), enum_name(machine_.protocol));
      bmc.protocol = machine_.protocol;
    }
    if (is_new) bmc.user = user_of_others();
    if (machine_.bmc_mac.empty() || bmc.mac == machine_.bmc_mac || has_formula(bmc.mac)) return;
    if (!owners_.is_bmcs(machine_.bmc_mac, machine_.bmc)) {
      return warn(fmt::format("the MAC of its BMC, {}, is that of {}", machine_.bmc_mac,
                              owners_.owner(machine_.bmc_mac)));
    }
    note("bmc.mac", bmc.mac, machine_.bmc_mac);
    bmc.mac = machine_.bmc_mac;
  }

  /// Nodes that share a BMC say the same of it.
  [[nodiscard]] std::string user_of_others() const {
    if (machine_.count < 2) return {};
    for (const auto& [node, address] : world_.facts.bmc_of) {
      if (address != machine_.bmc) continue;
      const auto it = world_.nodes.find(node);
      if (it != world_.nodes.end() && it->second.bmc && !it->second.bmc->user.empty()) {
        return it->second.bmc->user;
      }
    }
    return {};
  }

  void set_attributes() {
    const uint16_t standard = machine_.protocol == BmcProtocol::redfish ? kHttps : kIpmi;
    const bool says = out_.spec.attributes.contains("bmc_port");
    if (machine_.port != 0 && (machine_.port != standard || says)) {
      set("bmc_port", std::to_string(machine_.port));
    }
    if (machine_.count > 1 || out_.spec.attributes.contains("bmc_system")) {
      set("bmc_system", machine_.system);
    }
    set("serial", machine_.serial);
    set("vendor", machine_.vendor);
    set("model", machine_.model);
    set("arch", machine_.arch);
    set("rack", choice_.rack);
    auto& aliases = out_.spec.aliases;
    const bool has = std::ranges::find(aliases, choice_.xname) != aliases.end();
    if (choice_.xname.empty() || has) return;
    note("alias", "", choice_.xname);
    aliases.push_back(choice_.xname);
  }

  /// The interface that takes a new MAC: one of that name which has none or, in a machine that was
  /// adopted before, one whose card is gone; else one that has waited for its MAC; else, in an
  /// exchanged machine, the first whose card is gone. Null: a new one is made.
  Interface* place_for(const FoundNic& nic, bool replaced, const std::set<std::string>& settled) {
    const std::string name = fmt::format("eth{}", nic.place);
    Interface* waiting = nullptr;
    Interface* gone = nullptr;
    for (Interface& interface : out_.spec.interfaces) {
      if (settled.contains(interface.name) || has_formula(interface.mac)) continue;
      const bool empty = interface.mac.empty();
      const bool yields = replaced || !serial_before_.empty();
      if (interface.name == name && (empty || (yields && !is_ours(interface.mac)))) {
        return &interface;
      }
      if (empty && waiting == nullptr) waiting = &interface;
      if (!empty && gone == nullptr && !is_ours(interface.mac)) gone = &interface;
    }
    return waiting != nullptr || !replaced ? waiting : gone;
  }

  std::string free_name(size_t place) const {
    for (size_t i = place;; ++i) {
      std::string name = fmt::format("eth{}", i);
      if (std::ranges::find(out_.spec.interfaces, name, &Interface::name) ==
          out_.spec.interfaces.end()) {
        return name;
      }
    }
  }

  void set_interfaces(bool replaced) {
    std::set<std::string> settled;
    for (const Interface& interface : out_.spec.interfaces) {
      if (!interface.mac.empty() && is_ours(interface.mac)) settled.insert(interface.name);
    }
    for (const FoundNic& nic : machine_.nics) {
      const bool there = std::ranges::find(out_.spec.interfaces, nic.mac, &Interface::mac) !=
                         out_.spec.interfaces.end();
      if (there) continue;
      if (const std::string owner = owners_.owner(nic.mac); owner != choice_.node) {
        warn(fmt::format("{} is left out: it is that of {}", nic.mac, owner));
        continue;
      }
      if (Interface* place = place_for(nic, replaced, settled)) {
        note(place->name + ".mac", place->mac, nic.mac);
        place->mac = nic.mac;
        settled.insert(place->name);
        continue;
      }
      if (out_.spec.interfaces.size() >= kMaxInterfaces) {
        warn(fmt::format("{} is left out: the node has {} interfaces", nic.mac, kMaxInterfaces));
        continue;
      }
      const std::string name = free_name(nic.place);
      note(name + ".mac", "", nic.mac);
      out_.spec.interfaces.push_back({name, nic.mac, {}, {}});
      settled.insert(name);
    }
    drop_gone(replaced, settled);
  }

  /// Cards that went with the old machine, or are in another one now. What has addresses stays
  /// without its MAC.
  void drop_gone(bool replaced, const std::set<std::string>& settled) {
    for (Interface& interface : out_.spec.interfaces) {
      if (settled.contains(interface.name) || interface.mac.empty()) continue;
      if (has_formula(interface.mac) || is_ours(interface.mac)) continue;
      const std::string owner = owners_.owner(interface.mac);
      if (!replaced && (owner.empty() || owner == choice_.node)) continue;
      note(interface.name + ".mac", interface.mac, "none");
      interface.mac.clear();
    }
    std::erase_if(out_.spec.interfaces, [&](const Interface& interface) {
      return replaced && !settled.contains(interface.name) && interface.mac.empty() &&
             interface.addresses.empty();
    });
  }

  void first_interface() {
    if (request_.network.empty() && request_.address.empty()) return;
    if (out_.spec.interfaces.empty()) out_.spec.interfaces.push_back({"eth0", {}, {}, {}});
    Interface& first = out_.spec.interfaces.front();
    first.network = request_.network;
    if (!request_.address.empty()) {
      first.addresses = {request_.address};
      note(first.name + ".addresses", "", request_.address);
    }
  }

  const AdoptRequest& request_;
  const AdoptWorld& world_;
  const MacOwners& owners_;
  const FoundMachine& machine_;
  const AdoptChoice& choice_;
  std::string serial_before_;  ///< empty: no machine was adopted into it
  AdoptedNode out_;
};

}  // namespace

std::span<const std::string_view> enum_names(AdoptAction) {
  return kActionNames;
}

void AdoptRow::describe(Visitor& v) {
  v.field("action", action, "What becomes of the machine.");
  v.field("node", node, "Its node; empty: none.");
  v.field("bmc", bmc, "Address of its BMC.");
  v.field("system", system, "Its id, where its BMC has several machines.");
  v.field("serial", serial, "Its serial number, where it says one.");
  v.field("changes", changes, "What changes of the node.");
  v.field("warnings", warnings, "What was left out, and what the BMC said that is not so.");
  v.field("problem", problem, "Why it becomes no node; empty: it does.");
}

void AdoptResult::describe(Visitor& v) {
  v.field("rows", rows, "Every machine in the order of BMCs' addresses and of its id there.");
  v.field("created", created, "How many nodes are new.");
  v.field("changed", changed, "How many nodes change.");
  v.field("replaced", replaced, "How many nodes get another machine.");
  v.field("kept", kept, "How many nodes stay as they are.");
  v.field("skipped", skipped, "How many machines become no node.");
}

void AdoptResult::count() {
  created = changed = replaced = kept = skipped = 0;
  for (const AdoptRow& row : rows) {
    const std::array<uint64_t*, 5> counts{&created, &changed, &replaced, &kept, &skipped};
    ++*counts.at(static_cast<size_t>(row.action));
  }
}

std::vector<AdoptedNode> plan_adoption(const AdoptRequest& request, const AdoptWorld& world) {
  const std::vector<AdoptChoice> choices = choose_nodes(request, world);
  const MacOwners owners(world, choices);
  std::vector<AdoptedNode> out;
  out.reserve(choices.size());
  for (size_t i = 0; i < choices.size(); ++i) {
    out.push_back(SpecMaker(request, world, owners, world.machines[i], choices[i]).make());
  }
  return out;
}

}  // namespace drover::cluster

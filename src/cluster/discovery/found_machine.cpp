#include "cluster/discovery/found_machine.hpp"

#include "base/text.hpp"
#include "cluster/ip_range.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// Ethernet cards of machines; more in one are a fault of its BMC.
constexpr size_t kMostNics = kMaxInterfaces / 2;
constexpr size_t kMostWarnings = 8;
constexpr size_t kMostWord = 128;  ///< bytes

/// What firmware writes where nobody has entered a serial number.
bool says_nothing(std::string_view text) {
  static constexpr std::array<std::string_view, 14> kEmpty{"",
                                                           "0",
                                                           "n/a",
                                                           "na",
                                                           "none",
                                                           "null",
                                                           "unknown",
                                                           "not specified",
                                                           "not available",
                                                           "to be filled by o.e.m.",
                                                           "default string",
                                                           "system serial number",
                                                           "0123456789",
                                                           "123456789"};
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::ranges::find(kEmpty, lower) != kEmpty.end() ||
         lower.find_first_not_of("0.-x ") == std::string::npos;
}

/// Fit to be an attribute's value as it stands: no formula, no control character, not long.
std::string plain_word(std::string_view text) {
  const bool good = text.size() <= kMostWord && std::ranges::all_of(text, [](char c) {
                      return c >= 0x20 && c < 0x7f && c != '$' && c != '{' && c != '}';
                    });
  return good && !says_nothing(text) ? std::string(text) : std::string();
}

/// What the attribute bmc_system can hold.
bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kMostWord && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

std::string arch_of(const BmcSystem& system) {
  for (const BmcProcessor& cpu : system.processors) {
    const std::string_view text =
        cpu.instruction_set.empty() ? cpu.architecture : cpu.instruction_set;
    if (text.starts_with("x86")) return "x86_64";
    if (text.starts_with("ARM")) return "aarch64";
    if (text.starts_with("Power")) return "ppc64le";
    if (text.starts_with("RISC-V") || text.starts_with("RV")) return "riscv64";
  }
  return {};
}

/// Of the controllers of a BMC, the MAC of that which has its address; else of the first BMC.
std::string mac_of_bmc(const ManagedBmc& bmc) {
  if (!bmc.mac.empty() || !bmc.inventory) return bmc.mac;
  std::string first;
  for (const BmcManager& manager : bmc.inventory->managers) {
    if (!manager.kind.empty() && manager.kind != "BMC") continue;
    for (const BmcNic& nic : manager.nics) {
      const std::string& mac = nic.mac.empty() ? nic.permanent_mac : nic.mac;
      if (mac.empty()) continue;
      if (std::ranges::find(nic.addresses, bmc.address) != nic.addresses.end()) return mac;
      if (first.empty()) first = mac;
    }
  }
  return first;
}

void read_nics(const BmcSystem& system, FoundMachine& machine) {
  std::set<std::string> seen;
  for (size_t i = 0; i < system.nics.size(); ++i) {
    const BmcNic& nic = system.nics[i];
    const std::string& mac = nic.mac.empty() ? nic.permanent_mac : nic.mac;
    if (mac.empty()) {
      machine.warnings.push_back(fmt::format("{} has no MAC that is valid", nic.id));
    } else if (!seen.insert(mac).second) {
      machine.warnings.push_back(fmt::format("{} is there twice", mac));
    } else if (machine.nics.size() >= kMostNics) {
      machine.warnings.push_back(
          fmt::format("more than {} interfaces: the rest is left out", kMostNics));
      break;
    } else {
      machine.nics.push_back({i, mac});
    }
  }
}

FoundMachine read_system(const BmcSystem& system, const BmcInventory& inventory) {
  FoundMachine machine;
  machine.serial = plain_word(system.identity.serial);
  machine.vendor = plain_word(system.identity.manufacturer);
  machine.model = plain_word(system.identity.model);
  machine.arch = arch_of(system);
  read_nics(system, machine);
  for (const BmcWarning& warning : inventory.warnings) {
    if (!warning.path.starts_with(system.identity.path + "/")) continue;
    machine.warnings.push_back(fmt::format("{}: {}", warning.path, warning.text));
  }
  if (machine.warnings.size() > kMostWarnings) {
    const size_t more = machine.warnings.size() - kMostWarnings;
    machine.warnings.resize(kMostWarnings);
    machine.warnings.push_back(fmt::format("and {} more", more));
  }
  return machine;
}

/// What is known of the BMC at one address.
struct Known {
  const FoundBmc* found = nullptr;
  const ManagedBmc* collected = nullptr;
};

FoundMachine blank(const std::string& address, const Known& known) {
  FoundMachine machine;
  machine.bmc = address;
  if (known.collected != nullptr) machine.bmc_mac = mac_of_bmc(*known.collected);
  if (known.found == nullptr) {
    const bool by_ipmi =
        known.collected->inventory && known.collected->inventory->redfish_version.empty();
    machine.protocol = by_ipmi ? BmcProtocol::ipmi : BmcProtocol::redfish;
    return machine;
  }
  const bool redfish = known.found->port != 0;
  machine.protocol = redfish ? BmcProtocol::redfish : BmcProtocol::ipmi;
  machine.port = redfish ? known.found->port : known.found->ipmi_port;
  return machine;
}

void add_machines(const std::string& address, const Known& known, std::vector<FoundMachine>& out) {
  FoundMachine bare = blank(address, known);
  const bool looked = known.collected != nullptr && known.collected->inventory;
  if (!looked) {
    if (known.found == nullptr) return;  // named by somebody, never found
    if (known.found->port != 0) {
      bare.problem = known.found->plain
                         ? "it offers Redfish without TLS alone"
                         : "it was not looked through: drover discover collect --found";
    }
    out.push_back(std::move(bare));
    return;
  }
  const auto& systems = known.collected->inventory->systems;
  if (systems.empty()) {
    bare.problem = "there is no machine behind it";
    out.push_back(std::move(bare));
    return;
  }
  const std::vector<uint32_t> places = system_places(systems);
  for (size_t i = 0; i < systems.size(); ++i) {
    FoundMachine machine = read_system(systems[i], *known.collected->inventory);
    machine.bmc = bare.bmc;
    machine.protocol = bare.protocol;
    machine.port = bare.port;
    machine.bmc_mac = bare.bmc_mac;
    machine.index = places.at(i);
    machine.count = static_cast<uint32_t>(systems.size());
    machine.system = systems[i].identity.id;
    if (!is_id(machine.system)) {
      if (systems.size() > 1) machine.problem = "its id is none that bmc_system can hold";
      machine.system.clear();
    }
    out.push_back(std::move(machine));
  }
}

}  // namespace

std::vector<FoundMachine> found_machines(const std::vector<FoundBmc>& found,
                                         const std::vector<ManagedBmc>& collected) {
  // Addresses as numbers, then names.
  using Place = std::tuple<bool, IpAddress, std::string>;
  std::map<Place, Known> all;
  const auto place_of = [](const std::string& address) {
    const auto ip = IpAddress::parse(address);
    return Place{!ip.has_value(), ip.value_or(IpAddress{}), address};
  };
  for (const FoundBmc& bmc : found) all[place_of(bmc.address)].found = &bmc;
  for (const ManagedBmc& bmc : collected) {
    if (!bmc.address.empty()) all[place_of(bmc.address)].collected = &bmc;
  }
  std::vector<FoundMachine> out;
  for (const auto& [place, known] : all) add_machines(std::get<2>(place), known, out);
  return out;
}

}  // namespace drover::cluster

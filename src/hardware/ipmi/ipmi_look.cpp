// ipmitool's "Name : value" lines, in sections where there are several FRUs.
#include "hardware/ipmi/ipmi_look.hpp"

#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

using cluster::BmcIdentity;
using cluster::BmcInventory;
using cluster::BmcPowerState;

struct CommandRow {
  std::array<const char*, 2> words;
  std::string IpmiWords::* said;
};
constexpr std::array<CommandRow, 5> kCommands{{{{"mc", "info"}, &IpmiWords::controller},
                                               {{"chassis", "status"}, &IpmiWords::chassis},
                                               {{"fru", "print"}, &IpmiWords::parts},
                                               {{"lan", "print"}, &IpmiWords::lan},
                                               {{"mc", "guid"}, &IpmiWords::guid}}};

constexpr std::string_view kSection = "FRU Device Description";
constexpr std::string_view kNoGuid = "00000000-0000-0000-0000-000000000000";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

/// The values of "Name : value" lines; of a name that comes twice the first.
class Values {
 public:
  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) values_.try_emplace(std::string(name), cluster::bmc_text(value));
  }
  /// The first of the names that has a value.
  [[nodiscard]] std::string of(std::initializer_list<std::string_view> names) const {
    for (const std::string_view name : names) {
      if (const auto found = values_.find(name); found != values_.end()) return found->second;
    }
    return {};
  }
  [[nodiscard]] bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// Calls `take(name, value)` for every line that has both, ends of lines and spaces left out.
template <typename Take>
void each_line(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    take(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
}

Values values_of(std::string_view text) {
  Values out;
  each_line(text, [&](std::string_view name, std::string_view value) { out.add(name, value); });
  return out;
}

/// One part that has a chip of its own.
struct Fru {
  std::string name;  ///< "PS1"
  std::string id;    ///< the number in "PS1 (ID 5)"
  Values values;
};

std::vector<Fru> frus_of(std::string_view text) {
  std::vector<Fru> out;
  each_line(text, [&](std::string_view name, std::string_view value) {
    if (name == kSection) {
      const size_t open = value.rfind(" (ID ");
      Fru fru;
      fru.name = cluster::bmc_text(value.substr(0, open));
      if (open != std::string_view::npos) {
        const std::string_view id = value.substr(open + 5);
        fru.id = cluster::bmc_text(id.substr(0, id.find(')')));
      }
      if (out.size() < cluster::kMaxBmcList) out.push_back(std::move(fru));
    } else if (!out.empty()) {
      out.back().values.add(name, value);
    }
  });
  std::erase_if(out, [](const Fru& fru) { return fru.values.empty(); });  // empty places
  return out;
}

BmcIdentity identity_of(const Fru& fru) {
  BmcIdentity out;
  out.id = "FRU" + fru.id;
  out.name = fru.name;
  const auto value = [&](auto... names) { return fru.values.of({names...}); };
  out.manufacturer = value("Product Manufacturer", "Board Mfg", "Manufacturer");
  out.model = value("Product Name", "Board Product");
  out.serial = value("Product Serial", "Board Serial", "Serial Number");
  out.part_number = value("Product Part Number", "Board Part Number", "Part Number");
  return out;
}

bool is_memory(const Fru& fru) {
  return lower(fru.name).find("dimm") != std::string::npos;
}

bool is_power_supply(const Fru& fru) {
  const std::string name = lower(fru.name);
  const bool numbered =
      name.size() > 2 && name.starts_with("ps") && (name[2] >= '0' && name[2] <= '9');
  return numbered || name.find("psu") != std::string::npos ||
         name.find("power supply") != std::string::npos || name.find("pwr") != std::string::npos;
}

/// Power Restore Policy (IPMI 2.0 section 28.2) in Redfish's words.
std::string restore_policy(std::string_view said) {
  if (said == "always-on") return "AlwaysOn";
  if (said == "always-off") return "AlwaysOff";
  return said == "previous" ? "LastState" : "";
}

cluster::BmcManager manager_of(const IpmiWords& words) {
  const Values info = values_of(words.controller);
  cluster::BmcManager out;
  out.identity.id = "BMC";
  out.identity.name = "IPMI controller";
  out.identity.manufacturer = info.of({"Manufacturer Name"});
  const std::string product = info.of({"Product Name"});
  if (!product.starts_with("Unknown")) out.identity.model = product;
  out.kind = "BMC";
  out.firmware_version = info.of({"Firmware Revision"});
  const Values lan = values_of(words.lan);
  cluster::BmcNic nic;
  nic.id = "lan";
  nic.mac = cluster::canonical_mac(lan.of({"MAC Address"})).value_or("");
  const auto address = cluster::canonical_address(lan.of({"IP Address"}));
  if (address && address != "0.0.0.0") nic.addresses.push_back(*address);
  if (!nic.mac.empty() || !nic.addresses.empty()) out.nics.push_back(std::move(nic));
  return out;
}

/// "a7e1..-..", as printed; empty where there is none.
std::string guid_of(std::string_view text) {
  std::string guid = lower(values_of(text).of({"System GUID"}));
  const bool is_one = guid.size() == kNoGuid.size() && guid != kNoGuid &&
                      guid.find_first_not_of("0123456789abcdef-") == std::string::npos;
  return is_one ? guid : std::string();
}

}  // namespace

BmcInventory ipmi_inventory(const IpmiWords& words) {
  BmcInventory out;
  out.managers.push_back(manager_of(words));
  cluster::BmcSystem system;
  cluster::BmcChassis chassis;
  for (const Fru& fru : frus_of(words.parts)) {
    if (fru.id == "0") {
      system.identity = identity_of(fru);
      system.asset_tag = fru.values.of({"Product Asset Tag"});
      chassis.kind = fru.values.of({"Chassis Type"});
      chassis.identity.serial = fru.values.of({"Chassis Serial"});
      chassis.identity.part_number = fru.values.of({"Chassis Part Number"});
    } else if (is_memory(fru)) {
      cluster::BmcMemory& memory = system.memory.emplace_back();
      memory.identity = identity_of(fru);
      memory.locator = fru.name;
    } else if (is_power_supply(fru)) {
      chassis.power_supplies.emplace_back().identity = identity_of(fru);
    }
  }
  system.identity.id = "Node0";
  system.identity.name.clear();
  system.uuid = guid_of(words.guid);
  const Values status = values_of(words.chassis);
  const std::string power = status.of({"System Power"});
  if (power == "on") system.power = BmcPowerState::on;
  if (power == "off") system.power = BmcPowerState::off;
  system.restore_policy = restore_policy(status.of({"Power Restore Policy"}));
  out.vendor = system.identity.manufacturer;
  out.product = system.identity.model;
  out.uuid = system.uuid;
  out.systems.push_back(std::move(system));
  chassis.identity.id = "Chassis";
  out.chassis.push_back(std::move(chassis));
  return out;
}

IpmiLook::IpmiLook(IpmiTool& tool, IpmiAccess access, Done done)
    : tool_(tool), access_(std::move(access)), done_(std::move(done)) {
  ask(0);
}

IpmiLook::~IpmiLook() {
  *alive_ = false;
}

void IpmiLook::ask(size_t command) {
  const auto& words = kCommands.at(command).words;
  tool_.run(access_, {words[0], words[1]},
            [this, alive = alive_, command](Result<std::string> said) mutable {
              if (*alive) heard(command, std::move(said));
            });
}

void IpmiLook::heard(size_t command, Result<std::string> said) {
  const CommandRow& row = kCommands.at(command);
  if (said) {
    words_.*row.said = *std::move(said);
  } else if (command == 0) {
    return std::exchange(done_, nullptr)(tl::unexpected<Error>(std::move(said).error()));
  } else {
    warnings_.push_back({"", cluster::bmc_text(fmt::format("{} {}: {}", row.words[0], row.words[1],
                                                           said.error().message))});
  }
  if (command + 1 < kCommands.size()) return ask(command + 1);
  BmcInventory found = ipmi_inventory(words_);
  found.complete = warnings_.empty();
  found.warnings = std::move(warnings_);
  std::exchange(done_, nullptr)(std::move(found));
}

}  // namespace drover::hardware

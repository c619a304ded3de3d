#include "api/smd/endpoint_input.hpp"

#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"
#include "cluster/xname.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::BmcInventory;
using cluster::BmcManager;
using cluster::BmcNic;
using cluster::BmcPowerState;
using cluster::BmcSystem;
using cluster::ManagedBmc;

/// As many nodes as may have one BMC (cluster/claims.hpp); no enclosure has half of that.
constexpr size_t kMostSystems = 64;

std::string_view last_segment(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

/// Reads magellan's systems and managers. Texts of BMCs are cut and cleaned; a member of the wrong
/// type counts as absent, since what a BMC says must not cost the rest.
class InventoryReader {
 public:
  explicit InventoryReader(BmcInventory& out) : out_(out) {}

  void systems(const json::value* list) {
    each(list, [&](const json::value& value) {
      if (out_.systems.size() >= kMostSystems) {
        out_.complete = false;
        return;
      }
      BmcSystem system = read_system(value);
      const bool known = std::ranges::any_of(out_.systems, [&](const BmcSystem& other) {
        return other.identity.path == system.identity.path;
      });
      if (!known) out_.systems.push_back(std::move(system));
    });
    std::ranges::sort(out_.systems, [](const BmcSystem& a, const BmcSystem& b) {
      const int order = natural_compare(a.identity.id, b.identity.id);
      return order != 0 ? order < 0 : natural_compare(a.identity.path, b.identity.path) < 0;
    });
  }
  void managers(const json::value* list) {
    each(list, [&](const json::value& value) {
      if (out_.managers.size() < cluster::kMaxBmcList) out_.managers.push_back(read_manager(value));
    });
    std::ranges::sort(out_.managers, [](const BmcManager& a, const BmcManager& b) {
      return natural_compare(a.identity.id, b.identity.id) < 0;
    });
  }

 private:
  template <typename F>
  static void each(const json::value* list, F take) {
    const auto* array = list == nullptr ? nullptr : list->if_array();
    if (array == nullptr) return;
    for (const json::value& value : *array) {
      if (value.is_object()) take(value);
    }
  }
  static std::string text(const Members& from, std::string_view name) {
    const json::value* value = from.find(name);
    return value != nullptr && value->is_string() ? cluster::bmc_text(value->get_string())
                                                  : std::string();
  }
  static std::optional<uint64_t> number(const Members& from, std::string_view name) {
    const json::value* value = from.find(name);
    if (value == nullptr) return std::nullopt;
    if (const int64_t* whole = value->if_int64(); whole != nullptr && *whole > 0) {
      return static_cast<uint64_t>(*whole);
    }
    if (const double* real = value->if_double(); real != nullptr && *real > 0 && *real < 1e12) {
      return static_cast<uint64_t>(*real);
    }
    return std::nullopt;
  }
  static std::vector<std::string> texts(const Members& from, std::string_view name) {
    std::vector<std::string> out;
    const json::value* value = from.find(name);
    const auto* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr) return out;
    for (const json::value& one : *array) {
      if (one.is_string() && out.size() < cluster::kMaxBmcList) {
        out.push_back(cluster::bmc_text(one.get_string()));
      }
    }
    return out;
  }
  static cluster::BmcIdentity identity(const Members& from) {
    cluster::BmcIdentity out;
    out.path = path_of_uri(text(from, "uri"));
    out.id = last_segment(out.path);
    out.name = text(from, "name");
    out.manufacturer = text(from, "manufacturer");
    out.model = text(from, "model");
    out.serial = text(from, "serial");
    return out;
  }

  void warn(const std::string& path, std::string_view what, std::string_view value) {
    if (out_.warnings.size() >= cluster::kMaxBmcWarnings) return;
    out_.warnings.push_back({path, cluster::bmc_text(fmt::format("{} '{}' is none", what, value))});
  }

  std::vector<BmcNic> nics(const Members& from) {
    std::vector<BmcNic> out;
    each(from.find("ethernet_interfaces"), [&](const json::value& value) {
      if (out.size() >= cluster::kMaxBmcList) return;
      const Members nic(value);
      BmcNic one;
      one.path = path_of_uri(text(nic, "uri"));
      one.id = last_segment(one.path);
      one.name = text(nic, "name");
      one.description = text(nic, "description");
      if (const json::value* enabled = nic.find("enabled"); enabled != nullptr) {
        if (const bool* truth = enabled->if_bool()) one.enabled = *truth;
      }
      const std::string mac = text(nic, "mac");
      one.mac = cluster::canonical_mac(mac).value_or("");
      if (one.mac.empty() && !mac.empty()) warn(one.path, "the MAC", mac);
      const std::string ip = text(nic, "ip");
      if (const auto address = cluster::canonical_address(ip)) {
        one.addresses.emplace_back(cluster::without_prefix(*address));
      } else if (!ip.empty()) {
        warn(one.path, "the IP address", ip);
      }
      out.push_back(std::move(one));
    });
    return out;
  }

  static BmcPowerState power_of(std::string_view state) {
    const std::string word = lower(state);
    if (word == "on") return BmcPowerState::on;
    if (word == "off") return BmcPowerState::off;
    if (word == "poweringon") return BmcPowerState::powering_on;
    if (word == "poweringoff") return BmcPowerState::powering_off;
    return word == "paused" ? BmcPowerState::paused : BmcPowerState::unknown;
  }

  BmcSystem read_system(const json::value& value) {
    const Members from(value);
    BmcSystem out;
    out.identity = identity(from);
    out.uuid = lower(text(from, "uuid"));
    out.kind = text(from, "system_type");
    out.bios_version = text(from, "bios_version");
    out.processor_model = text(from, "processor_type");
    if (const auto count = number(from, "processor_count")) {
      out.processor_count = static_cast<uint32_t>(std::min<uint64_t>(*count, 1 << 20));
    }
    constexpr uint64_t kMibPerGib = 1024;
    if (const auto gib = number(from, "memory_total")) out.memory_mib = *gib * kMibPerGib;
    out.nics = nics(from);
    out.reset.allowed = texts(from, "actions");
    if (!out.reset.allowed.empty()) {
      out.reset.target = out.identity.path + "/Actions/ComputerSystem.Reset";
    }
    if (const json::value* power = from.find("power")) read_power(Members(*power), out);
    if (const json::value* console = from.find("serial_console")) {
      read_console(Members(*console), out.console);
    }
    if (const json::value* links = from.find("links")) {
      const Members inner(*links);
      for (const std::string& uri : texts(inner, "chassis"))
        out.chassis.push_back(path_of_uri(uri));
      for (const std::string& uri : texts(inner, "managers")) {
        out.managers.push_back(path_of_uri(uri));
      }
    }
    note_chassis(from, out);
    return out;
  }

  static void read_power(const Members& from, BmcSystem& out) {
    out.power = power_of(text(from, "state"));
    out.restore_policy = text(from, "restore_policy");
  }

  /// The key of its protocol for IPMI really is "impi".
  static void read_console(const Members& from, cluster::BmcConsole& out) {
    for (const auto& [key, name] :
         {std::pair{"ssh", "SSH"}, {"impi", "IPMI"}, {"ipmi", "IPMI"}, {"telnet", "Telnet"}}) {
      const json::value* way = from.find(key);
      if (way == nullptr || !way->is_object()) continue;
      const Members inner(*way);
      const json::value* enabled = inner.find("enabled");
      if (enabled == nullptr || !enabled->is_bool() || !enabled->get_bool()) continue;
      out.serial = true;
      out.protocols.emplace_back(name);
      const auto port = number(inner, "port");
      if (std::string_view(key) == "ssh" && port && *port <= UINT16_MAX) {
        out.ssh_port = static_cast<uint16_t>(*port);
      }
    }
  }

  /// The enclosure that its power is controlled through.
  void note_chassis(const Members& from, const BmcSystem& system) {
    const json::value* power = from.find("power");
    if (power == nullptr || system.chassis.empty()) return;
    const auto ids = texts(Members(*power), "power_control_ids");
    if (ids.empty()) return;
    const std::string& path = system.chassis.front();
    auto chassis = std::ranges::find(out_.chassis, path,
                                     [](const cluster::BmcChassis& c) { return c.identity.path; });
    if (chassis == out_.chassis.end()) {
      cluster::BmcChassis fresh;
      fresh.identity.path = path;
      fresh.identity.id = last_segment(path);
      out_.chassis.push_back(std::move(fresh));
      chassis = std::prev(out_.chassis.end());
      for (const std::string& id : ids) {
        chassis->power_controls.push_back(
            {cluster::bmc_text(last_segment(id)), path_of_uri(id), {}, {}, {}});
      }
    }
    chassis->systems.push_back(system.identity.path);
  }

  BmcManager read_manager(const json::value& value) {
    const Members from(value);
    BmcManager out;
    out.identity = identity(from);
    out.uuid = lower(text(from, "uuid"));
    out.kind = text(from, "type");
    out.firmware_version = text(from, "firmware_version");
    out.nics = nics(from);
    out.console.protocols = texts(from, "serial_console");
    out.console.serial = !out.console.protocols.empty();
    out.console.shell = !texts(from, "command_shell").empty();
    return out;
  }

  BmcInventory& out_;
};

/// "BA35" of a JAWS strip: unit B, outlet 35. What has another form is counted.
std::string outlet_place(std::string_view id, size_t index) {
  const size_t letter = id.find_last_not_of("0123456789");
  uint32_t number = 0;
  const std::string_view digits = letter == std::string_view::npos ? id : id.substr(letter + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  constexpr uint32_t kMost = 9999;
  const char unit = id.empty() ? 'A' : id.front();
  if (number == 0 || number > kMost || unit < 'A' || unit > 'H') {
    return fmt::format("p0v{}", index + 1);
  }
  return fmt::format("p{}v{}", unit - 'A', number);
}

std::vector<cluster::Component> read_outlets(const json::value& inventory, std::string_view id) {
  std::vector<cluster::Component> out;
  const json::value* list = Members(inventory).find("Outlets");
  const auto* array = list == nullptr ? nullptr : list->if_array();
  if (array == nullptr) return out;
  for (const json::value& each : *array) {
    Members from(each);
    if (out.size() >= cluster::kMaxBmcList) break;
    cluster::Component outlet;
    outlet.xname = fmt::format("{}{}", id, outlet_place(from.text("id").value_or(""), out.size()));
    const bool twice = std::ranges::any_of(
        out, [&](const cluster::Component& other) { return other.xname == outlet.xname; });
    if (twice || !cluster::parse_xname(outlet.xname)) continue;
    const std::string state = lower(from.text("state").value_or(""));
    outlet.state = state == "on" ? "On" : state == "off" ? "Off" : "Unknown";
    out.push_back(std::move(outlet));
  }
  return out;
}

tl::unexpected<Error> invalid_endpoint(std::string_view why) {
  return bad(fmt::format("couldn't validate endpoint data: {}", why));
}

Status take_plain(Members& from, EndpointSays& says) {
  ManagedBmc& bmc = says.bmc;
  const auto take = [&](std::string_view member, std::string& into) {
    if (auto text = from.text(member)) into = *std::move(text);
  };
  take("Name", bmc.description);
  take("UUID", bmc.uuid);
  take("User", bmc.user);
  take("TemplateID", bmc.template_id);
  take("MACAddr", bmc.mac);
  take("IPAddress", bmc.ip);
  // magellan writes what it found: an address that is none is left out, as in an inventory.
  bmc.mac = cluster::canonical_mac(bmc.mac).value_or("");
  const auto ip = cluster::canonical_address(bmc.ip);
  bmc.ip = ip ? std::string(cluster::without_prefix(*ip)) : "";
  if (auto password = from.text("Password"); password && !password->empty()) {
    says.password = std::move(password);
  }
  bmc.enabled = from.truth("Enabled").value_or(bmc.enabled);
  bmc.announces = from.truth("UseSSDP").value_or(bmc.announces);
  bmc.mac_required = from.truth("MACRequired").value_or(bmc.mac_required);
  bmc.rediscover = from.truth("RediscoverOnUpdate").value_or(bmc.rediscover);
  const auto host = from.text("Hostname");
  const auto domain = from.text("Domain");
  const auto fqdn = from.text("FQDN");
  if (host || domain || fqdn) {
    if (host) bmc.host_name = lower(*host);
    if (domain) bmc.domain = lower(*domain);
    bmc.address = fqdn ? lower(*fqdn) : (host || domain) ? "" : bmc.address;
    if (fqdn && !fqdn->empty()) {
      if (!host || host->empty()) bmc.host_name.clear();
      if (!domain || domain->empty()) bmc.domain.clear();
    }
  }
  const ManagedBmc before = bmc;
  complete_names(bmc);
  const bool differs = (!before.host_name.empty() && before.host_name != bmc.host_name &&
                        before.host_name != bmc.address) ||
                       (!before.domain.empty() && before.domain != bmc.domain);
  if (differs) return invalid_endpoint("Hostname, Domain and FQDN do not fit together");
  return {};
}

}  // namespace

std::string path_of_uri(std::string_view uri) {
  const size_t scheme = uri.find("://");
  if (scheme != std::string_view::npos) {
    const size_t slash = uri.find('/', scheme + 3);
    uri = slash == std::string_view::npos ? std::string_view("/") : uri.substr(slash);
  }
  return std::string(uri);
}

void complete_names(ManagedBmc& bmc) {
  if (bmc.address.empty()) {
    if (bmc.host_name.empty()) bmc.host_name = bmc.ip.empty() ? bmc.name : bmc.ip;
    bmc.address = bmc.domain.empty() || cluster::canonical_address(bmc.host_name)
                      ? bmc.host_name
                      : fmt::format("{}.{}", bmc.host_name, bmc.domain);
    return;
  }
  if (cluster::canonical_address(bmc.address)) {
    bmc.host_name = bmc.address;
    bmc.domain.clear();
    return;
  }
  const size_t dot = bmc.address.find('.');
  bmc.host_name = bmc.address.substr(0, dot);
  bmc.domain = dot == std::string::npos ? "" : bmc.address.substr(dot + 1);
}

std::vector<const json::value*> endpoint_bodies(const json::value& body) {
  std::vector<const json::value*> out;
  const json::value* list = Members(body).find("RedfishEndpoints");
  if (const auto* array = list == nullptr ? nullptr : list->if_array()) {
    for (const json::value& each : *array) out.push_back(&each);
    return out;
  }
  out.push_back(&body);
  return out;
}

Result<std::string> endpoint_id(const json::value& body) {
  Members from(body);
  const std::string given = from.text("ID").value_or("");
  const auto xname = cluster::parse_xname(given);
  if (!xname || !cluster::is_controller(xname->type)) {
    return invalid_endpoint(fmt::format("xname ID '{}' is invalid or not supported for this type",
                                        printable(std::string_view(given).substr(0, 80))));
  }
  const std::string type = from.text("Type").value_or("");
  // magellan before 0.5 said Node of what is a BMC; the xname says what it is.
  if (!type.empty() && !cluster::xname_type_called(type)) {
    return invalid_endpoint(fmt::format("type '{}' is invalid", printable(type.substr(0, 80))));
  }
  return xname->text;
}

Result<EndpointSays> read_endpoint(const json::value& body, const ManagedBmc& known,
                                   std::string_view id, std::string& malformed) {
  EndpointSays says;
  says.bmc = known;
  if (id.empty()) {
    DROVER_TRY(says.bmc.name, endpoint_id(body));
  } else {
    says.bmc.name = id;
  }
  Members from(body);
  DROVER_CHECK_OK(take_plain(from, says));
  const int64_t version = from.number("SchemaVersion").value_or(0);
  malformed = from.wrong();
  if (!malformed.empty()) return says;
  const json::value* strip = from.find("PDUInventory");
  if (strip != nullptr) {
    says.outlets = read_outlets(*strip, says.bmc.name);
  } else if (version > 0 || from.has("Systems") || from.has("Managers")) {
    says.has_inventory = true;
    BmcInventory inventory;
    InventoryReader reader(inventory);
    reader.systems(from.find("Systems"));
    reader.managers(from.find("Managers"));
    if (const Status fits = check(inventory); !fits) return tl::unexpected<Error>(fits.error());
    says.bmc.inventory = std::move(inventory);
  }
  if (const Status fits = normalise(says.bmc); !fits) {
    return invalid_endpoint(fits.error().message);
  }
  return says;
}

}  // namespace drover::api::smd

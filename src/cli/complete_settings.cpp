#include "cli/complete_settings.hpp"

#include "cli/fields.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/settings.hpp"

#include <algorithm>
#include <array>

namespace drover::cli {
namespace {

struct Settable {
  std::string_view noun;
  std::string_view name;
  std::string_view help;
};

/// As definition_settings.hpp reads them.
constexpr std::array kSettable{
    Settable{"node", "service", "What the node may be used for"},
    Settable{"node", "enabled", "Whether it may be used at all"},
    Settable{"node", "flag", "A mark for people"},
    Settable{"node", "locked", "Whether changes of its state are refused"},
    Settable{"node", "nid", "Its number in the cluster"},
    Settable{"node", "aliases", "Further names, with commas"},
    Settable{"node", "profiles", "Profiles, the strongest first, with commas"},
    Settable{"node", "owner", "Who owns it"},
    Settable{"node", "group", "The group of its permissions"},
    Settable{"node", "mode", "Permissions, such as 0750"},
    Settable{"node", "description", "A note"},
    Settable{"node", "bmc.address", "Its BMC's address"},
    Settable{"node", "bmc.protocol", "redfish or ipmi"},
    Settable{"node", "bmc.mac", "Its BMC's MAC"},
    Settable{"node", "bmc.user", "Its BMC's user"},
    Settable{"group", "description", "A note"},
    Settable{"group", "nodes", "Its members, as a noderange"},
    Settable{"group", "range", "The noderange that it stands for, always anew"},
    Settable{"group", "profiles", "Profiles of its members, with commas"},
    Settable{"group", "priority", "Higher is stronger"},
    Settable{"profile", "description", "A note"},
    Settable{"profile", "inherits", "Profiles that it builds on, with commas"},
    Settable{"network", "prefix", "Its IPv4 addresses, such as 10.77.0.0/24"},
    Settable{"network", "prefix6", "Its IPv6 addresses, such as fd77::/64"},
    Settable{"network", "mode", "What the boot service does there"},
    Settable{"network", "pool", "Addresses for machines without one of their own"},
    Settable{"network", "gateway", "The default route"},
    Settable{"network", "nameservers", "DNS servers, with commas"},
    Settable{"network", "ntp_servers", "Time servers, with commas"},
    Settable{"network", "domain", "The DNS domain of its machines"},
    Settable{"network", "search", "Domains that they search, with commas"},
    Settable{"network", "mtu", "Largest packet in bytes"},
    Settable{"network", "lease_seconds", "How long an address is given for"},
    Settable{"network", "unknown", "Machines that no node is known by"},
    Settable{"network", "description", "A note"}};

}  // namespace

std::vector<Candidate> settable_names(std::string_view noun) {
  std::vector<Candidate> out;
  if (noun == "setting") {
    for (const auto& row : cluster::setting_catalogue()) {
      out.push_back({row.option.key, row.option.help});
    }
    return out;
  }
  for (const Settable& one : kSettable) {
    if (one.noun == noun) out.push_back({std::string(one.name), std::string(one.help)});
  }
  if (noun == "network") return out;
  for (const auto& row : cluster::attribute_catalogue()) {
    out.push_back({std::string(row.name), std::string(row.help)});
  }
  return out;
}

bool is_settable_list(std::string_view name) {
  return name == "profiles" || name == "inherits" || name == "aliases";
}

std::vector<std::string> setting_choices(std::string_view noun, std::string_view name) {
  if (noun == "network") {
    const FieldInfo* field = find_field(*find_field_kind("network"), name);
    return field == nullptr ? std::vector<std::string>() : field->choices;
  }
  if (name == "bmc.protocol") return {"redfish", "ipmi"};
  if (const FieldInfo* field = find_field(*find_field_kind("node-change"), name)) {
    if (field->type == "true or false") return {"true", "false"};
    return field->choices;
  }
  if (const auto* setting = cluster::find_setting(name)) return setting->option.choices;
  const auto* row = cluster::find_attribute_row(name);
  if (row == nullptr) return {};
  if (row->type == cluster::AttributeType::boolean) return {"true", "false"};
  std::vector<std::string> out;
  std::string_view words = row->choices;
  while (!words.empty()) {
    const size_t blank = std::min(words.find(' '), words.size());
    if (blank > 0) out.emplace_back(words.substr(0, blank));
    words.remove_prefix(std::min(blank + 1, words.size()));
  }
  return out;
}

}  // namespace drover::cli

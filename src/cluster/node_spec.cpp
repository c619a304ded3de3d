#include "cluster/node_spec.hpp"

#include "cluster/attribute_catalogue.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/formula.hpp"
#include "cluster/group.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 2> kProtocolNames{"redfish", "ipmi"};

Status check_count(std::string_view field, size_t count, size_t most) {
  if (count <= most) return {};
  return bad_field(field, fmt::format("{} entries", count),
                   fmt::format("expected at most {}", most));
}

Status normalise_mac(const std::string& field, std::string& mac) {
  if (mac.empty()) return {};
  if (has_formula(mac)) {
    const Status syntax = check_formula(mac);
    return syntax ? Status() : fail_in(field, syntax.error());
  }
  auto canonical = canonical_mac(mac);
  if (!canonical) {
    return bad_field(field, mac,
                     "expected the 6, 8 or 20 octets of one interface in hexadecimal, such as "
                     "02:00:00:00:00:01");
  }
  mac = std::move(*canonical);
  return {};
}

Status normalise_address(const std::string& field, std::string& address) {
  if (has_formula(address)) {
    const Status syntax = check_formula(address);
    return syntax ? Status() : fail_in(field, syntax.error());
  }
  auto canonical = canonical_address(address);
  if (!canonical) {
    return bad_field(field, address,
                     "expected an IPv4 or IPv6 address with or without /prefix, such as "
                     "10.0.0.1/16");
  }
  address = std::move(*canonical);
  return {};
}

Status check_short_name(const std::string& field, std::string_view name) {
  const bool known = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-:@").find(c) != std::string_view::npos;
  });
  if (known && name.size() <= kMaxInterfaceName && name != "." && name != "..") return {};
  return bad_field(field, name, "expected 1 to 63 letters, digits and ._-:@");
}

Status normalise(Interface& interface, const std::string& field) {
  if (interface.name.empty()) {
    return bad_field(field + ".name", "", "expected a name such as eth0, got nothing");
  }
  DROVER_CHECK_OK(check_short_name(field + ".name", interface.name));
  DROVER_CHECK_OK(check_short_name(field + ".network", interface.network));
  DROVER_CHECK_OK(normalise_mac(field + ".mac", interface.mac));
  DROVER_CHECK_OK(check_count(field + ".addresses", interface.addresses.size(), kMaxAddresses));
  std::set<std::string> seen;
  for (size_t i = 0; i < interface.addresses.size(); ++i) {
    const std::string place = fmt::format("{}.addresses[{}]", field, i);
    std::string& address = interface.addresses[i];
    DROVER_CHECK_OK(normalise_address(place, address));
    if (!seen.insert(std::string(without_prefix(address))).second) {
      return bad_field(place, address, "expected each address once");
    }
  }
  return {};
}

Status normalise(Bmc& bmc) {
  if (bmc.address.empty() && bmc.mac.empty()) {
    return bad_field("spec.bmc", "", "expected an address or a MAC, by which it is found");
  }
  if (has_formula(bmc.address)) {
    const Status syntax = check_formula(bmc.address);
    if (!syntax) return fail_in("spec.bmc.address", syntax.error());
  } else if (!bmc.address.empty()) {
    auto canonical = canonical_address(bmc.address);
    if (canonical && canonical->find('/') == std::string::npos) {
      bmc.address = std::move(*canonical);
    } else if (!check_node_name(bmc.address)) {
      return bad_field("spec.bmc.address", bmc.address,
                       "expected a host name in lower case or an IP address without prefix");
    }
  }
  DROVER_CHECK_OK(normalise_mac("spec.bmc.mac", bmc.mac));
  return check_plain_text("spec.bmc.user", bmc.user, kMaxInterfaceName);
}

Status check_aliases(const NodeSpec& spec, std::string_view name) {
  DROVER_CHECK_OK(check_count("spec.aliases", spec.aliases.size(), kMaxAliases));
  std::set<std::string_view> seen;
  for (size_t i = 0; i < spec.aliases.size(); ++i) {
    const std::string place = fmt::format("spec.aliases[{}]", i);
    const std::string& alias = spec.aliases[i];
    if (Status named = check_node_name(alias); !named) return fail_in(place, named.error());
    if (is_built_in_group(alias)) {
      return bad_field(place, alias, "expected another name, since that group is always there");
    }
    if (alias == name) return bad_field(place, alias, "expected a name other than the node's own");
    if (!seen.insert(alias).second) return bad_field(place, alias, "expected each alias once");
  }
  return {};
}

Status normalise_interfaces(NodeSpec& spec) {
  DROVER_CHECK_OK(check_count("spec.interfaces", spec.interfaces.size(), kMaxInterfaces));
  std::set<std::string_view> names;
  for (size_t i = 0; i < spec.interfaces.size(); ++i) {
    const std::string place = fmt::format("spec.interfaces[{}]", i);
    Interface& interface = spec.interfaces[i];
    DROVER_CHECK_OK(normalise(interface, place));
    if (!names.insert(interface.name).second) {
      return bad_field(place + ".name", interface.name, "expected each interface once");
    }
  }
  return {};
}

}  // namespace

std::span<const std::string_view> enum_names(BmcProtocol) {
  return kProtocolNames;
}

void Interface::describe(Visitor& v) {
  v.field("name", name, "Name within the node, such as eth0.");
  v.field("mac", mac, "Hardware address; empty: not known; may hold formulas.", Presence::optional);
  v.field("addresses", addresses, "IP addresses with or without /prefix; may hold formulas.",
          Presence::optional);
  v.field("network", network, "Name of the network that it is on.", Presence::optional);
}

void Bmc::describe(Visitor& v) {
  v.field("address", address, "Host name or IP address; may hold formulas.", Presence::optional);
  v.field("protocol", protocol, "How it is spoken to.", Presence::optional);
  v.field("mac", mac, "Hardware address; empty: not known; may hold formulas.", Presence::optional);
  v.field("user", user, "Account on it.", Presence::optional);
}

void NodeSpec::describe(Visitor& v) {
  v.field("nid", nid, "Node number, unique in the cluster; 0: none.", Presence::optional);
  v.field("aliases", aliases, "Other names, unique in the cluster; an xname among them.",
          Presence::optional);
  v.field("interfaces", interfaces, "Network interfaces.", Presence::optional);
  v.field("bmc", bmc, "Baseboard management controller; null: none.", Presence::optional);
  v.field("profiles", profiles, "Profiles that it takes attributes from, strongest first.",
          Presence::optional);
  v.field("attributes", attributes, "Attributes of the node itself; values may hold formulas.",
          Presence::optional);
  v.field("owner", owner, "User that the mode's first digit is for.", Presence::optional);
  v.field("group", group, "User group that the mode's second digit is for.", Presence::optional);
  v.field("mode", mode,
          "Which people below administrators may change (w) and use (x) the node, as of a file.",
          Presence::optional);
  v.field("description", description, "Free text.", Presence::optional);
}

Result<uint16_t> mode_bits(std::string_view text) {
  const bool octal = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
  const bool sized = text.size() == 3 || (text.size() == 4 && text.front() == '0');
  if (!octal || !sized) {
    return bad_field("spec.mode", text, "expected three octal digits, such as 0750");
  }
  uint16_t bits = 0;
  for (const char c : text) bits = static_cast<uint16_t>(bits * 8 + (c - '0'));
  return bits;
}

Status normalise(NodeSpec& spec, std::string_view name) {
  return normalise(spec, name, NodeSpec());
}

Status normalise(NodeSpec& spec, std::string_view name, const NodeSpec& before) {
  const auto changed = [&](auto member) { return spec.*member != before.*member; };
  if (spec.nid > kMaxNid) {
    return bad_field("spec.nid", std::to_string(spec.nid),
                     fmt::format("expected 0 to {}", kMaxNid));
  }
  if (changed(&NodeSpec::aliases)) DROVER_CHECK_OK(check_aliases(spec, name));
  if (changed(&NodeSpec::interfaces)) DROVER_CHECK_OK(normalise_interfaces(spec));
  if (spec.bmc && changed(&NodeSpec::bmc)) DROVER_CHECK_OK(normalise(*spec.bmc));
  if (changed(&NodeSpec::profiles)) {
    DROVER_CHECK_OK(check_set_names("spec.profiles", spec.profiles));
  }
  DROVER_CHECK_OK(check_attributes("spec.attributes", spec.attributes, before.attributes));
  DROVER_CHECK_OK(check_account("spec.owner", spec.owner));
  DROVER_CHECK_OK(check_account("spec.group", spec.group));
  if (changed(&NodeSpec::mode)) {
    DROVER_TRY(const uint16_t bits, mode_bits(spec.mode));
    spec.mode = fmt::format("{:04o}", bits);
  }
  return check_plain_text("spec.description", spec.description, kMaxDescription);
}

}  // namespace drover::cluster

#include "cluster/discovery/adopt_request.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "base/yaml_read.hpp"
#include "cluster/discovery/scan_request.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/ip_range.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"
#include "cluster/xname.hpp"

#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kByNames{"address", "map", "port"};
constexpr size_t kLongestWord = 255;
constexpr uint32_t kMostPerBmc = 64;
constexpr size_t kMostMapText = size_t{4} << 20;

Status check_place(const AdoptPlace& place, std::string_view field) {
  if (const Status named = check_node_name(place.node); !named) {
    return fail_in(fmt::format("{}.node", field), named.error());
  }
  const bool says =
      !place.bmc.empty() || !place.serial.empty() || !place.mac.empty() || !place.port.empty();
  if (!says) {
    return bad_field(field, place.node, "expected bmc, serial, mac or port: what it is told by");
  }
  for (const auto& [name, value] : {std::pair{"bmc", &place.bmc},
                                    {"system", &place.system},
                                    {"serial", &place.serial},
                                    {"port", &place.port}}) {
    DROVER_CHECK_OK(check_plain_text(fmt::format("{}.{}", field, name), *value, kLongestWord));
  }
  if (!place.mac.empty() && !canonical_mac(place.mac)) {
    return bad_field(fmt::format("{}.mac", field), place.mac, "expected a MAC address");
  }
  return {};
}

/// `left`: how many names all racks together may still have.
Status check_rack(const AdoptRack& rack, std::string_view field, size_t& left) {
  const auto count = count_names(rack.nodes);
  if (!count) return fail_in(fmt::format("{}.nodes", field), count.error());
  if (*count == 0 || *count > left) {
    return bad_field(fmt::format("{}.nodes", field), rack.nodes,
                     fmt::format("expected 1 to {} names in all racks together", kMostPlaces));
  }
  left -= *count;
  DROVER_TRY(const auto names, expand_names(rack.nodes));
  for (const std::string& name : names) {
    if (const Status good = check_node_name(name); !good) {
      return fail_in(fmt::format("{}.nodes", field), good.error());
    }
  }
  if (!IpAddress::parse(rack.first)) {
    return bad_field(fmt::format("{}.first", field), rack.first,
                     "expected the IP address of the BMC at the first place");
  }
  if (rack.per_bmc < 1 || rack.per_bmc > kMostPerBmc) {
    return bad_field(fmt::format("{}.per_bmc", field), std::to_string(rack.per_bmc),
                     fmt::format("expected 1 to {}", kMostPerBmc));
  }
  if (!rack.xname.empty() && rack_xname(rack, 0, 0).empty()) {
    return bad_field(fmt::format("{}.xname", field), rack.xname,
                     "expected the xname of a node's BMC, such as x3000c0s1b0");
  }
  return check_plain_text(fmt::format("{}.rack", field), rack.rack, kLongestWord);
}

Status check_map(const AdoptMap& map) {
  if (map.nodes.size() > kMostPlaces || map.racks.size() > kMostPlaces) {
    return fail(Code::too_large, fmt::format("map: expected at most {} rows", kMostPlaces));
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < map.nodes.size(); ++i) {
    const std::string field = fmt::format("map.nodes[{}]", i);
    DROVER_CHECK_OK(check_place(map.nodes[i], field));
    if (!seen.insert(map.nodes[i].node).second) {
      return bad_field(field, map.nodes[i].node, "expected each node once");
    }
  }
  size_t left = kMostPlaces;
  for (size_t i = 0; i < map.racks.size(); ++i) {
    DROVER_CHECK_OK(check_rack(map.racks[i], fmt::format("map.racks[{}]", i), left));
  }
  return {};
}

tl::unexpected<Error> at_line(size_t line, std::string_view what) {
  return fail(Code::invalid_argument, fmt::format("line {}: {}", line, what));
}

/// A scalar of the map as it was written.
Result<std::string> word(const json::value& value, size_t line, std::string_view field) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_null()) return std::string();
  return at_line(line, fmt::format("{}: expected a word", field));
}

Result<AdoptPlace> read_place(std::string_view node, const json::value& value,
                              const LineMap& lines) {
  const std::string pointer = "/nodes/" + pointer_token(node);
  const json::object* const fields = value.if_object();
  if (fields == nullptr) {
    return at_line(line_of(lines, pointer), "expected {bmc, system, serial, mac, port} of a node");
  }
  AdoptPlace place;
  place.node = node;
  const std::array<std::pair<std::string_view, std::string*>, 5> known{{{"bmc", &place.bmc},
                                                                        {"system", &place.system},
                                                                        {"serial", &place.serial},
                                                                        {"mac", &place.mac},
                                                                        {"port", &place.port}}};
  for (const auto& [name, field] : *fields) {
    const size_t line = line_of(lines, pointer + "/" + pointer_token(name));
    std::string* to = nullptr;
    for (const auto& [word, member] : known) to = word == name ? member : to;
    if (to == nullptr) {
      return at_line(line, fmt::format("'{}' is none of bmc, system, serial, mac and port",
                                       printable(std::string_view(name))));
    }
    DROVER_TRY(*to, word(field, line, name));
  }
  if (const Status good = check_place(place, node); !good) {
    return at_line(line_of(lines, pointer), good.error().message);
  }
  return place;
}

Result<AdoptRack> read_rack(size_t index, const json::value& value, const LineMap& lines) {
  const std::string pointer = fmt::format("/racks/{}", index);
  const json::object* const fields = value.if_object();
  if (fields == nullptr) {
    return at_line(line_of(lines, pointer),
                   "expected {nodes, first, per_bmc, rack, xname} of a rack");
  }
  AdoptRack rack;
  for (const auto& [name, field] : *fields) {
    const size_t line = line_of(lines, pointer + "/" + pointer_token(name));
    DROVER_TRY(const std::string text, word(field, line, name));
    if (name == "nodes") {
      rack.nodes = text;
    } else if (name == "first") {
      rack.first = text;
    } else if (name == "rack") {
      rack.rack = text;
    } else if (name == "xname") {
      rack.xname = text;
    } else if (name == "per_bmc") {
      if (text.size() > 2 || text.find_first_not_of("0123456789") != std::string::npos ||
          text.empty()) {
        return at_line(line, fmt::format("per_bmc: expected 1 to {}", kMostPerBmc));
      }
      rack.per_bmc = 0;
      for (const char digit : text) {
        rack.per_bmc = rack.per_bmc * 10 + static_cast<uint32_t>(digit - '0');
      }
    } else {
      return at_line(line, fmt::format("'{}' is none of nodes, first, per_bmc, rack and xname",
                                       printable(std::string_view(name))));
    }
  }
  size_t left = kMostPlaces;
  if (const Status good = check_rack(rack, "rack", left); !good) {
    return at_line(line_of(lines, pointer), good.error().text());
  }
  return rack;
}

}  // namespace

std::string rack_xname(const AdoptRack& rack, uint64_t bmc, uint32_t machine) {
  const auto first = parse_xname(rack.xname);
  if (!first || first->type != XnameType::node_bmc) return {};
  const size_t slot = first->text.rfind('s') + 1;
  const size_t controller = first->text.rfind('b');
  uint64_t number = 0;
  std::from_chars(first->text.data() + slot, first->text.data() + controller, number);
  const auto node = parse_xname(fmt::format("{}{}{}n{}", first->text.substr(0, slot), number + bmc,
                                            first->text.substr(controller), machine));
  return node && node->type == XnameType::node ? node->text : std::string();
}

std::span<const std::string_view> enum_names(AdoptBy) {
  return kByNames;
}

void AdoptPlace::describe(Visitor& v) {
  v.field("node", node, "The node that the machine is.");
  v.field("bmc", bmc, "Address of its BMC.", Presence::optional);
  v.field("system", system, "Its id among the machines of its BMC.", Presence::optional);
  v.field("serial", serial, "Its serial number.", Presence::optional);
  v.field("mac", mac, "The MAC of one of its interfaces.", Presence::optional);
  v.field("port", port, "The switch port that a relay saw it at.", Presence::optional);
}

void AdoptRack::describe(Visitor& v) {
  v.field("nodes", nodes, "Noderange of the places' names, in order.");
  v.field("first", first, "Address of the BMC at the first place; the others follow it.");
  v.field("per_bmc", per_bmc, "How many places, and machines, each BMC has.", Presence::optional);
  v.field("rack", rack, "Value of the nodes' attribute rack; empty: it is not set.",
          Presence::optional);
  v.field("xname", xname,
          "Xname of the BMC at the first place, the slot counting up from there: the nodes get "
          "theirs as aliases.",
          Presence::optional);
}

void AdoptMap::describe(Visitor& v) {
  v.field("nodes", nodes, "Nodes and what their machines are told by.", Presence::optional);
  v.field("racks", racks, "Runs of BMCs whose addresses follow their places.", Presence::optional);
}

void AdoptRequest::describe(Visitor& v) {
  v.field("by", by,
          "address: names in the order of the BMCs' addresses; map: as the map says; port: by the "
          "switch port that a relay saw the machine at.",
          Presence::optional);
  v.field("names", names, "Noderange of names to give, in order; they need not be nodes yet.",
          Presence::optional);
  v.field("bmcs", bmcs, "Addresses, runs and networks of the BMCs that count; none: all.",
          Presence::optional);
  v.field("map", map, "Which machine is which node.", Presence::optional);
  v.field("network", network, "The network of each new node's first interface.",
          Presence::optional);
  v.field("address", address,
          "The address of each new node's first interface, such as 10.1.0.${number}/16.",
          Presence::optional);
  v.field("group", group, "A static group that new nodes become members of.", Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

Status check(const AdoptRequest& request) {
  const bool mapped = !request.map.nodes.empty() || !request.map.racks.empty();
  if (mapped != (request.by == AdoptBy::map)) {
    return fail(Code::invalid_argument, mapped ? "map: it counts only with by=map"
                                               : "map: by=map needs one that says something");
  }
  DROVER_CHECK_OK(check_map(request.map));
  DROVER_TRY(const auto names, expand_names(request.names));
  for (const std::string& name : names) {
    if (const Status good = check_node_name(name); !good) return fail_in("names", good.error());
  }
  if (!request.bmcs.empty()) DROVER_CHECK_OK(scan_addresses(request.bmcs));
  DROVER_CHECK_OK(check_plain_text("address", request.address, kLongestWord));
  if (!request.network.empty()) DROVER_CHECK_OK(check_set_name("network", request.network));
  if (!request.group.empty()) DROVER_CHECK_OK(check_set_name("group", request.group));
  return {};
}

Result<AdoptMap> parse_adopt_map(std::string_view yaml) {
  if (yaml.size() > kMostMapText) {
    return fail(Code::too_large, fmt::format("the map is over {} bytes", kMostMapText));
  }
  LineMap lines;
  DROVER_TRY(const json::value document, parse_yaml(yaml, YamlScalars::text, &lines));
  const json::object* const top = document.if_object();
  if (top == nullptr) return at_line(1, "expected a map with nodes or racks");
  AdoptMap map;
  for (const auto& [name, value] : *top) {
    const size_t line = line_of(lines, "/" + pointer_token(name));
    if (name == "nodes" && value.is_object()) {
      for (const auto& [node, place] : value.get_object()) {
        DROVER_TRY(AdoptPlace read, read_place(node, place, lines));
        map.nodes.push_back(std::move(read));
      }
    } else if (name == "racks" && value.is_array()) {
      for (size_t i = 0; i < value.get_array().size(); ++i) {
        DROVER_TRY(AdoptRack read, read_rack(i, value.get_array()[i], lines));
        map.racks.push_back(std::move(read));
      }
    } else if (name == "nodes" || name == "racks") {
      return at_line(line, name == "nodes" ? "nodes: expected a map by their names"
                                           : "racks: expected a list");
    } else {
      return at_line(
          line, fmt::format("'{}' is neither nodes nor racks", printable(std::string_view(name))));
    }
  }
  DROVER_CHECK_OK(check_map(map));
  return map;
}

Result<AdoptMap> parse_serial_list(std::string_view text) {
  if (text.size() > kMostMapText) {
    return fail(Code::too_large, fmt::format("the list is over {} bytes", kMostMapText));
  }
  constexpr std::string_view kBetween = " \t\r,;";
  AdoptMap map;
  std::set<std::string, std::less<>> serials;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::vector<std::string> words;
    for (;;) {
      rest.remove_prefix(std::min(rest.find_first_not_of(kBetween), rest.size()));
      if (rest.empty() || rest.front() == '#') break;
      const size_t stop = std::min(rest.find_first_of(kBetween), rest.size());
      words.emplace_back(rest.substr(0, stop));
      rest.remove_prefix(stop);
    }
    if (words.empty()) continue;
    if (words.size() != 2) return at_line(line, "expected a serial number and a node");
    AdoptPlace place;
    place.serial = words[0];
    place.node = words[1];
    if (const Status good = check_place(place, "it"); !good) {
      return at_line(line, good.error().text());
    }
    if (!serials.insert(place.serial).second) {
      return at_line(line, fmt::format("{} stands there twice", printable(place.serial)));
    }
    map.nodes.push_back(std::move(place));
  }
  DROVER_CHECK_OK(check_map(map));
  return map;
}

}  // namespace drover::cluster

// OpenCHAMI's static discovery file (man 1 ochami-discover): nodes with interfaces and groups, and
// their BMCs beside them (bmc_mac, bmc_ip, bmc_fqdn) or in a list of their own.
#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "cluster/import/import.hpp"

#include <charconv>

#include <fmt/core.h>

namespace drover::cluster {
namespace {

/// A value with its place, for notes.
struct Place {
  const json::value* value = nullptr;
  std::string pointer;
};

class Converter {
 public:
  Converter(Imported& out, const LineMap& lines) : out_(out), lines_(lines) {}

  Status convert(const json::value& document) {
    const auto* root = document.if_object();
    const auto* nodes = root == nullptr ? nullptr : root->if_contains("nodes");
    if (nodes == nullptr || !nodes->is_array()) {
      return fail(Code::invalid_argument, "line 1: expected a map with a list \"nodes\"");
    }
    if (const auto* bmcs = root->if_contains("bmcs"); bmcs != nullptr && bmcs->is_array()) {
      size_t index = 0;
      for (const json::value& bmc : bmcs->get_array()) {
        note_bmc({&bmc, fmt::format("/bmcs/{}", index++)});
      }
    }
    size_t index = 0;
    for (const json::value& node : nodes->get_array()) {
      convert_node({&node, fmt::format("/nodes/{}", index++)});
    }
    return {};
  }

 private:
  [[nodiscard]] size_t line(const Place& place) const { return line_of(lines_, place.pointer); }

  static std::string text(const json::value& in, std::string_view key) {
    const auto* object = in.if_object();
    const auto* value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr || !value->is_string()) return {};
    return std::string(value->get_string());
  }
  static std::vector<Place> list(const Place& in, std::string_view key) {
    std::vector<Place> out;
    const auto* object = in.value->if_object();
    const auto* value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr || !value->is_array()) return out;
    for (const json::value& each : value->get_array()) {
      out.push_back({&each, fmt::format("{}/{}/{}", in.pointer, key, out.size())});
    }
    return out;
  }

  void note_bmc(const Place& place) {
    const std::string xname = text(*place.value, "xname");
    if (xname.empty()) {
      out_.note(line(place), "left out: a BMC without an xname");
      return;
    }
    bmcs_[xname] = read_bmc(place, "mac", "ip", "fqdn");
    if (const std::string name = text(*place.value, "name"); !name.empty()) {
      bmcs_[name] = bmcs_[xname];
    }
  }

  std::optional<ImportedBmc> read_bmc(const Place& place, std::string_view mac_key,
                                      std::string_view ip_key, std::string_view name_key) {
    ImportedBmc bmc;
    bmc.protocol = "redfish";
    if (const std::string mac = text(*place.value, mac_key); !mac.empty()) {
      bmc.mac = out_.mac(mac, line(place)).value_or("");
    }
    if (const std::string ip = text(*place.value, ip_key); !ip.empty()) {
      bmc.address = out_.address(ip, line(place)).value_or("");
    }
    if (bmc.address.empty()) bmc.address = text(*place.value, name_key);
    if (bmc.address.empty() && bmc.mac.empty()) return std::nullopt;
    return bmc;
  }

  void convert_node(const Place& place) {
    const std::string xname = text(*place.value, "xname");
    const std::string given = text(*place.value, "name");
    if (given.empty() && xname.empty()) {
      out_.note(line(place), "left out: a node without a name and an xname");
      return;
    }
    const auto name = out_.node_name(given.empty() ? xname : given, line(place));
    if (!name) return;
    if (out_.nodes.contains(*name)) {
      out_.note(line(place), fmt::format("left out: {} came before", *name));
      return;
    }
    ImportedNode& node = out_.nodes[*name];
    if (!xname.empty() && xname != *name) {
      if (auto alias = out_.node_name(xname, line(place))) node.aliases.push_back(*alias);
    }
    nid(place, node);
    bmc(place, xname, node);
    for (const Place& interface : list(place, "interfaces")) convert_interface(interface, node);
    if (const std::string group = text(*place.value, "group"); !group.empty()) {
      out_.groups[out_.group_name(group, line(place))].nodes.insert(*name);
    }
    for (const Place& group : list(place, "groups")) {
      if (!group.value->is_string()) continue;
      const std::string label(group.value->get_string());
      out_.groups[out_.group_name(label, line(group))].nodes.insert(*name);
    }
  }

  void nid(const Place& place, ImportedNode& node) {
    const std::string digits = text(*place.value, "nid");
    if (digits.empty()) return;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, node.nid);
    if (error != std::errc() || rest != end) {
      node.nid = 0;
      out_.note(line(place),
                fmt::format("left out: the NID \"{}\" is not a whole number", printable(digits)));
    }
  }

  void bmc(const Place& place, const std::string& xname, ImportedNode& node) {
    node.bmc = read_bmc(place, "bmc_mac", "bmc_ip", "bmc_fqdn");
    if (node.bmc) return;
    std::string wanted = text(*place.value, "bmc");
    // Without a reference it is the BMC whose xname is the node's without its "n0".
    if (wanted.empty()) wanted = xname.substr(0, xname.rfind('n'));
    const auto held = bmcs_.find(wanted);
    if (held != bmcs_.end()) {
      node.bmc = held->second;
    } else if (!text(*place.value, "bmc").empty()) {
      out_.note(line(place), fmt::format("left out: there is no BMC \"{}\"", printable(wanted)));
    }
  }

  void convert_interface(const Place& place, ImportedNode& node) {
    const std::string name = fmt::format("eth{}", node.interfaces.size());
    ImportedInterface& interface = node.interface(name);
    if (const std::string mac = text(*place.value, "mac_addr"); !mac.empty()) {
      interface.mac = out_.mac(mac, line(place)).value_or("");
    }
    for (const Place& each : list(place, "ip_addrs")) {
      if (auto ip = out_.address(text(*each.value, "ip_addr"), line(each))) {
        interface.addresses.push_back(*ip);
      }
      std::string network = text(*each.value, "network");
      if (network.empty()) network = text(*each.value, "name");
      if (network.empty() || network == interface.network) continue;
      if (interface.network.empty()) {
        interface.network = network;
      } else {
        out_.note(line(each), fmt::format("the network {} of a second address was left out",
                                          printable(network)));
      }
    }
  }

  Imported& out_;
  const LineMap& lines_;
  std::map<std::string, std::optional<ImportedBmc>> bmcs_;
};

}  // namespace

Result<Imported> import_openchami(std::string_view text) {
  LineMap lines;
  DROVER_TRY(const json::value document, parse_yaml(text, YamlScalars::text, &lines));
  Imported out;
  DROVER_CHECK_OK(Converter(out, lines).convert(document));
  if (!out.nodes.empty()) {
    out.note(0, "the file does not name interfaces: they are called eth0, eth1, .. in its order");
  }
  out.finish();
  return out;
}

}  // namespace drover::cluster

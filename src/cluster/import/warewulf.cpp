// Warewulf 4's nodes.conf. A node's profiles are merged in their order, nested ones behind those
// that name them, "~name" takes one out; the last value wins and lists add up. Drover's profiles
// are strongest first, so the order turns round; what a profile says of networks and IPMI is put
// into its nodes, as those are fields of nodes here.
#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "cluster/import/import.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

/// One node or profile of the file.
struct Source {
  const json::object* map = nullptr;
  std::string pointer;
};

std::string text_in(const json::object* map, std::string_view key) {
  const auto* value = map == nullptr ? nullptr : map->if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  const std::string text(value->get_string());
  return text == "UNDEF" ? std::string() : text;
}

const json::object* map_in(const json::object* map, std::string_view key) {
  const auto* value = map == nullptr ? nullptr : map->if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

/// A list, or a text with commas, as older files have it.
std::vector<std::string> list_in(const json::object* map, std::string_view key) {
  const auto* value = map == nullptr ? nullptr : map->if_contains(key);
  if (value == nullptr) return {};
  if (value->is_string()) return parts_of_list(std::string_view(value->get_string()));
  std::vector<std::string> out;
  if (const auto* array = value->if_array()) {
    for (const json::value& each : *array) {
      if (each.is_string()) out.emplace_back(each.get_string());
    }
  }
  return out;
}

/// The prefix length of a netmask, or nothing.
std::optional<int> prefix_of(const std::string& netmask) {
  const auto octets = parts_of_list(netmask, '.');
  if (!is_ip_address(netmask) || octets.size() != 4) return {};
  uint32_t mask = 0;
  for (const std::string& octet : octets) {
    mask = mask << 8 | static_cast<uint32_t>(std::stoul(octet));
  }
  const int ones = std::countl_one(mask);
  if (std::popcount(mask) != ones) return {};
  return ones;
}

/// Keys that lists of several sources add up under.
constexpr std::array<std::string_view, 2> kAdding{"system overlay", "runtime overlay"};

class Converter {
 public:
  Converter(Imported& out, const LineMap& lines) : out_(out), lines_(lines) {}

  Status convert(const json::value& document) {
    const auto* root = document.if_object();
    if (root == nullptr) {
      return fail(Code::invalid_argument, "line 1: expected a map with \"nodes\"");
    }
    if (root->if_contains("nodes") == nullptr && root->if_contains("nodeprofiles") == nullptr) {
      return fail(Code::invalid_argument,
                  "line 1: neither \"nodes\" nor \"nodeprofiles\": not a nodes.conf of Warewulf 4");
    }
    read_sources(*root, "nodeprofiles", profiles_);
    std::map<std::string, Source, NaturalLess> nodes;
    read_sources(*root, "nodes", nodes);
    for (const auto& [name, source] : nodes) find_order(name, source);
    rename_default();
    for (const auto& [name, source] : profiles_) profile(name, source);
    for (const auto& [name, source] : nodes) node(name, source);
    return {};
  }

 private:
  [[nodiscard]] size_t line(const std::string& pointer) const { return line_of(lines_, pointer); }

  void read_sources(const json::object& root, std::string_view key,
                    std::map<std::string, Source, NaturalLess>& to) {
    const json::object* map = map_in(&root, key);
    if (map == nullptr) return;
    for (const auto& member : *map) {
      const std::string name(member.key());
      to[name] = {member.value().if_object(), fmt::format("/{}/{}", key, pointer_token(name))};
    }
  }

  /// A node's profiles as Warewulf merges them: the last is strongest.
  void find_order(const std::string& name, const Source& source) {
    std::vector<std::string> order;
    std::set<std::string> open;
    for (const std::string& profile : list_in(source.map, "profiles")) {
      add_profile(profile, order, open);
    }
    for (const std::string& profile : order) {
      if (profile != order.front() && profile == "default") default_is_plain_ = false;
    }
    const bool has_default = !order.empty() && order.front() == "default";
    if (!has_default) default_is_plain_ = false;
    orders_[name] = std::move(order);
  }

  void add_profile(const std::string& given, std::vector<std::string>& order,
                   std::set<std::string>& open) {
    if (given.starts_with('~')) {
      std::erase(order, given.substr(1));
      return;
    }
    // Profiles that name others many times over must not take for ever.
    constexpr size_t kMostSteps = 1'000'000;
    if (++steps_ > kMostSteps) return;
    if (!profiles_.contains(given) || !open.insert(given).second) return;
    std::erase(order, given);
    order.push_back(given);
    for (const std::string& inner : list_in(profiles_.at(given).map, "profiles")) {
      add_profile(inner, order, open);
    }
    open.erase(given);
  }

  /// In Drover every node has the profile "default" as its weakest; where that was not so, another
  /// name keeps it apart.
  void rename_default() {
    if (!profiles_.contains("default") || default_is_plain_) return;
    default_name_ = "warewulf-default";
    out_.note(line(profiles_.at("default").pointer),
              "the profile \"default\" was made \"warewulf-default\": not every node has it as "
              "its first, and Drover gives \"default\" to all");
  }

  std::string profile_name(const std::string& given) {
    if (given == "default") return default_name_;
    return out_.group_name(given, line(profiles_.at(given).pointer));
  }

  void profile(const std::string& name, const Source& source) {
    ImportedProfile& profile = out_.profiles[profile_name(name)];
    profile.description = text_in(source.map, "comment");
    attributes(source, profile.attributes);
  }

  /// The values that are attributes here.
  void attributes(const Source& source, std::map<std::string, std::string>& to) {
    if (source.map == nullptr) return;
    const auto put = [&](std::string_view known, std::string_view key, const std::string& value) {
      if (!value.empty()) to[attribute_for(known, "warewulf", key, value)] = value;
    };
    put("image", "image", text_in(source.map, "container name"));
    put("image", "image", text_in(source.map, "image name"));
    put("asset", "asset", text_in(source.map, "asset key"));
    put("", "cluster", text_in(source.map, "cluster name"));
    for (const std::string_view key : {"ipxe template", "init", "root", "discoverable"}) {
      put("", key, text_in(source.map, key));
    }
    const json::object* kernel = map_in(source.map, "kernel");
    put("kernel_args", "kernel_args", kernel_args(source));
    put("", "kernel", text_in(kernel, "override"));
    put("", "kernel", text_in(kernel, "version"));
    for (const std::string_view key : kAdding) {
      put("", key, fmt::format("{}", fmt::join(list_in(source.map, key), ",")));
    }
    if (const json::object* tags = map_in(source.map, "tags")) {
      for (const auto& member : *tags) {
        const auto* value = member.value().if_string();
        if (value != nullptr) {
          to[foreign_attribute("tag", std::string_view(member.key()))] = std::string(*value);
        }
      }
    }
    note_unknown(source);
  }

  static std::string kernel_args(const Source& source) {
    const json::object* kernel = map_in(source.map, "kernel");
    const auto* value = kernel == nullptr ? nullptr : kernel->if_contains("args");
    if (value != nullptr && value->is_array()) {
      return fmt::format("{}", fmt::join(list_in(kernel, "args"), " "));
    }
    const std::string args = text_in(kernel, "args");
    return args.empty() ? text_in(source.map, "kernel args") : args;
  }

  void note_unknown(const Source& source) {
    constexpr std::array<std::string_view, 21> kKnown{"comment",
                                                      "container name",
                                                      "image name",
                                                      "asset key",
                                                      "cluster name",
                                                      "ipxe template",
                                                      "init",
                                                      "root",
                                                      "discoverable",
                                                      "kernel",
                                                      "kernel args",
                                                      "system overlay",
                                                      "runtime overlay",
                                                      "tags",
                                                      "profiles",
                                                      "ipmi",
                                                      "network devices",
                                                      "primary network",
                                                      "keys",
                                                      "id",
                                                      "kernel override"};
    for (const auto& member : *source.map) {
      const std::string_view key = member.key();
      if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
      const bool old_ipmi = key.starts_with("ipmi ");
      out_.note_once(fmt::format("key {}", key),
                     line(fmt::format("{}/{}", source.pointer, pointer_token(key))),
                     fmt::format("left out: \"{}\"{}", printable(key),
                                 old_ipmi ? " (of Warewulf before 4.3)" : ""));
    }
  }

  void node(const std::string& given, const Source& source) {
    const auto name = out_.node_name(given, line(source.pointer));
    if (!name) return;
    ImportedNode& node = out_.nodes[*name];
    node.description = text_in(source.map, "comment");
    attributes(source, node.attributes);
    const std::vector<std::string>& order = orders_[given];
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      if (profile_name(*it) != "default") node.profiles.push_back(profile_name(*it));
    }
    // Weakest first: what comes later replaces it.
    std::vector<Source> sources;
    for (const std::string& profile : order) sources.push_back(profiles_.at(profile));
    sources.push_back(source);
    add_up(sources, node);
    bmc(sources, node);
    std::vector<std::string> devices;
    for (const Source& each : sources) {
      const json::object* map = map_in(each.map, "network devices");
      if (map == nullptr) continue;
      for (const auto& member : *map) {
        const std::string key(member.key());
        if (std::find(devices.begin(), devices.end(), key) == devices.end()) {
          devices.push_back(key);
        }
      }
    }
    std::string primary;
    for (const Source& each : sources) {
      if (auto text = text_in(each.map, "primary network"); !text.empty()) primary = text;
    }
    const auto first = std::find(devices.begin(), devices.end(),
                                 primary.empty() ? std::string("default") : primary);
    if (first != devices.end()) std::rotate(devices.begin(), first, first + 1);
    for (const std::string& device : devices) interface(device, sources, node);
  }

  /// Lists that more than one source fills are written out on the node.
  static void add_up(const std::vector<Source>& sources, ImportedNode& node) {
    std::vector<std::string> args;
    for (const Source& source : sources) {
      if (auto text = kernel_args(source); !text.empty()) args.push_back(std::move(text));
    }
    if (args.size() > 1) node.attributes["kernel_args"] = fmt::format("{}", fmt::join(args, " "));
    for (const std::string_view key : kAdding) {
      std::vector<std::string> all;
      size_t filled = 0;
      for (const Source& source : sources) {
        const auto list = list_in(source.map, key);
        filled += list.empty() ? 0 : 1;
        all.insert(all.end(), list.begin(), list.end());
      }
      if (filled > 1) {
        node.attributes[foreign_attribute("warewulf", key)] =
            fmt::format("{}", fmt::join(all, ","));
      }
    }
  }

  void bmc(const std::vector<Source>& sources, ImportedNode& node) {
    ImportedBmc bmc;
    for (const Source& source : sources) {
      const json::object* ipmi = map_in(source.map, "ipmi");
      if (ipmi == nullptr) continue;
      const size_t at = line(source.pointer + "/ipmi");
      if (auto text = text_in(ipmi, "ipaddr"); !text.empty()) {
        bmc.address = out_.address(text, at).value_or(bmc.address);
      }
      if (auto text = text_in(ipmi, "username"); !text.empty()) bmc.user = text;
      if (!text_in(ipmi, "password").empty()) {
        out_.note_once("secret", at, "left out: IPMI passwords; give them to Drover by themselves");
      }
    }
    if (bmc.address.empty()) return;
    bmc.protocol = "ipmi";
    node.bmc = bmc;
  }

  void interface(const std::string& device, const std::vector<Source>& sources,
                 ImportedNode& node) {
    std::map<std::string, std::string, std::less<>> values;
    size_t at = 0;
    for (const Source& source : sources) {
      const json::object* map = map_in(map_in(source.map, "network devices"), device);
      if (map == nullptr) continue;
      at = line(fmt::format("{}/network devices/{}", source.pointer, pointer_token(device)));
      for (const auto& member : *map) {
        const std::string key(member.key());
        if (auto text = text_in(map, key); !text.empty()) values[key] = text;
      }
    }
    ImportedInterface& interface =
        node.interface(values["device"].empty() ? device : values["device"]);
    interface.network = device;
    if (!values["hwaddr"].empty()) interface.mac = out_.mac(values["hwaddr"], at).value_or("");
    add_address(values, at, interface);
    const bool first = interface.name == node.interfaces.front().name;
    if (first && is_ip_address(values["gateway"])) node.attributes["gateway"] = values["gateway"];
    if (first && !values["mtu"].empty()) {
      node.attributes[attribute_for("mtu", "warewulf", "mtu", values["mtu"])] = values["mtu"];
    }
  }

  void add_address(std::map<std::string, std::string, std::less<>>& values, size_t at,
                   ImportedInterface& interface) {
    std::string ip = values["ipcidr"].empty() ? values["ipaddr"] : values["ipcidr"];
    if (!ip.empty()) {
      const auto prefix = prefix_of(values["netmask"]);
      if (prefix && ip.find('/') == std::string::npos) ip += fmt::format("/{}", *prefix);
      if (auto good = out_.address(ip, at)) interface.addresses.push_back(*good);
    }
    std::string ip6 = values["ip6addr"];
    if (ip6.empty()) return;
    if (!values["prefixlen6"].empty() && ip6.find('/') == std::string::npos) {
      ip6 += "/" + values["prefixlen6"];
    }
    if (auto good = out_.address(ip6, at)) interface.addresses.push_back(*good);
  }

  Imported& out_;
  const LineMap& lines_;
  std::map<std::string, Source, NaturalLess> profiles_;
  std::map<std::string, std::vector<std::string>> orders_;
  size_t steps_ = 0;
  bool default_is_plain_ = true;
  std::string default_name_ = "default";
};

}  // namespace

Result<Imported> import_warewulf(std::string_view text) {
  LineMap lines;
  DROVER_TRY(const json::value document, parse_yaml(text, YamlScalars::text, &lines));
  Imported out;
  DROVER_CHECK_OK(Converter(out, lines).convert(document));
  out.finish();
  return out;
}

}  // namespace drover::cluster

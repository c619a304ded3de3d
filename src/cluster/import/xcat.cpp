// xCAT stanza files (man 5 xcatstanzafile): "name:" lines, below them "attribute=value" lines, one
// of them objtype. A stanza "default-<type>" sets values of the stanzas of that type behind it.
#include "base/text.hpp"
#include "cluster/attributes.hpp"
#include "cluster/formula.hpp"
#include "cluster/import/import.hpp"
#include "cluster/import/xcat_formula.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::cluster {
namespace {

struct Value {
  std::string text;
  size_t line = 0;
};
using Values = std::map<std::string, Value, std::less<>>;

struct Stanza {
  std::string name;
  size_t line = 0;
  Values values;
};

const std::string& text_of(const Values& values, std::string_view key) {
  static const std::string kNone;
  const auto it = values.find(key);
  return it == values.end() ? kNone : it->second.text;
}

bool contains(std::string_view one_of, std::string_view word) {
  const auto words = words_in(one_of);
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// What becomes a field of its own, or describes the moment, and so is no attribute.
bool has_own_field(std::string_view key) {
  constexpr std::string_view kOwn =
      "objtype groups ip mac bmc mgt bmcusername bmcpassword hostnames usercomment installnic "
      "primarynic nodetype status statustime appstatus appstatustime updatestatus "
      "updatestatustime currstate currchain members grouptype wherevals nicips nictypes "
      "nicnetworks nichostnamesuffixes nicaliases";
  return contains(kOwn, key) || key.starts_with("nicips.") || key.starts_with("nictypes.") ||
         key.starts_with("nicnetworks.") || key.starts_with("nichostnamesuffixes.") ||
         key.starts_with("nicaliases.");
}

bool is_secret(std::string_view key) {
  return key.find("password") != std::string_view::npos || key.starts_with("passwd");
}

class Stanzas {
 public:
  explicit Stanzas(Imported& out) : out_(out) {}

  Result<std::vector<Stanza>> read(std::string_view text) {
    for (const TextLine& line : lines_in(text)) {
      const std::string_view content = trimmed(line.text);
      if (content.empty() || content.front() == '#') continue;
      const size_t equals = content.find('=');
      if (content.ends_with(':') && equals == std::string_view::npos) {
        begin(content.substr(0, content.size() - 1), line.number);
      } else if (equals != std::string_view::npos && equals > 0) {
        if (!open_) {
          return fail(
              Code::invalid_argument,
              fmt::format("line {}: an attribute before the first \"name:\" line", line.number));
        }
        current_.values[std::string(trimmed(content.substr(0, equals)))] = {
            std::string(trimmed(content.substr(equals + 1))), line.number};
      } else {
        out_.note(line.number, fmt::format("left out: \"{}\" is neither \"name:\" nor "
                                           "\"attribute=value\"",
                                           printable(content)));
      }
    }
    end();
    return std::move(all_);
  }

 private:
  void begin(std::string_view name, size_t line) {
    end();
    current_ = {std::string(trimmed(name)), line, {}};
    open_ = true;
  }

  void end() {
    if (!open_) return;
    open_ = false;
    constexpr std::string_view kDefault = "default-";
    if (current_.name.starts_with(kDefault)) {
      Values& defaults = defaults_[current_.name.substr(kDefault.size())];
      for (const auto& [key, value] : current_.values) {
        if (value.text.empty()) {
          defaults.erase(key);
        } else {
          defaults[key] = value;
        }
      }
      return;
    }
    const auto type = defaults_.find(text_of(current_.values, "objtype"));
    if (type != defaults_.end()) current_.values.insert(type->second.begin(), type->second.end());
    all_.push_back(std::move(current_));
  }

  Imported& out_;
  std::vector<Stanza> all_;
  std::map<std::string, Values, std::less<>> defaults_;
  Stanza current_;
  bool open_ = false;
};

/// Addresses are worked out from the node's name alone: xCAT's rules know nothing else.
class NoDefinitions : public Definitions {
 public:
  [[nodiscard]] const Profile* profile(std::string_view) const override { return nullptr; }
  [[nodiscard]] std::vector<const Group*> groups_of(const Node&) const override { return {}; }
};

std::optional<std::string> worked_out(const std::string& formula, const std::string& node_name) {
  const NoDefinitions none;
  Node node;
  node.name = node_name;
  auto text = NodeAttributes(node, none).expand("", formula);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

struct Network {
  std::string name;
  uint32_t net = 0;
  uint32_t mask = 0;
};

std::optional<uint32_t> ipv4(std::string_view text) {
  if (!is_ip_address(text) || text.find(':') != std::string_view::npos) return {};
  uint32_t out = 0;
  for (const std::string& octet : parts_of_list(text, '.')) {
    out = out << 8 | static_cast<uint32_t>(std::stoul(octet));
  }
  return out;
}

class Converter {
 public:
  explicit Converter(Imported& out) : out_(out) {}

  void convert(const std::vector<Stanza>& stanzas) {
    for (const Stanza& stanza : stanzas) sort_in(stanza);
    for (const auto& [name, stanza] : groups_) group(name, *stanza);
    for (const Stanza* stanza : nodes_) node(*stanza);
    for (const auto& [name, stanza] : groups_) members(name, *stanza);
  }

 private:
  void sort_in(const Stanza& stanza) {
    const std::string& type = text_of(stanza.values, "objtype");
    if (type == "node") {
      nodes_.push_back(&stanza);
    } else if (type == "group") {
      groups_[stanza.name] = &stanza;
    } else if (type == "network") {
      network(stanza);
    } else {
      out_.note_once("objtype " + type, stanza.line,
                     type.empty()
                         ? fmt::format("left out: \"{}\" has no objtype", printable(stanza.name))
                         : fmt::format("left out: objects of the type \"{}\"", printable(type)));
    }
  }

  void network(const Stanza& stanza) {
    const auto net = ipv4(text_of(stanza.values, "net"));
    const auto mask = ipv4(text_of(stanza.values, "mask"));
    if (net && mask) networks_.push_back({stanza.name, *net, *mask});
  }

  /// The value as Drover writes it: rules become formulas. Nothing, and a note, for a rule that has
  /// no formula.
  std::optional<std::string> plain(std::string_view key, const Value& value) {
    if (!is_xcat_rule(value.text)) return value.text;
    if (auto formula = xcat_formula(value.text)) return formula;
    out_.note(value.line, fmt::format("left out: the rule of {} has no formula here: {}",
                                      printable(key), printable(value.text)));
    return std::nullopt;
  }

  void attributes(const Values& values, std::map<std::string, std::string>& to) {
    for (const auto& [key, value] : values) {
      if (is_secret(key)) {
        out_.note_once("secret", value.line,
                       "left out: passwords; give them to Drover by themselves");
        continue;
      }
      if (has_own_field(key) || value.text.empty()) continue;
      if (auto text = plain(key, value)) {
        const std::string name = xcat_attribute(key, *text);
        to[name] = *std::move(text);
      }
    }
  }

  static std::string xcat_attribute(std::string_view key, std::string_view value) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kKnown{
        {{"arch", "arch"},
         {"room", "room"},
         {"rack", "rack"},
         {"chassis", "chassis"},
         {"slot", "slot"},
         {"unit", "unit"},
         {"mtm", "model"},
         {"serial", "serial"},
         {"provmethod", "image"},
         {"kcmdline", "kernel_args"},
         {"addkcmdline", "kernel_args"},
         {"nameservers", "nameservers"},
         {"domain", "domain"}}};
    const auto* row = std::find_if(kKnown.begin(), kKnown.end(),
                                   [&](const auto& each) { return each.first == key; });
    return attribute_for(row == kKnown.end() ? "" : row->second, "xcat", key, value);
  }

  void group(const std::string& name, const Stanza& stanza) {
    ImportedGroup& group = out_.groups[out_.group_name(name, stanza.line)];
    group.description = text_of(stanza.values, "usercomment");
    attributes(stanza.values, group.attributes);
    if (text_of(stanza.values, "grouptype") == "dynamic") {
      out_.note(stanza.line,
                fmt::format("the group {} is dynamic ({}): give it a noderange as \"range\"",
                            printable(name), printable(text_of(stanza.values, "wherevals"))));
    }
  }

  /// A group may list its members by itself, as mkdef takes them; lsdef says them on both sides.
  void members(const std::string& name, const Stanza& stanza) {
    const auto listed = stanza.values.find("members");
    if (listed == stanza.values.end() || text_of(stanza.values, "grouptype") == "dynamic") return;
    ImportedGroup& group = out_.groups[out_.group_name(name, stanza.line)];
    for (const std::string& member : parts_of_list(listed->second.text)) {
      if (const auto node = names_.find(member); node != names_.end()) {
        group.nodes.insert(node->second);
      } else {
        out_.note(listed->second.line, fmt::format("left out: the member {} of {} is no node here",
                                                   printable(member), printable(name)));
      }
    }
  }

  /// The node's own value, else that of the first of its groups that has one.
  const Value* effective(const Stanza& stanza, std::string_view key) const {
    if (const auto own = stanza.values.find(key); own != stanza.values.end()) {
      return own->second.text.empty() ? nullptr : &own->second;
    }
    for (const std::string& name : parts_of_list(text_of(stanza.values, "groups"))) {
      const auto group = groups_.find(name);
      if (group == groups_.end()) continue;
      const auto held = group->second->values.find(key);
      if (held != group->second->values.end() && !held->second.text.empty()) return &held->second;
    }
    return nullptr;
  }

  std::string effective_text(const Stanza& stanza, std::string_view key) {
    const Value* value = effective(stanza, key);
    if (value == nullptr) return {};
    return plain(key, *value).value_or(std::string());
  }

  void node(const Stanza& stanza) {
    const auto name = out_.node_name(stanza.name, stanza.line);
    if (!name) return;
    names_[stanza.name] = *name;
    ImportedNode& node = out_.nodes[*name];
    node.description = text_of(stanza.values, "usercomment");
    for (const std::string& alias : parts_of_list(text_of(stanza.values, "hostnames"))) {
      if (auto good = out_.node_name(alias, stanza.line); good && *good != *name) {
        node.aliases.push_back(*good);
      }
    }
    for (const std::string& given : parts_of_list(text_of(stanza.values, "groups"))) {
      out_.groups[out_.group_name(given, stanza.line)].nodes.insert(*name);
    }
    boot_interface(stanza, *name, node);
    other_interfaces(stanza, *name, node);
    bmc(stanza, node);
    attributes(stanza.values, node.attributes);
    settle_groups(stanza, node);
  }

  void boot_interface(const Stanza& stanza, const std::string& name, ImportedNode& node) {
    const std::string ip = effective_text(stanza, "ip");
    const Value* mac = effective(stanza, "mac");
    if (ip.empty() && mac == nullptr) return;
    std::string nic = effective_text(stanza, "installnic");
    if (nic.empty() || nic == "mac") nic = effective_text(stanza, "primarynic");
    if (nic.empty() || nic == "mac") nic = "eth0";
    ImportedInterface& interface = node.interface(nic);
    if (!ip.empty()) add_address(name, interface, ip, stanza.line);
    if (mac == nullptr) return;
    // "mac!host|mac!host": the first is the one that boots.
    const auto macs = parts_of_list(mac->text, '|');
    if (macs.size() > 1) {
      out_.note(mac->line,
                fmt::format("only the first of {} MAC addresses was taken", macs.size()));
    }
    if (!macs.empty()) {
      if (auto good = out_.mac(macs[0].substr(0, macs[0].find('!')), mac->line)) {
        interface.mac = *good;
      }
    }
  }

  void add_address(const std::string& node, ImportedInterface& interface, const std::string& text,
                   size_t line) {
    std::string address = text;
    std::optional<std::string> plain_address;
    if (has_formula(text)) {
      plain_address = worked_out(text, node);
    } else {
      plain_address = out_.address(text, line);
      if (!plain_address) return;
      address = *plain_address;
    }
    if (const auto number = plain_address ? ipv4(*plain_address) : std::nullopt) {
      for (const Network& network : networks_) {
        if ((*number & network.mask) != network.net) continue;
        address += fmt::format("/{}", __builtin_popcount(network.mask));
        if (interface.network.empty()) interface.network = network.name;
        break;
      }
    }
    auto& all = interface.addresses;
    if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  }

  void other_interfaces(const Stanza& stanza, const std::string& name, ImportedNode& node) {
    for (const auto& [key, value] : stanza.values) {
      if (key.starts_with("nicips.")) {
        addresses_of(name, node.interface(key.substr(7)), value.text, value.line);
      } else if (key == "nicips") {  // "eth1!10.0.1.1|10.0.2.1,ib0!10.1.0.1"
        for (const std::string& part : parts_of_list(value.text)) {
          const size_t mark = part.find('!');
          if (mark == std::string::npos) continue;
          addresses_of(name, node.interface(part.substr(0, mark)), part.substr(mark + 1),
                       value.line);
        }
      } else if (key.starts_with("nicnetworks.")) {
        const auto networks = parts_of_list(value.text, '|');
        if (!networks.empty()) node.interface(key.substr(12)).network = networks[0];
      } else if (key.starts_with("nichostnamesuffixes.")) {
        for (const std::string& suffix : parts_of_list(value.text, '|')) {
          if (auto alias = out_.node_name(name + suffix, value.line)) {
            node.aliases.push_back(*alias);
          }
        }
      }
    }
  }

  void addresses_of(const std::string& node, ImportedInterface& interface, const std::string& text,
                    size_t line) {
    for (const std::string& address : parts_of_list(text, '|')) {
      const Value value{address, line};
      if (const auto good = plain("nicips", value)) add_address(node, interface, *good, line);
    }
  }

  void bmc(const Stanza& stanza, ImportedNode& node) {
    const std::string address = effective_text(stanza, "bmc");
    if (address.empty()) return;
    const std::string mgt = effective_text(stanza, "mgt");
    ImportedBmc bmc;
    bmc.address = address;
    if (mgt == "ipmi") bmc.protocol = "ipmi";
    if (mgt == "openbmc" || mgt == "redfish") bmc.protocol = "redfish";
    bmc.user = effective_text(stanza, "bmcusername");
    node.bmc = bmc;
  }

  /// Where groups disagree, the first in the node's list counts there; here it is said on the node.
  void settle_groups(const Stanza& stanza, ImportedNode& node) {
    std::map<std::string, const Value*, std::less<>> first;
    for (const std::string& given : parts_of_list(text_of(stanza.values, "groups"))) {
      const auto group = groups_.find(given);
      if (group == groups_.end()) continue;
      for (const auto& [key, value] : group->second->values) {
        if (has_own_field(key) || is_secret(key) || value.text.empty()) continue;
        const auto [it, fresh] = first.try_emplace(key, &value);
        if (fresh || it->second->text == value.text || stanza.values.contains(key)) continue;
        if (auto text = plain(key, *it->second)) {
          const std::string name = xcat_attribute(key, *text);
          node.attributes[name] = *std::move(text);
        }
      }
    }
  }

  Imported& out_;
  std::vector<const Stanza*> nodes_;
  std::map<std::string, const Stanza*, NaturalLess> groups_;
  std::vector<Network> networks_;
  std::map<std::string, std::string, std::less<>> names_;  ///< of nodes: there to here
};

}  // namespace

Result<Imported> import_xcat(std::string_view text) {
  Imported out;
  DROVER_TRY(const std::vector<Stanza> stanzas, Stanzas(out).read(text));
  Converter(out).convert(stanzas);
  out.finish();
  return out;
}

}  // namespace drover::cluster

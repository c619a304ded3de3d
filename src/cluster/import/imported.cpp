// Cleaning of foreign names, and the document that is made of what was imported.
#include "cluster/import/imported.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/group.hpp"
#include "cluster/import/import.hpp"
#include "cluster/import/regular.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::cluster {
namespace {

/// Behind the name of a group that is built in here.
constexpr std::string_view kImportedSuffix = "-imported";

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

json::array list_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

json::object map_of(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [name, value] : texts) out.emplace(name, value);
  return out;
}

void put_text(json::object& to, std::string_view name, const std::string& text) {
  if (!text.empty()) to.emplace(name, text);
}

json::object interface_object(const ImportedInterface& interface) {
  json::object out{{"name", interface.name}};
  put_text(out, "mac", interface.mac);
  if (!interface.addresses.empty()) out.emplace("addresses", list_of(interface.addresses));
  put_text(out, "network", interface.network);
  return out;
}

json::object node_object(const ImportedNode& node) {
  json::object out;
  if (node.nid > 0) out.emplace("nid", node.nid);
  if (!node.aliases.empty()) out.emplace("aliases", list_of(node.aliases));
  if (!node.interfaces.empty()) {
    json::array interfaces;
    for (const auto& interface : node.interfaces) {
      interfaces.push_back(interface_object(interface));
    }
    out.emplace("interfaces", std::move(interfaces));
  }
  if (node.bmc) {
    json::object bmc;
    put_text(bmc, "address", node.bmc->address);
    put_text(bmc, "protocol", node.bmc->protocol);
    put_text(bmc, "mac", node.bmc->mac);
    put_text(bmc, "user", node.bmc->user);
    if (!bmc.empty()) out.emplace("bmc", std::move(bmc));
  }
  if (!node.profiles.empty()) out.emplace("profiles", list_of(node.profiles));
  if (!node.attributes.empty()) out.emplace("attributes", map_of(node.attributes));
  put_text(out, "description", node.description);
  return out;
}

json::object profiles_object(const Imported& imported) {
  json::object out;
  for (const auto& [name, profile] : imported.profiles) {
    json::object entry;
    put_text(entry, "description", profile.description);
    if (!profile.attributes.empty()) entry.emplace("attributes", map_of(profile.attributes));
    out.emplace(name, std::move(entry));
  }
  return out;
}

json::object groups_object(const Imported& imported) {
  json::object out;
  for (const auto& [name, group] : imported.groups) {
    json::object entry;
    put_text(entry, "description", group.description);
    put_text(entry, "range", group.range);
    if (!group.nodes.empty()) {
      entry.emplace("nodes", fold_names({group.nodes.begin(), group.nodes.end()}));
    }
    if (!group.attributes.empty()) entry.emplace("attributes", map_of(group.attributes));
    out.emplace(name, std::move(entry));
  }
  return out;
}

/// Equal entries under one bracket range, in the order of their first nodes.
json::object nodes_object(const Imported& imported) {
  std::vector<std::pair<std::string, ImportedNode>> nodes(imported.nodes.begin(),
                                                          imported.nodes.end());
  use_formulas(nodes);
  std::map<std::string, size_t> index;
  std::vector<std::pair<json::object, std::vector<std::string>>> entries;
  for (const auto& [name, node] : nodes) {
    json::object entry = node_object(node);
    const auto [it, fresh] = index.try_emplace(json::serialize(entry), entries.size());
    if (fresh) entries.push_back({std::move(entry), {}});
    entries[it->second].second.push_back(name);
  }
  json::object out;
  for (auto& [entry, names] : entries) out.emplace(fold_names(names), std::move(entry));
  return out;
}

}  // namespace

ImportedInterface& ImportedNode::interface(std::string_view name) {
  const auto it = std::find_if(interfaces.begin(), interfaces.end(),
                               [&](const auto& each) { return each.name == name; });
  if (it != interfaces.end()) return *it;
  interfaces.push_back({std::string(name), {}, {}, {}});
  return interfaces.back();
}

void Imported::finish() {
  for (const std::string_view name : {"all", "compute"}) {
    const auto it = groups.find(std::string(name) + std::string(kImportedSuffix));
    if (it == groups.end()) continue;
    const ImportedGroup& group = it->second;
    const bool same =
        group.nodes.size() == nodes.size() && group.attributes.empty() && group.range.empty();
    if (!same) continue;
    groups.erase(it);
    std::erase_if(notes, [&](const ImportNote& each) {
      return each.text.ends_with(fmt::format("was made \"{}{}\"", name, kImportedSuffix));
    });
    note(0, fmt::format("the group \"{}\" was left out: Drover has it by itself", name));
  }
  // Line 0 is about the whole file: last.
  std::sort(notes.begin(), notes.end(), [](const ImportNote& one, const ImportNote& other) {
    return std::pair(one.line - 1, std::string_view(one.text)) <
           std::pair(other.line - 1, std::string_view(other.text));
  });
}

std::optional<std::string> Imported::node_name(std::string_view given, size_t line) {
  std::string name = lower_case(given);
  std::replace(name.begin(), name.end(), '_', '-');
  if (const auto good = check_node_name(name); !good) {
    note(line, fmt::format("left out: \"{}\" cannot be the name of a node: {}", printable(given),
                           good.error().message));
    return std::nullopt;
  }
  if (name != given) {
    note_once(fmt::format("name {}", given), line,
              fmt::format("the name \"{}\" was made \"{}\"", printable(given), name));
  }
  return name;
}

std::string Imported::group_name(std::string_view given, size_t line) {
  std::string name = lower_case(given);
  for (char& c : name) {
    if (!is_alnum(c) && c != '-' && c != '_' && c != '.') c = '-';
  }
  const bool starts_well = !name.empty() && (name[0] == '_' || (name[0] >= 'a' && name[0] <= 'z'));
  if (!starts_well) name.insert(0, "g-");
  if (name.size() > kMaxSetName) name.resize(kMaxSetName);
  if (is_built_in_group(name)) name += kImportedSuffix;
  if (name != given) {
    note_once(fmt::format("group {}", given), line,
              fmt::format("the name \"{}\" was made \"{}\"", printable(given), name));
  }
  return name;
}

std::optional<std::string> Imported::mac(std::string_view given, size_t line) {
  // xCAT and Slurm sites write it bare as well: 42660a000501.
  std::string spaced;
  const bool bare = given.size() == 12 && given.find_first_of(":-.") == std::string_view::npos;
  for (size_t i = 0; bare && i < given.size(); i += 2) {
    spaced += fmt::format("{}{}", i > 0 ? ":" : "", given.substr(i, 2));
  }
  auto out = canonical_mac(bare ? spaced : given);
  if (!out) {
    note(line, fmt::format("left out: \"{}\" is not a MAC address", printable(given)));
  }
  return out;
}

std::optional<std::string> Imported::address(std::string_view given, size_t line) {
  auto out = canonical_address(given);
  if (!out) {
    note(line, fmt::format("left out: \"{}\" is not an IP address", printable(given)));
  } else if (without_prefix(*out) == "0.0.0.0" || without_prefix(*out) == "::") {
    return std::nullopt;
  }
  return out;
}

json::value to_document(const Imported& imported) {
  json::object out{{"kind", "drover-cluster"}, {"version", 1}};
  if (!imported.profiles.empty()) out.emplace("profiles", profiles_object(imported));
  if (!imported.groups.empty()) out.emplace("groups", groups_object(imported));
  if (!imported.nodes.empty()) out.emplace("nodes", nodes_object(imported));
  return out;
}

bool is_ip_address(std::string_view text) {
  return text.find('/') == std::string_view::npos && canonical_address(text).has_value();
}

std::string foreign_attribute(std::string_view system, std::string_view key) {
  std::string out = fmt::format("x.{}.", system);
  const size_t start = out.size();
  for (const char c : lower_case(key)) {
    const bool boundary = out.back() == '.' || out.back() == '_';
    if (is_alnum(c)) {
      out.push_back(c);
    } else if (!boundary) {
      out.push_back(c == '.' ? '.' : '_');
    }
  }
  while (out.size() > start && !is_alnum(out.back())) out.pop_back();
  if (out.size() == start) out += "unnamed";
  return out.substr(0, 128);
}

std::string attribute_for(std::string_view known, std::string_view system, std::string_view key,
                          std::string_view value) {
  if (!known.empty() && check_attribute_value(known, known, value)) return std::string(known);
  return foreign_attribute(system, key);
}

std::vector<TextLine> lines_in(std::string_view text) {
  std::vector<TextLine> out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.push_back({out.size() + 1, line});
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

std::vector<std::string_view> words_in(std::string_view text) {
  std::vector<std::string_view> out;
  constexpr std::string_view kBlanks = " \t\v\f";
  size_t at = text.find_first_not_of(kBlanks);
  while (at != std::string_view::npos) {
    const size_t end = text.find_first_of(kBlanks, at);
    out.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return out;
}

std::vector<std::string> parts_of_list(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const size_t end = text.find(separator);
    const std::string_view part = trimmed(text.substr(0, end));
    if (!part.empty()) out.emplace_back(part);
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\v\f\r";
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::span<const ImportFormat> import_formats() {
  static constexpr std::array<ImportFormat, 5> kFormats{{
      {"warewulf", "Warewulf 4's nodes.conf", import_warewulf},
      {"xcat", "xCAT stanzas, as lsdef -z writes them", import_xcat},
      {"hosts", "/etc/hosts", import_hosts},
      {"slurm", "NodeName, PartitionName and NodeSet lines of slurm.conf", import_slurm},
      {"openchami", "the file of ochami discover static", import_openchami},
  }};
  return kFormats;
}

}  // namespace drover::cluster

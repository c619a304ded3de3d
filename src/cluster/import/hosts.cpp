// /etc/hosts: address, canonical name, aliases (man 5 hosts).
#include "base/text.hpp"
#include "cluster/import/import.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 8> kBmcSuffixes{"bmc", "ipmi", "ilo", "idrac",
                                                       "xcc", "rmc",  "imm", "sp"};

struct Line {
  size_t number = 0;
  std::string address;
  std::vector<std::string> names;
};

bool is_loopback_or_group(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "255.255.255.255" ||
         address.starts_with("ff0") || address.starts_with("fe00::") ||
         address.starts_with("fe80:");
}

/// The node's name of a line: its first name without a domain, else its first.
std::string short_name(const std::vector<std::string>& names) {
  const auto bare = std::find_if(names.begin(), names.end(), [](const std::string& name) {
    return name.find('.') == std::string::npos;
  });
  if (bare != names.end()) return *bare;
  return names.front();
}

std::vector<Line> read_lines(std::string_view text, Imported& out) {
  std::vector<Line> lines;
  for (const TextLine& line : lines_in(text)) {
    const auto words = words_in(line.text.substr(0, line.text.find('#')));
    if (words.empty()) continue;
    const std::string_view ip = words[0].substr(0, words[0].find('%'));
    if (!is_ip_address(ip)) {
      out.note(line.number,
               fmt::format("left out: \"{}\" is not an IP address", printable(words[0])));
      continue;
    }
    Line entry{line.number, lower_case(ip), {}};
    if (is_loopback_or_group(entry.address)) continue;
    if (words.size() == 1) {
      out.note(line.number, "left out: an address without a name");
      continue;
    }
    for (size_t i = 1; i < words.size(); ++i) {
      if (auto name = out.node_name(words[i], line.number)) entry.names.push_back(*name);
    }
    if (!entry.names.empty()) lines.push_back(std::move(entry));
  }
  return lines;
}

/// "n1-ib0" of a node "n1" that has a line of its own: the node and the suffix.
std::optional<std::pair<std::string, std::string>> attached(
    const std::string& name, const std::set<std::string, std::less<>>& names) {
  const std::string bare = name.substr(0, name.find('.'));
  for (size_t dash = bare.rfind('-'); dash != std::string::npos && dash > 0;
       dash = bare.rfind('-', dash - 1)) {
    const std::string head = bare.substr(0, dash);
    if (names.contains(head)) return std::pair{head, bare.substr(dash + 1)};
  }
  return std::nullopt;
}

void add_aliases(ImportedNode& node, const std::string& name, const Line& line) {
  for (const std::string& alias : line.names) {
    const bool known = alias == name || std::find(node.aliases.begin(), node.aliases.end(),
                                                  alias) != node.aliases.end();
    if (!known) node.aliases.push_back(alias);
  }
}

}  // namespace

Result<Imported> import_hosts(std::string_view text) {
  Imported out;
  const std::vector<Line> lines = read_lines(text, out);
  std::set<std::string, std::less<>> names;
  for (const Line& line : lines) names.insert(short_name(line.names));
  std::map<std::string, size_t> owner;  // address -> line
  for (const Line& line : lines) {
    const auto [it, fresh] = owner.try_emplace(line.address, line.number);
    if (!fresh) {
      out.note(line.number, fmt::format("left out: the address {} is on line {} already",
                                        line.address, it->second));
      continue;
    }
    const std::string name = short_name(line.names);
    if (const auto part = attached(name, names)) {
      ImportedNode& node = out.nodes[part->first];
      const bool is_bmc =
          std::find(kBmcSuffixes.begin(), kBmcSuffixes.end(), part->second) != kBmcSuffixes.end();
      if (is_bmc && !node.bmc) {
        node.bmc = ImportedBmc{line.address, {}, {}, {}};
      } else {
        node.interface(part->second).addresses.push_back(line.address);
        add_aliases(node, part->first, line);
      }
      continue;
    }
    ImportedNode& node = out.nodes[name];
    node.interface("eth0").addresses.push_back(line.address);
    add_aliases(node, name, line);
  }
  if (!out.nodes.empty()) {
    out.note(0, "/etc/hosts does not name interfaces: the first of each node is called eth0");
  }
  out.finish();
  return out;
}

}  // namespace drover::cluster

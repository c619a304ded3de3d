// Formulas found by trying the simplest one on every node and keeping it where nodes come to agree.
#include "cluster/import/regular.hpp"

#include <charconv>

#include <fmt/core.h>

namespace drover::cluster {
namespace {

/// The last number in a name; nothing without one, or when it is too long to count with.
std::optional<int64_t> number_of(std::string_view name) {
  const size_t last = name.find_last_of("0123456789");
  if (last == std::string_view::npos) return {};
  const size_t before = name.find_last_not_of("0123456789", last);
  const size_t first = before == std::string_view::npos ? 0 : before + 1;
  int64_t out = 0;
  const auto digits = name.substr(first, last + 1 - first);
  if (digits.size() > 15) return {};
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

/// 10.0.0.17/24 of node n7 as 10.0.0.${number+10}/24; the text itself when it is not IPv4.
std::string as_formula(const std::string& address, int64_t number) {
  const size_t dot = address.rfind('.');
  if (dot == std::string::npos || address.find(':') != std::string::npos) return address;
  int64_t octet = 0;
  const char* const end = address.data() + address.size();
  const auto [rest, error] = std::from_chars(address.data() + dot + 1, end, octet);
  if (error != std::errc()) return address;
  const int64_t offset = octet - number;
  const std::string sum = offset == 0 ? "number" : fmt::format("number{:+}", offset);
  return fmt::format("{}${{{}}}{}", address.substr(0, dot + 1), sum,
                     std::string_view(rest, static_cast<size_t>(end - rest)));
}

/// What makes two nodes equal, as one text.
std::string signature(const ImportedNode& node) {
  std::string out = fmt::format("{}\n{}\n", node.nid, node.description);
  for (const auto& interface : node.interfaces) {
    out += fmt::format("i{}\t{}\n", interface.name, interface.network);
    for (const auto& address : interface.addresses) out += address + "\n";
  }
  if (node.bmc) {
    out += fmt::format("b{}\t{}\t{}\n", node.bmc->address, node.bmc->protocol, node.bmc->user);
  }
  for (const auto& profile : node.profiles) out += fmt::format("p{}\n", profile);
  for (const auto& [name, value] : node.attributes) out += fmt::format("a{}\t{}\n", name, value);
  return out;
}

bool may_be_regular(const ImportedNode& node) {
  bool addresses = node.bmc && !node.bmc->address.empty();
  for (const auto& interface : node.interfaces) {
    if (!interface.mac.empty()) return false;
    addresses = addresses || !interface.addresses.empty();
  }
  return addresses && node.nid == 0 && node.aliases.empty() &&
         !(node.bmc && !node.bmc->mac.empty());
}

ImportedNode with_formulas(ImportedNode node, int64_t number) {
  for (auto& interface : node.interfaces) {
    for (auto& address : interface.addresses) address = as_formula(address, number);
  }
  if (node.bmc) node.bmc->address = as_formula(node.bmc->address, number);
  return node;
}

}  // namespace

void use_formulas(std::vector<std::pair<std::string, ImportedNode>>& nodes) {
  std::map<std::string, std::vector<std::pair<size_t, ImportedNode>>> alike;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto& [name, node] = nodes[i];
    const auto number = number_of(name);
    if (!number || !may_be_regular(node)) continue;
    ImportedNode regular = with_formulas(node, *number);
    std::string key = signature(regular);
    alike[std::move(key)].emplace_back(i, std::move(regular));
  }
  for (auto& [key, members] : alike) {
    if (members.size() < 2) continue;
    for (auto& [index, regular] : members) nodes[index].second = std::move(regular);
  }
}

}  // namespace drover::cluster

#include "cluster/xname_map.hpp"

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::string_view kNumbered = "x9999c0s";
constexpr std::string_view kUnnumbered = "x9998c0s";

/// Cheap first look: nearly all names are no xnames.
bool may_be(std::string_view text) {
  return text.size() > 2 && text.front() == 'x' && text[1] >= '0' && text[1] <= '9';
}

bool is_node_xname(std::string_view text) {
  if (!may_be(text)) return false;
  const auto parsed = parse_xname(text);
  const bool fits = parsed && parsed->text == text;
  return fits && (parsed->type == XnameType::node || parsed->type == XnameType::virtual_node);
}

/// FNV-1a, its upper 48 bits.
uint64_t folded(std::string_view id) {
  constexpr uint64_t kOffset = 14695981039346656037ULL;
  constexpr uint64_t kPrime = 1099511628211ULL;
  constexpr unsigned kDropped = 16;
  uint64_t hash = kOffset;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return hash >> kDropped;
}

}  // namespace

std::string_view given_xname(const Node& node) {
  if (is_node_xname(node.name)) return node.name;
  for (const std::string& alias : node.spec.aliases) {
    if (is_node_xname(alias)) return alias;
  }
  return {};
}

std::string xname_of(const Node& node) {
  if (const std::string_view given = given_xname(node); !given.empty()) return std::string(given);
  if (node.spec.nid != 0) return fmt::format("{}{}b0n0", kNumbered, node.spec.nid);
  return fmt::format("{}{}b0n0", kUnnumbered, folded(node.id));
}

const NodeEntry* XnameIndex::find(std::string_view canonical) {
  // A name or alias counts when it is the one that the node goes by.
  const auto goes_by = [&](const NodeEntry* entry) {
    return entry != nullptr && given_xname(entry->node()) == canonical;
  };
  if (const NodeEntry* named = model_.find(canonical); goes_by(named)) return named;
  if (const NodeEntry* called = model_.find_alias(canonical); goes_by(called)) return called;
  if (!canonical.starts_with(kNumbered) && !canonical.starts_with(kUnnumbered)) return nullptr;
  if (!walked_) {
    for (const auto& [name, entry] : model_.nodes()) {
      if (given_xname(entry.node()).empty()) made_.emplace(xname_of(entry.node()), &entry);
    }
    walked_ = true;
  }
  const auto found = made_.find(std::string(canonical));
  return found == made_.end() ? nullptr : found->second;
}

const NodeEntry* XnameIndex::find_nid(uint64_t nid) {
  if (!numbered_) {
    for (const auto& [name, entry] : model_.nodes()) {
      if (entry.node().spec.nid != 0) by_nid_.emplace(entry.node().spec.nid, &entry);
    }
    numbered_ = true;
  }
  const auto found = by_nid_.find(nid);
  return found == by_nid_.end() ? nullptr : found->second;
}

}  // namespace drover::cluster

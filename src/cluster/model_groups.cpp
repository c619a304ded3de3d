// Aliases and groups of the model: who is in which, worked out when it is asked for.
#include "cluster/model.hpp"

#include <algorithm>

namespace drover::cluster {
namespace {

/// For ranges of dynamic groups: names that are no longer there are skipped, not an error.
class RangeOfGroup final : public NodeNames {
 public:
  explicit RangeOfGroup(const Model& model) : names_(model, ModelDefinitions::Groups::fixed) {}
  [[nodiscard]] std::vector<std::string> all() const override { return names_.all(); }
  [[nodiscard]] bool is_node(std::string_view name) const override {
    return names_.is_node(name) || (!names_.node_of_alias(name) && !names_.members(name));
  }
  [[nodiscard]] std::optional<std::string> node_of_alias(std::string_view alias) const override {
    return names_.node_of_alias(alias);
  }
  [[nodiscard]] std::optional<std::vector<std::string>> members(
      std::string_view group) const override {
    auto members = names_.members(group);
    return members ? std::move(members) : std::vector<std::string>();
  }
  [[nodiscard]] bool has_attribute(std::string_view attribute) const override {
    return names_.has_attribute(attribute);
  }
  [[nodiscard]] bool is_list(std::string_view attribute) const override {
    return names_.is_list(attribute);
  }
  [[nodiscard]] std::optional<std::string> attribute(std::string_view node,
                                                     std::string_view attribute) const override {
    return names_.attribute(node, attribute);
  }

 private:
  ModelNames names_;
};

bool by_strength(const Group* a, const Group* b) {
  return stronger_group(*a, *b);
}

}  // namespace

void Model::index_aliases(const NodeEntry& entry, bool present) {
  for (const std::string& alias : entry.node().spec.aliases) {
    if (present) {
      aliases_[alias] = &entry;
      continue;
    }
    // In one commit an alias may be taken by another node before this one lets go of it.
    const auto it = aliases_.find(alias);
    if (it != aliases_.end() && it->second == &entry) aliases_.erase(it);
  }
}

const NodeEntry* Model::find_alias(std::string_view alias) const {
  const auto it = aliases_.find(std::string(alias));
  return it == aliases_.end() ? nullptr : it->second;
}

void Model::forget_groups() {
  ++generation_;
  groups_known_ = false;
  groups_of_.clear();
  members_.clear();
}

const std::vector<const Group*>& Model::static_groups_of(std::string_view node) const {
  static const std::vector<const Group*> none;
  if (!groups_known_) {
    for (const auto& [name, group] : groups_) {
      if (group.value.is_dynamic()) continue;
      for (const std::string& member : *members(name)) groups_of_[member].push_back(&group.value);
    }
    for (auto& [member, of] : groups_of_) std::ranges::sort(of, by_strength);
    groups_known_ = true;
  }
  const auto it = groups_of_.find(std::string(node));
  return it == groups_of_.end() ? none : it->second;
}

const std::vector<std::string>* Model::members(std::string_view group) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return nullptr;
  const Group& definition = found->second.value;
  const auto [it, is_new] = members_.try_emplace(definition.name);
  Members& members = it->second;
  if (!definition.is_dynamic()) {
    if (is_new) members.names = expand_names(definition.nodes).value_or(members.names);
    return &members.names;
  }
  static const std::vector<std::string> none;
  if (members.being_made) return &none;
  if (!is_new && members.generation == generation_) return &members.names;
  members.being_made = true;
  auto names = evaluate(definition.range, RangeOfGroup(*this));
  members.names.clear();
  if (names) {
    std::erase_if(*names, [&](const std::string& name) { return find(name) == nullptr; });
    members.names = *std::move(names);
  }
  members.generation = generation_;
  members.being_made = false;
  return &members.names;
}

const Profile* ModelDefinitions::profile(std::string_view name) const {
  const auto it = model_.profiles().find(name);
  return it == model_.profiles().end() ? nullptr : &it->second.value;
}

std::vector<const Group*> ModelDefinitions::groups_of(const Node& node) const {
  std::vector<const Group*> out = model_.static_groups_of(node.name);
  if (which_ == Groups::fixed) return out;
  const size_t fixed = out.size();
  for (const auto& [name, group] : model_.groups()) {
    if (!group.value.is_dynamic()) continue;
    const auto* members = model_.members(name);
    if (std::ranges::binary_search(*members, node.name, NaturalLess())) {
      out.push_back(&group.value);
    }
  }
  if (out.size() > fixed) std::ranges::sort(out, by_strength);
  return out;
}

}  // namespace drover::cluster

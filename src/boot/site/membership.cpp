// A noderange is made of sets alone, so what it says of one node follows from what its parts say of
// that node: it is evaluated in a world where every set has that node at most.
#include "boot/site/membership.hpp"

#include "base/noderange.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::boot {
namespace {

using cluster::Group;

/// The model as a range sees it when only one node counts.
class OneNode final : public NodeNames {
 public:
  OneNode(const cluster::Model& model, const cluster::Node& node)
      : model_(model), node_(node), names_(model, cluster::ModelDefinitions::Groups::fixed) {}

  [[nodiscard]] std::vector<std::string> all() const override { return {node_.name}; }
  [[nodiscard]] bool is_node(std::string_view name) const override { return names_.is_node(name); }
  [[nodiscard]] std::optional<std::string> node_of_alias(std::string_view alias) const override {
    return names_.node_of_alias(alias);
  }
  [[nodiscard]] std::optional<std::vector<std::string>> members(
      std::string_view group) const override {
    if (cluster::is_built_in_group(group)) {
      return only_if(group == "all" || group == enum_name(node_.role));
    }
    const auto it = model_.groups().find(std::string(group));
    if (it == model_.groups().end()) return std::nullopt;
    return only_if(holds(it->second.value));
  }
  [[nodiscard]] bool has_attribute(std::string_view attribute) const override {
    return names_.has_attribute(attribute);
  }
  [[nodiscard]] std::optional<std::string> attribute(std::string_view node,
                                                     std::string_view attribute) const override {
    return names_.attribute(node, attribute);
  }
  [[nodiscard]] bool is_list(std::string_view attribute) const override {
    return names_.is_list(attribute);
  }

  /// A group whose range leads back to itself has no members on the way, as in the model.
  [[nodiscard]] bool holds(const Group& group) const {
    if (!group.is_dynamic()) {
      const auto& groups = model_.static_groups_of(node_.name);
      return std::ranges::any_of(groups, [&](const Group* each) { return each == &group; });
    }
    if (std::ranges::find(asking_, &group) != asking_.end()) return false;
    asking_.push_back(&group);
    const auto nodes = evaluate(group.range, *this);
    asking_.pop_back();
    return nodes && std::ranges::find(*nodes, node_.name) != nodes->end();
  }

 private:
  [[nodiscard]] std::vector<std::string> only_if(bool in) const {
    return in ? all() : std::vector<std::string>();
  }

  const cluster::Model& model_;
  const cluster::Node& node_;
  cluster::ModelNames names_;
  mutable std::vector<const Group*> asking_;
};

}  // namespace

const cluster::Profile* NodeDefinitions::profile(std::string_view name) const {
  return cluster::ModelDefinitions(model_).profile(name);
}

std::vector<const Group*> NodeDefinitions::groups_of(const cluster::Node& node) const {
  std::vector<const Group*> out = model_.static_groups_of(node.name);
  const size_t fixed = out.size();
  const OneNode names(model_, node);
  for (const auto& [name, defined] : model_.groups()) {
    const Group& group = defined.value;
    const bool gives = which_ == Groups::all || !group.attributes.empty() ||
                       !group.profiles.empty() ||
                       model_.gives_content(fmt::format("group/{}", name));
    if (group.is_dynamic() && gives && names.holds(group)) out.push_back(&group);
  }
  if (out.size() > fixed) {
    std::ranges::sort(
        out, [](const Group* a, const Group* b) { return cluster::stronger_group(*a, *b); });
  }
  return out;
}

bool is_member(const cluster::Model& model, const cluster::Node& node, std::string_view group) {
  const auto members = OneNode(model, node).members(group);
  return members && !members->empty();
}

}  // namespace drover::boot

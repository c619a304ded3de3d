// Where one node's attributes come from, at the cost of that node alone: dynamic groups are asked
// about the node, not for all of their members. A boot storm changes the state of node after node,
// and each would have every member of every dynamic group looked up anew.
#pragma once

#include "cluster/attributes.hpp"
#include "cluster/model.hpp"

#include <string_view>
#include <vector>

namespace drover::boot {

/// The same answers as cluster::ModelDefinitions. Dynamic groups that give neither attributes nor
/// profiles are left out.
class NodeDefinitions final : public cluster::Definitions {
 public:
  explicit NodeDefinitions(const cluster::Model& model) : model_(model) {}
  [[nodiscard]] const cluster::Profile* profile(std::string_view name) const override;
  [[nodiscard]] std::vector<const cluster::Group*> groups_of(
      const cluster::Node& node) const override;

 private:
  const cluster::Model& model_;
};

/// Whether a node is in a group now; false for a group that is not there.
bool is_member(const cluster::Model& model, const cluster::Node& node, std::string_view group);

}  // namespace drover::boot

// Where one node's attributes come from, at the cost of that node alone: dynamic groups are asked
// about the node, not for all of their members. A boot storm changes the state of node after node,
// and each would have every member of every dynamic group looked up anew.
#pragma once

#include "cluster/attributes.hpp"
#include "cluster/model.hpp"

#include <string_view>
#include <vector>

namespace drover::boot {

/// The same answers as cluster::ModelDefinitions.
class NodeDefinitions final : public cluster::Definitions {
 public:
  enum class Groups {
    giving,  ///< dynamic groups that give neither attributes nor profiles nor content are left out
    all
  };
  explicit NodeDefinitions(const cluster::Model& model, Groups which = Groups::giving)
      : model_(model), which_(which) {}
  [[nodiscard]] const cluster::Profile* profile(std::string_view name) const override;
  [[nodiscard]] std::vector<const cluster::Group*> groups_of(
      const cluster::Node& node) const override;

 private:
  const cluster::Model& model_;
  Groups which_;
};

/// Whether a node is in a group now; false for a group that is not there.
bool is_member(const cluster::Model& model, const cluster::Node& node, std::string_view group);

}  // namespace drover::boot

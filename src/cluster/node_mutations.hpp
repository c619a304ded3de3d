// Changes of nodes as people ask for them, inside one store mutation: what the API's single and
// bulk requests share.
#pragma once

#include "base/result.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/mutations.hpp"
#include "store/store.hpp"

#include <string>

namespace drover::cluster {

/// Body of POST /nodes.
struct NodeCreate {
  static constexpr std::string_view kTypeName = "NodeCreate";
  std::string name;
  NodeRole role = NodeRole::compute;
  NodeSpec spec;
  std::vector<SpecEdit> edits;
  std::string why;
  /// The spec with the edits applied; the edit that does not fit.
  [[nodiscard]] Result<NodeSpec> edited_spec() const;
  void describe(Visitor& v);
};

/// States and spec of one node by a patch. `may_define`: false for those who may change the states
/// of nodes but not what they are (the role user); a `spec` is denied then. A patch that says
/// nothing new writes nothing. Of the spec's patch, errors name the field. The writer's finish() is
/// left to the caller.
Result<ChangedNode> change_node(store::Transaction& tx, DefinitionWriter& writer,
                                const std::string& name, const NodePatch& patch, bool may_define);

/// A spec with a JSON merge patch applied; invalid_argument naming the path.
Result<NodeSpec> merge_spec(NodeSpec spec, const RawJson& patch);

}  // namespace drover::cluster

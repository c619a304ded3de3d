// Changes of nodes as people ask for them, inside one store mutation: what the API's single and
// bulk requests share.
#pragma once

#include "base/result.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/mutations.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

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

/// A JSON merge patch of a spec (RFC 7396), taken apart once for all the nodes that get it.
class SpecPatch {
 public:
  /// invalid_argument when it is no object.
  static Result<SpecPatch> parse(const RawJson& patch);
  /// Errors are invalid_argument naming the path; `spec` is then as it was or half changed.
  Status apply(NodeSpec& spec) const;

 private:
  struct Attribute {
    std::string name;
    std::optional<std::string> value;  ///< none: it goes
  };
  std::vector<Attribute> attributes_;
  std::string rest_;  ///< what is not said of attributes alone; empty: nothing
};

/// What a NodePatch asks of each node.
class NodeChange {
 public:
  static Result<NodeChange> of(NodePatch patch);

  /// States and spec of one node. `may_define`: false for those who may change the states of nodes
  /// but not what they are (the role user); a `spec` is denied then. A patch that says nothing new
  /// writes nothing. Of the spec's patch, errors name the field. The writer's finish() is left to
  /// the caller.
  Result<ChangedNode> make(store::Transaction& tx, DefinitionWriter& writer,
                           const std::string& name, bool may_define) const;

 private:
  NodePatch patch_;
  std::optional<SpecPatch> spec_;
};

}  // namespace drover::cluster

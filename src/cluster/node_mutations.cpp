#include "cluster/node_mutations.hpp"

#include "base/merge_patch.hpp"

#include <tuple>

#include <fmt/format.h>

namespace drover::cluster {

void NodeCreate::describe(Visitor& v) {
  v.field("name", name, "Name of the node.", Presence::optional);
  v.field("role", role, "What kind of node it is.", Presence::optional);
  v.field("spec", spec, "What is said about it.", Presence::optional);
  v.field("edits", edits, "Edits of lists in the spec, as of a change.", Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

Result<NodeSpec> NodeCreate::edited_spec() const {
  NodeSpec out = spec;
  DROVER_CHECK_OK(apply_edits(out, edits));
  return out;
}

Result<NodeSpec> merge_spec(const NodeSpec& spec, const RawJson& patch) {
  if (!patch.text.starts_with('{')) {
    return fail(Code::invalid_argument, "spec: expected an object of fields to change");
  }
  DROVER_TRY(const std::string merged, merge_patch_text(encode(spec), patch.text));
  auto out = decode_text<NodeSpec>(merged);
  if (!out) return fail_in("spec", std::move(out).error());
  return out;
}

Result<ChangedNode> change_node(store::Transaction& tx, DefinitionWriter& writer,
                                const std::string& name, const NodePatch& patch, bool may_define) {
  DROVER_TRY(Node node, read_node(tx, name));
  const auto states = [&] {
    return std::tuple(node.service, node.enabled, node.flag, node.locked);
  };
  const auto before = states();
  DROVER_CHECK_OK(patch_states(tx, node, patch));
  tx.explain(patch.why);
  const auto written = [&]() -> Result<ChangedNode> {
    const bool changed = states() != before;
    if (changed) DROVER_CHECK_OK(write_node(tx, node));
    return ChangedNode{std::move(node), changed};
  };
  if (!patch.spec && patch.edits.empty()) return written();
  if (!may_define) {
    return fail(Code::denied, fmt::format("node '{}': only operators and administrators may change "
                                          "its spec",
                                          name));
  }
  NodeSpec spec = node.spec;
  if (patch.spec) {
    DROVER_TRY(spec, merge_spec(node.spec, *patch.spec));
  }
  DROVER_CHECK_OK(apply_edits(spec, patch.edits));
  DROVER_CHECK_OK(normalise(spec, name));
  if (spec == node.spec) return written();
  node.spec = std::move(spec);
  DROVER_CHECK_OK(writer.put_node(node));
  return ChangedNode{std::move(node), true};
}

}  // namespace drover::cluster

#include "cluster/node_mutations.hpp"

#include "base/json_values.hpp"
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

namespace {

/// Takes the attributes that a patch sets and removes; false: something in it is no text, and
/// nothing was done.
bool merge_attributes(std::map<std::string, std::string>& attributes, const json::value& patch) {
  if (!patch.is_object()) return false;
  for (const auto& member : patch.get_object()) {
    if (!member.value().is_string() && !member.value().is_null()) return false;
  }
  for (const auto& member : patch.get_object()) {
    std::string name(member.key());
    if (member.value().is_null()) {
      attributes.erase(name);
    } else {
      const auto& text = member.value().get_string();
      attributes[std::move(name)].assign(text.data(), text.size());
    }
  }
  return true;
}

Result<ChangedNode> written(store::Transaction& tx, Node node, bool changed) {
  auto stored = std::make_shared<const StoredNode>(std::move(node));
  if (changed) DROVER_CHECK_OK(write_node(tx, stored));
  return ChangedNode{std::move(stored), changed};
}

}  // namespace

// Attributes are what is set on many nodes at once, and the only member that is taken as it is; a
// patch of anything else goes through the text of the whole spec.
Result<NodeSpec> merge_spec(NodeSpec spec, const RawJson& patch) {
  if (!patch.text.starts_with('{')) {
    return fail(Code::invalid_argument, "spec: expected an object of fields to change");
  }
  DROVER_TRY(json::value asked, parse_json(patch.text));
  json::object& members = asked.get_object();
  if (const json::value* attributes = members.if_contains("attributes")) {
    if (merge_attributes(spec.attributes, *attributes)) members.erase("attributes");
  }
  if (members.empty()) return spec;
  DROVER_TRY(json::value whole, parse_json(encode(spec)));
  auto out = decode<NodeSpec>(merge_patch(std::move(whole), asked));
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
  const bool moved = states() != before;
  if (!patch.spec && patch.edits.empty()) return written(tx, std::move(node), moved);
  if (!may_define) {
    return fail(Code::denied, fmt::format("node '{}': only operators and administrators may change "
                                          "its spec",
                                          name));
  }
  NodeSpec spec = node.spec;
  if (patch.spec) {
    DROVER_TRY(spec, merge_spec(std::move(spec), *patch.spec));
  }
  DROVER_CHECK_OK(apply_edits(spec, patch.edits));
  DROVER_TRY(ChangedNode changed, writer.replace_spec(std::move(node), std::move(spec)));
  if (!changed.changed && moved) {
    DROVER_CHECK_OK(write_node(tx, changed.stored));
    changed.changed = true;
  }
  return changed;
}

}  // namespace drover::cluster

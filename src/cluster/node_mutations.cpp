#include "cluster/node_mutations.hpp"

#include "base/json_values.hpp"
#include "base/merge_patch.hpp"

#include <algorithm>

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

Result<ChangedNode> written(store::Transaction& tx, Node node, bool changed) {
  auto stored = std::make_shared<const StoredNode>(std::move(node));
  if (changed) DROVER_CHECK_OK(write_node(tx, stored));
  return ChangedNode{std::move(stored), changed};
}

bool is_text_or_null(const json::key_value_pair& member) {
  return member.value().is_string() || member.value().is_null();
}

}  // namespace

// Attributes are what is set on many nodes at once, and the only member that is taken as it is; a
// patch of anything else goes through the text of the whole spec.
Result<SpecPatch> SpecPatch::parse(const RawJson& patch) {
  if (!patch.text.starts_with('{')) {
    return fail(Code::invalid_argument, "spec: expected an object of fields to change");
  }
  DROVER_TRY(json::value asked, parse_json(patch.text));
  json::object& members = asked.get_object();
  SpecPatch out;
  const json::value* attributes = members.if_contains("attributes");
  const bool plain = attributes != nullptr && attributes->is_object() &&
                     std::ranges::all_of(attributes->get_object(), is_text_or_null);
  if (plain) {
    for (const auto& member : attributes->get_object()) {
      std::optional<std::string> value;
      if (member.value().is_string()) value = std::string(member.value().get_string());
      out.attributes_.push_back({std::string(member.key()), std::move(value)});
    }
    members.erase("attributes");
  }
  if (!members.empty()) out.rest_ = json::serialize(asked);
  return out;
}

Status SpecPatch::apply(NodeSpec& spec) const {
  for (const Attribute& attribute : attributes_) {
    if (attribute.value) {
      spec.attributes.insert_or_assign(attribute.name, *attribute.value);
    } else {
      spec.attributes.erase(attribute.name);
    }
  }
  if (rest_.empty()) return {};
  DROVER_TRY(const json::value asked, parse_json(rest_));
  DROVER_TRY(json::value whole, parse_json(encode(spec)));
  auto out = decode<NodeSpec>(merge_patch(std::move(whole), asked));
  if (!out) return fail_in("spec", std::move(out).error());
  spec = *std::move(out);
  return {};
}

Result<NodeChange> NodeChange::of(NodePatch patch) {
  NodeChange out;
  if (patch.spec) {
    DROVER_TRY(out.spec_, SpecPatch::parse(*patch.spec));
  }
  out.patch_ = std::move(patch);
  return out;
}

Result<ChangedNode> NodeChange::make(store::Transaction& tx, DefinitionWriter& writer,
                                     const std::string& name, bool may_define) const {
  DROVER_TRY(const auto before, read_stored_node(tx, name));
  Node node = before->node;
  DROVER_CHECK_OK(patch_states(tx, node, patch_));
  tx.explain(patch_.why);
  const bool moved = node.service != before->node.service || node.enabled != before->node.enabled ||
                     node.flag != before->node.flag || node.locked != before->node.locked;
  if (!spec_ && patch_.edits.empty()) return written(tx, std::move(node), moved);
  if (!may_define) {
    return fail(Code::denied, fmt::format("node '{}': only operators and administrators may change "
                                          "its spec",
                                          name));
  }
  if (spec_) DROVER_CHECK_OK(spec_->apply(node.spec));
  DROVER_CHECK_OK(apply_edits(node.spec, patch_.edits));
  DROVER_TRY(ChangedNode changed, writer.replace_spec(before->node.spec, std::move(node)));
  if (!changed.changed && moved) {
    DROVER_CHECK_OK(write_node(tx, changed.stored));
    changed.changed = true;
  }
  return changed;
}

}  // namespace drover::cluster

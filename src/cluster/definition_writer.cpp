// Nodes. Groups and profiles are in definition_sets.cpp, networks in definition_networks.cpp.
#include "cluster/definition_writer.hpp"

#include "base/noderange.hpp"
#include "cluster/boot_next.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/definition_state.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/formula.hpp"
#include "cluster/group.hpp"
#include "cluster/inventory.hpp"
#include "cluster/mutations.hpp"
#include "cluster/names.hpp"
#include "cluster/new_name.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

struct NamesRecord {
  static constexpr std::string_view kTypeName = "NamesRecord";
  std::vector<std::string> names;
  void describe(Visitor& v) { v.field("names", names, "Former names, oldest first."); }
};

Status note_former_name(store::Transaction& tx, const std::string& id, const std::string& name) {
  NamesRecord record;
  DROVER_TRY(record.names, former_names(tx, id));
  if (std::ranges::find(record.names, name) != record.names.end()) return {};
  record.names.push_back(name);
  return tx.put_quiet(kNamesOfKind, id, encode(record));
}

/// What `from` boots once goes with its name; with `to` empty it goes away.
Status move_boot_next(store::Transaction& tx, const std::string& from, const std::string& to) {
  DROVER_TRY(const auto object, tx.get(kBootNextKind, from));
  if (!object) return {};
  DROVER_CHECK_OK(tx.erase(kBootNextKind, from));
  if (to.empty()) return {};
  DROVER_TRY(BootNext next, decode_text<BootNext>(object->body, Unknown::ignore));
  next.node = to;
  DROVER_CHECK_OK(tx.put(kBootNextKind, to, encode(next)));
  return {};
}

/// Parts of `from` become those of `to`; with `to` empty they go.
Status move_parts(store::Transaction& tx, const std::string& from, const std::string& to) {
  DROVER_TRY(const auto parts, tx.list({.kind = std::string(kPartKind), .prefix = from + "/"}));
  for (const store::Object& object : parts) {
    if (!to.empty()) {
      DROVER_TRY(Part part, decode_text<Part>(object.body, Unknown::ignore));
      part.node = to;
      DROVER_CHECK_OK(tx.put(kPartKind, part_key(to, part.kind, part.slot), encode(part)));
    }
    DROVER_CHECK_OK(tx.erase(kPartKind, object.key));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> former_names(store::Transaction& tx, const std::string& id) {
  DROVER_TRY(const auto object, tx.get(kNamesOfKind, id));
  if (!object) return std::vector<std::string>();
  DROVER_TRY(NamesRecord record, decode_text<NamesRecord>(object->body, Unknown::ignore));
  return std::move(record.names);
}

DefinitionWriter::DefinitionWriter(store::Transaction& tx, Mode mode)
    : tx_(tx), mode_(mode), state_(std::make_unique<State>(tx)) {}
DefinitionWriter::~DefinitionWriter() = default;

Status DefinitionWriter::check_references(const Node& node) {
  for (size_t i = 0; i < node.spec.profiles.size(); ++i) {
    const std::string& name = node.spec.profiles[i];
    if (name == kDefaultProfile || state_->profile(name) != nullptr) continue;
    return bad_field(fmt::format("spec.profiles[{}]", i), name, "there is no such profile");
  }
  return {};
}

Status DefinitionWriter::settle(const std::shared_ptr<const StoredNode>& stored) {
  const Node& node = stored->node;
  if (mode_ == Mode::together) {
    state_->touched.insert(node.name);
    DROVER_CHECK_OK(write_node(tx_, stored));
    return {};
  }
  DROVER_CHECK_OK(state_->load());
  DROVER_CHECK_OK(check_references(node));
  DROVER_TRY(const Claims claims, claims_of(node, *state_));
  DROVER_CHECK_OK(state_->claims.take(node.name, claims));
  DROVER_CHECK_OK(write_node(tx_, stored));
  return {};
}

Result<Node> DefinitionWriter::add_node(const std::string& name, NodeRole role, NodeSpec spec,
                                        const std::string& id) {
  DROVER_CHECK_OK(check_new_node_name(name));
  DROVER_CHECK_OK(normalise(spec, name));
  DROVER_TRY(const auto there, tx_.get(kNodeKind, name));
  if (there) {
    return fail(Code::already_exists, fmt::format("there is a node '{}' already", name),
                fmt::format("drover node set {} changes it", name));
  }
  if (mode_ == Mode::single) DROVER_CHECK_OK(state_->claims.check_name(name));
  Node node;
  node.name = name;
  node.id = id;
  node.role = role;
  node.service.since = from_unix_ms(tx_.time_ms());
  node.service.why = "defined";
  node.service.who = tx_.actor();
  node.spec = std::move(spec);
  DROVER_CHECK_OK(settle(std::make_shared<const StoredNode>(node)));
  return node;
}

Result<Node> DefinitionWriter::put_spec(const std::string& name, NodeSpec spec) {
  DROVER_CHECK_OK(normalise(spec, name));
  DROVER_TRY(Node node, read_node(tx_, name));
  if (node.spec == spec) return node;
  node.spec = std::move(spec);
  DROVER_CHECK_OK(settle(std::make_shared<const StoredNode>(node)));
  return node;
}

Result<ChangedNode> DefinitionWriter::replace_spec(const NodeSpec& before, Node node) {
  DROVER_CHECK_OK(normalise(node.spec, node.name, before));
  const bool changed = node.spec != before;
  const bool same = node.spec.profiles == before.profiles && same_claims(before, node.spec);
  const auto stored = std::make_shared<const StoredNode>(std::move(node));
  if (!changed) return ChangedNode{stored, false};
  if (same) {
    DROVER_CHECK_OK(write_node(tx_, stored));
  } else {
    DROVER_CHECK_OK(settle(stored));
  }
  return ChangedNode{stored, true};
}

Status DefinitionWriter::put_node(Node node) {
  DROVER_CHECK_OK(check_node_name(node.name));
  DROVER_CHECK_OK(normalise(node.spec, node.name));
  if (mode_ == Mode::single) DROVER_CHECK_OK(state_->claims.check_name(node.name));
  return settle(std::make_shared<const StoredNode>(std::move(node)));
}

Result<Node> DefinitionWriter::rename_node(const std::string& from, const std::string& to) {
  DROVER_CHECK_OK(check_new_node_name(to));
  DROVER_TRY(Node node, read_node(tx_, from));
  if (from == to) return node;
  DROVER_TRY(const auto there, tx_.get(kNodeKind, to));
  if (there) {
    return fail(Code::already_exists, fmt::format("there is a node '{}' already", to),
                fmt::format("drover node show {}", to));
  }
  node.name = to;
  std::erase(node.spec.aliases, to);
  DROVER_CHECK_OK(state_->load());
  const auto known_as = state_->renamed.find(from);
  const std::string first = known_as == state_->renamed.end() ? from : known_as->second;
  state_->renamed[to] = first;
  // What can refuse the new name comes first; the old one lets go only then.
  const auto refused = [&]() -> Status {
    DROVER_TRY(const Claims claims, claims_of(node, *state_));
    DROVER_TRY(const Node before, read_node(tx_, from));
    DROVER_CHECK_OK(state_->claims.check(from, claims));
    const auto& held = before.spec.aliases;
    if (std::ranges::find(held, to) != held.end()) return {};
    return state_->claims.check_name(to);
  }();
  if (!refused && mode_ == Mode::single) {
    state_->renamed.erase(to);
    return tl::unexpected<Error>(refused.error());
  }
  state_->renamed.erase(from);
  state_->touched.erase(from);
  DROVER_CHECK_OK(state_->claims.release(from, {}));
  DROVER_CHECK_OK(tx_.erase(kNodeKind, from));
  DROVER_CHECK_OK(move_parts(tx_, from, to));
  DROVER_CHECK_OK(move_boot_next(tx_, from, to));
  DROVER_CHECK_OK(move_content(tx_, "node/" + from, "node/" + to));
  DROVER_CHECK_OK(tx_.erase(kDaemonKind, daemon_key(enum_name(node.role), from)));
  DROVER_CHECK_OK(note_former_name(tx_, node.id, from));
  DROVER_CHECK_OK(settle(std::make_shared<const StoredNode>(node)));
  return node;
}

Status DefinitionWriter::remove_node(const std::string& name) {
  DROVER_TRY(const Node node, read_node(tx_, name));
  DROVER_CHECK_OK(state_->load());
  DROVER_CHECK_OK(state_->claims.release(name, {}));
  DROVER_CHECK_OK(tx_.erase(kNodeKind, name));
  DROVER_CHECK_OK(move_parts(tx_, name, ""));
  DROVER_CHECK_OK(move_boot_next(tx_, name, ""));
  DROVER_CHECK_OK(move_content(tx_, "node/" + name, ""));
  DROVER_CHECK_OK(tx_.erase(kDaemonKind, daemon_key(enum_name(node.role), name)));
  const auto known_as = state_->renamed.find(name);
  state_->removed.insert(known_as == state_->renamed.end() ? name : known_as->second);
  if (known_as != state_->renamed.end()) state_->renamed.erase(known_as);
  state_->touched.erase(name);
  return {};
}

Status DefinitionWriter::recheck_formulas() {
  DROVER_TRY(const auto objects, tx_.list({.kind = std::string(kNodeKind)}));
  for (const store::Object& object : objects) {
    if (!has_formula(object.body)) continue;
    DROVER_TRY(const Node node, read_node(tx_, object.key));
    const auto claims = claims_of(node, *state_);
    if (!claims) return fail_in(fmt::format("node '{}'", node.name), claims.error());
    DROVER_TRY(const bool same, state_->claims.holds(node.name, *claims));
    if (same) continue;
    DROVER_CHECK_OK(state_->claims.release(node.name, *claims));
    state_->touched.insert(node.name);
  }
  return {};
}

Status DefinitionWriter::finish_together() {
  for (const std::string& name : state_->touched_profiles) {
    const auto it = state_->profiles.find(name);
    if (it != state_->profiles.end()) DROVER_CHECK_OK(check_profile_references(it->second));
  }
  for (const std::string& name : state_->touched_networks) {
    const auto it = state_->networks.find(name);
    if (it != state_->networks.end()) DROVER_CHECK_OK(check_network_apart(it->second));
  }
  for (const std::string& name : state_->touched_groups) {
    const auto it = state_->groups.find(name);
    if (it != state_->groups.end()) DROVER_CHECK_OK(check_group_references(it->second));
  }
  for (const std::string& name : state_->removed_groups) {
    if (!state_->groups.contains(name)) DROVER_CHECK_OK(check_group_unused(name));
  }
  for (const std::string& name : state_->removed_profiles) {
    if (!state_->profiles.contains(name)) DROVER_CHECK_OK(check_profile_unused(name));
  }
  // Everybody lets go of what they no longer need before anybody takes anything.
  std::map<std::string, Claims> wanted;
  for (const std::string& name : state_->touched) {
    DROVER_TRY(const Node node, read_node(tx_, name));
    const auto named = [&](const Status& status) -> Status {
      return status ? Status() : fail_in(fmt::format("node '{}'", name), status.error());
    };
    DROVER_CHECK_OK(named(check_references(node)));
    auto claims = claims_of(node, *state_);
    if (!claims) return fail_in(fmt::format("node '{}'", name), claims.error());
    DROVER_CHECK_OK(state_->claims.release(name, *claims));
    wanted.emplace(name, *std::move(claims));
  }
  for (const auto& [name, claims] : wanted) {
    Status free = state_->claims.check(name, claims);
    if (free) free = state_->claims.check_name(name);
    if (!free) return fail_in(fmt::format("node '{}'", name), free.error());
    DROVER_CHECK_OK(state_->claims.hold(name, claims));
  }
  return {};
}

Status DefinitionWriter::finish() {
  const bool moved = !state_->renamed.empty() || !state_->removed.empty();
  if (!moved && !state_->recheck && state_->touched.empty() && state_->touched_groups.empty() &&
      state_->touched_profiles.empty() && state_->touched_networks.empty() &&
      state_->removed_groups.empty() && state_->removed_profiles.empty()) {
    return {};
  }
  DROVER_CHECK_OK(state_->load());
  if (moved) DROVER_CHECK_OK(update_groups());
  if (state_->recheck) DROVER_CHECK_OK(recheck_formulas());
  return finish_together();
}

}  // namespace drover::cluster

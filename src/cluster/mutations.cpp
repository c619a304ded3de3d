#include "cluster/mutations.hpp"

#include "cluster/claims.hpp"
#include "cluster/names.hpp"
#include "cluster/new_name.hpp"
#include "cluster/settings.hpp"
#include "cluster/stored_node.hpp"
#include "store/reason.hpp"

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// Takes an axis to `to`, keeping `since` when it stays.
template <typename A, typename State>
void move_axis(A& axis, State to, WallTime since, std::string why, std::string who) {
  if (axis.state == to) return;
  axis.state = to;
  axis.since = since;
  axis.why = std::move(why);
  axis.who = std::move(who);
}

}  // namespace

void Daemon::describe(Visitor& v) {
  v.field("role", role, "Kind of daemon.");
  v.field("name", name, "Name of the daemon.");
  v.field("enrolled", enrolled, "When it was last let in.", Presence::optional);
  v.field("listens", listens, "Where others of the tree dial it.", Presence::optional);
}

std::string daemon_key(std::string_view role, std::string_view name) {
  return fmt::format("{}/{}", role, name);
}

Result<Node> read_node(store::Transaction& tx, const std::string& name) {
  DROVER_TRY(const auto stored, read_stored_node(tx, name));
  return stored->node;
}

Result<uint64_t> write_node(store::Transaction& tx, Node node) {
  return write_node(tx, std::make_shared<const StoredNode>(std::move(node)));
}

Result<bool> ensure_node(store::Transaction& tx, const std::string& name, NodeRole role,
                         const std::string& fresh_id, std::string_view why) {
  DROVER_TRY(const auto object, tx.get(kNodeKind, name));
  if (object) {
    DROVER_TRY(const Node node, read_node(tx, name));
    if (node.role == role) return false;
    return fail(Code::conflict, fmt::format("node '{}' exists as {}, not as {}", name,
                                            enum_name(node.role), enum_name(role)));
  }
  DROVER_CHECK_OK(check_new_node_name(name));
  DROVER_CHECK_OK(ClaimBook(tx).check_name(name));
  DROVER_TRY(const Settings settings, read_settings(tx));
  Node node;
  node.name = name;
  node.id = fresh_id;
  node.role = role;
  node.service.state =
      enum_from_name<ServiceState>(settings.text("join.service")).value_or(node.service.state);
  node.service.since = from_unix_ms(tx.time_ms());
  node.service.why = std::string(why);
  node.service.who = tx.actor();
  DROVER_CHECK_OK(write_node(tx, node));
  return true;
}

Status note_daemon(store::Transaction& tx, const Daemon& daemon, const std::string& fresh_id) {
  DROVER_CHECK_OK(check_node_name(daemon.name));
  if (const auto role = enum_from_name<NodeRole>(daemon.role)) {
    DROVER_CHECK_OK(ensure_node(tx, daemon.name, *role, fresh_id, "enrolled"));
  }
  if (daemon.role == "compute") return {};
  DROVER_CHECK_OK(tx.put(kDaemonKind, daemon_key(daemon.role, daemon.name), encode(daemon)));
  return {};
}

Result<size_t> write_phases(store::Transaction& tx, std::span<const PhaseChange> changes) {
  size_t written = 0;
  for (const PhaseChange& change : changes) {
    DROVER_TRY(const auto object, tx.get(kNodeKind, change.node));
    if (!object) continue;
    DROVER_TRY(Node node, read_node(tx, change.node));
    const PhaseState from = weighed_phase(node.phase);
    const PhaseState to = phase_after(from, change.to);
    if (to == from) continue;
    move_axis(node.phase, to, change.since, change.why, change.who);
    tx.explain(change.why);
    DROVER_CHECK_OK(write_node(tx, node));
    ++written;
  }
  return written;
}

void NodePatch::describe(Visitor& v) {
  v.field("service", service, "What the node may be used for from now on.", Presence::patch);
  v.field("enabled", enabled, "Whether the node takes part at all.", Presence::patch);
  v.field("flag", flag, "A mark for the operator's attention.", Presence::patch);
  v.field("locked", locked, "Whether power and boot requests are refused.", Presence::patch);
  v.field("spec", spec,
          "JSON merge patch of the node's spec: absent stays, null goes back to the "
          "default.",
          Presence::patch);
  v.field("edits", edits,
          "Edits of lists in the spec, after its patch, from what is there then: two who "
          "add to a list at the same time both find theirs in it.",
          Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

Status patch_states(store::Transaction& tx, Node& node, const NodePatch& patch) {
  DROVER_CHECK_OK(store::check_why(patch.why));
  if (patch.service) {
    DROVER_CHECK_OK(may_change(node.service.state, *patch.service, Actor::admin));
    move_axis(node.service, *patch.service, from_unix_ms(tx.time_ms()), patch.why, tx.actor());
  }
  if (patch.enabled) node.enabled = *patch.enabled;
  if (patch.flag) node.flag = *patch.flag;
  if (patch.locked) node.locked = *patch.locked;
  return {};
}

Result<Node> patch_node(store::Transaction& tx, const std::string& name, const NodePatch& patch) {
  DROVER_TRY(Node node, read_node(tx, name));
  DROVER_CHECK_OK(patch_states(tx, node, patch));
  tx.explain(patch.why);
  DROVER_CHECK_OK(write_node(tx, node));
  return node;
}

}  // namespace drover::cluster

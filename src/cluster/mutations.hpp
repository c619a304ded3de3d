// The small named changes of the model, each to be run inside one store mutation. They check the
// rules; what they refuse changes nothing.
#pragma once

#include "base/result.hpp"
#include "cluster/liveness.hpp"
#include "cluster/node.hpp"
#include "cluster/spec_edit.hpp"
#include "cluster/transitions.hpp"
#include "store/store.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drover::cluster {

/// Kind of objects for enrolled daemons other than computes' agents; key "<role>/<name>".
inline constexpr std::string_view kDaemonKind = "daemon";

/// A daemon that was let into the cluster.
struct Daemon {
  static constexpr std::string_view kTypeName = "EnrolledDaemon";
  std::string role;  ///< master, aggregator, utility, compute, boot
  std::string name;
  WallTime enrolled{};
  std::vector<std::string> listens;  ///< where others of the tree dial it
  bool operator==(const Daemon&) const = default;
  void describe(Visitor& v);
};
std::string daemon_key(std::string_view role, std::string_view name);

/// The node, as it is in the transaction; not_found with a hint.
Result<Node> read_node(store::Transaction& tx, const std::string& name);
Result<uint64_t> write_node(store::Transaction& tx, Node node);

/// Makes the node with service=discovered unless it is there; returns whether it was made.
/// conflict when it is there with another role.
Result<bool> ensure_node(store::Transaction& tx, const std::string& name, NodeRole role,
                         const std::string& fresh_id, std::string_view why);

/// Notes an enrolled daemon (again). Computes and utilities get their node as well.
Status note_daemon(store::Transaction& tx, const Daemon& daemon, const std::string& fresh_id);

/// Writes phase changes found by liveness. Nodes that are not in the store and transitions that the
/// table forbids (a node that is halting is not "lost") are left out; returns how many were
/// written.
Result<size_t> write_phases(store::Transaction& tx, std::span<const PhaseChange> changes);

/// What PATCH /nodes/{name} may change.
struct NodePatch {
  static constexpr std::string_view kTypeName = "NodePatch";
  std::optional<ServiceState> service;
  std::optional<bool> enabled;
  std::optional<NodeFlag> flag;
  std::optional<bool> locked;
  std::optional<RawJson> spec;  ///< JSON merge patch (RFC 7396) of the NodeSpec
  std::vector<SpecEdit> edits;  ///< of its lists, after the patch
  std::string why;
  void describe(Visitor& v);
};
/// Applies it as an administrator; returns the node as it is then. For the states alone: a patch
/// with a `spec` goes through NodeChange (cluster/node_mutations.hpp).
Result<Node> patch_node(store::Transaction& tx, const std::string& name, const NodePatch& patch);
/// The same on a node in hand: writes nothing.
Status patch_states(store::Transaction& tx, Node& node, const NodePatch& patch);

}  // namespace drover::cluster

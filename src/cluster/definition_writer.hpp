// The one way in which nodes, groups, profiles and networks are changed: inside one store mutation,
// with what the changed things demand of all others (names, numbers and addresses that are unique;
// profiles that exist; members that are nodes; no circles).
#pragma once

#include "base/result.hpp"
#include "cluster/attributes.hpp"
#include "cluster/group.hpp"
#include "cluster/network.hpp"
#include "cluster/node.hpp"
#include "cluster/profile.hpp"
#include "cluster/range_rename.hpp"
#include "cluster/stored_node.hpp"
#include "store/store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Bookkeeping beside the nodes (put_quiet): who holds an alias, NID, MAC or IP address; key
/// "alias/x1", "nid/7", "mac/..", "ip/..", body {"node":"n1"}.
inline constexpr std::string_view kClaimKind = "claim";
/// What one node holds, by its name: {"claims":[..]}.
inline constexpr std::string_view kClaimsOfKind = "claims_of";
/// Names that a renamed node has had, by its id, oldest first: {"names":[..]}.
inline constexpr std::string_view kNamesOfKind = "names_of";

/// Makes changes and remembers what they touch. Each call changes nothing when it fails, except in
/// Mode::together, where an error must end the mutation. Every mutation that used one calls
/// finish() last and returns its error.
///
/// Addresses that hold formulas are unique by what the formulas give. For that, attributes of
/// dynamic groups do not count: an address must not change because a state did.
///
/// Valid while the transaction is. One thread.
class DefinitionWriter {
 public:
  enum class Mode {
    single,   ///< each call is checked against all that is there: bulk changes with a result each
    together  ///< checked by finish() against what is there then: two nodes may swap addresses
  };
  explicit DefinitionWriter(store::Transaction& tx, Mode mode = Mode::single);
  ~DefinitionWriter();
  DefinitionWriter(const DefinitionWriter&) = delete;
  DefinitionWriter& operator=(const DefinitionWriter&) = delete;

  /// Adds a node that is defined before it was ever heard of (service=discovered) with that stable
  /// id. already_exists, or conflict when another node has the name as an alias.
  Result<Node> add_node(const std::string& name, NodeRole role, NodeSpec spec,
                        const std::string& id);
  /// Replaces what people said of a node; everything else of it stays.
  Result<Node> put_spec(const std::string& name, NodeSpec spec);
  /// The same for a node that was read in this mutation and whose states may have changed since:
  /// `node` has the new spec in place of `before`. False, and nothing is written, when they are
  /// equal. Mode::single.
  Result<ChangedNode> replace_spec(const NodeSpec& before, Node node);
  /// Writes a whole node as it was once (to undo a change): spec and states of `node`, by name.
  Status put_node(Node node);
  /// The node keeps its id and takes parts and memberships along. An alias equal to the new name
  /// goes.
  Result<Node> rename_node(const std::string& from, const std::string& to);
  /// With its parts, its place in static groups and its enrolment as a utility.
  Status remove_node(const std::string& name);

  /// Creates or replaces. Members that were not in the group before must be nodes, and the profiles
  /// and groups that it names must exist.
  Status put_group(Group group);
  /// With the ranges of other groups that name it; conflict where one cannot be rewritten
  /// (renamed_in()). Limits of people are the caller's. Not in Mode::together.
  Result<Group> rename_group(const GroupRename& rename);
  /// conflict while the range of another group names it.
  Status remove_group(const std::string& name);
  /// Adds and removes members of a static group; conflict for a dynamic one. Both are lists of
  /// nodes' names. Returns the group as it is then.
  Result<Group> change_members(const std::string& name, const std::vector<std::string>& add,
                               const std::vector<std::string>& remove);
  Status put_profile(Profile profile);
  /// With every node, group, profile and next boot that takes it. conflict for the one that all
  /// nodes have. Not in Mode::together.
  Result<Profile> rename_profile(const std::string& from, const std::string& to);
  /// conflict while a node, group or profile takes it.
  Status remove_profile(const std::string& name);

  /// Creates or replaces. invalid_argument when another network has some of its addresses.
  Status put_network(Network network);
  Status remove_network(const std::string& name);

  /// As they are now in the mutation; not_found.
  Result<Group> group(const std::string& name);
  Result<Network> network(const std::string& name);
  Result<Profile> profile(const std::string& name);

  /// Memberships of renamed and removed nodes, and everything that had to wait.
  Status finish();

 private:
  struct State;
  Status settle(const std::shared_ptr<const StoredNode>& node);
  Status check_references(const Node& node);
  Status check_group_references(const Group& group);
  Status check_profile_references(const Profile& profile);
  Status check_network_apart(const Network& network);
  Status check_group_unused(const std::string& name);
  Status check_profile_unused(const std::string& name);
  Status update_groups();
  Status recheck_formulas();
  Status finish_together();

  store::Transaction& tx_;
  Mode mode_;
  std::unique_ptr<State> state_;
};

/// Names under which the node with this id is and was known, oldest first; its present name is not
/// among them until it is renamed.
Result<std::vector<std::string>> former_names(store::Transaction& tx, const std::string& id);

}  // namespace drover::cluster

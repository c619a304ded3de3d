// What a writer of definitions knows of groups, profiles and networks inside its mutation. Private
// to it.
#pragma once

#include "cluster/claims.hpp"
#include "cluster/definition_writer.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::cluster {

/// Groups, profiles and networks are read when they are first needed, and kept as the mutation
/// makes them.
struct DefinitionWriter::State final : Definitions {
  explicit State(store::Transaction& transaction) : tx(transaction), claims(transaction) {}

  /// Reads what is not read yet; before anything else here is used.
  Status load();
  [[nodiscard]] const Profile* profile(std::string_view name) const override;
  /// Static groups alone: what addresses are made from.
  [[nodiscard]] std::vector<const Group*> groups_of(const Node& node) const override;
  /// Groups or members changed: memberships are worked out anew.
  void groups_changed() { members_known = false; }

  store::Transaction& tx;
  ClaimBook claims;
  bool loaded = false;
  std::map<std::string, Group, std::less<>> groups;
  std::map<std::string, Profile, std::less<>> profiles;
  std::map<std::string, Network, std::less<>> networks;

  /// Names that nodes had when the mutation began, by what they are called now; and who is gone.
  /// Static groups are brought in line by finish().
  std::map<std::string, std::string> renamed;
  std::set<std::string> removed;

  bool recheck = false;           ///< attributes changed: addresses with formulas may have too
  std::set<std::string> touched;  ///< Mode::together: nodes, groups and profiles to check
  std::set<std::string> touched_groups;
  std::set<std::string> touched_profiles;
  std::set<std::string> touched_networks;
  std::set<std::string> removed_groups;
  std::set<std::string> removed_profiles;

  mutable bool members_known = false;
  mutable std::unordered_map<std::string, std::vector<const Group*>> member_of;
};

}  // namespace drover::cluster

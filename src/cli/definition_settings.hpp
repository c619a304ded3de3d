// NAME=VALUE of `drover node|group|profile add|set|unset`, as JSON merge patches of what the API
// takes. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// A change of a list in a node's spec, which depends on what is there: merge patches replace lists
/// as a whole.
struct ListEdit {
  enum class How { add, remove, replace };
  std::string list;       ///< aliases, profiles, or interfaces
  std::string interface;  ///< of interfaces: which one; it is made when it is not there
  std::string field;      ///< of an interface: mac, network or addresses; empty: the whole of it
  How how = How::replace;
  std::vector<std::string> values;
};

/// What the words of one command change.
struct NodeEdits {
  std::string patch;  ///< JSON text: service, enabled, flag, locked, and `spec` without lists
  std::vector<ListEdit> lists;

  /// Whether the patch follows from the words alone.
  [[nodiscard]] bool is_complete() const { return lists.empty(); }
  /// The patch for a node whose spec is this JSON text.
  [[nodiscard]] Result<std::string> patch_for(std::string_view spec) const;
};

/// Settings of a node: service, enabled, flag, locked; nid, aliases, profiles, owner, group, mode,
/// description; bmc.FIELD; INTERFACE.mac|address|network; any attribute by its name. Lists are
/// joined by commas; NAME+=VALUE and NAME-=VALUE add to and take from aliases, profiles and
/// addresses. invalid_argument names what cannot be set, and the nearest name.
Result<NodeEdits> node_settings(const std::vector<std::string>& words);
/// The same names without values: back to the default, or gone.
Result<NodeEdits> node_unsettings(const std::vector<std::string>& names);

/// Settings of a group (description, nodes, range, profiles, priority, any attribute) or a profile
/// (description, inherits, any attribute) as a merge patch.
Result<std::string> group_settings(const std::vector<std::string>& words);
Result<std::string> profile_settings(const std::vector<std::string>& words);
Result<std::string> group_unsettings(const std::vector<std::string>& names);
Result<std::string> profile_unsettings(const std::vector<std::string>& names);

}  // namespace drover::cli

// A group of nodes: a fixed list of them, or a saved noderange that is evaluated when it is asked.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of group objects in the store; their key is the group's name.
inline constexpr std::string_view kGroupKind = "group";
/// Highest priority, and lowest as its negative.
inline constexpr int32_t kMaxPriority = 1'000'000;
/// Longest text of a dynamic group's range, in bytes.
inline constexpr size_t kMaxGroupRange = 64 * 1024;

/// Body of a store object of kind kGroupKind.
struct Group {
  static constexpr std::string_view kTypeName = "Group";
  std::string name;
  std::string description;
  std::string nodes;  ///< static: folded noderange of real nodes' names; empty: no members
  std::string range;  ///< dynamic: any noderange; then `nodes` is empty
  std::vector<std::string> profiles;
  std::map<std::string, std::string> attributes;
  int32_t priority = 0;  ///< higher is stronger; of equal ones the name that sorts first
  bool operator==(const Group&) const = default;
  void describe(Visitor& v);

  [[nodiscard]] bool is_dynamic() const { return !range.empty(); }
};

/// Groups that are always there and cannot be defined: all, compute, utility.
bool is_built_in_group(std::string_view name);

/// Makes the group canonical (members sorted and folded) and checks every field; the error names
/// field, value and rule. Whether members, profiles and what the range names exist is checked in
/// the mutation.
Status normalise(Group& group);

}  // namespace drover::cluster

// A profile: attributes under a name, for nodes and groups to take, and for other profiles to
// inherit.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of profile objects in the store; their key is the profile's name.
inline constexpr std::string_view kProfileKind = "profile";
/// The profile that every node has as its weakest, where it exists.
inline constexpr std::string_view kDefaultProfile = "default";

/// Body of a store object of kind kProfileKind.
struct Profile {
  static constexpr std::string_view kTypeName = "Profile";
  std::string name;
  std::string description;
  std::vector<std::string> inherits;  ///< strongest first; all weaker than the profile itself
  std::map<std::string, std::string> attributes;
  bool operator==(const Profile&) const = default;
  void describe(Visitor& v);
};

/// Checks every field; the error names field, value and rule. Whether the inherited profiles exist
/// and form no circle is checked in the mutation.
Status normalise(Profile& profile);

}  // namespace drover::cluster

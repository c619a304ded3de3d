// SMD's groups and partitions on the model's groups: a group's label is its name; a partition is
// the group `partition.NAME`, so its nodes are `@partition.NAME` in a noderange.
#pragma once

#include "api/smd/component_filter.hpp"
#include "api/smd/manners.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/group.hpp"
#include "cluster/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

struct MemberIds {
  static constexpr std::string_view kTypeName = "SmdMembers";
  std::vector<std::string> ids;
  void describe(Visitor& v);
};
struct MemberId {
  static constexpr std::string_view kTypeName = "SmdMember";
  std::string id;
  void describe(Visitor& v);
};
struct GroupForm {
  static constexpr std::string_view kTypeName = "SmdGroup";
  std::string label;
  std::optional<std::string> description, exclusive;
  std::optional<std::vector<std::string>> tags;
  std::optional<MemberIds> members;
  void describe(Visitor& v);
};
struct PartitionForm {
  static constexpr std::string_view kTypeName = "SmdPartition";
  std::string name;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> tags;
  std::optional<MemberIds> members;
  void describe(Visitor& v);
};
/// All of it may be left out.
struct GroupChange {
  static constexpr std::string_view kTypeName = "SmdGroupPatch";
  std::optional<std::string> label, name, description, exclusive;
  std::optional<std::vector<std::string>> tags;
  std::optional<MemberIds> members;
  void describe(Visitor& v);
};
struct MembershipForm {
  static constexpr std::string_view kTypeName = "SmdMembership";
  std::string id;
  std::vector<std::string> groups;
  std::string partition;
  void describe(Visitor& v);
};

/// Attributes of groups that hold what the model has no word for.
inline constexpr const char* kTagsAttribute = "smd_tags";
inline constexpr const char* kExclusiveAttribute = "smd_exclusive_group";

/// Whether it is shown as a partition, as a group, or (built in) not in lists.
bool is_partition(std::string_view group);

/// SMD's rule for labels, tags and names of partitions: lower-cased, `^[-a-z0-9:._]+$`, and where
/// it becomes a group's name also what the model's names must be.
Result<std::string> label_of(std::string_view what, std::string_view text);
Result<std::string> tag_of(std::string_view what, std::string_view text);

/// A group or partition as JSON, with only the members that `within` (a partition's or group's
/// members; null: all) has too.
std::string group_json(const cluster::Model& model, const cluster::Group& group,
                       const std::vector<std::string>* within);
/// {"ids":[..]} of those.
std::string members_json(const cluster::Model& model, const std::vector<std::string>& nodes,
                         const std::vector<std::string>* within);
/// Labels of the group's tags.
std::vector<std::string> tags_of(const cluster::Group& group);

}  // namespace drover::api::smd

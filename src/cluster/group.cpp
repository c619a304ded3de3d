#include "cluster/group.hpp"

#include "base/noderange.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/node.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace drover::cluster {

void Group::describe(Visitor& v) {
  v.field("name", name, "Name of the group.");
  v.field("description", description, "Free text.", Presence::optional);
  v.field("nodes", nodes, "Members of a static group, folded.", Presence::optional);
  v.field("range", range, "Noderange of a dynamic group, evaluated whenever it is asked for.",
          Presence::optional);
  v.field("profiles", profiles, "Profiles that its members take attributes from, strongest first.",
          Presence::optional);
  v.field("attributes", attributes, "Attributes of its members; values may hold formulas.",
          Presence::optional);
  v.field("priority", priority, "Higher is stronger where groups set the same attribute.",
          Presence::optional);
}

bool is_built_in_group(std::string_view name) {
  return name == "all" || enum_from_name<NodeRole>(name).has_value();
}

Status normalise(Group& group) {
  DROVER_CHECK_OK(check_set_name("name", group.name));
  if (is_built_in_group(group.name)) {
    return bad_field("name", group.name, "expected another name, since this group is always there");
  }
  DROVER_CHECK_OK(check_plain_text("description", group.description, kMaxDescription));
  if (!group.nodes.empty() && !group.range.empty()) {
    return bad_field("range", group.range,
                     "expected either nodes (a static group) or range (a dynamic one), got both");
  }
  auto members = expand_names(group.nodes);
  if (!members) return fail_in("nodes", members.error());
  group.nodes = fold_names(*members);
  if (group.range.size() > kMaxGroupRange) {
    return bad_field("range", group.range,
                     fmt::format("expected at most {} bytes", kMaxGroupRange));
  }
  if (group.is_dynamic()) {
    if (const auto mistake = find_mistake(group.range)) {
      return bad_field("range", group.range,
                       fmt::format("column {}: {}", mistake->offset + 1, mistake->what));
    }
  }
  DROVER_CHECK_OK(check_set_names("profiles", group.profiles));
  DROVER_CHECK_OK(check_attributes("attributes", group.attributes));
  if (group.priority > kMaxPriority || group.priority < -kMaxPriority) {
    return bad_field("priority", std::to_string(group.priority),
                     fmt::format("expected {} to {}", -kMaxPriority, kMaxPriority));
  }
  return {};
}

}  // namespace drover::cluster

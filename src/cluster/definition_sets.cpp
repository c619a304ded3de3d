// Groups and profiles of the writer of definitions.
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/definition_state.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/model.hpp"
#include "cluster/mutations.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

template <Described T>
Result<T> read_object(const store::Object& object) {
  auto value = decode_text<T>(object.body, Unknown::ignore);
  if (value) return value;
  return fail(Code::corrupt, fmt::format("the stored {} '{}' cannot be read: {}", object.kind,
                                         object.key, value.error().message));
}

tl::unexpected<Error> no_such(std::string_view kind, const std::string& name) {
  return fail(Code::not_found, fmt::format("there is no {} '{}'", kind, name),
              fmt::format("drover {} list shows all of them", kind));
}

Result<std::vector<std::string>> members_of(const Group& group) {
  return expand_names(group.nodes);
}

/// The names in `what` that are not in `of`; both sorted naturally.
std::vector<std::string> without(const std::vector<std::string>& what,
                                 const std::vector<std::string>& of) {
  std::vector<std::string> out;
  std::ranges::set_difference(what, of, std::back_inserter(out), NaturalLess());
  return out;
}

Status check_are_nodes(store::Transaction& tx, const std::vector<std::string>& names) {
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    DROVER_TRY(const auto object, tx.get(kNodeKind, name));
    if (!object) unknown.push_back(name);
  }
  if (unknown.empty()) return {};
  return bad_field("nodes", fold_names(unknown),
                   "expected names of nodes (not aliases or groups); these are none");
}

/// Same in all that can reach an address.
bool gives_the_same(const Group& a, const Group& b) {
  return a.nodes == b.nodes && a.range == b.range && a.profiles == b.profiles &&
         a.attributes == b.attributes && a.priority == b.priority;
}

}  // namespace

Status DefinitionWriter::State::load() {
  if (loaded) return {};
  DROVER_TRY(const auto group_objects, tx.list({.kind = std::string(kGroupKind)}));
  for (const store::Object& object : group_objects) {
    DROVER_TRY(groups[object.key], read_object<Group>(object));
  }
  DROVER_TRY(const auto profile_objects, tx.list({.kind = std::string(kProfileKind)}));
  for (const store::Object& object : profile_objects) {
    DROVER_TRY(profiles[object.key], read_object<Profile>(object));
  }
  DROVER_TRY(const auto network_objects, tx.list({.kind = std::string(kNetworkKind)}));
  for (const store::Object& object : network_objects) {
    DROVER_TRY(networks[object.key], read_object<Network>(object));
  }
  loaded = true;
  return {};
}

const Profile* DefinitionWriter::State::profile(std::string_view name) const {
  const auto it = profiles.find(name);
  return it == profiles.end() ? nullptr : &it->second;
}

std::vector<const Group*> DefinitionWriter::State::groups_of(const Node& node) const {
  if (!members_known) {
    member_of.clear();
    for (const auto& [name, group] : groups) {
      // Groups that give nothing need not be taken apart.
      if (group.attributes.empty() && group.profiles.empty()) continue;
      for (std::string& member : members_of(group).value_or(std::vector<std::string>())) {
        member_of[std::move(member)].push_back(&group);
      }
    }
    for (auto& [member, of] : member_of) {
      std::ranges::sort(of, [](const Group* a, const Group* b) { return stronger_group(*a, *b); });
    }
    members_known = true;
  }
  const auto before = renamed.find(node.name);
  const auto it = member_of.find(before == renamed.end() ? node.name : before->second);
  return it == member_of.end() ? std::vector<const Group*>() : it->second;
}

Result<Group> DefinitionWriter::group(const std::string& name) {
  DROVER_CHECK_OK(state_->load());
  const auto it = state_->groups.find(name);
  if (it != state_->groups.end()) return it->second;
  if (is_built_in_group(name)) {
    return fail(Code::conflict, fmt::format("the group '{}' is always there and not stored", name));
  }
  return no_such("group", name);
}

Result<Profile> DefinitionWriter::profile(const std::string& name) {
  DROVER_CHECK_OK(state_->load());
  const Profile* found = state_->profile(name);
  if (found == nullptr) return no_such("profile", name);
  return *found;
}

Status DefinitionWriter::check_group_references(const Group& group) {
  for (size_t i = 0; i < group.profiles.size(); ++i) {
    const std::string& name = group.profiles[i];
    if (name == kDefaultProfile || state_->profile(name) != nullptr) continue;
    return bad_field(fmt::format("profiles[{}]", i), name, "there is no such profile");
  }
  if (!group.is_dynamic()) return {};
  // Breadth first over the dynamic groups that its range names; meeting itself is a circle.
  std::set<std::string> seen;
  std::vector<std::string> ahead{group.name};
  for (size_t at = 0; at < ahead.size(); ++at) {
    const auto it = state_->groups.find(ahead[at]);
    const std::string& range = ahead[at] == group.name      ? group.range
                               : it == state_->groups.end() ? std::string()
                                                            : it->second.range;
    DROVER_TRY(const RangeNames named, names_in(range));
    for (const std::string& attribute : named.attributes) {
      if (at > 0 || is_node_attribute(attribute)) continue;
      return bad_field("range", group.range,
                       fmt::format("nodes have no attribute '{}'", attribute));
    }
    for (const std::string& other : named.groups) {
      if (other == group.name) {
        return bad_field(
            "range", group.range,
            at == 0 ? "a group cannot be made from itself"
                    : fmt::format("it goes round in a circle through group '{}'", ahead[at]));
      }
      const bool known = is_built_in_group(other) || state_->groups.contains(other);
      if (!known && at == 0) {
        return bad_field("range", group.range, fmt::format("there is no group '{}'", other));
      }
      if (known && seen.insert(other).second) ahead.push_back(other);
    }
    for (const std::string& word : named.words) {
      if (word == group.name && at > 0) {
        return bad_field("range", group.range, "it goes round in a circle");
      }
      if (state_->groups.contains(word) && seen.insert(word).second) ahead.push_back(word);
    }
  }
  return {};
}

Status DefinitionWriter::check_profile_references(const Profile& profile) {
  std::set<std::string> seen;
  std::vector<std::pair<std::string, std::string>> ahead;  // a profile, and who inherits it
  for (const std::string& name : profile.inherits) ahead.emplace_back(name, profile.name);
  for (size_t at = 0; at < ahead.size(); ++at) {
    const auto [name, by] = ahead[at];
    if (name == profile.name) {
      return bad_field("inherits", by == name ? name : by,
                       by == name ? "a profile cannot inherit itself"
                                  : fmt::format("that profile inherits '{}': a circle", name));
    }
    const Profile* found = state_->profile(name);
    if (found == nullptr) {
      if (by == profile.name) return bad_field("inherits", name, "there is no such profile");
      continue;
    }
    if (!seen.insert(name).second) continue;
    for (const std::string& next : found->inherits) ahead.emplace_back(next, name);
  }
  return {};
}

Status DefinitionWriter::put_group(Group group) {
  DROVER_CHECK_OK(normalise(group));
  DROVER_CHECK_OK(state_->load());
  const auto before = state_->groups.find(group.name);
  const bool is_new = before == state_->groups.end();
  if (!is_new && before->second == group) return {};
  if (mode_ == Mode::single) {
    DROVER_CHECK_OK(check_group_references(group));
  } else {
    state_->touched_groups.insert(group.name);
  }
  DROVER_TRY(const auto members, members_of(group));
  std::vector<std::string> members_before;
  if (!is_new) {
    DROVER_TRY(members_before, members_of(before->second));
  }
  DROVER_CHECK_OK(check_are_nodes(tx_, without(members, members_before)));
  DROVER_CHECK_OK(tx_.put(kGroupKind, group.name, encode(group)));
  state_->recheck =
      state_->recheck || (is_new ? !group.nodes.empty() : !gives_the_same(before->second, group));
  state_->groups[group.name] = std::move(group);
  state_->groups_changed();
  return {};
}

Status DefinitionWriter::check_group_unused(const std::string& name) {
  for (const auto& [other, definition] : state_->groups) {
    if (!definition.is_dynamic() || other == name) continue;
    DROVER_TRY(const RangeNames named, names_in(definition.range));
    if (std::ranges::find(named.groups, name) == named.groups.end()) continue;
    return fail(Code::conflict,
                fmt::format("group '{}' is named by the range of group '{}'", name, other),
                fmt::format("drover group set {} range=... first", other));
  }
  return {};
}

Status DefinitionWriter::remove_group(const std::string& name) {
  DROVER_TRY(const Group gone, group(name));
  if (mode_ == Mode::single) {
    DROVER_CHECK_OK(check_group_unused(name));
  } else {
    state_->removed_groups.insert(name);
  }
  DROVER_CHECK_OK(tx_.erase(kGroupKind, name));
  DROVER_CHECK_OK(move_content(tx_, "group/" + name, ""));
  state_->groups.erase(name);
  state_->groups_changed();
  state_->recheck = state_->recheck || !gone.nodes.empty();
  return {};
}

Result<Group> DefinitionWriter::change_members(const std::string& name,
                                               const std::vector<std::string>& add,
                                               const std::vector<std::string>& remove) {
  DROVER_TRY(Group changed, group(name));
  if (changed.is_dynamic()) {
    return fail(Code::conflict,
                fmt::format("group '{}' is dynamic: its members follow from its range", name),
                fmt::format("drover group set {} range=...", name));
  }
  DROVER_TRY(std::vector<std::string> members, members_of(changed));
  std::set<std::string, NaturalLess> now(members.begin(), members.end());
  now.insert(add.begin(), add.end());
  for (const std::string& node : remove) now.erase(node);
  changed.nodes = fold_names({now.begin(), now.end()});
  DROVER_CHECK_OK(put_group(changed));
  return changed;
}

Status DefinitionWriter::put_profile(Profile profile) {
  DROVER_CHECK_OK(normalise(profile));
  DROVER_CHECK_OK(state_->load());
  const Profile* before = state_->profile(profile.name);
  if (before != nullptr && *before == profile) return {};
  if (mode_ == Mode::single) {
    DROVER_CHECK_OK(check_profile_references(profile));
  } else {
    state_->touched_profiles.insert(profile.name);
  }
  DROVER_CHECK_OK(tx_.put(kProfileKind, profile.name, encode(profile)));
  // Nobody can have taken a profile that was not there, but for the one that everybody has.
  const bool reaches_nodes = before == nullptr ? profile.name == kDefaultProfile
                                               : before->attributes != profile.attributes ||
                                                     before->inherits != profile.inherits;
  state_->recheck = state_->recheck || reaches_nodes;
  state_->profiles[profile.name] = std::move(profile);
  return {};
}

Status DefinitionWriter::check_profile_unused(const std::string& name) {
  // Every node has `default` without naming it, so that one may always go.
  if (name == kDefaultProfile) return {};
  const auto used_by = [&](std::string_view kind, const std::string& user) {
    return fail(Code::conflict, fmt::format("profile '{}' is used by {} '{}'", name, kind, user),
                fmt::format("take it from there first: drover {} set {} {}=...", kind, user,
                            kind == "profile" ? "inherits" : "profiles"));
  };
  const auto lists = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, name) != names.end();
  };
  for (const auto& [other, definition] : state_->profiles) {
    if (other != name && lists(definition.inherits)) return used_by("profile", other);
  }
  for (const auto& [other, definition] : state_->groups) {
    if (lists(definition.profiles)) return used_by("group", other);
  }
  const std::string quoted = fmt::format("\"{}\"", name);
  DROVER_TRY(const auto objects, tx_.list({.kind = std::string(kNodeKind)}));
  for (const store::Object& object : objects) {
    if (object.body.find(quoted) == std::string::npos) continue;
    DROVER_TRY(const Node node, read_object<Node>(object));
    if (lists(node.spec.profiles)) return used_by("node", node.name);
  }
  return {};
}

Status DefinitionWriter::remove_profile(const std::string& name) {
  DROVER_TRY(const Profile gone, profile(name));
  if (mode_ == Mode::single) {
    DROVER_CHECK_OK(check_profile_unused(name));
  } else {
    state_->removed_profiles.insert(name);
  }
  DROVER_CHECK_OK(tx_.erase(kProfileKind, name));
  DROVER_CHECK_OK(move_content(tx_, "profile/" + name, ""));
  state_->profiles.erase(name);
  state_->recheck = state_->recheck || name == kDefaultProfile;
  return {};
}

Status DefinitionWriter::update_groups() {
  std::map<std::string, std::string> now;  // names when the mutation began to those of today
  for (const auto& [to, from] : state_->renamed) now.emplace(from, to);
  for (auto& [name, group] : state_->groups) {
    DROVER_TRY(const auto members, members_of(group));
    std::set<std::string, NaturalLess> after;
    bool changed = false;
    for (const std::string& member : members) {
      if (state_->removed.contains(member)) {
        changed = true;
        continue;
      }
      const auto renamed = now.find(member);
      changed = changed || renamed != now.end();
      after.insert(renamed == now.end() ? member : renamed->second);
    }
    if (!changed) continue;
    group.nodes = fold_names({after.begin(), after.end()});
    DROVER_CHECK_OK(tx_.put(kGroupKind, name, encode(group)));
  }
  state_->renamed.clear();
  state_->removed.clear();
  state_->groups_changed();
  return {};
}

}  // namespace drover::cluster

// Other names for groups and profiles, and all that names them brought along.
#include "base/text.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/boot_next.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/definition_state.hpp"
#include "cluster/model.hpp"
#include "cluster/mutations.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

bool replace(std::vector<std::string>& names, const std::string& from, const std::string& to) {
  const auto it = std::ranges::find(names, from);
  if (it == names.end()) return false;
  *it = to;
  return true;
}

Status rename_in_boot_nexts(store::Transaction& tx, const std::string& from,
                            const std::string& to) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kBootNextKind)}));
  for (const store::Object& object : objects) {
    DROVER_TRY(BootNext next, decode_text<BootNext>(object.body, Unknown::ignore));
    if (next.profile != from) continue;
    next.profile = to;
    DROVER_CHECK_OK(tx.put(kBootNextKind, object.key, encode(next)));
  }
  return {};
}

tl::unexpected<Error> taken(std::string_view kind, const std::string& name) {
  return fail(Code::already_exists, fmt::format("there is a {} '{}' already", kind, name),
              fmt::format("drover {} show {}", kind, name));
}

}  // namespace

Result<Group> DefinitionWriter::rename_group(const GroupRename& rename) {
  const auto& [from, to, bare_is_node] = rename;
  DROVER_TRY(Group renamed, group(from));
  if (from == to) return renamed;
  if (state_->groups.contains(to)) return taken("group", to);
  renamed.name = to;
  DROVER_CHECK_OK(normalise(renamed));
  std::vector<Group> users;
  for (const auto& [name, definition] : state_->groups) {
    if (!definition.is_dynamic() || name == from) continue;
    auto range = renamed_in(definition.range, rename);
    if (!range) return fail_in(fmt::format("the range of group '{}'", name), range.error());
    if (*range == definition.range) continue;
    users.push_back(definition);
    users.back().range = *std::move(range);
    DROVER_CHECK_OK(normalise(users.back()));
  }
  users.push_back(renamed);
  DROVER_CHECK_OK(tx_.erase(kGroupKind, from));
  state_->groups.erase(from);
  for (Group& user : users) {
    DROVER_CHECK_OK(tx_.put(kGroupKind, user.name, encode(user)));
    state_->groups[user.name] = std::move(user);
  }
  DROVER_CHECK_OK(move_content(tx_, "group/" + from, "group/" + to));
  state_->groups_changed();
  // Of groups that are equally strong the name decides.
  state_->recheck = state_->recheck || !renamed.nodes.empty();
  return renamed;
}

Result<Profile> DefinitionWriter::rename_profile(const std::string& from, const std::string& to) {
  DROVER_TRY(Profile renamed, profile(from));
  if (from == to) return renamed;
  if (from == kDefaultProfile || to == kDefaultProfile) {
    return fail(Code::conflict,
                fmt::format("'{}' is the profile that every node has: no other takes its place by "
                            "a rename",
                            kDefaultProfile),
                "make the other profile anew with drover profile add");
  }
  if (state_->profile(to) != nullptr) return taken("profile", to);
  renamed.name = to;
  DROVER_CHECK_OK(normalise(renamed));
  DROVER_CHECK_OK(tx_.erase(kProfileKind, from));
  state_->profiles.erase(from);
  DROVER_CHECK_OK(tx_.put(kProfileKind, to, encode(renamed)));
  state_->profiles[to] = renamed;
  for (auto& [name, definition] : state_->profiles) {
    if (!replace(definition.inherits, from, to)) continue;
    DROVER_CHECK_OK(tx_.put(kProfileKind, name, encode(definition)));
  }
  for (auto& [name, definition] : state_->groups) {
    if (!replace(definition.profiles, from, to)) continue;
    DROVER_CHECK_OK(tx_.put(kGroupKind, name, encode(definition)));
  }
  // What they give stays the same, so nothing has to be checked anew.
  const std::string quoted = fmt::format("\"{}\"", from);
  DROVER_TRY(const auto objects, tx_.list({.kind = std::string(kNodeKind)}));
  for (const store::Object& object : objects) {
    if (object.body.find(quoted) == std::string::npos) continue;
    DROVER_TRY(Node node, read_node(tx_, object.key));
    if (replace(node.spec.profiles, from, to)) DROVER_CHECK_OK(write_node(tx_, node));
  }
  DROVER_CHECK_OK(rename_in_boot_nexts(tx_, from, to));
  DROVER_CHECK_OK(move_content(tx_, "profile/" + from, "profile/" + to));
  return renamed;
}

}  // namespace drover::cluster

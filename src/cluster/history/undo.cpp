// A change is undone where it changed something: leaf by leaf of the JSON, so that what others did
// to the rest of the thing since then stays.
#include "cluster/history/undo.hpp"

#include "base/json_values.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/mutations.hpp"
#include "cluster/settings.hpp"
#include "cluster/transitions.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

using Path = std::vector<std::string>;
using Leaves = std::map<Path, json::value>;

/// Fields of a node that the cluster finds out, or that follow from others.
bool is_observed(std::string_view kind, const Path& path) {
  if (kind != kNodeKind || path.empty()) return false;
  constexpr std::array<std::string_view, 6> kSeen{"phase", "power", "summary",
                                                  "name",  "id",    "role"};
  if (std::ranges::find(kSeen, path.front()) != kSeen.end()) return true;
  return path.front() == "service" && (path.size() != 2 || path[1] != "state");
}

void collect(const json::value& value, Path& path, Leaves& out) {
  const json::object* const object = value.if_object();
  if (object == nullptr || (object->empty() && !path.empty())) {
    out[path] = value;
    return;
  }
  for (const auto& [key, inner] : *object) {
    path.emplace_back(key);
    collect(inner, path, out);
    path.pop_back();
  }
}

Result<Leaves> leaves_of(const std::optional<std::string>& body) {
  Leaves out;
  if (!body) return out;
  auto value = parse_json(*body);
  if (!value) return fail(Code::corrupt, "a body of the change log is not JSON");
  Path path;
  collect(*value, path, out);
  return out;
}

const json::value* find(const Leaves& leaves, const Path& path) {
  const auto it = leaves.find(path);
  return it == leaves.end() ? nullptr : &it->second;
}

bool same(const json::value* a, const json::value* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

std::string name_of(const Path& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

FieldChange field_change(const Path& path, const json::value* before, const json::value* after) {
  FieldChange out{name_of(path), {}, {}};
  if (before != nullptr) out.before.text = to_text(*before);
  if (after != nullptr) out.after.text = to_text(*after);
  return out;
}

void set_leaf(json::value& root, const Path& path, const json::value* to) {
  json::value* at = &root;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    if (!at->is_object()) *at = json::object();
    at = &at->get_object()[path[i]];
  }
  if (!at->is_object()) *at = json::object();
  if (to != nullptr) {
    at->get_object()[path.back()] = *to;
  } else {
    at->get_object().erase(path.back());
  }
}

/// The paths in which two bodies differ.
std::vector<Path> changed_paths(const Leaves& before, const Leaves& after) {
  std::vector<Path> out;
  for (const auto& [path, value] : before) {
    if (!same(&value, find(after, path))) out.push_back(path);
  }
  for (const auto& [path, value] : after) {
    if (find(before, path) == nullptr) out.push_back(path);
  }
  std::ranges::sort(out);
  return out;
}

std::string described(const store::Change& change) {
  return fmt::format("change {} of {} '{}'", change.sequence, change.kind, change.key);
}

tl::unexpected<Error> contested_error(const UndoRequest& request,
                                      const std::vector<std::string>& contested) {
  const std::string what =
      contested.empty() ? std::string("it") : fmt::format("{}", fmt::join(contested, ", "));
  return fail(Code::conflict,
              fmt::format("{} cannot be undone: {} {} changed again since",
                          described(request.change), what, contested.size() > 1 ? "were" : "was"),
              fmt::format("look at it with drover history {}/{}; --force undoes it all the same",
                          request.change.kind, request.change.key));
}

/// Writes a body of a kind that can be undone, by its rules.
Status write_body(store::Transaction& tx, DefinitionWriter& writer, const std::string& kind,
                  const std::string& key, const std::string& body, const std::optional<Node>& now) {
  if (kind == kSettingKind) {
    DROVER_TRY(const Setting setting, decode_text<Setting>(body, Unknown::ignore));
    return set_setting(tx, key, setting.value);
  }
  if (kind == kGroupKind) {
    DROVER_TRY(Group group, decode_text<Group>(body, Unknown::ignore));
    return writer.put_group(std::move(group));
  }
  if (kind == kProfileKind) {
    DROVER_TRY(Profile profile, decode_text<Profile>(body, Unknown::ignore));
    return writer.put_profile(std::move(profile));
  }
  if (kind == kNetworkKind) {
    DROVER_TRY(Network network, decode_text<Network>(body, Unknown::ignore));
    return writer.put_network(std::move(network));
  }
  if (kind == kCloudInitKind) {
    DROVER_TRY(CloudInit definition, decode_text<CloudInit>(body, Unknown::ignore));
    return put_content(tx, std::move(definition));
  }
  if (kind == kStepsKind) {
    DROVER_TRY(StepList list, decode_text<StepList>(body, Unknown::ignore));
    return put_content(tx, std::move(list));
  }
  if (kind == kOverlayKind) {
    DROVER_TRY(Overlay overlay, decode_text<Overlay>(body, Unknown::ignore));
    return put_content(tx, std::move(overlay));
  }
  DROVER_TRY(Node node, decode_text<Node>(body, Unknown::ignore));
  if (now && node.service.state != now->service.state) {
    DROVER_CHECK_OK(may_change(now->service.state, node.service.state, Actor::admin));
    node.service.since = from_unix_ms(tx.time_ms());
    node.service.why = "an earlier change was undone";
    node.service.who = tx.actor();
  }
  return writer.put_node(std::move(node));
}

bool is_content(std::string_view kind) {
  return kind == kCloudInitKind || kind == kStepsKind || kind == kOverlayKind;
}

Status remove_thing(store::Transaction& tx, DefinitionWriter& writer, const std::string& kind,
                    const std::string& key) {
  if (kind == kSettingKind) {
    const auto unset = unset_setting(tx, key);
    return unset ? Status() : tl::unexpected<Error>(unset.error());
  }
  if (kind == kGroupKind) return writer.remove_group(key);
  if (kind == kProfileKind) return writer.remove_profile(key);
  if (kind == kNetworkKind) return writer.remove_network(key);
  if (is_content(kind)) {
    const auto erased = erase_content(tx, kind, key);
    return erased ? Status() : tl::unexpected<Error>(erased.error());
  }
  return writer.remove_node(key);
}

Result<std::optional<Node>> node_now(store::Transaction& tx, const std::string& kind,
                                     const std::string& key) {
  if (kind != kNodeKind) return std::nullopt;
  DROVER_TRY(Node node, read_node(tx, key));
  return std::optional(std::move(node));
}

/// It was changed: its fields get their old values.
Status restore_fields(store::Transaction& tx, DefinitionWriter& writer, const UndoRequest& request,
                      const std::string& key, Undone& out, std::vector<std::string>& contested) {
  const store::Change& change = request.change;
  DROVER_TRY(const auto object, tx.get(change.kind, key));
  if (!object)
    return fail(Code::conflict, fmt::format("{} '{}' is not there any more", change.kind, key),
                "undo its removal first");
  DROVER_TRY(const Leaves before, leaves_of(change.before));
  DROVER_TRY(const Leaves after, leaves_of(change.after));
  DROVER_TRY(const Leaves now, leaves_of(object->body));
  DROVER_TRY(json::value body, parse_json(object->body));
  bool any = false;
  for (const Path& path : changed_paths(before, after)) {
    if (is_observed(change.kind, path)) continue;
    any = true;
    const json::value* const old = find(before, path);
    const json::value* const current = find(now, path);
    if (same(old, current)) continue;
    if (!same(find(after, path), current)) contested.push_back(name_of(path));
    out.fields.push_back(field_change(path, current, old));
    set_leaf(body, path, old);
  }
  if (!any) {
    return fail(Code::invalid_argument,
                fmt::format("{} says what was seen of the node; there is nothing to undo",
                            described(change)));
  }
  if (!contested.empty() && !request.force) return contested_error(request, contested);
  if (out.fields.empty()) {
    out.what = "unchanged";
    return {};
  }
  DROVER_TRY(const auto node, node_now(tx, change.kind, key));
  return write_body(tx, writer, change.kind, key, to_text(body), node);
}

/// It was made: it goes again, unless more was said about it since.
Status remove_again(store::Transaction& tx, DefinitionWriter& writer, const UndoRequest& request,
                    const std::string& key, Undone& out, std::vector<std::string>& contested) {
  const store::Change& change = request.change;
  DROVER_TRY(const auto object, tx.get(change.kind, key));
  if (!object)
    return fail(Code::conflict, fmt::format("{} '{}' is not there any more", change.kind, key));
  DROVER_TRY(const Leaves made, leaves_of(change.after));
  DROVER_TRY(const Leaves now, leaves_of(object->body));
  for (const Path& path : changed_paths(made, now)) {
    if (!is_observed(change.kind, path)) contested.push_back(name_of(path));
  }
  if (!contested.empty() && !request.force) return contested_error(request, contested);
  DROVER_TRY(out.fields, differences(object->body, std::nullopt));
  return remove_thing(tx, writer, change.kind, key);
}

/// It was erased: it is made again, with the states of something that was not heard of yet.
Status make_again(store::Transaction& tx, DefinitionWriter& writer, const UndoRequest& request,
                  Undone& out, std::vector<std::string>& contested) {
  const store::Change& change = request.change;
  DROVER_TRY(const auto object, tx.get(change.kind, change.key));
  if (object || !request.name_now.empty()) {
    contested = {"name"};
    return contested_error(request, contested);
  }
  std::string body = *change.before;
  if (change.kind == kNodeKind) {
    DROVER_TRY(Node node, decode_text<Node>(body, Unknown::ignore));
    node.phase = {};
    node.power = {};
    body = encode(node);
  }
  DROVER_TRY(out.fields, differences(std::nullopt, body));
  return write_body(tx, writer, change.kind, change.key, body, std::nullopt);
}

}  // namespace

void FieldChange::describe(Visitor& v) {
  v.field("field", field, "Which field.");
  v.field("before", before, "What it was; null: it was not there.");
  v.field("after", after, "What it is; null: it is gone.");
}

void Undone::describe(Visitor& v) {
  v.field("sequence", sequence, "The change that was undone.");
  v.field("kind", kind, "Kind of the thing.");
  v.field("key", key, "Which one, by its name of now.");
  v.field("what", what,
          "restored, removed, created again, renamed, or unchanged: it is so already.");
  v.field("fields", fields, "How its fields are changed now.");
}

Result<std::vector<FieldChange>> differences(const std::optional<std::string>& before,
                                             const std::optional<std::string>& after) {
  DROVER_TRY(const Leaves old_leaves, leaves_of(before));
  DROVER_TRY(const Leaves new_leaves, leaves_of(after));
  std::vector<FieldChange> out;
  for (const Path& path : changed_paths(old_leaves, new_leaves)) {
    out.push_back(field_change(path, find(old_leaves, path), find(new_leaves, path)));
  }
  return out;
}

bool can_be_undone(std::string_view kind) {
  return kind == kNodeKind || kind == kGroupKind || kind == kProfileKind || kind == kNetworkKind ||
         kind == kSettingKind || is_content(kind);
}

Result<Undone> undo(store::Transaction& tx, DefinitionWriter& writer, const UndoRequest& request,
                    std::vector<std::string>& contested) {
  const store::Change& change = request.change;
  Undone out{change.sequence, change.kind, change.key, "restored", {}};
  if (!can_be_undone(change.kind)) {
    return fail(Code::invalid_argument,
                fmt::format("{}: things of this kind follow from what happens and are not undone",
                            described(change)),
                "nodes, groups, profiles, networks, settings and what nodes are given can be");
  }
  if (change.kind == kNodeKind && !request.name_now.empty()) out.key = request.name_now;
  if (!request.renamed_from.empty()) {
    DROVER_CHECK_OK(writer.rename_node(request.name_now, request.renamed_from));
    out.what = "renamed";
    out.key = request.renamed_from;
    out.fields.push_back({"name",
                          {fmt::format("\"{}\"", request.name_now)},
                          {fmt::format("\"{}\"", request.renamed_from)}});
    return out;
  }
  if (change.before && change.after) {
    DROVER_CHECK_OK(restore_fields(tx, writer, request, out.key, out, contested));
  } else if (change.after) {
    out.what = "removed";
    DROVER_CHECK_OK(remove_again(tx, writer, request, out.key, out, contested));
  } else {
    out.what = "created again";
    DROVER_CHECK_OK(make_again(tx, writer, request, out, contested));
  }
  return out;
}

}  // namespace drover::cluster

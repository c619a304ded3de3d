#include "api/smd/group_changes.hpp"

#include "api/idempotency.hpp"
#include "api/smd/groups.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/node.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::Group;
using Names = std::vector<std::string>;

/// Nodes of xnames, in their order.
Result<Names> nodes_of(const cluster::Model& model, const Names& ids, Code none) {
  cluster::XnameIndex index(model);
  Names out;
  for (const std::string& id : ids) {
    const auto xname = cluster::parse_xname(id);
    if (!xname) return bad(fmt::format("invalid xname ID '{}'", printable(id.substr(0, 80))));
    const cluster::NodeEntry* entry = index.find(xname->text);
    if (entry == nullptr) {
      return fail(none, fmt::format("{} is no node; groups have nodes alone", xname->text));
    }
    out.push_back(entry->node().name);
  }
  return out;
}

/// conflict when one of the nodes is in another group that may not be beside this one.
Status check_exclusive(store::Transaction& tx, const Group& group, const Names& nodes) {
  const auto own = group.attributes.find(kExclusiveAttribute);
  const bool partition = is_partition(group.name);
  if (!partition && own == group.attributes.end()) return {};
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(cluster::kGroupKind)}));
  const std::set<std::string> wanted(nodes.begin(), nodes.end());
  for (const store::Object& object : objects) {
    if (object.key == group.name) continue;
    DROVER_TRY(const Group other, decode_text<Group>(object.body, Unknown::ignore));
    const auto theirs = other.attributes.find(kExclusiveAttribute);
    const bool rivals = partition ? is_partition(other.name)
                                  : theirs != other.attributes.end() &&
                                        theirs->second == own->second && !is_partition(other.name);
    if (!rivals) continue;
    DROVER_TRY(const Names members, expand_names(other.nodes));
    for (const std::string& member : members) {
      if (!wanted.contains(member)) continue;
      return fail(Code::conflict,
                  partition
                      ? fmt::format("{} is in the partition {} already", member,
                                    other.name.substr(kPartitionPrefix.size()))
                      : fmt::format("{} is in the group {} already, which has the exclusiveGroup "
                                    "{} too",
                                    member, other.name, own->second));
    }
  }
  return {};
}

/// Description, tags and exclusiveGroup of a body; `patch` leaves what is not said.
Status take_words(Members& from, Group& group, const GroupSort& sort, bool patch) {
  if (auto description = from.text("description")) group.description = *std::move(description);
  if (const auto tags = from.texts("tags")) {
    std::string joined;
    for (const std::string& tag : *tags) {
      DROVER_TRY(const std::string one, tag_of("tag", tag));
      joined += (joined.empty() ? "" : ",") + one;
    }
    group.attributes.erase(kTagsAttribute);
    if (!joined.empty()) group.attributes[kTagsAttribute] = joined;
  }
  const auto exclusive = sort.partition || patch ? std::nullopt : from.text("exclusiveGroup");
  if (exclusive && !exclusive->empty()) {
    DROVER_TRY(group.attributes[kExclusiveAttribute], tag_of("exclusiveGroup", *exclusive));
  }
  return {};
}

Names ids_of(Members& from, std::string& malformed) {
  const json::value* members = from.find("members");
  if (members == nullptr) return {};
  Members inner(*members);
  auto ids = inner.texts("ids");
  if (!inner.wrong().empty()) malformed = "members." + inner.wrong();
  return ids ? *std::move(ids) : Names();
}

void made(Services& services, const RequestPtr& request,
          Callback<Status(store::Transaction&)> effect, const std::string& collection,
          const std::string& uri) {
  mutate(services, request,
         [effect = std::move(effect), collection,
          uri](store::Transaction& tx) mutable -> Result<Reply> {
           DROVER_CHECK_OK(effect(tx));
           return Reply{201, "[" + uri_text(uri) + "]", "", collection};
         });
}

/// A group that is always there can be made again with members that it has.
Status check_built_in(const cluster::Model& model, const std::string& name, const Names& nodes) {
  const auto members = cluster::ModelNames(model).members(name);
  const std::set<std::string> in(members->begin(), members->end());
  for (const std::string& node : nodes) {
    if (in.contains(node)) continue;
    return fail(Code::conflict,
                fmt::format("the group {} is always there, and {} is not in it", name, node));
  }
  return {};
}

/// A stored group to be changed, or why it cannot be.
Result<Group> to_change(const Services& services, const RequestPtr& request,
                        const GroupSort& sort) {
  auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return tl::unexpected<Error>(no_such_group(sort));
  if (cluster::is_built_in_group(group->name)) {
    return fail(Code::conflict,
                fmt::format("the group {} is always there and cannot be changed", group->name));
  }
  return *std::move(group);
}

}  // namespace

std::string stored_group_name(const GroupSort& sort, std::string_view label) {
  return sort.partition ? fmt::format("{}{}", kPartitionPrefix, label) : std::string(label);
}

Error no_such_group(const GroupSort& sort) {
  return missing(fmt::format("No such {}", sort.what));
}

std::optional<cluster::Group> find_group(const cluster::Model& model, const GroupSort& sort,
                                         std::string_view asked) {
  const std::string name = stored_group_name(sort, lower(asked));
  auto found = model.groups().find(name);
  if (found == model.groups().end()) found = model.groups().find(stored_group_name(sort, asked));
  const bool fits = found != model.groups().end() && is_partition(found->first) == sort.partition;
  if (fits) return found->second.value;
  if (sort.partition || !cluster::is_built_in_group(name)) return std::nullopt;
  Group built_in;
  built_in.name = name;
  return built_in;
}

void post_group(Services& services, const RequestPtr& request, const GroupSort& sort) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  const std::string given = from.text(sort.key).value_or("");
  std::string malformed;
  const Names ids = ids_of(from, malformed);
  DROVER_OR_FAIL(request, const std::string label, label_of(sort.key, given));
  Group group;
  group.name = stored_group_name(sort, label);
  const Status words = take_words(from, group, sort, false);
  if (malformed.empty()) malformed = from.wrong();
  if (!malformed.empty()) return refuse_malformed(services, request, malformed);
  if (!words) return request->fail(words.error());
  DROVER_OR_FAIL(request, const Names nodes, nodes_of(services.model, ids, Code::invalid_argument));
  if (const Status may = authorize(request, nodes, nodes.empty()); !may) {
    return request->fail(may.error());
  }
  const std::string uri = fmt::format("{}/{}", sort.base, label);
  if (cluster::is_built_in_group(group.name)) {
    const Status fits = check_built_in(services.model, group.name, nodes);
    if (!fits) return request->fail(fits.error());
    return request->respond([&] {
      net::HttpResponse response;
      response.status = 201;
      response.headers.add("Content-Type", "application/json");
      response.headers.add("Location", uri);
      response.body = "[" + uri_text(uri) + "]\n";
      return response;
    }());
  }
  group.nodes = fold_names(nodes);
  made(
      services, request,
      [group = std::move(group), nodes, what = sort.what, label](store::Transaction& tx) -> Status {
        DROVER_TRY(const auto there, tx.get(cluster::kGroupKind, group.name));
        if (there) {
          return fail(Code::already_exists,
                      fmt::format("operation would conflict with an existing {} that has the same "
                                  "name: {}",
                                  what, label));
        }
        DROVER_CHECK_OK(check_exclusive(tx, group, nodes));
        cluster::DefinitionWriter writer(tx);
        DROVER_CHECK_OK(writer.put_group(group));
        return writer.finish();
      },
      uri, uri);
}

void patch_group(Services& services, const RequestPtr& request, const GroupSort& sort) {
  DROVER_OR_FAIL(request, const Group known, to_change(services, request, sort));
  const auto body = body_of_request(services, request);
  if (!body) return;
  Group probe;
  Members from(*body);
  const Status words = take_words(from, probe, sort, true);
  if (!from.wrong().empty()) return refuse_malformed(services, request, from.wrong());
  if (!words) return request->fail(words.error());
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request,
         [name = known.name, text = request->http().body,
          sort](store::Transaction& tx) -> Result<Reply> {
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(Group group, writer.group(name));
           DROVER_TRY(const json::value value, parse_json(text));
           Members members(value);
           DROVER_CHECK_OK(take_words(members, group, sort, true));
           DROVER_CHECK_OK(writer.put_group(std::move(group)));
           DROVER_CHECK_OK(writer.finish());
           return Reply{204, "", ""};
         });
}

void remove_group(Services& services, const RequestPtr& request, const GroupSort& sort) {
  DROVER_OR_FAIL(request, const Group known, to_change(services, request, sort));
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request, [name = known.name](store::Transaction& tx) -> Result<Reply> {
    cluster::DefinitionWriter writer(tx);
    DROVER_CHECK_OK(writer.remove_group(name));
    DROVER_CHECK_OK(writer.finish());
    return Reply{200, deleted_text(1), ""};
  });
}

void add_group_member(Services& services, const RequestPtr& request, const GroupSort& sort) {
  auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such_group(sort));
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  const auto id = from.text("id");
  if (!from.wrong().empty()) return refuse_malformed(services, request, from.wrong());
  DROVER_OR_FAIL(request, const Names nodes,
                 nodes_of(services.model, {id.value_or("")}, Code::invalid_argument));
  if (const Status may = authorize(request, nodes, false); !may) return request->fail(may.error());
  const std::string collection =
      fmt::format("{}/{}/members", sort.base, lower(request->path("name")));
  const std::string uri = fmt::format("{}/{}", collection, cluster::parse_xname(*id)->text);
  const auto members = cluster::ModelNames(services.model).members(group->name);
  const bool in = members && std::ranges::find(*members, nodes.front()) != members->end();
  if (in) {
    return request->fail({Code::conflict,
                          fmt::format("operation would conflict with an existing member: {}", *id),
                          {},
                          {}});
  }
  DROVER_OR_FAIL(request, const Group known, to_change(services, request, sort));
  made(
      services, request,
      [name = known.name, nodes](store::Transaction& tx) -> Status {
        cluster::DefinitionWriter writer(tx);
        DROVER_TRY(const Group now, writer.group(name));
        DROVER_CHECK_OK(check_exclusive(tx, now, nodes));
        DROVER_CHECK_OK(writer.change_members(name, nodes, {}));
        return writer.finish();
      },
      uri, uri);
}

void put_group_members(Services& services, const RequestPtr& request, const GroupSort& sort) {
  DROVER_OR_FAIL(request, const Group known, to_change(services, request, sort));
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  const auto ids = from.texts("ids");
  if (!from.wrong().empty()) return refuse_malformed(services, request, from.wrong());
  if (!ids) return request->fail({Code::invalid_argument, "Missing ids", {}, {}});
  DROVER_OR_FAIL(request, const Names nodes,
                 nodes_of(services.model, *ids, Code::invalid_argument));
  Names touched = nodes;
  const auto members = cluster::ModelNames(services.model).members(known.name);
  touched.insert(touched.end(), members->begin(), members->end());
  if (const Status may = authorize(request, touched, false); !may) {
    return request->fail(may.error());
  }
  const std::string collection =
      fmt::format("{}/{}/members", sort.base, lower(request->path("name")));
  mutate(
      services, request,
      [name = known.name, nodes, collection, ids = *ids](store::Transaction& tx) -> Result<Reply> {
        cluster::DefinitionWriter writer(tx);
        DROVER_TRY(Group group, writer.group(name));
        if (group.is_dynamic()) {
          return fail(Code::conflict, "the members of this group follow from its range");
        }
        DROVER_CHECK_OK(check_exclusive(tx, group, nodes));
        group.nodes = fold_names(nodes);
        DROVER_CHECK_OK(writer.put_group(std::move(group)));
        DROVER_CHECK_OK(writer.finish());
        std::string uris = "[";
        for (const std::string& id : ids) {
          if (uris.size() > 1) uris += ',';
          uris += uri_text(fmt::format("{}/{}", collection, cluster::parse_xname(id)->text));
        }
        return Reply{201, uris + "]", "", collection};
      });
}

void remove_group_member(Services& services, const RequestPtr& request, const GroupSort& sort) {
  auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such_group(sort));
  DROVER_OR_FAIL(request, const Names nodes,
                 nodes_of(services.model, {request->path("xname")}, Code::not_found));
  const auto members = cluster::ModelNames(services.model).members(group->name);
  const bool in = members && std::ranges::find(*members, nodes.front()) != members->end();
  if (!in) return request->fail(missing(fmt::format("{} has no such member", sort.what)));
  if (const Status may = authorize(request, nodes, false); !may) return request->fail(may.error());
  DROVER_OR_FAIL(request, const Group known, to_change(services, request, sort));
  mutate(services, request, [name = known.name, nodes](store::Transaction& tx) -> Result<Reply> {
    cluster::DefinitionWriter writer(tx);
    DROVER_CHECK_OK(writer.change_members(name, {}, nodes));
    DROVER_CHECK_OK(writer.finish());
    return Reply{200, deleted_text(1), ""};
  });
}

}  // namespace drover::api::smd

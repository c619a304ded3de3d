// SMD's /groups and /partitions: their lists, they themselves, and their members.
#include "api/smd/groups.hpp"

#include "api/smd/component_rows.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/node.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::Group;
using Names = std::vector<std::string>;

/// Groups and partitions differ in a few words alone.
struct Sort {
  bool partition;
  std::string_view what;  ///< "group"
  std::string_view base;  ///< "/hsm/v2/groups"
  std::string_view key;   ///< "label"
};
constexpr Sort kGroups{false, "group", "/hsm/v2/groups", "label"};
constexpr Sort kPartitions{true, "partition", "/hsm/v2/partitions", "name"};

std::string stored_name(const Sort& sort, std::string_view label) {
  return sort.partition ? fmt::format("{}{}", kPartitionPrefix, label) : std::string(label);
}

Error no_such(const Sort& sort) {
  return missing(fmt::format("No such {}", sort.what));
}

/// Also one that is always there (compute, utility, all), as a group without words of its own.
std::optional<Group> find_group(const cluster::Model& model, const Sort& sort,
                                std::string_view asked) {
  const std::string name = stored_name(sort, lower(asked));
  auto found = model.groups().find(name);
  if (found == model.groups().end()) found = model.groups().find(stored_name(sort, asked));
  const bool fits = found != model.groups().end() && is_partition(found->first) == sort.partition;
  if (fits) return found->second.value;
  if (sort.partition || !cluster::is_built_in_group(name)) return std::nullopt;
  Group built_in;
  built_in.name = name;
  return built_in;
}

/// Members of the partition that ?partition= names; nothing is asked: null.
struct Within {
  std::optional<Names> names;
  [[nodiscard]] const Names* get() const { return names ? &*names : nullptr; }
};
Result<Within> within_of(const cluster::Model& model, const Query& query) {
  const auto found = query.find("partition");
  if (found == query.end() || found->second.front().empty()) return Within{};
  const std::string& asked = found->second.front();
  if (asked == "NULL") {
    std::set<std::string, NaturalLess> left;
    for (const auto& [name, entry] : model.nodes()) left.insert(name);
    for (const auto& [name, group] : model.groups()) {
      if (!is_partition(name)) continue;
      for (const std::string& member : *model.members(name)) left.erase(member);
    }
    return Within{Names(left.begin(), left.end())};
  }
  const auto members = cluster::ModelNames(model).members(stored_name(kPartitions, lower(asked)));
  if (!members) return bad("bad query param: no such partition");
  return Within{*members};
}

bool asked_for(const Query& query, const char* key, const Names& has) {
  const auto found = query.find(key);
  if (found == query.end()) return true;
  return std::ranges::any_of(found->second, [&](const std::string& wanted) {
    return std::ranges::find(has, lower(wanted)) != has.end();
  });
}

void list(Services& services, const RequestPtr& request, const Sort& sort) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  Within within;
  if (!sort.partition) {
    DROVER_OR_FAIL(request, within, within_of(services.model, query));
  }
  std::string out = "[";
  for (const auto& [name, group] : services.model.groups()) {
    if (is_partition(name) != sort.partition) continue;
    const std::string label = sort.partition ? name.substr(kPartitionPrefix.size()) : lower(name);
    if (!asked_for(query, sort.what.data(), {label})) continue;
    if (!asked_for(query, "tag", tags_of(group.value))) continue;
    if (out.size() > 1) out += ',';
    out += group_json(services.model, group.value, within.get());
  }
  request->json(200, out + "]");
}

void list_names(Services& services, const RequestPtr& request, const Sort& sort) {
  std::string out = "[";
  for (const auto& [name, group] : services.model.groups()) {
    if (is_partition(name) != sort.partition) continue;
    if (out.size() > 1) out += ',';
    append_quoted(out, sort.partition ? name.substr(kPartitionPrefix.size()) : name);
  }
  request->json(200, out + "]");
}

void show(Services& services, const RequestPtr& request, const Sort& sort) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  const auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such(sort));
  Within within;
  if (!sort.partition) {
    DROVER_OR_FAIL(request, within, within_of(services.model, query));
  }
  request->json(200, group_json(services.model, *group, within.get()));
}

void show_members(Services& services, const RequestPtr& request, const Sort& sort) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  const auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such(sort));
  Within within;
  if (!sort.partition) {
    DROVER_OR_FAIL(request, within, within_of(services.model, query));
  }
  const auto names = cluster::ModelNames(services.model).members(group->name);
  request->json(200, members_json(services.model, names ? *names : Names(), within.get()));
}

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
Status take_words(Members& from, Group& group, const Sort& sort, bool patch) {
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

void post(Services& services, const RequestPtr& request, const Sort& sort) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  const std::string given = from.text(sort.key).value_or("");
  std::string malformed;
  const Names ids = ids_of(from, malformed);
  DROVER_OR_FAIL(request, const std::string label, label_of(sort.key, given));
  Group group;
  group.name = stored_name(sort, label);
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

/// A stored group to be changed, or why it cannot be.
Result<Group> to_change(const Services& services, const RequestPtr& request, const Sort& sort) {
  auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return tl::unexpected<Error>(no_such(sort));
  if (cluster::is_built_in_group(group->name)) {
    return fail(Code::conflict,
                fmt::format("the group {} is always there and cannot be changed", group->name));
  }
  return *std::move(group);
}

void patch(Services& services, const RequestPtr& request, const Sort& sort) {
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

void remove(Services& services, const RequestPtr& request, const Sort& sort) {
  DROVER_OR_FAIL(request, const Group known, to_change(services, request, sort));
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request, [name = known.name](store::Transaction& tx) -> Result<Reply> {
    cluster::DefinitionWriter writer(tx);
    DROVER_CHECK_OK(writer.remove_group(name));
    DROVER_CHECK_OK(writer.finish());
    return Reply{200, deleted_text(1), ""};
  });
}

void add_member(Services& services, const RequestPtr& request, const Sort& sort) {
  auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such(sort));
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

/// An addition of OpenCHAMI's: exactly these members from now on.
void put_members(Services& services, const RequestPtr& request, const Sort& sort) {
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

void remove_member(Services& services, const RequestPtr& request, const Sort& sort) {
  auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such(sort));
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

using Act = void (*)(Services&, const RequestPtr&, const Sort&);

/// One route, of groups or partitions.
Route route_of(Services& services, const Sort& sort, std::string_view method, std::string_view path,
               std::string_view summary, Act act) {
  Route route;
  route.method = method;
  route.path = path;
  const bool reads = method == "GET";
  route.privilege = reads ? auth::Privilege::view : auth::Privilege::operate;
  route.on_nodes = !reads;
  route.summary = summary;
  route.dialect = Dialect::smd;
  route.handler = [&services, &sort, act](const RequestPtr& r) { act(services, r, sort); };
  return route;
}

struct Words {
  std::string_view all, names, one, members, member;
  std::string_view list_all, list_names, make, show, change, remove, show_members, add, replace,
      take;
};
constexpr Words kGroupWords{"/hsm/v2/groups",
                            "/hsm/v2/groups/labels",
                            "/hsm/v2/groups/{name}",
                            "/hsm/v2/groups/{name}/members",
                            "/hsm/v2/groups/{name}/members/{xname}",
                            "SMD: list groups.",
                            "SMD: names of groups.",
                            "SMD: make a group.",
                            "SMD: one group.",
                            "SMD: change a group's words.",
                            "SMD: remove a group.",
                            "SMD: members of a group.",
                            "SMD: put a node into a group.",
                            "SMD: replace a group's members.",
                            "SMD: take a node out of a group."};
constexpr Words kPartitionWords{"/hsm/v2/partitions",
                                "/hsm/v2/partitions/names",
                                "/hsm/v2/partitions/{name}",
                                "/hsm/v2/partitions/{name}/members",
                                "/hsm/v2/partitions/{name}/members/{xname}",
                                "SMD: list partitions.",
                                "SMD: names of partitions.",
                                "SMD: make a partition.",
                                "SMD: one partition.",
                                "SMD: change a partition's words.",
                                "SMD: remove a partition.",
                                "SMD: members of a partition.",
                                "SMD: put a node into a partition.",
                                "",
                                "SMD: take a node out of a partition."};

void add_sort(Router& router, Services& services, const Sort& sort, const Words& words,
              const BodyType& one, const BodyType& many) {
  const auto of = [&](std::string_view method, std::string_view path, std::string_view summary,
                      Act act) { return route_of(services, sort, method, path, summary, act); };
  std::vector<QueryParameter> narrowing;
  if (!sort.partition) {
    narrowing = {{.name = "partition", .doc = "Only members that are in it too; NULL: in none."}};
  }
  Route all = of("GET", words.all, words.list_all, &list);
  all.query = narrowing;
  all.query.push_back({.name = sort.what, .doc = "Only these."});
  all.query.push_back({.name = "tag", .doc = "Only those with one of these tags."});
  all.gives = many;
  if (!sort.partition) all.errors = {Code::invalid_argument};
  router.add(std::move(all));
  Route names = of("GET", words.names, words.list_names, &list_names);
  names.gives = BodyType{"", [](SchemaSet&) {}, false, false, true};
  router.add(std::move(names));
  Route make = of("POST", words.all, words.make, &post);
  make.takes = one;
  make.gives = array_of<ResourceUri>();
  make.status = 201;
  make.location = true;
  make.errors = {Code::conflict};
  make.body_limit = kListLimit;
  router.add(std::move(make));
  Route item = of("GET", words.one, words.show, &show);
  item.query = narrowing;
  item.gives = one;
  item.errors = {Code::not_found};
  if (!sort.partition) item.errors.push_back(Code::invalid_argument);
  router.add(std::move(item));
  Route change = of("PATCH", words.one, words.change, &patch);
  change.takes = body_of<GroupChange>();
  change.errors = {Code::not_found};
  if (!sort.partition) change.errors.push_back(Code::conflict);
  router.add(std::move(change));
  Route gone = of("DELETE", words.one, words.remove, &remove);
  gone.gives = body_of<Outcome>();
  gone.errors = {Code::not_found};
  if (!sort.partition) gone.errors.push_back(Code::conflict);
  router.add(std::move(gone));
  Route members = of("GET", words.members, words.show_members, &show_members);
  members.query = narrowing;
  members.gives = body_of<MemberIds>();
  members.errors = {Code::not_found};
  if (!sort.partition) members.errors.push_back(Code::invalid_argument);
  router.add(std::move(members));
  Route add = of("POST", words.members, words.add, &add_member);
  add.takes = body_of<MemberId>();
  add.gives = array_of<ResourceUri>();
  add.status = 201;
  add.location = true;
  add.errors = {Code::not_found, Code::conflict};
  router.add(std::move(add));
  if (!sort.partition) {
    Route replace = of("PUT", words.members, words.replace, &put_members);
    replace.takes = body_of<MemberIds>();
    replace.gives = array_of<ResourceUri>();
    replace.status = 201;
    replace.location = true;
    replace.errors = {Code::not_found, Code::conflict};
    replace.body_limit = kListLimit;
    router.add(std::move(replace));
  }
  Route take = of("DELETE", words.member, words.take, &remove_member);
  take.gives = body_of<Outcome>();
  take.errors = {Code::invalid_argument, Code::not_found};
  if (!sort.partition) take.errors.push_back(Code::conflict);
  router.add(std::move(take));
}

}  // namespace

void add_groups(Router& router, Services& services) {
  add_sort(router, services, kGroups, kGroupWords, body_of<GroupForm>(), array_of<GroupForm>());
  add_sort(router, services, kPartitions, kPartitionWords, body_of<PartitionForm>(),
           array_of<PartitionForm>());
}

}  // namespace drover::api::smd

// SMD's /groups and /partitions: their lists, they themselves, and their members.
#include "api/smd/groups.hpp"

#include "api/smd/component_rows.hpp"
#include "api/smd/group_changes.hpp"
#include "api/smd/routes.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/node.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::Group;
using Names = std::vector<std::string>;

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
  const auto members =
      cluster::ModelNames(model).members(stored_group_name(kPartitionSort, lower(asked)));
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

void list(Services& services, const RequestPtr& request, const GroupSort& sort) {
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

void list_names(Services& services, const RequestPtr& request, const GroupSort& sort) {
  std::string out = "[";
  for (const auto& [name, group] : services.model.groups()) {
    if (is_partition(name) != sort.partition) continue;
    if (out.size() > 1) out += ',';
    append_quoted(out, sort.partition ? name.substr(kPartitionPrefix.size()) : name);
  }
  request->json(200, out + "]");
}

void show(Services& services, const RequestPtr& request, const GroupSort& sort) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  const auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such_group(sort));
  Within within;
  if (!sort.partition) {
    DROVER_OR_FAIL(request, within, within_of(services.model, query));
  }
  request->json(200, group_json(services.model, *group, within.get()));
}

void show_members(Services& services, const RequestPtr& request, const GroupSort& sort) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  const auto group = find_group(services.model, sort, request->path("name"));
  if (!group) return request->fail(no_such_group(sort));
  Within within;
  if (!sort.partition) {
    DROVER_OR_FAIL(request, within, within_of(services.model, query));
  }
  const auto names = cluster::ModelNames(services.model).members(group->name);
  request->json(200, members_json(services.model, names ? *names : Names(), within.get()));
}

using Act = void (*)(Services&, const RequestPtr&, const GroupSort&);

/// One route, of groups or partitions.
Route route_of(Services& services, const GroupSort& sort, std::string_view method,
               std::string_view path, std::string_view summary, Act act) {
  return smd_route(method, path, summary,
                   [&services, &sort, act](const RequestPtr& r) { act(services, r, sort); });
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

void add_sort(Router& router, Services& services, const GroupSort& sort, const Words& words,
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
  Route make = of("POST", words.all, words.make, &post_group);
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
  Route change = of("PATCH", words.one, words.change, &patch_group);
  change.takes = body_of<GroupChange>();
  change.errors = {Code::not_found};
  if (!sort.partition) change.errors.push_back(Code::conflict);
  router.add(std::move(change));
  Route gone = of("DELETE", words.one, words.remove, &remove_group);
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
  Route add = of("POST", words.members, words.add, &add_group_member);
  add.takes = body_of<MemberId>();
  add.gives = array_of<ResourceUri>();
  add.status = 201;
  add.location = true;
  add.errors = {Code::not_found, Code::conflict};
  router.add(std::move(add));
  if (!sort.partition) {
    Route replace = of("PUT", words.members, words.replace, &put_group_members);
    replace.takes = body_of<MemberIds>();
    replace.gives = array_of<ResourceUri>();
    replace.status = 201;
    replace.location = true;
    replace.errors = {Code::not_found, Code::conflict};
    replace.body_limit = kListLimit;
    router.add(std::move(replace));
  }
  Route take = of("DELETE", words.member, words.take, &remove_group_member);
  take.gives = body_of<Outcome>();
  take.errors = {Code::invalid_argument, Code::not_found};
  if (!sort.partition) take.errors.push_back(Code::conflict);
  router.add(std::move(take));
}

}  // namespace

void add_groups(Router& router, Services& services) {
  add_sort(router, services, kGroupSort, kGroupWords, body_of<GroupForm>(), array_of<GroupForm>());
  add_sort(router, services, kPartitionSort, kPartitionWords, body_of<PartitionForm>(),
           array_of<PartitionForm>());
}

}  // namespace drover::api::smd

// GET and POST /groups; GET, PUT, PATCH and DELETE /groups/{name}; POST /groups/{name}/members.
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/precondition.hpp"
#include "auth/limit_rename.hpp"
#include "base/noderange.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/field_rules.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

/// A group as the API shows it.
struct GroupView {
  static constexpr std::string_view kTypeName = "GroupView";
  cluster::Group group;
  std::string members;
  uint64_t count = 0;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    group.describe(v);
    v.field("members", members, "Who is in it now, folded.");
    v.field("count", count, "How many.");
    v.field("revision", revision, "For If-Match.");
  }
};

struct MembersRequest {
  static constexpr std::string_view kTypeName = "GroupMembers";
  std::string add;
  std::string remove;
  std::string why;
  void describe(Visitor& v) {
    v.field("add", add, "Noderange of nodes to put in.", Presence::optional);
    v.field("remove", remove, "Noderange of nodes to take out.", Presence::optional);
    v.field("why", why, "Reason, for the change log.", Presence::optional);
  }
};

GroupView view_of(const cluster::Model& model, const cluster::Defined<cluster::Group>& defined) {
  const auto* members = model.members(defined.value.name);
  GroupView view{defined.value, "", 0, defined.revision};
  if (members == nullptr) return view;
  view.members = fold_names(*members);
  view.count = members->size();
  return view;
}

void list_groups(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [name, defined] : services.model.groups()) {
    list.add(view_of(services.model, defined));
  }
  request->json(200, list.finish());
}

void show_group(Services& services, const RequestPtr& request) {
  const std::string& name = request->path("name");
  const auto found = services.model.groups().find(name);
  if (found == services.model.groups().end()) return request->fail(no_definition("group", name));
  respond_tagged(request, encode(view_of(services.model, found->second)), found->second.revision);
}

/// The group as it was written; members of dynamic ones are worked out where it is shown.
Result<Reply> reply_with(store::Transaction& tx, const cluster::Group& group, int status) {
  DROVER_TRY(const auto object, tx.get(cluster::kGroupKind, group.name));
  if (!object) return fail(Code::internal, "the group that was written is not there");
  DROVER_TRY(const auto stored, decode_text<cluster::Group>(object->body, Unknown::ignore));
  GroupView view{stored, stored.nodes, 0, object->revision};
  DROVER_TRY(view.count, count_names(stored.nodes));
  Reply reply{status, encode(view), etag_of(object->revision)};
  if (status == 201) reply.location = "/api/v1/groups/" + group.name;
  return reply;
}

Result<Reply> write_group(store::Transaction& tx, cluster::Group group, int status) {
  cluster::DefinitionWriter writer(tx);
  DROVER_CHECK_OK(writer.put_group(group));
  DROVER_CHECK_OK(writer.finish());
  return reply_with(tx, group, status);
}

/// Members may be given as any noderange; the group keeps names.
Status expand_members(const Services& services, cluster::Group& group) {
  if (group.nodes.empty()) return {};
  auto names = evaluate(group.nodes, cluster::ModelNames(services.model));
  if (!names) return fail_in("nodes", std::move(names).error());
  group.nodes = fold_names(*names);
  return {};
}

void create_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, cluster::Group group, request->body<cluster::Group>());
  if (const Status known = expand_members(services, group); !known) {
    return request->fail(known.error());
  }
  change(services, request,
         [group = std::move(group), why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(must_be_new(tx, cluster::kGroupKind, group.name));
           tx.explain(why);
           return write_group(tx, group, 201);
         });
}

void put_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, required_precondition_of(request->http()));
  DROVER_OR_FAIL(request, cluster::Group group,
                 named_body<cluster::Group>(request, request->path("name")));
  if (const Status known = expand_members(services, group); !known) {
    return request->fail(known.error());
  }
  change(services, request,
         [before, group = std::move(group),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kGroupKind, group.name));
           DROVER_TRY(const auto there, tx.get(cluster::kGroupKind, group.name));
           tx.explain(why);
           return write_group(tx, group, there ? 200 : 201);
         });
}

void patch_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, DefinitionPatch patch, patch_of(request));
  change(services, request,
         [before, name = request->path("name"), patch = std::move(patch),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kGroupKind, name));
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Group group, writer.group(name));
           DROVER_TRY(const cluster::Group changed, patched(group, patch));
           tx.explain(why);
           DROVER_CHECK_OK(writer.put_group(changed));
           DROVER_CHECK_OK(writer.finish());
           return reply_with(tx, changed, 200);
         });
}

void remove_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  change(services, request,
         [before, name = request->path("name"),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kGroupKind, name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           DROVER_CHECK_OK(writer.remove_group(name));
           DROVER_CHECK_OK(writer.finish());
           return Reply{204, "", ""};
         });
}

void rename_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, RenameRequest asked, change_body<RenameRequest>(request));
  change(services, request,
         [before, name = request->path("name"),
          asked = std::move(asked)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kGroupKind, name));
           tx.explain(asked.reason(name));
           DROVER_TRY(const auto rename, cluster::group_rename(tx, name, asked.to));
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Group group, writer.rename_group(rename));
           DROVER_CHECK_OK(auth::rename_group_in_limits(tx, rename));
           DROVER_CHECK_OK(writer.finish());
           DROVER_TRY(Reply reply, reply_with(tx, group, 200));
           reply.location = "/api/v1/groups/" + group.name;
           return reply;
         });
}

void change_members(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, const MembersRequest asked, change_body<MembersRequest>(request));
  std::vector<std::string> add;
  std::vector<std::string> remove;
  const cluster::ModelNames names(services.model);
  if (!asked.add.empty()) {
    DROVER_OR_FAIL(request, add, evaluate(asked.add, names));
  }
  if (!asked.remove.empty()) {
    DROVER_OR_FAIL(request, remove, evaluate(asked.remove, names));
  }
  change(services, request,
         [before, name = request->path("name"), add = std::move(add), remove = std::move(remove),
          why = asked.why](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kGroupKind, name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Group group, writer.change_members(name, add, remove));
           DROVER_CHECK_OK(writer.finish());
           return reply_with(tx, group, 200);
         });
}

}  // namespace

void add_groups(Router& router, Services& services) {
  const std::string_view one = "/api/v1/groups/{name}";
  router.add({.method = "GET",
              .path = "/api/v1/groups",
              .privilege = auth::Privilege::view,
              .summary = "List groups with their members.",
              .gives = list_of<GroupView>(),
              .handler = [&services](const RequestPtr& r) { list_groups(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/groups",
              .privilege = auth::Privilege::operate,
              .summary = "Make a group: static (nodes) or dynamic (range).",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<cluster::Group>(),
              .gives = body_of<GroupView>(),
              .status = 201,
              .errors = {Code::already_exists, Code::not_found},
              .etag = true,
              .location = true,
              .handler = [&services](const RequestPtr& r) { create_group(services, r); }});
  router.add({.method = "GET",
              .path = one,
              .privilege = auth::Privilege::view,
              .summary = "Show a group with its members.",
              .gives = body_of<GroupView>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_group(services, r); }});
  router.add({.method = "PUT",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Make a group what the body says, or create it.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<cluster::Group>(),
              .gives = body_of<GroupView>(),
              .errors = {Code::not_found},
              .condition = Condition::required,
              .etag = true,
              .also = {{201, body_of<GroupView>(), "application/json", "It was made."}},
              .handler = [&services](const RequestPtr& r) { put_group(services, r); }});
  router.add({.method = "PATCH",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Change fields of a group (JSON merge patch).",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<GroupPatch>(),
              .gives = body_of<GroupView>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { patch_group(services, r); }});
  router.add({.method = "DELETE",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Remove a group; its nodes stay.",
              .query = {dry_run_parameter(), why_parameter()},
              .condition = Condition::taken,
              .handler = [&services](const RequestPtr& r) { remove_group(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/groups/{name}/rename",
              .privilege = auth::Privilege::operate,
              .summary = "Give a group another name, in every range and limit that names it too.",
              .query = {dry_run_parameter()},
              .takes = body_of<RenameRequest>(),
              .gives = body_of<GroupView>(),
              .errors = {Code::already_exists},
              .condition = Condition::taken,
              .etag = true,
              .location = true,
              .handler = [&services](const RequestPtr& r) { rename_group(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/groups/{name}/members",
              .privilege = auth::Privilege::operate,
              .summary = "Put nodes into a static group and take others out.",
              .query = {dry_run_parameter()},
              .takes = body_of<MembersRequest>(),
              .gives = body_of<GroupView>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { change_members(services, r); }});
}

}  // namespace drover::api

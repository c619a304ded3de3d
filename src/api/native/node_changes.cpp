// POST /nodes, PATCH and DELETE /nodes/{name}, POST /nodes/{name}/rename, and the table of what
// changes nodes.
#include "api/native/node_changes.hpp"

#include "api/bulk_result.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "api/precondition.hpp"
#include "auth/enrolment_records.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr size_t kIdBytes = 16;

Result<std::optional<auth::Credential>> credential_of(store::Transaction& tx,
                                                      const cluster::Node& node) {
  const std::string key = auth::credential_key(enum_name(node.role), node.name);
  DROVER_TRY(const auto object, tx.get(auth::kCredentialKind, key));
  if (!object) return std::nullopt;
  DROVER_TRY(auto credential, decode_text<auth::Credential>(object->body, Unknown::ignore));
  if (credential.revoked) return std::nullopt;
  return credential;
}

Status revoke(store::Transaction& tx, auth::Credential credential, std::string why) {
  credential.revoked = true;
  credential.revoked_at = from_unix_ms(tx.time_ms());
  credential.revoked_by = tx.actor();
  credential.why = std::move(why);
  const std::string key = auth::credential_key(credential.role, credential.name);
  DROVER_CHECK_OK(tx.put(auth::kCredentialKind, key, encode(credential)));
  return {};
}

Result<Reply> reply_with(store::Transaction& tx, const cluster::Node& node, int status,
                         const cluster::NodeView& hot = {}) {
  DROVER_TRY(const auto object, tx.get(cluster::kNodeKind, node.name));
  if (!object) return fail(Code::internal, "the node that was written is not there");
  const cluster::NodeView view{node, hot.confirmed, object->revision, hot.agent};
  return Reply{status, encode(view), etag_of(object->revision)};
}

Reply located(Reply reply, const std::string& name) {
  reply.location = "/api/v1/nodes/" + name;
  return reply;
}

void add_one(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, cluster::NodeCreate asked, change_body<cluster::NodeCreate>(request));
  DROVER_OR_FAIL(request, asked.spec, asked.edited_spec());
  if (asked.name.empty()) {
    return request->fail({Code::invalid_argument,
                          "name: is required (or nodes=NODERANGE in the query for many)", "", ""});
  }
  if (const Status allowed = request->authorize_node(asked.name); !allowed) {
    return request->fail(allowed.error());
  }
  change(services, request,
         [asked = std::move(asked),
          id = services.random.hex(kIdBytes)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(asked.why);
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Node node,
                      writer.add_node(asked.name, asked.role, asked.spec, id));
           DROVER_CHECK_OK(writer.finish());
           DROVER_TRY(Reply reply, reply_with(tx, node, 201));
           return located(std::move(reply), asked.name);
         });
}

void patch_one(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, cluster::NodePatch patch, change_body<cluster::NodePatch>(request));
  DROVER_OR_FAIL(request, cluster::NodeChange asked, cluster::NodeChange::of(std::move(patch)));
  const std::string name = request->path("name");
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry, find_node(services.model, name));
  if (const Status allowed = request->authorize_node(name); !allowed) {
    return request->fail(allowed.error());
  }
  // Hot facts are taken before the mutation runs on another thread.
  cluster::NodeView hot;
  hot.confirmed = entry->confirmed;
  hot.agent = entry->agent;
  change(services, request,
         [name, before, asked = std::move(asked), hot = std::move(hot),
          define = may_define(request)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kNodeKind, name));
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::ChangedNode after, asked.make(tx, writer, name, define));
           DROVER_CHECK_OK(writer.finish());
           return reply_with(tx, after.stored->node, 200, hot);
         });
}

bool is_up(const cluster::NodeEntry& entry) {
  return entry.confirmed && entry.node().phase.state == cluster::PhaseState::up;
}

void remove_one(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  const std::string name = request->path("name");
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry, find_node(services.model, name));
  if (const Status allowed = request->authorize_node(name); !allowed) {
    return request->fail(allowed.error());
  }
  change(services, request,
         [name, before, up = is_up(*entry), force = is_forced(request),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kNodeKind, name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           DROVER_CHECK_OK(remove_node(tx, writer, name, up, force));
           DROVER_CHECK_OK(writer.finish());
           return Reply{204, "", ""};
         });
}

void rename_one(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, RenameRequest asked, change_body<RenameRequest>(request));
  const std::string name = request->path("name");
  DROVER_OR_FAIL(request, [[maybe_unused]] const cluster::NodeEntry* entry,
                 find_node(services.model, name));
  const std::vector<std::string> both{name, asked.to};
  if (const Status allowed = request->authorize_nodes(both); !allowed) {
    return request->fail(allowed.error());
  }
  change(services, request,
         [name, before, asked = std::move(asked),
          force = is_forced(request)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kNodeKind, name));
           tx.explain(asked.reason(name));
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Node node, rename_node(tx, writer, name, asked.to, force));
           DROVER_CHECK_OK(writer.finish());
           DROVER_TRY(Reply reply, reply_with(tx, node, 200));
           return located(std::move(reply), asked.to);
         });
}

const QueryParameter kForce{.name = "force",
                            .doc = "true: also where an agent is cut off by it.",
                            .choices = {"true", "false"}};
const QueryParameter kMany{.name = "nodes", .doc = "Noderange: every one of these nodes."};

void add_bulk_routes(Router& router, Services& services) {
  const AlsoGives some_failed{207, body_of<BulkView>(), "application/json", "Some nodes failed."};
  router.add({.method = "PATCH",
              .path = "/api/v1/nodes",
              .privilege = auth::Privilege::use,
              .summary = "Change many nodes alike, in one mutation, with an outcome for each.",
              .query = {kMany, dry_run_parameter()},
              .takes = body_of<cluster::NodePatch>(),
              .gives = body_of<BulkView>(),
              .on_nodes = true,
              .also = {some_failed},
              .handler = [&services](const RequestPtr& r) { change_many(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/nodes",
              .privilege = auth::Privilege::operate,
              .summary = "Remove many nodes, in one mutation, with an outcome for each.",
              .query = {kMany, dry_run_parameter(), kForce, why_parameter()},
              .gives = body_of<BulkView>(),
              .on_nodes = true,
              .also = {some_failed},
              .handler = [&services](const RequestPtr& r) { remove_many(services, r); }});
}

}  // namespace

bool is_forced(const RequestPtr& request) {
  return request->query("force") == "true";
}

bool may_define(const RequestPtr& request) {
  return request->standing().access >= auth::Access::operator_;
}

Status remove_node(store::Transaction& tx, cluster::DefinitionWriter& writer,
                   const std::string& name, bool agent_up, bool force) {
  DROVER_TRY(const cluster::Node node, cluster::read_node(tx, name));
  if (agent_up && !force) {
    return fail(
        Code::conflict,
        fmt::format("node '{}' is up; removed, its agent is cut off and must join again", name),
        fmt::format("drover node remove {} --force", name));
  }
  DROVER_TRY(auto credential, credential_of(tx, node));
  if (credential) DROVER_CHECK_OK(revoke(tx, *std::move(credential), "its node was removed"));
  return writer.remove_node(name);
}

Result<cluster::Node> rename_node(store::Transaction& tx, cluster::DefinitionWriter& writer,
                                  const std::string& from, const std::string& to, bool force) {
  DROVER_TRY(const cluster::Node node, cluster::read_node(tx, from));
  DROVER_TRY(auto credential, credential_of(tx, node));
  if (credential && !force) {
    return fail(
        Code::conflict,
        fmt::format("node '{}' has joined under this name; renamed, its agent must join "
                    "again",
                    from),
        fmt::format("drover node rename {} {} --force, then drover join on the node", from, to));
  }
  DROVER_TRY(cluster::Node renamed, writer.rename_node(from, to));
  if (credential) {
    DROVER_CHECK_OK(revoke(tx, *std::move(credential), "its node was renamed to " + to));
  }
  return renamed;
}

void add_node_changes(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/nodes",
              .privilege = auth::Privilege::operate,
              .summary = "Define a node, or with nodes= many alike (formulas make the difference).",
              .query = {{.name = "nodes", .doc = "Noderange of new names: define all of these."},
                        dry_run_parameter()},
              .takes = body_of<cluster::NodeCreate>(),
              .gives = body_of<cluster::NodeView>(),
              .status = 201,
              .on_nodes = true,
              .errors = {Code::already_exists},
              .etag = true,
              .location = true,
              .also = {{200, body_of<BulkView>(), "application/json", "With nodes=: all done."},
                       {207, body_of<BulkView>(), "application/json", "Some nodes failed."}},
              .handler = [&services](const RequestPtr& r) {
                return r->query("nodes") ? add_many(services, r) : add_one(services, r);
              }});
  router.add({.method = "PATCH",
              .path = "/api/v1/nodes/{name}",
              .privilege = auth::Privilege::use,
              .summary = "Change what a node is and may be used for, and its marks.",
              .query = {dry_run_parameter()},
              .takes = body_of<cluster::NodePatch>(),
              .gives = body_of<cluster::NodeView>(),
              .on_nodes = true,
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { patch_one(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/nodes/{name}",
              .privilege = auth::Privilege::operate,
              .summary = "Remove a node with its parts, memberships and enrolment.",
              .query = {dry_run_parameter(), kForce, why_parameter()},
              .on_nodes = true,
              .condition = Condition::taken,
              .handler = [&services](const RequestPtr& r) { remove_one(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/nodes/{name}/rename",
              .privilege = auth::Privilege::operate,
              .summary = "Give a node another name; it keeps its id, parts and memberships.",
              .query = {dry_run_parameter(), kForce},
              .takes = body_of<RenameRequest>(),
              .gives = body_of<cluster::NodeView>(),
              .on_nodes = true,
              .errors = {Code::already_exists},
              .condition = Condition::taken,
              .etag = true,
              .location = true,
              .handler = [&services](const RequestPtr& r) { rename_one(services, r); }});
  add_bulk_routes(router, services);
}

}  // namespace drover::api

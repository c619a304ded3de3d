// GET /nodes, GET /nodes/{name}, PATCH /nodes/{name}.
#include "api/idempotency.hpp"
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "api/precondition.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

void list_nodes(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const NodeSelection page, select_nodes(*request, services.model));
  ListWriter list;
  for (const cluster::NodeEntry* entry : page.nodes) {
    services.model.append_json(list.next(), *entry);
  }
  request->json(200, list.finish(page.next_page));
}

void show_node(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  net::HttpResponse response;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("ETag", etag_of(entry->revision));
  services.model.append_json(response.body, *entry);
  response.body.push_back('\n');
  request->respond(std::move(response));
}

/// Hot facts beside the durable node, taken before the mutation runs on another thread.
struct HotFacts {
  bool confirmed = false;
  std::optional<cluster::Agent> agent;
};

void patch_node(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, cluster::NodePatch patch, request->body<cluster::NodePatch>());
  const std::string name = request->path("name");
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry, find_node(services.model, name));
  if (const Status allowed = request->authorize_node(name); !allowed) {
    return request->fail(allowed.error());
  }
  HotFacts hot{entry->confirmed, entry->agent};
  mutate(services, request,
         [name, before, patch = std::move(patch),
          hot = std::move(hot)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kNodeKind, name));
           DROVER_TRY(const cluster::Node node, cluster::patch_node(tx, name, patch));
           DROVER_TRY(const auto object, tx.get(cluster::kNodeKind, name));
           const cluster::NodeView view{node, hot.confirmed, object->revision, hot.agent};
           return Reply{200, encode(view), etag_of(object->revision)};
         });
}

}  // namespace

void add_nodes(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/nodes",
              .privilege = auth::Privilege::view,
              .summary = "List nodes in natural order.",
              .query = {{"nodes", "Noderange; absent: all."},
                        {"limit", "Most items of a page.", true, 1, kMaxPage},
                        {"page", "A next_page of this list."}},
              .gives = list_of<cluster::NodeView>(),
              .handler = [&services](const RequestPtr& r) { list_nodes(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}",
              .privilege = auth::Privilege::view,
              .summary = "Show one node.",
              .gives = body_of<cluster::NodeView>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_node(services, r); }});
  router.add({.method = "PATCH",
              .path = "/api/v1/nodes/{name}",
              .privilege = auth::Privilege::use,
              .summary = "Change what a node may be used for, and its marks.",
              .takes = body_of<cluster::NodePatch>(),
              .gives = body_of<cluster::NodeView>(),
              .on_nodes = true,
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { patch_node(services, r); }});
}

}  // namespace drover::api

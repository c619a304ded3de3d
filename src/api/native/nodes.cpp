// GET /nodes and GET /nodes/{name}; what changes nodes is in node_changes.cpp.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "api/precondition.hpp"

namespace drover::api {
namespace {

void list_nodes(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const NodeSelection page, select_nodes(*request, services.model));
  ListWriter list(page.nodes.size());
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
  add_node_changes(router, services);
}

}  // namespace drover::api

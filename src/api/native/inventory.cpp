// GET /nodes/{name}/inventory and GET /inventory.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"

namespace drover::api {
namespace {

void list_parts(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  ListWriter list;
  for (const auto& [key, part] : services.model.parts_of(entry->node().name)) list.add(part);
  request->json(200, list.finish());
}

void list_all_parts(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const NodeSelection page, select_nodes(*request, services.model));
  ListWriter list;
  for (const cluster::NodeEntry* entry : page.nodes) {
    for (const auto& [key, part] : services.model.parts_of(entry->node().name)) list.add(part);
  }
  request->json(200, list.finish(page.next_page));
}

}  // namespace

void add_inventory(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/inventory",
              .privilege = auth::Privilege::view,
              .summary = "List the parts of nodes, node after node.",
              .query = {{"nodes", "Noderange; absent: all."},
                        {"limit", "Most nodes of a page.", true, 1, kMaxPage},
                        {"page", "A next_page of this list."}},
              .gives = list_of<cluster::Part>(),
              .handler = [&services](const RequestPtr& r) { list_all_parts(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/inventory",
              .privilege = auth::Privilege::view,
              .summary = "List the parts that a node's agent found.",
              .gives = list_of<cluster::Part>(),
              .handler = [&services](const RequestPtr& r) { list_parts(services, r); }});
}

}  // namespace drover::api

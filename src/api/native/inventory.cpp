// GET /nodes/{name}/inventory.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"

namespace drover::api {
namespace {

void list_parts(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  ListWriter list;
  for (const auto& [key, part] : services.model.parts_of(entry->node.name)) list.add(part);
  request->json(200, list.finish());
}

}  // namespace

void add_inventory(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/inventory",
              .privilege = auth::Privilege::view,
              .summary = "List the parts that a node's agent found.",
              .gives = list_of<cluster::Part>(),
              .handler = [&services](const RequestPtr& r) { list_parts(services, r); }});
}

}  // namespace drover::api

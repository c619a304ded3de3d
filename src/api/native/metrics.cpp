// GET /metrics and GET /nodes/{name}/metrics: latest values.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

void list_metrics(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const NodeSelection page, select_nodes(*request, services.model));
  ListWriter list;
  for (const cluster::NodeEntry* entry : page.nodes) {
    const auto metrics = services.metrics.latest(entry->node().name);
    if (metrics) list.add(*metrics);
  }
  request->json(200, list.finish(page.next_page));
}

void show_metrics(Services& services, const RequestPtr& request) {
  const std::string& name = request->path("name");
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry, find_node(services.model, name));
  const auto metrics = services.metrics.latest(entry->node().name);
  if (!metrics) {
    return request->fail(
        {Code::not_found, fmt::format("no metrics of {} since this master started", name), "",
         fmt::format("drover node show {} says whether its agent is heard", name)});
  }
  request->json(200, encode(*metrics));
}

}  // namespace

void add_metrics(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/metrics",
              .privilege = auth::Privilege::view,
              .summary = "List the latest metrics of nodes; those not heard are left out.",
              .query = {{"nodes", "Noderange; absent: all."},
                        {"limit", "Most nodes of a page.", true, 1, kMaxPage},
                        {"page", "A next_page of this list."}},
              .gives = list_of<NodeMetrics>(),
              .handler = [&services](const RequestPtr& r) { list_metrics(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/metrics",
              .privilege = auth::Privilege::view,
              .summary = "Show the latest metrics of a node.",
              .gives = body_of<NodeMetrics>(),
              .handler = [&services](const RequestPtr& r) { show_metrics(services, r); }});
}

}  // namespace drover::api

// POST /discover: what is behind the BMCs of nodes, read and kept, as an operation.
#include "api/native/discover.hpp"

#include "api/collect_operation.hpp"
#include "api/operation_start.hpp"
#include "base/noderange.hpp"
#include "store/reason.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

void start(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::CollectRequest asked,
                 request->body<cluster::CollectRequest>());
  if (const Status good = check(asked); !good) return request->fail(good.error());
  if (const Status good = store::check_why(asked.why); !good) return request->fail(good.error());
  DROVER_OR_FAIL(request, const std::string key, request->idempotency_key());
  DROVER_OR_FAIL(request, const std::vector<std::string> nodes,
                 evaluate(asked.nodes, cluster::ModelNames(services.model)));
  if (nodes.empty()) {
    return request->fail(
        {Code::invalid_argument, fmt::format("nodes: '{}' names no node", asked.nodes), {}, {}});
  }
  if (const Status allowed = request->authorize_nodes(nodes); !allowed) {
    return request->fail(allowed.error());
  }
  start_operation(services, request,
                  collect_operation(asked, nodes, operation_id(services, *request, "discover", key),
                                    request->actor(), services.operations->master()),
                  asked.why);
}

}  // namespace

void add_discover(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/discover",
              .privilege = auth::Privilege::use,
              .summary = "Look through the BMCs of nodes and keep what is behind them.",
              .takes = body_of<cluster::CollectRequest>(),
              .gives = body_of<cluster::Operation>(),
              .status = 202,
              .on_nodes = true,
              .errors = {Code::not_found},
              .location = true,
              .handler = [&services](const RequestPtr& r) { start(services, r); }});
}

}  // namespace drover::api

// POST /discover and /discover/bmcs: what is behind the BMCs of nodes, and behind those that scans
// have found, read and kept, as operations.
#include "api/native/discover.hpp"

#include "api/collect_operation.hpp"
#include "api/native/changing.hpp"
#include "api/operation_start.hpp"
#include "base/noderange.hpp"
#include "cluster/discovery/found_bmc.hpp"
#include "cluster/discovery/scan_request.hpp"
#include "store/reason.hpp"

#include <set>

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

void start_found(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const auto asked, change_body<cluster::FoundCollectRequest>(request));
  const cluster::CollectRequest numbers{{}, asked.at_a_time, asked.in_flight, {}};
  if (const Status good = check(numbers); !good) return request->fail(good.error());
  DROVER_OR_FAIL(request, const std::string key, request->idempotency_key());
  std::set<std::string> wanted;
  if (!asked.bmcs.empty()) {
    DROVER_OR_FAIL(request, const auto addresses, cluster::scan_addresses(asked.bmcs));
    wanted.insert(addresses.begin(), addresses.end());
  }
  const auto found = std::make_shared<std::vector<cluster::FoundBmc>>();
  services.store.read(
      [found](store::Transaction& tx) -> Status {
        DROVER_TRY(*found, cluster::found_bmcs(tx));
        return {};
      },
      [&services, request, asked, key, wanted, found](const Status& read) {
        if (!read) return request->fail(read.error());
        std::vector<std::string> addresses;
        for (const cluster::FoundBmc& bmc : *found) {
          if (wanted.empty() ? bmc.port != 0 : wanted.contains(bmc.address)) {
            addresses.push_back(bmc.address);
          }
        }
        if (addresses.empty()) {
          return request->fail({Code::not_found,
                                "no scan has found such a BMC",
                                {},
                                "drover discover scan NETWORK"});
        }
        start_operation(services, request,
                        collect_found_operation(asked, addresses,
                                                operation_id(services, *request, "found", key),
                                                request->actor(), services.operations->master()),
                        asked.why);
      });
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
  router.add({.method = "POST",
              .path = "/api/v1/discover/bmcs",
              .privilege = auth::Privilege::operate,
              .summary = "Look through BMCs that scans have found and keep what is behind them.",
              .takes = body_of<cluster::FoundCollectRequest>(),
              .gives = body_of<cluster::Operation>(),
              .status = 202,
              .errors = {Code::not_found},
              .location = true,
              .handler = [&services](const RequestPtr& r) { start_found(services, r); }});
  add_discover_scan(router, services);
  add_discover_adopt(router, services);
}

}  // namespace drover::api

// POST /discover/scan: networks are looked through for BMCs, as an operation; and what such scans
// have found.
#include "api/bmc_nodes.hpp"
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/discover.hpp"
#include "api/operation_start.hpp"
#include "api/scan_operation.hpp"
#include "base/noderange.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/discovery/found_bmc.hpp"
#include "cluster/discovery/scan_request.hpp"
#include "cluster/net_address.hpp"
#include "store/reason.hpp"

#include <map>
#include <set>

namespace drover::api {
namespace {

using cluster::FoundBmc;

/// A found BMC and what became of it.
struct FoundBmcView {
  static constexpr std::string_view kTypeName = "FoundBmcView";
  FoundBmc bmc;
  std::string nodes;
  uint64_t machines = 0;
  WallTime looked{};
  void describe(Visitor& v) {
    bmc.describe(v);
    v.field("nodes", nodes, "Folded noderange of the nodes that have this BMC; empty: none yet.");
    v.field("machines", machines, "How many machines are behind it; 0: it was not looked through.");
    v.field("looked", looked, "When it was last looked through; null: it was not.");
  }
};

/// Whether BMCs are found at these addresses is known: what is left to ask.
Result<std::vector<std::string>> unknown_of(store::Transaction& tx,
                                            const std::vector<std::string>& addresses) {
  DROVER_TRY(const auto known, cluster::found_bmcs(tx));
  std::set<std::string> at;
  for (const FoundBmc& bmc : known) at.insert(bmc.address);
  std::vector<std::string> out;
  for (const std::string& address : addresses) {
    if (!at.contains(address)) out.push_back(address);
  }
  return out;
}

void show_plan(Services& services, const RequestPtr& request, const cluster::ScanRequest& asked,
               std::vector<std::string> addresses) {
  const auto plan = std::make_shared<cluster::ScanPlan>();
  services.store.read(
      [asked, addresses = std::move(addresses), plan](store::Transaction& tx) -> Status {
        std::vector<std::string> left = addresses;
        if (!asked.fresh) {
          DROVER_TRY(left, unknown_of(tx, addresses));
        }
        *plan = plan_of(asked, addresses, left);
        return {};
      },
      [request, plan](const Status& read) {
        if (!read) return request->fail(read.error());
        request->json(200, encode(*plan));
      });
}

void scan(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const auto asked, change_body<cluster::ScanRequest>(request));
  if (const Status good = check(asked); !good) return request->fail(good.error());
  DROVER_OR_FAIL(request, const std::string key, request->idempotency_key());
  DROVER_OR_FAIL(request, auto addresses, cluster::scan_addresses(asked.networks));
  if (is_dry_run(request)) return show_plan(services, request, asked, std::move(addresses));
  start_operation(services, request,
                  scan_operation(asked, addresses, operation_id(services, *request, "scan", key),
                                 request->actor(), services.operations->master()),
                  asked.why);
}

std::string answer_of(const Services& services, const std::vector<FoundBmc>& all) {
  const BmcNodes nodes(services.model);
  std::map<std::string_view, const cluster::ManagedBmc*> looked;
  for (const auto& [name, bmc] : services.model.hardware().bmcs()) looked[bmc.address] = &bmc;
  ListWriter list(all.size());
  for (const FoundBmc& bmc : all) {
    FoundBmcView view{bmc, fold_names(nodes.at(bmc.address)), 0, {}};
    if (const auto known = looked.find(bmc.address); known != looked.end()) {
      view.looked = known->second->look.attempted;
      if (known->second->inventory) view.machines = known->second->inventory->systems.size();
    }
    list.add(view);
  }
  return list.finish();
}

void list(Services& services, const RequestPtr& request) {
  const auto all = std::make_shared<std::vector<FoundBmc>>();
  services.store.read(
      [all](store::Transaction& tx) -> Status {
        DROVER_TRY(*all, cluster::found_bmcs(tx));
        return {};
      },
      [&services, all, request](const Status& read) {
        if (!read) return request->fail(read.error());
        request->json(200, answer_of(services, *all));
      });
}

void forget(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const std::string why, why_of(request));
  mutate(services, request,
         [address = request->path("address"), why](store::Transaction& tx) -> Result<Reply> {
           tx.explain(why);
           DROVER_CHECK_OK(cluster::forget_found(tx, address));
           return Reply{204, "", ""};
         });
}

}  // namespace

void add_discover_scan(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/discover/scan",
              .privilege = auth::Privilege::operate,
              .summary = "Look for BMCs on networks, by Redfish and IPMI without signing in.",
              .query = {dry_run_parameter()},
              .takes = body_of<cluster::ScanRequest>(),
              .gives = body_of<cluster::Operation>(),
              .status = 202,
              .location = true,
              .also = {{.status = 200,
                        .gives = body_of<cluster::ScanPlan>(),
                        .doc = "With dry_run=true: what would be asked."}},
              .handler = [&services](const RequestPtr& r) { scan(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/discover/bmcs",
              .privilege = auth::Privilege::view,
              .summary = "List the BMCs that scans have found, in the order of their addresses.",
              .gives = list_of<FoundBmcView>(),
              .handler = [&services](const RequestPtr& r) { list(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/discover/bmcs/{address}",
              .privilege = auth::Privilege::operate,
              .summary = "Forget that a BMC was found there; the next scan asks again.",
              .query = {why_parameter()},
              .handler = [&services](const RequestPtr& r) { forget(services, r); }});
}

}  // namespace drover::api

// SMD's /Inventory/Discover and DiscoveryStatus: looks through the BMCs of the nodes behind Redfish
// endpoints, as one of Drover's operations.
#include "api/collect_operation.hpp"
#include "api/idempotency.hpp"
#include "api/smd/hardware.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/member_writer.hpp"
#include "api/smd/routes.hpp"
#include "base/describe.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::ManagedBmc;

constexpr std::string_view kStatus = "/hsm/v2/Inventory/DiscoveryStatus/0";

struct DiscoverForm {
  static constexpr std::string_view kTypeName = "SmdDiscover";
  std::optional<std::vector<std::string>> xnames;
  std::optional<bool> force;
  void describe(Visitor& v) {
    v.field("xnames", xnames, "Only these endpoints; absent or empty: all.", Presence::patch);
    v.field("force", force, "Whether to begin though one is under way.", Presence::patch);
  }
};

struct DiscoveryStatusForm {
  static constexpr std::string_view kTypeName = "SmdDiscoveryStatus";
  int64_t id = 0;
  std::string status;
  std::optional<std::string> updated, details;
  void describe(Visitor& v) {
    v.field("ID", id, "Always 0.");
    v.field("Status", status, "NotStarted, InProgress or Complete.");
    v.field("LastUpdateTime", updated, "When a BMC was last looked at.", Presence::patch);
    v.field("Details", details, "How far it is, or what failed.", Presence::patch);
  }
};

/// The newest look that is under way.
const cluster::Operation* under_way(const std::vector<cluster::Operation>& all) {
  const auto found = std::ranges::find_if(all, [](const cluster::Operation& operation) {
    return operation.kind == kCollectOperation && !cluster::has_ended(operation.state);
  });
  return found == all.end() ? nullptr : &*found;
}

/// What is known of looks at BMCs, as the one job that SMD lists.
std::string status_text(const Services& services) {
  WallTime newest{};
  size_t failed = 0;
  for (const auto& [name, bmc] : services.model.hardware().bmcs()) {
    newest = std::max(newest, bmc.look.attempted);
    if (!bmc.look.status.empty() && bmc.look.status != "DiscoverOK") ++failed;
  }
  const auto operations = services.operations->all();
  const cluster::Operation* running = under_way(operations);
  if (running != nullptr) newest = std::max(newest, running->created);
  const bool never = newest == WallTime{};
  std::string out;
  MemberWriter writer(out);
  writer.number("ID", 0).text("Status", running != nullptr ? "InProgress"
                                        : never            ? "NotStarted"
                                                           : "Complete");
  if (!never) writer.time("LastUpdateTime", newest);
  if (running != nullptr) {
    writer.text("Details", fmt::format("{} of {}", running->settled, running->total));
  } else if (failed > 0) {
    writer.text("Details", fmt::format("{} endpoints could not be read", failed));
  }
  writer.close();
  return out;
}

void show_status(Services& services, const RequestPtr& request) {
  if (request->path("id") != "0") return request->fail(missing("no such discovery job"));
  request->json(200, status_text(services));
}

/// The endpoints that are asked for, without those that are disabled.
Result<std::vector<const ManagedBmc*>> endpoints_of(const cluster::Model& model,
                                                    const std::vector<std::string>& xnames) {
  std::vector<const ManagedBmc*> out;
  const auto& bmcs = model.hardware().bmcs();
  if (xnames.empty()) {
    for (const auto& [name, bmc] : bmcs) {
      if (bmc.enabled && cluster::parse_xname(name)) out.push_back(&bmc);
    }
    return out;
  }
  for (const std::string& text : xnames) {
    const auto xname = cluster::parse_xname(text);
    if (!xname) return bad("invalid xname ID");
    const auto found = bmcs.find(xname->text);
    if (found == bmcs.end()) {
      return tl::unexpected<Error>(missing(fmt::format("no such xname: {}", xname->text)));
    }
    const bool known = std::ranges::find(out, &found->second) != out.end();
    if (found->second.enabled && !known) out.push_back(&found->second);
  }
  return out;
}

/// The nodes behind the endpoints. An endpoint that was named and has none is an error: nobody
/// knows yet whose BMC it is (`drover discover` finds machines from scratch).
Result<std::vector<std::string>> nodes_behind(const cluster::Model& model,
                                              const std::vector<const ManagedBmc*>& bmcs,
                                              bool named) {
  std::multimap<std::string, std::string> behind;
  for (const auto& [name, entry] : model.nodes()) {
    if (!entry.node().spec.bmc) continue;
    behind.emplace(cluster::parent_xname(cluster::xname_of(entry.node())), name);
  }
  std::vector<std::string> out;
  for (const ManagedBmc* bmc : bmcs) {
    const auto [from, to] = behind.equal_range(bmc->name);
    if (from == to && named) {
      return tl::unexpected<Error>(missing(fmt::format("no node is known behind {}", bmc->name)));
    }
    for (auto it = from; it != to; ++it) out.push_back(it->second);
  }
  std::ranges::sort(out, NaturalLess());
  return out;
}

void start(Services& services, const RequestPtr& request) {
  std::vector<std::string> xnames;
  bool force = false;
  if (!request->http().body.empty()) {
    // SMD answers 400 to a malformed body here, and here alone.
    const auto body = parse_json(request->http().body);
    if (!body) return request->fail(bad("error decoding JSON").value());
    Members from(*body);
    if (auto given = from.texts("xnames")) xnames = *std::move(given);
    force = from.truth("force").value_or(false);
    if (!from.wrong().empty()) return request->fail(bad(from.wrong()).value());
  }
  DROVER_OR_FAIL(request, const auto bmcs, endpoints_of(services.model, xnames));
  DROVER_OR_FAIL(request, const auto nodes, nodes_behind(services.model, bmcs, !xnames.empty()));
  if (const Status may = authorize(request, nodes, nodes.empty()); !may) {
    return request->fail(may.error());
  }
  if (!force && under_way(services.operations->all()) != nullptr) {
    return request->fail(
        {Code::conflict, "a discovery is under way; force begins another", {}, {}});
  }
  const Reply reply{200, "[" + uri_text(kStatus) + "]", "", std::string(kStatus)};
  if (nodes.empty()) {
    return mutate(services, request,
                  [reply](store::Transaction&) -> Result<Reply> { return reply; });
  }
  constexpr size_t kIdBytes = 16;
  cluster::CollectRequest collect;
  collect.why = "asked for by SMD's Discover";
  auto operation = collect_operation(std::move(collect), nodes, services.random.hex(kIdBytes),
                                     request->actor(), services.operations->master());
  mutate(services, request,
         [operation = std::move(operation), reply](store::Transaction& tx) -> Result<Reply> {
           tx.explain(fmt::format("{} on {}", operation.what, operation.nodes));
           DROVER_CHECK_OK(cluster::create_operation(tx, operation));
           return reply;
         });
}

}  // namespace

void add_discovery(Router& router, Services& services) {
  Route begin = smd_route("POST", "/hsm/v2/Inventory/Discover",
                          "SMD: look through the BMCs of Redfish endpoints.",
                          [&services](const RequestPtr& r) { start(services, r); });
  begin.takes = body_of<DiscoverForm>();
  begin.gives = array_of<ResourceUri>();
  begin.location = true;
  begin.errors = {Code::not_found, Code::conflict};
  router.add(std::move(begin));
  Route all = smd_route(
      "GET", "/hsm/v2/Inventory/DiscoveryStatus", "SMD: how looks at BMCs went, as one job.",
      [&services](const RequestPtr& r) { r->json(200, "[" + status_text(services) + "]"); });
  all.gives = array_of<DiscoveryStatusForm>();
  router.add(std::move(all));
  Route one =
      smd_route("GET", "/hsm/v2/Inventory/DiscoveryStatus/{id}", "SMD: how looks at BMCs went.",
                [&services](const RequestPtr& r) { show_status(services, r); });
  one.gives = body_of<DiscoveryStatusForm>();
  one.errors = {Code::not_found};
  router.add(std::move(one));
}

}  // namespace drover::api::smd

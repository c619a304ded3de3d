// POST /discover/adopt: found machines become nodes, or say what they would become.
#include "api/idempotency.hpp"
#include "api/native/changing.hpp"
#include "api/native/discover.hpp"
#include "cluster/attributes.hpp"
#include "cluster/discovery/adopt.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

/// A map of a large site, as JSON.
constexpr size_t kMapLimit = size_t{8} << 20;
/// Thousands of nodes are written in one transaction; the disk may be slow.
constexpr Duration kAdoptTime = std::chrono::minutes(2);

/// The values of formulas and of groups, which the store does not have.
cluster::AdoptFacts facts_of(const cluster::Model& model) {
  cluster::AdoptFacts facts;
  const cluster::ModelDefinitions definitions(model);
  for (const auto& [name, entry] : model.nodes()) {
    const cluster::Node& node = entry.node();
    cluster::NodeAttributes attributes(node, definitions);
    if (node.spec.bmc) {
      const auto bmc = evaluate_bmc(attributes, *node.spec.bmc);
      if (bmc && !bmc->address.empty()) facts.bmc_of[name] = bmc->address;
    }
    const auto ports = attributes.value("switch_port");
    if (!ports || !*ports) continue;
    std::string_view rest = **ports;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      facts.node_at_port.emplace(rest.substr(0, comma), name);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return facts;
}

void adopt(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const auto asked, change_body<cluster::AdoptRequest>(request));
  if (const Status good = check(asked); !good) return request->fail(good.error());
  request->allow(kAdoptTime);
  // Ids count up from a random number: the mutation runs on another thread.
  constexpr size_t kHalf = 8;
  auto count = std::make_shared<uint64_t>(0);
  services.random.fill({reinterpret_cast<unsigned char*>(count.get()), kHalf});
  Callback<std::string()> fresh_id = [head = services.random.hex(kHalf), count] {
    return fmt::format("{}{:016x}", head, (*count)++);
  };
  const auto result = std::make_shared<cluster::AdoptResult>();
  auto effect = [asked, facts = facts_of(services.model), fresh_id = std::move(fresh_id),
                 result](store::Transaction& tx) mutable -> Status {
    DROVER_TRY(*result, cluster::adopt_machines(tx, asked, facts, fresh_id));
    return {};
  };
  if (is_dry_run(request)) {
    return rehearse(
        services, request,
        [effect = std::move(effect), result](store::Transaction& tx) mutable -> Result<Reply> {
          DROVER_CHECK_OK(effect(tx));
          return Reply{200, encode(*result), ""};
        });
  }
  // Asking again changes nothing twice by itself, and the answer is too long to be kept.
  services.store.write(request->author(), std::move(effect),
                       [request, result](const Result<store::Committed>& done) {
                         if (!done) return request->fail(done.error());
                         request->json(200, encode(*result));
                       });
}

}  // namespace

void add_discover_adopt(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/discover/adopt",
              .privilege = auth::Privilege::operate,
              .summary = "Make nodes of the machines behind found BMCs, or bring them up to date.",
              .query = {dry_run_parameter()},
              .takes = body_of<cluster::AdoptRequest>(),
              .gives = body_of<cluster::AdoptResult>(),
              .errors = {Code::not_found, Code::conflict},
              .body_limit = kMapLimit,
              .takes_key = false,
              .handler = [&services](const RequestPtr& r) { adopt(services, r); }});
}

}  // namespace drover::api

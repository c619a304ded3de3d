#include "api/cap_operation.hpp"

#include "base/noderange.hpp"
#include "hardware/power/cap_visit.hpp"

#include <utility>

namespace drover::api {
namespace {

using cluster::CapRequest;

BmcWork cap_work(const PowerServices& services, const CapRequest& request) {
  BmcWork work;
  work.limits.at_a_time = request.at_a_time;
  work.limits.per_second = request.at_a_time;
  work.redfish = [&executor = services.executor, request](
                     const PowerTarget& target, hardware::BmcClient& client,
                     BmcWork::Done done) -> std::unique_ptr<hardware::BmcVisit> {
    return std::make_unique<hardware::CapVisit>(
        executor, client, target.system, request.wishes_of(target.node),
        [done = std::move(done)](Result<cluster::PowerCaps> caps) mutable {
          if (!caps) return done(tl::unexpected(std::move(caps).error()));
          done(encode(*caps));
        });
  };
  return work;
}

}  // namespace

cluster::Operation cap_operation(CapRequest request, const std::vector<std::string>& nodes,
                                 std::string id, const std::string& who,
                                 const std::string& master) {
  cluster::Operation out;
  out.id = std::move(id);
  out.kind = kCapOperation;
  out.what = request.sets() ? "power cap" : "power cap, a look";
  out.who = who;
  out.nodes = fold_names(nodes);
  out.total = nodes.size();
  out.master = master;
  request.nodes = out.nodes;
  out.request.text = encode(request);
  return out;
}

cluster::OperationKind cap_operations(const PowerServices& services) {
  return bmc_operations(
      kCapOperation, services, [services](const OperationRunPtr& run) -> std::optional<BmcWork> {
        const auto request =
            decode_text<CapRequest>(run->operation().request.text, Unknown::ignore);
        if (request) return cap_work(services, *request);
        run->finish(cluster::OperationOutcome::failed, error_of(request.error()));
        return std::nullopt;
      });
}

}  // namespace drover::api

// GET /bmc-sensors: what the sensors of nodes say now, asked of their BMCs and kept nowhere.
#include "api/native/bmc_sensors.hpp"

#include "api/bmc_run.hpp"
#include "api/list_writer.hpp"
#include "api/power_sight.hpp"
#include "base/noderange.hpp"
#include "hardware/ipmi/ipmi_sensors.hpp"
#include "hardware/redfish/sensors_visit.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

/// Of one question; the answer holds some hundred readings of each.
constexpr size_t kMostNodes = 1'000;
constexpr uint32_t kAtATime = 200;
constexpr Duration kPatience = std::chrono::seconds(45);

struct NodeReadings {
  static constexpr std::string_view kTypeName = "NodeReadings";
  std::string node;
  std::vector<cluster::BmcReading> readings;
  std::optional<cluster::OperationError> error;
  void describe(Visitor& v) {
    v.field("node", node, "The node.");
    v.field("readings", readings, "What its sensors say.");
    v.field("error", error, "Why they could not be asked; null: they were.");
  }
};

template <typename Readings>
Callback<void(Result<Readings>)> encoded(BmcWork::Done done) {
  return [done = std::move(done)](Result<Readings> readings) mutable {
    if (!readings) return done(tl::unexpected(std::move(readings).error()));
    done(encode(*readings));
  };
}

BmcWork sensors_work(Executor& executor) {
  BmcWork work;
  work.limits.at_a_time = kAtATime;
  work.limits.per_second = kAtATime;
  work.redfish = [&executor](const PowerTarget& target, hardware::BmcClient& client,
                             BmcWork::Done done) -> std::unique_ptr<hardware::BmcVisit> {
    return std::make_unique<hardware::SensorsVisit>(executor, client, target.system,
                                                    encoded<cluster::BmcReadings>(std::move(done)));
  };
  work.ipmi = [](const PowerTarget&, hardware::IpmiTool& tool, const hardware::IpmiAccess& access,
                 BmcWork::Done done) -> std::unique_ptr<hardware::BmcVisit> {
    return std::make_unique<hardware::IpmiSensorsVisit>(
        tool, access, encoded<cluster::BmcReadings>(std::move(done)));
  };
  return work;
}

void answer(const RequestPtr& request, PowerSight::Answers answers) {
  ListWriter list(answers.size());
  for (auto& [node, said] : answers) {
    NodeReadings one;
    one.node = node;
    one.error = std::move(said.error);
    auto readings = said.result ? decode_text<cluster::BmcReadings>(*said.result, Unknown::ignore)
                                : Result<cluster::BmcReadings>(cluster::BmcReadings{});
    if (readings) one.readings = std::move(readings->readings);
    list.add(one);
  }
  request->json(200, list.finish());
}

void sensors(Services& services, PowerSight* sight, const RequestPtr& request) {
  const std::string range(request->query("nodes").value_or(""));
  DROVER_OR_FAIL(request, const std::vector<std::string> nodes,
                 evaluate(range, cluster::ModelNames(services.model)));
  if (nodes.size() > kMostNodes) {
    return request->fail(
        {Code::too_large,
         fmt::format("nodes: {} nodes, and at most {} are asked at once", nodes.size(), kMostNodes),
         {},
         {}});
  }
  if (sight == nullptr) {
    return request->fail({Code::unsupported, "this master speaks to no BMCs", {}, {}});
  }
  request->allow(kPatience + std::chrono::seconds(10));
  sight->ask(nodes, sensors_work(services.executor), kPatience,
             [request](PowerSight::Answers answers) { answer(request, std::move(answers)); });
}

}  // namespace

void add_bmc_sensors(Router& router, Services& services, PowerSight* const& sight) {
  router.add(
      {.method = "GET",
       .path = "/api/v1/bmc-sensors",
       .privilege = auth::Privilege::view,
       .summary = "Ask the BMCs of nodes what their sensors say now.",
       .query = {{.name = "nodes", .doc = "Noderange of the nodes."}},
       .gives = list_of<NodeReadings>(),
       .handler = [&services, &sight](const RequestPtr& r) { sensors(services, sight, r); }});
}

}  // namespace drover::api

// PCS's /liveness, /readiness and /health, which anyone may ask.
#include "api/pcs/forms.hpp"
#include "api/pcs/pcs.hpp"
#include "base/json_values.hpp"

namespace drover::api::pcs {
namespace {

constexpr std::string_view kGood = "connected, responsive";

/// Whether the store answers.
void try_store(Services& services, Callback<void(bool)> then) {
  services.store.read(
      [](store::Transaction&) -> Status { return {}; },
      [then = std::move(then)](const Status& read) mutable { then(read.has_value()); });
}

void nothing(const RequestPtr& request, int status) {
  net::HttpResponse response;
  response.status = status;
  request->respond(std::move(response));
}

void ready(Services& services, const RequestPtr& request) {
  constexpr int kDone = 204;
  constexpr int kUnavailable = 503;
  try_store(services, [request](bool good) { nothing(request, good ? kDone : kUnavailable); });
}

void health(Services& services, bool runs, const RequestPtr& request) {
  try_store(services, [&services, runs, request](bool good) {
    const std::string_view store = good ? kGood : "connected, not responsive";
    request->json(
        200, json::serialize(json::object{
                 {"KvStore", store},
                 {"DistLocking", store},  // reservations are kept there
                 {"StateManager", kGood},
                 {"Vault", services.secrets == nullptr ? "disabled" : kGood},
                 {"TaskRunner", runs ? "connected, responsive, local mode" : "not connected"}}));
  });
}

Route open(std::string_view path, std::string_view summary, Handler handler) {
  Route route;
  route.method = "GET";
  route.path = path;
  route.privilege = auth::Privilege::open;
  route.summary = summary;
  route.dialect = Dialect::smd;
  route.handler = std::move(handler);
  return route;
}

}  // namespace

void add_health(Router& router, Services& services, const Paths& paths, PowerSight* const& sight) {
  router.add(open(paths.liveness, "PCS: whether there is an answer.", [](const RequestPtr& r) {
    constexpr int kDone = 204;
    nothing(r, kDone);
  }));
  router.add(open(paths.readiness, "PCS: whether it can work.",
                  [&services](const RequestPtr& r) { ready(services, r); }));
  Route whole =
      open(paths.health, "PCS: how its parts are.",
           [&services, &sight](const RequestPtr& r) { health(services, sight != nullptr, r); });
  whole.gives = body_of<HealthForm>();
  router.add(std::move(whole));
}

}  // namespace drover::api::pcs

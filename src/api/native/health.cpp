// GET /health.
#include "api/native/native.hpp"

namespace drover::api {
namespace {

void show_health(Services& services, const RequestPtr& request) {
  cluster::HealthFacts facts = services.health.health_facts();
  facts.model = &services.model;
  facts.now = services.executor.wall();
  request->json(200, encode(cluster::compute_health(facts)));
}

}  // namespace

void add_health(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/health",
              .privilege = auth::Privilege::view,
              .summary = "Show every daemon, its links, and everything that is wrong.",
              .gives = body_of<cluster::Health>(),
              .handler = [&services](const RequestPtr& r) { show_health(services, r); }});
}

}  // namespace drover::api

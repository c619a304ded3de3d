// POST /nodes/{name}/enrol: a boot daemon lets the agent of a machine in that it has booted.
#include "api/native/listens.hpp"
#include "api/native/native.hpp"
#include "auth/enrol_messages.hpp"
#include "base/text.hpp"
#include "cluster/names.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr size_t kMaxBootId = 64;

void enrol(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, auth::EnrolRequest body, request->body<auth::EnrolRequest>());
  auth::BootedRequest booted;
  booted.node = request->path("name");
  if (const Status good = cluster::check_node_name(booted.node); !good) {
    return request->fail(good.error());
  }
  if (body.boot_id.size() > kMaxBootId) {
    return request->fail(
        {Code::invalid_argument,
         fmt::format("boot_id: {} bytes; at most {} are taken", body.boot_id.size(), kMaxBootId),
         "", ""});
  }
  booted.csr_pem = std::move(body.csr_pem);
  booted.boot_daemon = request->principal().name;
  booted.boot_id = printable(body.boot_id);
  services.enrolment.enrol_booted(std::move(booted), [&services,
                                                      request](Result<auth::Admission> admission) {
    if (!admission) return request->fail(admission.error());
    request->json(200, encode(auth::EnrolAnswer{
                           std::move(admission->certificate_pem), std::move(admission->ca_pem),
                           std::move(admission->cluster), std::move(admission->name),
                           std::move(admission->role), listens_of(services.model, "aggregator")}));
  });
}

}  // namespace

void add_enrol(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/nodes/{name}/enrol",
              .privilege = auth::Privilege::boot,
              .summary = "Let the agent of a booted node in, with the key of this boot.",
              .takes = body_of<auth::EnrolRequest>(),
              .gives = body_of<auth::EnrolAnswer>(),
              .takes_key = false,
              .handler = [&services](const RequestPtr& r) { enrol(services, r); }});
}

}  // namespace drover::api

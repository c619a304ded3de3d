// POST /nodes/{name}/enrol: a boot daemon lets the agent of a machine in that it has booted.
#include "api/native/listens.hpp"
#include "api/native/native.hpp"
#include "base/text.hpp"
#include "cluster/names.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr size_t kMaxBootId = 64;

struct EnrolBody {
  static constexpr std::string_view kTypeName = "EnrolRequest";
  std::string csr_pem;
  std::string boot_id;
  void describe(Visitor& v) {
    v.field("csr_pem", csr_pem, "Signing request (PKCS #10, PEM) of this boot's key.");
    v.field("boot_id", boot_id, "The kernel's id of this boot.", Presence::optional);
  }
};

struct EnrolAnswer {
  static constexpr std::string_view kTypeName = "EnrolAnswer";
  std::string certificate_pem;
  std::string ca_pem;
  std::string cluster;
  std::string name;
  std::string role;
  std::vector<std::string> aggregators;
  void describe(Visitor& v) {
    v.field("certificate_pem", certificate_pem, "Certificate of the node's agent.");
    v.field("ca_pem", ca_pem, "Certificate of the cluster's authority.");
    v.field("cluster", cluster, "The cluster's id.");
    v.field("name", name, "Name of the node.");
    v.field("role", role, "Role of its agent.");
    v.field("aggregators", aggregators, "Where aggregators listen for the tree.");
  }
};

void enrol(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, EnrolBody body, request->body<EnrolBody>());
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
    request->json(200, encode(EnrolAnswer{
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
              .takes = body_of<EnrolBody>(),
              .gives = body_of<EnrolAnswer>(),
              .takes_key = false,
              .handler = [&services](const RequestPtr& r) { enrol(services, r); }});
}

}  // namespace drover::api

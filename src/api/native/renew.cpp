// POST /certificates/renew: a daemon asks for a new certificate of the same identity.
#include "api/native/native.hpp"

namespace drover::api {
namespace {

struct RenewBody {
  static constexpr std::string_view kTypeName = "RenewRequest";
  std::string csr_pem;
  void describe(Visitor& v) {
    v.field("csr_pem", csr_pem, "Signing request (PKCS #10, PEM) of the new key.");
  }
};

struct RenewAnswer {
  static constexpr std::string_view kTypeName = "RenewAnswer";
  std::string certificate_pem;
  std::string ca_pem;
  void describe(Visitor& v) {
    v.field("certificate_pem", certificate_pem, "The new certificate.");
    v.field("ca_pem", ca_pem, "Certificate of the cluster's authority.");
  }
};

void renew(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, RenewBody body, request->body<RenewBody>());
  auth::RenewRequest renewal;
  renewal.role = request->principal().role;
  renewal.name = request->principal().name;
  renewal.csr_pem = std::move(body.csr_pem);
  renewal.proven = {request->principal().key_sha256, request->principal().expires};
  services.enrolment.renew(std::move(renewal), [request](Result<auth::Admission> admission) {
    if (!admission) return request->fail(admission.error());
    request->json(200, encode(RenewAnswer{std::move(admission->certificate_pem),
                                          std::move(admission->ca_pem)}));
  });
}

}  // namespace

void add_renew(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/certificates/renew",
              .privilege = auth::Privilege::self,
              .summary = "Give a daemon a new certificate of the same identity.",
              .takes = body_of<RenewBody>(),
              .gives = body_of<RenewAnswer>(),
              .takes_key = false,
              .handler = [&services](const RequestPtr& r) { renew(services, r); }});
}

}  // namespace drover::api

// GET /certificates and POST /certificates/revoke: the certificates of daemons.
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "base/noderange.hpp"
#include "cluster/names.hpp"

namespace drover::api {
namespace {

struct RevokeBody {
  static constexpr std::string_view kTypeName = "RevokeRequest";
  std::string role = "compute";
  std::string names;
  std::string why;
  void describe(Visitor& v) {
    v.field("role", role, "Kind of the daemons.", Presence::optional);
    v.field("names", names, "Noderange of their plain names.");
    v.field("why", why, "Shown to whoever is refused, and in the change log.");
  }
};

void list_certificates(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [key, credential] : services.enrolment.credentials()) list.add(credential);
  request->json(200, list.finish());
}

void revoke(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, RevokeBody asked, change_body<RevokeBody>(request));
  DROVER_OR_FAIL(request, std::vector<std::string> names, expand_names(asked.names));
  const bool good = !names.empty() && !asked.why.empty();
  if (!good) {
    return request->fail({Code::invalid_argument,
                          names.empty() ? "names: names nobody"
                                        : "why: is required: it is what the daemon's "
                                          "administrator reads",
                          "", ""});
  }
  for (const std::string& name : names) {
    if (const Status plain = cluster::check_node_name(name); !plain) {
      return request->fail(plain.error());
    }
  }
  change(services, request,
         [asked, names = std::move(names)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(auth::revoke_daemons(tx, asked.role, names, asked.why));
           return Reply{204, "", ""};
         });
}

}  // namespace

void add_certificates(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/certificates",
              .privilege = auth::Privilege::view,
              .summary = "List the certificates of daemons, revoked ones too.",
              .gives = list_of<auth::Credential>(),
              .handler = [&services](const RequestPtr& r) { list_certificates(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/certificates/revoke",
              .privilege = auth::Privilege::administer,
              .summary = "Refuse daemons from now on and cut their links, all of them or none.",
              .query = {dry_run_parameter()},
              .takes = body_of<RevokeBody>(),
              .errors = {Code::not_found, Code::too_large},
              .handler = [&services](const RequestPtr& r) { revoke(services, r); }});
}

}  // namespace drover::api

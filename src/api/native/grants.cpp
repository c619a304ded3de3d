// GET and PUT /grants: who has which role, as one ordered list.
#include "auth/grants.hpp"

#include "api/native/changing.hpp"
#include "api/native/native.hpp"
#include "api/precondition.hpp"

namespace drover::api {
namespace {

void show_grants(Services& services, const RequestPtr& request) {
  net::HttpResponse response;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("ETag", etag_of(services.access.grants().revision()));
  response.body = encode(auth::GrantList{services.access.policy()->grants()}) + "\n";
  request->respond(std::move(response));
}

void put_grants(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition precondition, precondition_of(request->http()));
  DROVER_OR_FAIL(request, const auth::GrantList list, request->body<auth::GrantList>());
  if (const Status good = auth::check_grants(list); !good) return request->fail(good.error());
  mutate(services, request,
         [precondition, list, why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           // The ETag of a list that was never written is "0".
           const bool never = precondition.revision == 0U;
           if (never) {
             DROVER_CHECK_OK(tx.expect_revision(auth::kGrantKind, auth::kGrantKey, 0));
           } else {
             DROVER_CHECK_OK(precondition.check(tx, auth::kGrantKind, auth::kGrantKey));
           }
           if (!why.empty()) tx.explain(why);
           std::string body = encode(list);
           DROVER_TRY(const uint64_t revision, tx.put(auth::kGrantKind, auth::kGrantKey, body));
           return Reply{200, std::move(body), etag_of(revision)};
         });
}

}  // namespace

void add_grants(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/grants",
              .privilege = auth::Privilege::administer,
              .summary = "Show the grants in the order in which they count.",
              .gives = body_of<auth::GrantList>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_grants(services, r); }});
  router.add({.method = "PUT",
              .path = "/api/v1/grants",
              .privilege = auth::Privilege::administer,
              .summary = "Replace the grants; they hold from the answer on.",
              .query = {why_parameter("Free text for the change log.")},
              .takes = body_of<auth::GrantList>(),
              .gives = body_of<auth::GrantList>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { put_grants(services, r); }});
}

}  // namespace drover::api

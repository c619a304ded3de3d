// GET, POST and DELETE /issuers: OIDC issuers whose tokens are taken.
#include "auth/issuers.hpp"

#include "api/idempotency.hpp"
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/precondition.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct IssuerView {
  static constexpr std::string_view kTypeName = "TrustedIssuer";
  auth::IssuerRecord issuer;
  uint64_t keys = 0;
  WallTime keys_fetched{};
  std::string problem;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    issuer.describe(v);
    v.field("keys", keys, "How many keys of it are known to this master.");
    v.field("keys_fetched", keys_fetched, "When they were fetched; null: never, or given.");
    v.field("problem", problem, "Why the last fetch failed; empty: it did not.");
    v.field("revision", revision, "Changes with each change of it.");
  }
};

IssuerView view_of(Services& services, const auth::IssuerRecord& issuer) {
  const auth::Issuers& issuers = services.access.issuers();
  const auth::IssuerKeys keys = issuers.keys_of(issuer.name);
  return {issuer, keys.keys, keys.fetched, keys.problem, issuers.revision(issuer.name)};
}

void list_issuers(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [name, issuer] : services.access.issuers().all()) {
    list.add(view_of(services, issuer));
  }
  request->json(200, list.finish());
}

/// No two of one URL: a token must have one reading.
Status check_unique(store::Transaction& tx, const auth::IssuerRecord& issuer) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(auth::kIssuerKind)}));
  for (const store::Object& object : objects) {
    if (object.key == issuer.name) {
      return fail(Code::already_exists, fmt::format("there is an issuer '{}' already", issuer.name),
                  "drover issuer remove it first, or give another name");
    }
    DROVER_TRY(const auto other, decode_text<auth::IssuerRecord>(object.body, Unknown::ignore));
    if (other.url == issuer.url) {
      return fail(Code::already_exists,
                  fmt::format("issuer '{}' has this url already", other.name));
    }
  }
  if (objects.size() >= auth::kMostIssuers) {
    return fail(Code::exhausted, fmt::format("at most {} issuers", auth::kMostIssuers));
  }
  return {};
}

void add_issuer(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const auth::IssuerRecord issuer, request->body<auth::IssuerRecord>());
  if (const Status good = auth::check_issuer(issuer); !good) return request->fail(good.error());
  mutate(services, request, [issuer](store::Transaction& tx) -> Result<Reply> {
    DROVER_CHECK_OK(check_unique(tx, issuer));
    tx.explain(fmt::format("trust {}", issuer.url));
    std::string body = encode(issuer);
    DROVER_TRY(const uint64_t revision, tx.put(auth::kIssuerKind, issuer.name, body));
    return Reply{201, std::move(body), etag_of(revision)};
  });
}

void remove_issuer(Services& services, const RequestPtr& request) {
  mutate(services, request,
         [name = request->path("name")](store::Transaction& tx) -> Result<Reply> {
           DROVER_TRY(const bool erased, tx.erase(auth::kIssuerKind, name));
           if (!erased) {
             return fail(Code::not_found, fmt::format("there is no issuer '{}'", printable(name)),
                         "drover issuer list shows all");
           }
           return Reply{204, "", ""};
         });
}

}  // namespace

void add_issuers(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/issuers",
              .privilege = auth::Privilege::administer,
              .summary = "List the OIDC issuers whose tokens are taken, and how their keys stand.",
              .gives = list_of<IssuerView>(),
              .handler = [&services](const RequestPtr& r) { list_issuers(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/issuers",
              .privilege = auth::Privilege::administer,
              .summary = "Take the tokens of an OIDC issuer.",
              .takes = body_of<auth::IssuerRecord>(),
              .gives = body_of<auth::IssuerRecord>(),
              .status = 201,
              .handler = [&services](const RequestPtr& r) { add_issuer(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/issuers/{name}",
              .privilege = auth::Privilege::administer,
              .summary = "Take an issuer's tokens no more.",
              .handler = [&services](const RequestPtr& r) { remove_issuer(services, r); }});
}

}  // namespace drover::api

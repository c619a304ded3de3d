// /credentials, /signing-keys and /jwks: bearer tokens and certificates of people and programs.
#include "api/idempotency.hpp"
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/native.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api {
namespace {

struct CredentialCreate {
  static constexpr std::string_view kTypeName = "CredentialRequest";
  std::string name;
  auth::Access role = auth::Access::viewer;
  std::string nodes;
  std::vector<std::string> groups;
  int64_t ttl_s = auth::kDefaultBearerLife / std::chrono::seconds(1);
  std::string csr_pem;
  void describe(Visitor& v) {
    v.field("name", name,
            "Whom it speaks for: 1 to 64 letters, digits, '.', '_', '-', '@'; the principal is "
            "credential:NAME.");
    v.field("role", role, "What it allows.");
    v.field("nodes", nodes, "Noderange of the nodes that may be changed with it; empty: no limit.",
            Presence::optional);
    v.field("groups", groups, "Groups of its bearer, for the permissions of nodes.",
            Presence::optional);
    v.field("ttl_s", ttl_s, "Seconds until it ends, up to 366 days.", Presence::optional);
    v.field("csr_pem", csr_pem,
            "A signing request (PKCS #10, PEM): then a certificate is made in place of a token.",
            Presence::optional);
  }
};

struct CredentialCreated {
  static constexpr std::string_view kTypeName = "CreatedCredential";
  std::string id;
  std::string token;
  std::string certificate_pem;
  std::string ca_pem;
  WallTime expires{};
  void describe(Visitor& v) {
    v.field("id", id, "Names it in lists.");
    v.field("token", token, "The secret for the header Authorization: Bearer; shown this once.");
    v.field("certificate_pem", certificate_pem, "The certificate, when one was asked for.");
    v.field("ca_pem", ca_pem, "Certificate of the cluster's authority.");
    v.field("expires", expires, "When it ends.");
  }
};

struct CredentialView {
  static constexpr std::string_view kTypeName = "Credential";
  auth::BearerRecord record;
  WallTime last_used{};
  void describe(Visitor& v) {
    record.describe(v);
    v.field("last_used", last_used,
            "When this master last accepted it; null: not since it started.");
  }
};

struct RotateBody {
  static constexpr std::string_view kTypeName = "RotateKeysRequest";
  bool forget_old = false;
  void describe(Visitor& v) {
    v.field("forget_old", forget_old, "End every token so far, for a key that was stolen.",
            Presence::optional);
  }
};

struct SigningKeysView {
  static constexpr std::string_view kTypeName = "SigningKeys";
  std::string current;
  uint64_t keys = 0;
  void describe(Visitor& v) {
    v.field("current", current, "Id (kid) of the key that signs.");
    v.field("keys", keys, "How many keys check tokens.");
  }
};

CredentialView view_of(Services& services, const auth::BearerRecord& record) {
  return {record, services.access.credentials().last_used(record.id).value_or(WallTime{})};
}

/// The secret is given out once and never stored, so a repeated key gets a conflict, not the text.
void create_credential(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, CredentialCreate asked, request->body<CredentialCreate>());
  constexpr int64_t kLongest = auth::kLongestBearerLife / std::chrono::seconds(1);
  if (asked.ttl_s < 1 || asked.ttl_s > kLongest) {
    return request->fail({Code::invalid_argument,
                          fmt::format("ttl_s: expected 1 to {}, got {}", kLongest, asked.ttl_s), "",
                          ""});
  }
  auth::BearerRequest wanted{std::move(asked.name),
                             asked.role,
                             std::move(asked.nodes),
                             std::move(asked.groups),
                             std::chrono::seconds(asked.ttl_s),
                             std::move(asked.csr_pem)};
  note_once(services, request, [&services, request, wanted = std::move(wanted)] {
    services.access.credentials().create(
        request->author(), wanted, [&services, request](Result<auth::CreatedBearer> created) {
          if (!created) return request->fail(created.error());
          const auth::BearerRecord& record = created->record;
          const bool token = record.form == auth::BearerForm::token;
          net::HttpResponse response;
          response.status = 201;
          response.headers.add("Content-Type", "application/json");
          response.headers.add("Location", "/api/v1/credentials/" + record.id);
          response.body = encode(CredentialCreated{record.id, token ? created->secret : "",
                                                   token ? "" : created->secret,
                                                   services.access.ca_pem(), record.expires}) +
                          "\n";
          request->respond(std::move(response));
        });
  });
}

void list_credentials(Services& services, const RequestPtr& request) {
  std::vector<const auth::BearerRecord*> sorted;
  for (const auto& [id, record] : services.access.credentials().all()) sorted.push_back(&record);
  std::ranges::sort(sorted, {}, [](const auth::BearerRecord* record) {
    return std::pair(record->created, std::string_view(record->id));
  });
  ListWriter list;
  for (const auth::BearerRecord* record : sorted) list.add(view_of(services, *record));
  request->json(200, list.finish());
}

void show_credential(Services& services, const RequestPtr& request) {
  const auto& all = services.access.credentials().all();
  const auto known = all.find(request->path("id"));
  if (known == all.end()) {
    return request->fail({Code::not_found,
                          fmt::format("there is no credential '{}'", request->path("id")), "",
                          "drover credential list shows all"});
  }
  request->json(200, encode(view_of(services, known->second)));
}

void revoke_credential(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const std::string why, why_of(request));
  once(services, request, [&services, request, why](Finish finish) {
    services.access.credentials().revoke(
        request->author(), request->path("id"), why,
        [finish = std::move(finish)](const Status& revoked) mutable {
          finish(revoked ? Result<Reply>(Reply{204, "", ""})
                         : tl::unexpected<Error>(revoked.error()));
        });
  });
}

void rotate_keys(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const RotateBody asked, request->body<RotateBody>());
  once(services, request, [&services, asked](Finish finish) {
    services.access.rotate_keys(
        asked.forget_old, [&services, finish = std::move(finish)](const Status& done) mutable {
          if (!done) return finish(tl::unexpected<Error>(done.error()));
          const auth::SigningKeys& keys = services.access.credentials().keys();
          finish(Reply{200, encode(SigningKeysView{keys.current(), keys.checking().keys().size()}),
                       ""});
        });
  });
}

struct JwksView {
  static constexpr std::string_view kTypeName = "Jwks";
  std::vector<RawJson> keys;
  void describe(Visitor& v) { v.field("keys", keys, "The public keys (RFC 7517)."); }
};

void show_jwks(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string text, services.access.credentials().keys().jwks());
  request->json(200, std::move(text));
}

}  // namespace

void add_credentials(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/credentials",
              .privilege = auth::Privilege::administer,
              .summary = "Make a bearer token or a certificate for a person or program.",
              .takes = body_of<CredentialCreate>(),
              .gives = body_of<CredentialCreated>(),
              .status = 201,
              .location = true,
              .handler = [&services](const RequestPtr& r) { create_credential(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/credentials",
              .privilege = auth::Privilege::administer,
              .summary = "List credentials without their secrets, oldest first.",
              .gives = list_of<CredentialView>(),
              .handler = [&services](const RequestPtr& r) { list_credentials(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/credentials/{id}",
              .privilege = auth::Privilege::administer,
              .summary = "Show one credential without its secret.",
              .gives = body_of<CredentialView>(),
              .handler = [&services](const RequestPtr& r) { show_credential(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/credentials/{id}",
              .privilege = auth::Privilege::administer,
              .summary = "Refuse a credential from now on.",
              .query = {why_parameter("Free text for people.")},
              .handler = [&services](const RequestPtr& r) { revoke_credential(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/signing-keys",
              .privilege = auth::Privilege::administer,
              .summary = "Make a new key that signs bearer tokens.",
              .takes = body_of<RotateBody>(),
              .gives = body_of<SigningKeysView>(),
              .handler = [&services](const RequestPtr& r) { rotate_keys(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/jwks",
              .privilege = auth::Privilege::open,
              .summary = "The public keys that check this cluster's bearer tokens, as a JWKS.",
              .gives = body_of<JwksView>(),
              .handler = [&services](const RequestPtr& r) { show_jwks(services, r); }});
}

}  // namespace drover::api

// POST /tokens, GET /tokens, DELETE /tokens/{id}: join tokens.
#include "api/idempotency.hpp"
#include "api/list_writer.hpp"
#include "api/native/native.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct TokenCreate {
  static constexpr std::string_view kTypeName = "TokenRequest";
  std::string role;
  std::string names;
  int64_t ttl_s = 3600;
  uint32_t uses = 1;
  bool replace = false;
  void describe(Visitor& v) {
    v.field("role", role, "Kind of daemon that it lets in.");
    v.field("names", names, "Noderange of plain names that may use it; empty: any.",
            Presence::optional);
    v.field("ttl_s", ttl_s, "Seconds until it expires.", Presence::optional);
    v.field("uses", uses, "How many daemons it lets in.", Presence::optional);
    v.field("replace", replace, "Whether it may give a name to another key than the one it has.",
            Presence::optional);
  }
};

struct TokenCreated {
  static constexpr std::string_view kTypeName = "CreatedToken";
  std::string id;
  std::string token;
  WallTime expires{};
  void describe(Visitor& v) {
    v.field("id", id, "Names it in lists.");
    v.field("token", token, "The secret text for drover join; shown this once.");
    v.field("expires", expires, "When it ends.");
  }
};

struct TokenView {
  static constexpr std::string_view kTypeName = "Token";
  std::string id;
  std::string role;
  std::string names;
  bool replace = false;
  uint32_t uses = 0;
  uint32_t uses_left = 0;
  WallTime created{};
  std::string created_by;
  WallTime expires{};
  void describe(Visitor& v) {
    v.field("id", id, "Names it.");
    v.field("role", role, "Kind of daemon that it lets in.");
    v.field("names", names, "Noderange of names that may use it; empty: any.");
    v.field("replace", replace, "Whether it may give a name to another key.");
    v.field("uses", uses, "How many daemons it lets in.");
    v.field("uses_left", uses_left, "How many more.");
    v.field("created", created, "When it was made.");
    v.field("created_by", created_by, "By whom.");
    v.field("expires", expires, "When it ends.");
  }
};

/// The secret is given out once and never stored, so a repeated key gets a conflict, not the text.
void create_token(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const TokenCreate asked, request->body<TokenCreate>());
  const Duration longest = services.model.settings().duration("join.token_lifetime");
  if (asked.ttl_s < 1 || asked.ttl_s > longest / std::chrono::seconds(1)) {
    return request->fail(
        {Code::invalid_argument,
         fmt::format("ttl_s: expected 1 to {}, the setting join.token_lifetime "
                     "({}), not {}",
                     longest / std::chrono::seconds(1), duration_text(longest), asked.ttl_s),
         "", "drover setting get join.token_lifetime"});
  }
  auth::TokenRequest token;
  token.role = asked.role;
  token.names = asked.names;
  token.ttl = std::chrono::seconds(asked.ttl_s);
  token.uses = asked.uses;
  token.replace = asked.replace;
  note_once(services, request, [&services, request, token] {
    services.enrolment.create_token(
        request->author(), token, [request](const Result<auth::CreatedToken>& created) {
          if (!created) return request->fail(created.error());
          const auth::TokenRecord& record = created->record;
          net::HttpResponse response;
          response.status = 201;
          response.headers.add("Content-Type", "application/json");
          response.headers.add("Location", "/api/v1/tokens/" + record.id);
          response.body = encode(TokenCreated{record.id, created->text, record.expires}) + "\n";
          request->respond(std::move(response));
        });
  });
}

void list_tokens(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auth::TokenRecord& token : services.enrolment.tokens()) {
    list.add(TokenView{token.id, token.role, token.names, token.replace, token.uses,
                       token.uses_left, token.created, token.created_by, token.expires});
  }
  request->json(200, list.finish());
}

void revoke_token(Services& services, const RequestPtr& request) {
  once(services, request, [&services, request](Finish finish) {
    services.enrolment.revoke_token(request->author(), request->path("id"),
                                    [finish = std::move(finish)](const Status& revoked) mutable {
                                      finish(revoked ? Result<Reply>(Reply{204, "", ""})
                                                     : tl::unexpected<Error>(revoked.error()));
                                    });
  });
}

}  // namespace

void add_tokens(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/tokens",
              .privilege = auth::Privilege::administer,
              .summary = "Make a token that lets daemons join.",
              .takes = body_of<TokenCreate>(),
              .gives = body_of<TokenCreated>(),
              .status = 201,
              .location = true,
              .handler = [&services](const RequestPtr& r) { create_token(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/tokens",
              .privilege = auth::Privilege::administer,
              .summary = "List join tokens, without their secrets.",
              .gives = list_of<TokenView>(),
              .handler = [&services](const RequestPtr& r) { list_tokens(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/tokens/{id}",
              .privilege = auth::Privilege::administer,
              .summary = "End a join token; who joined with it stays.",
              .handler = [&services](const RequestPtr& r) { revoke_token(services, r); }});
}

}  // namespace drover::api

// What somebody with a little access, or none, tries in order to get more: each attempt fails, and
// is seen.
#include "api/test_master.hpp"
#include "auth/jwk.hpp"
#include "base/base64.hpp"
#include "base/json_values.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using std::chrono::seconds;
using testing::person;
using testing::Recorded;
using testing::TestMaster;

std::string field(const Recorded& answer, const char* name) {
  const auto value = parse_json(answer.body);
  if (!value || !value->is_object()) return {};
  const json::value* found = value->get_object().if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

class Attacks : public ::testing::Test {
 protected:
  Attacks() {
    for (int i = 1; i <= 4; ++i) master.add_node(fmt::format("n{}", i));
  }
  std::string token(const std::string& role, const std::string& nodes = "", int ttl_s = 3600) {
    const Recorded made = master.ask(
        "POST", "/api/v1/credentials",
        fmt::format(R"({{"name":"eve","role":"{}","nodes":"{}","ttl_s":{}}})", role, nodes, ttl_s));
    EXPECT_EQ(made.status, 201) << made.body;
    id = field(made, "id");
    return field(made, "token");
  }
  int as(const std::string& bearer, const std::string& method, const std::string& target,
         const std::string& body = "") {
    last = master.ask_with(bearer, method, "/api/v1" + target, body);
    return last.status;
  }
  /// A stream of changes that the bearer has opened.
  std::shared_ptr<Recorded> watch(const std::string& bearer) {
    std::optional<Result<auth::Principal>> who;
    master.access->authenticate(bearer,
                                [&who](Result<auth::Principal> found) { who = std::move(found); });
    auto stream = master.send({"GET", "/api/v1/watch", {}, "", {}}, **who);
    EXPECT_TRUE(master.world.run_until([&] { return stream->status != 0; }, seconds(1)));
    EXPECT_EQ(stream->status, 200) << stream->body;
    return stream;
  }
  TestMaster master;
  std::string id;
  Recorded last;
};

// --- forged tokens ----------------------------------------------------------------------------

TEST_F(Attacks, NoForgedTokenIsTaken) {
  const std::string good = token("admin");
  ASSERT_EQ(as(good, "GET", "/nodes"), 200);
  const size_t first = good.find('.');
  const size_t second = good.rfind('.');
  const std::string payload = good.substr(first + 1, second - first - 1);
  const std::string signature = good.substr(second + 1);
  const auth::SigningKeys& keys = master.access->credentials().keys();
  const std::string kid = keys.current();
  const auto with_header = [&](const std::string& header, const std::string& with) {
    return to_base64url(header) + "." + payload + "." + with;
  };
  const auth::KeyPair own = auth::KeyPair::make().value();
  const std::string claims = *from_base64url(payload);
  const std::string jwk = auth::to_jwk(own.public_key(), "mine").value();
  const std::string with_own = auth::sign_jws(own, "mine", claims).value();
  const std::string own_signature = with_own.substr(with_own.rfind('.') + 1);
  const std::map<std::string, std::string> forged = {
      {"no algorithm, no signature", with_header(R"({"alg":"none","typ":"JWT"})", "")},
      {"no algorithm, the old signature", with_header(R"({"alg":"none"})", signature)},
      {"algorithm in capitals", with_header(R"({"alg":"NONE","kid":")" + kid + "\"}", "")},
      {"the public key as a shared secret",
       with_header(R"({"alg":"HS256","kid":")" + kid + "\"}", signature)},
      {"RSA with the EC key", with_header(R"({"alg":"RS256","kid":")" + kid + "\"}", signature)},
      {"no signature", good.substr(0, second + 1)},
      {"half a signature", good.substr(0, second + 1 + signature.size() / 2)},
      {"a signature of zeros", good.substr(0, second + 1) + to_base64url(std::string(64, '\0'))},
      {"no key id", with_header(R"({"alg":"ES256"})", signature)},
      {"a path as key id", with_header(R"({"alg":"ES256","kid":"../ca/ca"})", signature)},
      {"SQL as key id", with_header(R"({"alg":"ES256","kid":"' OR 1=1 --"})", signature)},
      {"a key of its own", with_own},
      {"a key of its own under our id", auth::sign_jws(own, kid, claims).value()},
      {"a key of its own in the header",
       with_header(R"({"alg":"ES256","kid":"mine","jwk":)" + jwk + "}", own_signature)},
      {"a key from its own server",
       with_header(R"({"alg":"ES256","kid":"mine","jku":"https://evil.example/keys"})",
                   own_signature)},
      {"an extension that must be understood",
       with_header(R"({"alg":"ES256","kid":")" + kid + R"(","crit":["exp"]})", signature)},
  };
  for (const auto& [what, text] : forged) {
    EXPECT_EQ(as(text, "GET", "/nodes"), 401) << what;
    EXPECT_EQ(last.body.find("ca_pem"), std::string::npos);
  }
  EXPECT_EQ(master.fetches, 0) << "nothing that a token says is fetched";
}

TEST_F(Attacks, WhatOurOwnKeySignedMustStillBeAboutThisClusterNowAndOnRecord) {
  static_cast<void>(token("viewer"));
  const auth::SigningKeys& keys = master.access->credentials().keys();
  const int64_t now = to_unix_ms(master.world.wall()) / 1000;
  const json::object good{{"iss", "drover:alpha"},
                          {"aud", "alpha"},
                          {"sub", "eve"},
                          {"jti", id},
                          {"iat", now},
                          {"nbf", now},
                          {"exp", now + 60}};
  const auto with = [&](const char* name, const json::value& value) {
    json::object changed = good;
    if (value.is_null()) {
      changed.erase(name);
    } else {
      changed[name] = value;
    }
    return as(keys.sign(to_text(changed)).value(), "GET", "/nodes");
  };
  EXPECT_EQ(as(keys.sign(to_text(good)).value(), "GET", "/nodes"), 200);
  EXPECT_EQ(with("iss", "drover:beta"), 401);
  EXPECT_EQ(with("iss", nullptr), 401);
  EXPECT_EQ(with("aud", "beta"), 401);
  EXPECT_EQ(with("aud", nullptr), 401);
  EXPECT_EQ(with("aud", json::array{"beta", "gamma"}), 401);
  EXPECT_EQ(with("exp", now - 31), 401);
  EXPECT_EQ(with("exp", nullptr), 401);
  EXPECT_EQ(with("exp", "never"), 401);
  EXPECT_EQ(with("exp", -1), 401);
  EXPECT_EQ(with("nbf", now + 31), 401);
  EXPECT_EQ(with("jti", nullptr), 401);
  EXPECT_EQ(with("jti", "0000000000000000"), 401);
  EXPECT_EQ(with("sub", "root"), 401) << "somebody else's id";
}

TEST_F(Attacks, AnIssuersClaimsNeverMakeMoreThanItsMappingSays) {
  const auth::KeyPair key = auth::KeyPair::make().value();
  const std::string issuer =
      R"({"name":"corp","url":"https://id.example","audience":"drover","jwks":{"keys":[)" +
      auth::to_jwk(key.public_key(), "k").value() +
      R"(]},"name_claim":"name","role_claim":"groups","roles":{"ops":"operator"},"nodes":"n1"})";
  ASSERT_EQ(master.ask("POST", "/api/v1/issuers", issuer).status, 201);
  const int64_t now = to_unix_ms(master.world.wall()) / 1000;
  const auto signed_with = [&](json::object claims) {
    const json::object base{{"iss", "https://id.example"}, {"aud", "drover"}, {"exp", now + 60}};
    for (const auto& claim : base) claims.emplace(claim.key(), claim.value());
    return auth::sign_jws(key, "k", to_text(claims)).value();
  };
  const json::array ops{"ops"};
  EXPECT_EQ(as(signed_with({{"name", "dave"}, {"groups", ops}}), "PATCH", "/nodes/n1", "{}"), 200);
  EXPECT_EQ(as(signed_with({{"name", "dave"}, {"groups", ops}}), "PATCH", "/nodes/n2", "{}"), 403)
      << "the issuer's own limit";
  for (const char* claim : {"role", "nodes", "scope", "roles"}) {
    EXPECT_EQ(as(signed_with({{"name", "dave"}, {"groups", json::array{"x"}}, {claim, "admin"}}),
                 "PATCH", "/nodes/n1", "{}"),
              403)
        << claim;
  }
  EXPECT_EQ(as(signed_with({{"groups", ops}}), "GET", "/nodes"), 401) << "no name";
  EXPECT_EQ(as(signed_with({{"name", json::array{"a", "b"}}, {"groups", ops}}), "GET", "/nodes"),
            401);
  // A name that would read as somebody else, or as another line of a log.
  for (const char* hostile : {"root@master/m1", "x\nuser:root@master/m1", "*", "../corp/dave"}) {
    ASSERT_EQ(as(signed_with({{"name", hostile}, {"groups", ops}}), "GET", "/whoami"), 200);
    const std::string principal = field(last, "principal");
    EXPECT_TRUE(principal.starts_with("oidc:corp/")) << principal;
    EXPECT_EQ(principal.find_first_of("@\n*", 10), std::string::npos) << principal;
    EXPECT_EQ(principal.find('/', 10), std::string::npos) << principal;
  }
  ASSERT_EQ(as(signed_with({{"name", "root"}, {"groups", ops}}), "GET", "/whoami"), 200);
  EXPECT_EQ(field(last, "account"), "") << "root's own nodes are not a foreign root's";
}

// --- what is taken back -----------------------------------------------------------------------

TEST_F(Attacks, AStreamEndsWithTheCredentialThatOpenedIt) {
  const std::string bearer = token("viewer");
  const auto stream = watch(bearer);
  EXPECT_FALSE(stream->complete);
  ASSERT_EQ(master.ask("DELETE", "/api/v1/credentials/" + id + "?why=lost").status, 204);
  EXPECT_TRUE(stream->complete);
  EXPECT_NE(stream->body.find("was revoked by"), std::string::npos) << stream->body;
  const std::string before = stream->body;
  master.add_node("n9");
  EXPECT_EQ(stream->body, before) << "and nothing comes after";
  EXPECT_EQ(before.find("\"revoked\""), std::string::npos) << "not even what revoked it";
}

TEST_F(Attacks, AStreamEndsWithTheTokensTime) {
  const auto stream = watch(token("viewer", "", 60));
  EXPECT_TRUE(master.world.run_for(seconds(50)));
  EXPECT_FALSE(stream->complete);
  EXPECT_TRUE(master.world.run_for(seconds(30)));
  EXPECT_TRUE(stream->complete);
  EXPECT_NE(stream->body.find("expired at"), std::string::npos);
}

TEST_F(Attacks, AStreamEndsWithTheGrant) {
  const std::string bearer = token("viewer");
  const auto stream = watch(bearer);
  const auto other = watch(bearer);
  const std::string none = R"({"grants":[{"principal":"credential:eve","role":"none"}]})";
  ASSERT_EQ(master.ask("PUT", "/api/v1/grants", none, {{"If-Match", "\"0\""}}).status, 200);
  EXPECT_TRUE(stream->complete);
  EXPECT_TRUE(other->complete);
  EXPECT_EQ(as(bearer, "GET", "/nodes"), 403);
}

TEST_F(Attacks, ARevokedTokenReplaysNothing) {
  const std::string bearer = token("operator");
  ASSERT_EQ(as(bearer, "PATCH", "/nodes/n1", R"({"locked":true})"), 200);
  ASSERT_EQ(master.ask("DELETE", "/api/v1/credentials/" + id).status, 204);
  for (const char* target : {"/nodes", "/whoami", "/changes", "/health", "/jwks", "/version"}) {
    EXPECT_EQ(as(bearer, "GET", target), 401) << target;
  }
  EXPECT_EQ(as(bearer, "PATCH", "/nodes/n1", R"({"locked":false})"), 401);
  EXPECT_EQ(master.audited.back().outcome, "refused");
}

// --- limits -----------------------------------------------------------------------------------

TEST_F(Attacks, ALimitToNodesIsNotWidened) {
  ASSERT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"mine","nodes":"n[1-2]"})").status,
            201);
  master.add_node("m1");
  for (const char* role : {"operator", "admin"}) {
    const std::string bearer = token(role, "@mine");
    EXPECT_EQ(as(bearer, "PATCH", "/nodes/n1", R"({"locked":true})"), 200);
    struct Attempt {
      const char* method;
      const char* target;
      const char* body;
    };
    const std::vector<Attempt> attempts = {
        {"PATCH", "/nodes/n3", R"({"locked":true})"},
        {"PATCH", "/nodes?nodes=n[1-3]", R"({"locked":true})"},
        {"PATCH", "/nodes?nodes=*", R"({"locked":true})"},
        {"DELETE", "/nodes/n3", ""},
        {"DELETE", "/nodes?nodes=n[1-4]", ""},
        {"POST", "/nodes", R"({"name":"n9"})"},
        {"POST", "/nodes?nodes=n[8-9]", "{}"},
        {"POST", "/nodes/n1/rename", R"({"to":"n9"})"},
        {"POST", "/nodes/n3/rename", R"({"to":"n1x"})"},
        {"POST", "/calls", R"({"method":"ping","nodes":"n[1-3]"})"},
        {"POST", "/groups/mine/members", R"({"add":"n3"})"},
        {"PATCH", "/groups/mine", R"({"nodes":"n[1-4]"})"},
        {"DELETE", "/groups/mine", ""},
        {"POST", "/groups", R"({"name":"more","nodes":"n3"})"},
        {"POST", "/profiles", R"({"name":"default","attributes":{"x.a":"1"}})"},
        {"POST", "/apply",
         R"({"document":{"kind":"drover-cluster","version":1,"nodes":{"n3":{}}}})"},
        {"POST", "/changes/1/revert", "{}"},
        {"PUT", "/grants", R"({"grants":[{"principal":"credential:eve","role":"admin"}]})"},
        {"POST", "/credentials", R"({"name":"eve","role":"admin"})"},
        {"POST", "/tokens", R"({"role":"compute"})"},
        {"POST", "/issuers", "{}"},
        {"POST", "/signing-keys", "{}"},
        {"POST", "/certificates/revoke", R"({"names":"n3","why":"x"})"},
        {"GET", "/backup", ""},
    };
    for (const Attempt& attempt : attempts) {
      const size_t seen = master.audited.size();
      EXPECT_EQ(as(bearer, attempt.method, attempt.target, attempt.body), 403)
          << role << " " << attempt.method << " " << attempt.target << " " << last.body;
      ASSERT_EQ(master.audited.size(), seen + 1) << attempt.target;
      EXPECT_EQ(master.audited.back().outcome, "refused");
      EXPECT_EQ(master.audited.back().principal, "credential:eve");
    }
  }
}

TEST_F(Attacks, ABackupIsForAdminsWithoutALimitAndInTheAudit) {
  EXPECT_EQ(as(token("operator"), "GET", "/backup"), 403);
  EXPECT_EQ(master.audited.back().outcome, "refused");
  EXPECT_EQ(as(token("admin", "n1"), "GET", "/backup"), 403);
  EXPECT_NE(last.body.find("limited to n1"), std::string::npos);
  const size_t before = master.audited.size();
  EXPECT_EQ(as(token("admin"), "GET", "/backup"), 200);
  ASSERT_EQ(master.audited.size(), before + 2) << "the credential's making, and this";
  EXPECT_EQ(master.audited.back().target, "/api/v1/backup");
  EXPECT_EQ(master.audited.back().outcome, "done");
}

// --- what is read, and what is noted ----------------------------------------------------------

TEST_F(Attacks, TheChangeLogTellsViewersNothingThatTheyMayNotRead) {
  static_cast<void>(token("admin", "n[1-3]"));
  ASSERT_EQ(master
                .ask("PUT", "/api/v1/grants",
                     R"({"grants":[{"principal":"user:secretive","role":"admin"}]})",
                     {{"If-Match", "\"0\""}})
                .status,
            200);
  const std::string log = master.get("/api/v1/changes").body;
  EXPECT_NE(log.find("\"kind\":\"grant\""), std::string::npos) << "that it happened is no secret";
  EXPECT_NE(log.find("\"kind\":\"bearer\""), std::string::npos);
  EXPECT_EQ(log.find("secretive"), std::string::npos);
  EXPECT_EQ(log.find("n[1-3]"), std::string::npos);
  const std::string viewer = token("viewer");
  for (const char* target : {"/tokens", "/credentials", "/grants", "/issuers", "/audit"}) {
    EXPECT_EQ(as(viewer, "GET", target), 403) << target;
    EXPECT_EQ(master.audited.back().target, std::string("/api/v1") + target);
    EXPECT_EQ(master.audited.back().outcome, "refused") << "reading too";
  }
}

TEST_F(Attacks, AFloodOfRefusalsPushesNothingOutOfTheAudit) {
  constexpr int kTries = 5000;
  for (int i = 0; i < kTries; ++i) {
    net::HttpRequest request{"DELETE", "/api/v1/nodes/n1", {}, "", {}};
    request.peer.address = fmt::format("10.0.0.66:{}", 1000 + i);
    const auto answer = master.send(std::move(request), fail(Code::unauthenticated, "forged"));
    EXPECT_EQ(answer->status, i < 1000 ? 401 : 429);
  }
  EXPECT_LE(master.audited.size(), 210U);
  EXPECT_EQ(as(token("viewer"), "PATCH", "/nodes/n1", "{}"), 403);
  EXPECT_EQ(master.audited.back().principal, "credential:eve") << "others are still recorded";
  EXPECT_NE(master.audited.back().why.find("refusals before that are not recorded"),
            std::string::npos)
      << master.audited.back().why;
}

}  // namespace
}  // namespace drover::api

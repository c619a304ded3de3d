// Credentials, grants, issuers, whoami and the audit, from request to answer on a real store.
#include "api/test_master.hpp"
#include "auth/jwk.hpp"
#include "base/json_values.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

json::value parsed(const Recorded& answer) {
  auto value = parse_json(answer.body);
  EXPECT_TRUE(value) << answer.body;
  return value ? *value : json::value();
}
std::string text(const Recorded& answer, const char* field) {
  const json::value body = parsed(answer);
  const json::value* value = body.is_object() ? body.get_object().if_contains(field) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

class Credentials : public ::testing::Test {
 protected:
  Credentials() {
    for (int i = 1; i <= 4; ++i) master.add_node(fmt::format("n{}", i));
  }
  Recorded create(const std::string& body) {
    return master.ask("POST", "/api/v1/credentials", body);
  }
  std::string token(const std::string& role, const std::string& nodes = "", int ttl_s = 3600) {
    const Recorded made = create(
        fmt::format(R"({{"name":"ci","role":"{}","nodes":"{}","ttl_s":{}}})", role, nodes, ttl_s));
    EXPECT_EQ(made.status, 201) << made.body;
    id = text(made, "id");
    return text(made, "token");
  }
  Recorded lock(const std::string& bearer, const std::string& node) {
    return master.ask_with(bearer, "PATCH", "/api/v1/nodes/" + node, R"({"locked":true})");
  }
  TestMaster master;
  std::string id;
};

TEST_F(Credentials, ATokenIsItsRoleWithinItsNodes) {
  const std::string bearer = token("operator", "n[1-2]");
  EXPECT_EQ(lock(bearer, "n1").status, 200);
  const Recorded outside = lock(bearer, "n3");
  EXPECT_EQ(outside.status, 403);
  EXPECT_EQ(text(outside, "detail"), "credential:ci is limited to n[1-2] and may not change n3");
  EXPECT_EQ(master.ask_with(bearer, "POST", "/api/v1/tokens", R"({"role":"compute"})").status, 403);
  const json::value who = parsed(master.ask_with(bearer, "GET", "/api/v1/whoami"));
  EXPECT_EQ(who.at("principal"), "credential:ci");
  EXPECT_EQ(who.at("role"), "operator");
  EXPECT_EQ(who.at("limits").as_array().size(), 1U);
  EXPECT_EQ(who.at("credential").as_string(), std::string_view(id));
  EXPECT_FALSE(who.at("expires").is_null());
  // The change log says who it was.
  const json::value changes = parsed(master.get("/api/v1/changes?kind=node&key=n1"));
  EXPECT_EQ(changes.at("items").as_array().back().at("actor"), "credential:ci");
}

TEST_F(Credentials, TheSecretIsNowhereButInTheAnswer) {
  const std::string bearer = token("admin");
  const std::string signature = bearer.substr(bearer.rfind('.') + 1);
  for (const std::string& target :
       std::vector<std::string>{std::string("/api/v1/credentials"), "/api/v1/credentials/" + id,
                                std::string("/api/v1/changes"), std::string("/api/v1/audit")}) {
    const Recorded answer = master.ask("GET", target);
    EXPECT_EQ(answer.status, 200) << target;
    EXPECT_EQ(answer.body.find(signature), std::string::npos) << target;
  }
  const json::value listed = parsed(master.ask("GET", "/api/v1/credentials"));
  EXPECT_EQ(listed.at("items").at(0).at("name"), "ci");
  EXPECT_TRUE(listed.at("items").at(0).at("last_used").is_null());
  EXPECT_EQ(master.ask_with(bearer, "GET", "/api/v1/nodes").status, 200);
  EXPECT_FALSE(parsed(master.ask("GET", "/api/v1/credentials/" + id)).at("last_used").is_null());
}

TEST_F(Credentials, RevocationHoldsAtOnce) {
  const std::string bearer = token("operator");
  EXPECT_EQ(lock(bearer, "n1").status, 200);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/credentials/" + id + "?why=lost+laptop").status, 204);
  const Recorded refused = lock(bearer, "n2");
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(text(refused, "detail").find("was revoked by person:alice"), std::string::npos);
  EXPECT_NE(text(refused, "detail").find("lost laptop"), std::string::npos);
  EXPECT_EQ(master.audited.back().outcome, "refused");
  EXPECT_EQ(master.ask("DELETE", "/api/v1/credentials/nosuch").status, 404);
  EXPECT_EQ(parsed(master.ask("GET", "/api/v1/credentials/" + id)).at("revoked"), true);
}

TEST_F(Credentials, ATokenEnds) {
  const std::string bearer = token("viewer", "", 60);
  EXPECT_EQ(master.ask_with(bearer, "GET", "/api/v1/nodes").status, 200);
  EXPECT_TRUE(master.world.run_for(std::chrono::seconds(60)));
  const Recorded ended = master.ask_with(bearer, "GET", "/api/v1/nodes");
  EXPECT_EQ(ended.status, 401);
  EXPECT_NE(text(ended, "detail").find("expired at"), std::string::npos) << ended.body;
}

TEST_F(Credentials, ForgedAndForeignTokensAreRefused) {
  const std::string bearer = token("admin");
  TestMaster other;  // another cluster of the same id, with keys of its own
  EXPECT_EQ(other.ask_with(bearer, "GET", "/api/v1/nodes").status, 401);
  std::string changed = bearer;
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& bad : {changed, std::string("x"), std::string("a.b.c"), bearer + "A",
                                 std::string(20'000, 'a'), std::string()}) {
    EXPECT_EQ(master.ask_with(bad, "GET", "/api/v1/nodes").status, 401);
  }
}

TEST_F(Credentials, ARotatedKeyKeepsTokensAForgottenOneEndsThem) {
  const std::string bearer = token("viewer");
  EXPECT_EQ(master.ask("POST", "/api/v1/signing-keys", "{}").status, 200);
  EXPECT_EQ(master.ask_with(bearer, "GET", "/api/v1/nodes").status, 200);
  EXPECT_EQ(parsed(master.get("/api/v1/jwks", auth::Principal{})).at("keys").as_array().size(), 2U);
  EXPECT_EQ(master.ask("POST", "/api/v1/signing-keys", R"({"forget_old":true})").status, 200);
  EXPECT_EQ(master.ask_with(bearer, "GET", "/api/v1/nodes").status, 401);
  EXPECT_EQ(master.ask_with(token("viewer"), "GET", "/api/v1/nodes").status, 200);
}

TEST_F(Credentials, BadRequestsSayWhichFieldAndWhy) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({"role":"admin"})", "name"},
      {R"({"name":"","role":"admin"})", "name"},
      {R"({"name":"a b","role":"admin"})", "name"},
      {R"({"name":"ci","role":"emperor"})", "role"},
      {R"({"name":"ci","role":"none"})", "role"},
      {R"({"name":"ci","role":"admin","ttl_s":0})", "ttl_s"},
      {R"({"name":"ci","role":"admin","ttl_s":99999999})", "ttl_s"},
      {R"({"name":"ci","role":"admin","nodes":"n[1-"})", "nodes"},
      {R"({"name":"ci","role":"admin","groups":["a b"]})", "groups"},
      {R"({"name":"ci","role":"admin","csr_pem":"nonsense"})", "signing request"},
      {R"({"name":"ci","role":"admin","secret":"x"})", "secret"},
      {"nonsense", ""},
  };
  for (const auto& [body, field] : bad) {
    const Recorded answer = create(body);
    EXPECT_EQ(answer.status, 400) << body << answer.body;
    EXPECT_NE(text(answer, "detail").find(field), std::string::npos) << answer.body;
  }
  for (const char* role : {"viewer", "user", "operator"}) {
    EXPECT_EQ(master.ask("POST", "/api/v1/credentials", "{}", {}, person(role)).status, 403);
    EXPECT_EQ(master.ask("GET", "/api/v1/credentials", "", {}, person(role)).status, 403);
  }
}

TEST_F(Credentials, ACertificateIsMadeOnceForAKey) {
  const auth::KeyPair key = auth::KeyPair::make().value();
  const json::object body{{"name", "carol"},
                          {"role", "operator"},
                          {"nodes", "n1"},
                          {"csr_pem", auth::make_csr(key, "carol").value()}};
  const Recorded made = create(to_text(body));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(text(made, "token"), "");
  const auto certificate = auth::Certificate::from_pem(text(made, "certificate_pem")).value();
  EXPECT_EQ(certificate.uri(), "drover://alpha/operator/carol");
  auth::Principal carol = auth::certificate_principal(certificate.uri(), "alpha").value();
  carol.key_sha256 = key.public_key().sha256();
  const auto known = master.access->credentials().check_certificate(carol).value();
  ASSERT_TRUE(known);
  EXPECT_EQ(known->nodes, "n1");
  EXPECT_EQ(create(to_text(body)).status, 409) << "one certificate per key";
  EXPECT_EQ(master.ask("DELETE", "/api/v1/credentials/" + text(made, "id")).status, 204);
  EXPECT_EQ(master.access->credentials().check_certificate(carol).error().code,
            Code::unauthenticated);
}

TEST(GrantsApi, HoldFromTheAnswerOn) {
  TestMaster master;
  master.add_node("n1");
  const auto lock = [&master] {
    return master
        .ask("PATCH", "/api/v1/nodes/n1", R"({"locked":true})", {}, person("viewer", "bob"))
        .status;
  };
  EXPECT_EQ(lock(), 403);
  const Recorded first = master.ask("GET", "/api/v1/grants");
  EXPECT_EQ(first.headers.get("ETag"), "\"0\"");
  const std::string body = R"({"grants":[{"principal":"person:bob","role":"operator"}]})";
  const Recorded put = master.ask("PUT", "/api/v1/grants", body, {{"If-Match", "\"0\""}});
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(lock(), 200);
  EXPECT_EQ(master.ask("GET", "/api/v1/grants").headers.get("ETag"), put.headers.get("ETag"));
  // Somebody who had not seen that list changes nothing.
  EXPECT_NE(master.ask("PUT", "/api/v1/grants", R"({"grants":[]})", {{"If-Match", "\"0\""}}).status,
            200);
  EXPECT_EQ(lock(), 200);
  const std::string etag(*put.headers.get("ETag"));
  EXPECT_EQ(master.ask("PUT", "/api/v1/grants", R"({"grants":[]})", {{"If-Match", etag}}).status,
            200);
  EXPECT_EQ(lock(), 403);
}

TEST(GrantsApi, BadListsChangeNothing) {
  TestMaster master;
  for (const std::string& grants : std::vector<std::string>{
           R"([{"principal":"*","role":"admin"}])", R"([{"principal":"user:a","role":"king"}])",
           R"([{"principal":"user:a","role":"viewer","nodes":"n["}])",
           R"([{"principal":"user:a","role":"viewer"},{"principal":"user:a","role":"admin"}])",
           R"([{"role":"viewer"}])", R"({})"}) {
    const Recorded answer = master.ask("PUT", "/api/v1/grants", "{\"grants\":" + grants + "}");
    EXPECT_EQ(answer.status, 400) << grants;
    EXPECT_NE(text(answer, "detail").find("grants"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(master.ask("GET", "/api/v1/grants").body, "{\"grants\":[]}\n");
  EXPECT_EQ(master.ask("PUT", "/api/v1/grants", "{\"grants\":[]}", {}, person("operator")).status,
            403);
}

class IssuersApi : public ::testing::Test {
 protected:
  IssuersApi() { master.add_node("n1"); }
  std::string key_set(const auth::KeyPair& with, const std::string& kid) {
    return "{\"keys\":[" + auth::to_jwk(with.public_key(), kid).value() + "]}";
  }
  Recorded trust(const std::string& keys) {
    return master.ask("POST", "/api/v1/issuers",
                      R"({"name":"corp","url":"https://id.corp.example","audience":"drover",)" +
                          keys +
                          R"(,"name_claim":"preferred_username","role_claim":"groups",)"
                          R"("roles":{"hpc-ops":"operator","staff":"viewer"}})");
  }
  std::string token(const auth::KeyPair& with, const std::string& kid, const std::string& group,
                    const std::string& audience = "drover") {
    const int64_t now = to_unix_ms(master.world.wall()) / 1000;
    const json::object claims{{"iss", "https://id.corp.example"},
                              {"aud", audience},
                              {"sub", "1234"},
                              {"exp", now + 600},
                              {"iat", now},
                              {"preferred_username", "carol"},
                              {"groups", json::array{group, "others"}}};
    return auth::sign_jws(with, kid, to_text(claims)).value();
  }
  int lock(const std::string& bearer) {
    return master.ask_with(bearer, "PATCH", "/api/v1/nodes/n1", R"({"locked":true})").status;
  }
  TestMaster master;
  auth::KeyPair key = auth::KeyPair::make().value();
};

TEST_F(IssuersApi, ClaimsBecomeRolesWithoutANetwork) {
  ASSERT_EQ(trust("\"jwks\":" + key_set(key, "k1")).status, 201);
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 200);
  EXPECT_EQ(lock(token(key, "k1", "staff")), 403);
  EXPECT_EQ(lock(token(key, "k1", "guests")), 403);
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops", "another")), 401);
  EXPECT_EQ(lock(token(auth::KeyPair::make().value(), "k1", "hpc-ops")), 401);
  EXPECT_EQ(lock(token(key, "k2", "hpc-ops")), 401);
  EXPECT_EQ(master.fetches, 0);
  const json::value who =
      parsed(master.ask_with(token(key, "k1", "staff"), "GET", "/api/v1/whoami"));
  EXPECT_EQ(who.at("principal"), "oidc:corp/carol");
  EXPECT_EQ(who.at("role"), "viewer");
  EXPECT_EQ(master.ask("DELETE", "/api/v1/issuers/corp").status, 204);
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 401);
}

TEST_F(IssuersApi, KeysAreFetchedKeptAndRefreshed) {
  master.jwks = key_set(key, "k1");
  ASSERT_EQ(trust(R"("jwks_url":"https://id.corp.example/keys")").status, 201);
  EXPECT_EQ(master.fetched_from, "https://id.corp.example/keys");
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 200);
  const int once = master.fetches;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 200);
  EXPECT_EQ(master.fetches, once) << "a known key needs no fetch";
  // The issuer rotates: the first token of the new key fetches, but no sooner than allowed.
  const auth::KeyPair fresh = auth::KeyPair::make().value();
  master.jwks = key_set(fresh, "k2");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(lock(token(fresh, "k2", "hpc-ops")), 401);
  EXPECT_EQ(master.fetches, once) << "unknown keys must not drive requests at the issuer";
  EXPECT_TRUE(master.world.run_for(auth::Issuers::kLeastInterval));
  EXPECT_EQ(lock(token(fresh, "k2", "hpc-ops")), 200);
  EXPECT_EQ(master.fetches, once + 1);
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 401) << "what the issuer withdrew is worthless";
}

TEST_F(IssuersApi, AnUnreachableIssuerIsAskedLessAndLess) {
  ASSERT_EQ(trust(R"("jwks_url":"https://id.corp.example/keys")").status, 201);
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 401);
  EXPECT_TRUE(master.world.run_for(std::chrono::minutes(10)));
  EXPECT_LT(master.fetches, 20);
  const json::value listed = parsed(master.ask("GET", "/api/v1/issuers"));
  EXPECT_EQ(listed.at("items").at(0).at("problem"), "no such server");
  master.jwks = key_set(key, "k1");
  EXPECT_TRUE(master.world.run_for(std::chrono::minutes(6)));
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 200);
  // It goes away again: its keys are good for a day and no longer.
  master.jwks = fail(Code::unreachable, "gone");
  EXPECT_TRUE(master.world.run_for(std::chrono::hours(20)));
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 200);
  EXPECT_TRUE(master.world.run_for(std::chrono::hours(6)));
  EXPECT_EQ(lock(token(key, "k1", "hpc-ops")), 401);
}

TEST_F(IssuersApi, BadIssuersAreRefused) {
  const std::vector<std::string> bad = {
      "\"x\":1",
      R"("jwks":null)",
      R"("jwks_url":"http://id.example/keys")",
      R"("jwks_url":"https://")",
      R"("jwks":{"keys":[]})",
      R"("jwks":"text")",
      R"("jwks_url":"https://id.example/keys","ca_pem":"nonsense")",
      "\"jwks_url\":\"https://id.example/keys\",\"jwks\":" + key_set(key, "k"),
  };
  for (const std::string& keys : bad) EXPECT_EQ(trust(keys).status, 400) << keys;
  ASSERT_EQ(trust("\"jwks\":" + key_set(key, "k1")).status, 201);
  EXPECT_EQ(trust("\"jwks\":" + key_set(key, "k1")).status, 409);
  EXPECT_EQ(master.ask("GET", "/api/v1/issuers", "", {}, person("operator")).status, 403);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/issuers/nosuch").status, 404);
}

TEST(AuditApi, RefusedRequestsOfEveryKindAreInIt) {
  TestMaster master;
  master.add_node("n1");
  const auto outcome = [&master](const std::string& why) {
    const auth::AuditRecord& last = master.audited.back();
    EXPECT_NE(last.why.find(why), std::string::npos) << last.why;
    return last.outcome + " " + last.principal;
  };
  const auto patch = [&master](Result<auth::Principal> who, const std::string& body = "{}",
                               const std::string& node = "n1") {
    const auto sent = master.send({"PATCH", "/api/v1/nodes/" + node, {}, body, {}}, std::move(who));
    EXPECT_TRUE(master.world.run_until([&] { return sent->complete; }, std::chrono::minutes(1)));
  };
  patch(auth::Principal{});
  EXPECT_EQ(outcome("no token"), "refused anonymous");
  patch(fail(Code::unauthenticated, "the token expired at noon"));
  EXPECT_EQ(outcome("expired"), "refused anonymous");
  patch(person("viewer", "bob"));
  EXPECT_EQ(outcome("needs role user"), "refused person:bob");
  auth::Principal limited = person("operator", "bob");
  limited.nodes = "n2";
  patch(limited);
  EXPECT_EQ(outcome("limited to n2"), "refused person:bob");
  patch(person("operator", "bob"), "nonsense");
  EXPECT_EQ(outcome(""), "failed person:bob");
  patch(person("operator", "bob"), "{}", "n9");
  EXPECT_EQ(outcome("no node"), "failed person:bob");
  ASSERT_EQ(master.audited.size(), 6U);
}

TEST(AuditApi, IsFilteredAndPaged) {
  TestMaster master;
  for (int i = 1; i <= 5; ++i) {
    master.add_node(fmt::format("n{}", i));
    master.ask("PATCH", fmt::format("/api/v1/nodes/n{}", i), R"({"locked":true})", {},
               person("operator", i % 2 == 0 ? "eve" : "bob"));
    EXPECT_TRUE(master.world.run_for(std::chrono::seconds(1)));
  }
  const auto targets = [&master](const std::string& query) {
    std::string out;
    const json::value page = parsed(master.ask("GET", "/api/v1/audit" + query));
    for (const json::value& item : page.at("items").as_array()) {
      out += std::string(item.at("target").as_string()).back();
    }
    if (page.as_object().contains("next_page")) {
      out += "+" + std::string(page.at("next_page").as_string());
    }
    return out;
  };
  EXPECT_EQ(targets(""), "54321");
  EXPECT_EQ(targets("?principal=person:e*"), "42");
  EXPECT_EQ(targets("?target=nodes/n3"), "3");
  EXPECT_EQ(targets("?outcome=refused"), "");
  EXPECT_EQ(targets("?method=POST"), "");
  std::string page = targets("?limit=2");
  ASSERT_EQ(page.substr(0, 3), "54+");
  page = targets("?limit=2&page=" + page.substr(3));
  ASSERT_EQ(page.substr(0, 3), "32+");
  EXPECT_EQ(targets("?limit=2&page=" + page.substr(3)), "1");
  const std::string third = std::string(parsed(master.ask("GET", "/api/v1/audit?target=n3"))
                                            .at("items")
                                            .at(0)
                                            .at("time")
                                            .as_string());
  EXPECT_EQ(targets("?since=" + third), "543");
  EXPECT_EQ(targets("?until=" + third), "21");
  for (const char* bad : {"?outcome=x", "?since=yesterday", "?limit=0", "?page=x", "?page=1-",
                          "?page=-1-0", "?nosuch=1"}) {
    EXPECT_EQ(master.ask("GET", std::string("/api/v1/audit") + bad).status, 400) << bad;
  }
  EXPECT_EQ(master.ask("GET", "/api/v1/audit", "", {}, person("operator")).status, 403);
}

TEST(CertificatesApi, RevokesAllOrNone) {
  TestMaster master;
  EXPECT_EQ(master.ask("GET", "/api/v1/certificates").body, "{\"items\":[]}\n");
  const auto revoke = [&master](const std::string& body) {
    return master.ask("POST", "/api/v1/certificates/revoke", body).status;
  };
  EXPECT_EQ(revoke(R"({"names":"n[1-2]","why":"stolen"})"), 404);
  EXPECT_EQ(revoke(R"({"names":"n1"})"), 400);
  EXPECT_EQ(revoke(R"({"names":"n1","why":""})"), 400);
  EXPECT_EQ(revoke(R"({"names":"","why":"x"})"), 400);
  EXPECT_EQ(revoke(R"({"names":"n[","why":"x"})"), 400);
}

TEST(JoinApi, OneAddressMayTryOnlySoOften) {
  TestMaster master;
  const auto try_from = [&master](const std::string& address) {
    net::HttpRequest request{"POST", "/api/v1/join", {}, "{}", {}};
    request.peer.address = address;
    return master.send(std::move(request), auth::Principal{});
  };
  int refused = 0;
  std::shared_ptr<Recorded> last;
  for (int i = 0; i < 250; ++i) {
    auto answer = try_from(fmt::format("10.0.0.7:{}", 40000 + i));
    if (answer->status != 429) continue;
    ++refused;
    last = std::move(answer);
  }
  ASSERT_EQ(refused, 50);
  EXPECT_EQ(last->headers.get("Retry-After"), "1");
  EXPECT_NE(text(*last, "detail").find("10.0.0.7 tries to join too often"), std::string::npos);
  EXPECT_EQ(master.audited.back().status, 429U);
  EXPECT_EQ(try_from("10.0.0.8:1")->status, 400) << "others are not held up";
  EXPECT_EQ(try_from("[::1]:40000")->status, 400);
  EXPECT_TRUE(master.world.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(try_from("10.0.0.7:1")->status, 400);
}

TEST(TokensApi, AreForRolesThatSomebodyJoinsAs) {
  TestMaster master;
  for (const char* role : {"master", "emperor"}) {
    const Recorded answer =
        master.ask("POST", "/api/v1/tokens", fmt::format(R"({{"role":"{}"}})", role));
    EXPECT_GE(answer.status, 400) << role;
  }
  for (const char* role : {"compute", "aggregator", "utility", "boot"}) {
    EXPECT_EQ(master.ask("POST", "/api/v1/tokens", fmt::format(R"({{"role":"{}"}})", role)).status,
              201);
  }
}

}  // namespace
}  // namespace drover::api

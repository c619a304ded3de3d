// Commands about who may do what: credentials, grants, issuers, certificates, the audit, and where
// a bearer token comes from and goes to.
#include "base/json_values.hpp"
#include "cli/test_daemon.hpp"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::from_table;
using testing::json_response;
using testing::Ran;
using testing::run_against;
using testing::TestDaemon;

constexpr const char* kGrants =
    R"({"grants":[{"principal":"user:alice","role":"operator","nodes":"","why":""}]})";

/// Keeps what grant and credential commands send.
struct Kept {
  std::mutex mutex;
  std::vector<net::HttpRequest> requests;
};

TestDaemon::Handler keeping(const std::shared_ptr<Kept>& kept, const std::string& body) {
  return [kept, body](const net::HttpRequest& request, const auto& exchange) {
    {
      const std::lock_guard lock(kept->mutex);
      kept->requests.push_back(request);
    }
    net::HttpResponse response = json_response(body);
    response.headers.add("ETag", "\"7\"");
    exchange->respond(std::move(response));
  };
}

TEST(GrantCommand, ChangesTheListThatItSaw) {
  const auto kept = std::make_shared<Kept>();
  TestDaemon daemon(keeping(kept, kGrants));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_NE(drover({"grant", "list"}).out.find("user:alice"), std::string::npos);
  const Ran added = drover(
      {"grant", "add", "user:bob", "viewer", "--nodes", "n[1-2]", "--first", "--why", "x y"});
  ASSERT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(added.out, "grant 1: user:bob is viewer\n");
  ASSERT_EQ(kept->requests.size(), 3U);
  const net::HttpRequest& put = kept->requests.back();
  EXPECT_EQ(put.method + " " + put.target, "PUT /api/v1/grants?why=x%20y");
  EXPECT_EQ(put.headers.get("If-Match"), "\"7\"");
  const json::value body = parse_json(put.body).value();
  ASSERT_EQ(body.at("grants").as_array().size(), 2U);
  EXPECT_EQ(body.at("grants").at(0).at("principal"), "user:bob");
  EXPECT_EQ(body.at("grants").at(0).at("nodes"), "n[1-2]");
  ASSERT_EQ(drover({"grant", "remove", "user:alice"}).code, 0);
  EXPECT_EQ(parse_json(kept->requests.back().body)->at("grants").as_array().size(), 0U);
  EXPECT_EQ(drover({"grant", "remove", "user:eve"}).code, 1);
  EXPECT_EQ(drover({"grant", "add", "user:x", "viewer", "--before", "2"}).code, 2);
  EXPECT_EQ(drover({"grant", "add", "user:x", "viewer", "--nodes", "n["}).code, 2);
  EXPECT_EQ(drover({"grant", "add", "user:x", "emperor"}).code, 2);
}

TEST(CredentialCommand, PrintsTheTokenAloneOnStandardOutput) {
  const Ran made = run_against(
      {{"POST /api/v1/credentials",
        json_response(R"({"id":"i1","token":"a.b.c","expires":"2026-11-22T00:00:00Z"})", 201)}},
      {"credential", "create", "ci", "--role", "operator"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(made.out, "a.b.c\n");
  EXPECT_NE(made.err.find("shown this once"), std::string::npos);
  EXPECT_EQ(run_against({}, {"credential", "create", "ci", "--ttl", "soon"}).code, 2);
  EXPECT_EQ(run_against({}, {"credential", "create", "ci", "--nodes", "n["}).code, 2);
}

TEST(CredentialCommand, RevokesByNameOnlyWhatIsLive) {
  TestDaemon daemon(from_table(
      {{"GET /api/v1/credentials",
        json_response(
            R"({"items":[{"id":"i1","name":"ci","revoked":true,"expires":"2200-01-01T00:00:00Z"},)"
            R"({"id":"i2","name":"ci","revoked":false,"expires":"2200-01-01T00:00:00Z"},)"
            R"({"id":"i3","name":"ci","revoked":false,"expires":"2001-01-01T00:00:00Z"}]})")},
       {"DELETE /api/v1/credentials/i2", {204, {}, ""}}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran revoked = drover({"credential", "revoke", "ci", "--why", "lost"});
  EXPECT_EQ(revoked.code, 0) << revoked.err;
  EXPECT_EQ(revoked.out, "credential i2 revoked\n");
  EXPECT_EQ(daemon.requests().back(), "DELETE /api/v1/credentials/i2?why=lost");
  EXPECT_EQ(drover({"credential", "revoke", "nobody"}).code, 1);
  const std::string listed = drover({"credential", "list"}).out;
  EXPECT_NE(listed.find("revoked"), std::string::npos);
  EXPECT_NE(listed.find("expired"), std::string::npos);
}

TEST(IssuerCommand, NeedsOneSourceOfKeys) {
  EXPECT_EQ(run_against({}, {"issuer", "add", "https://x", "drover"}).code, 2);
  EXPECT_EQ(run_against({}, {"issuer", "add", "https://x", "drover", "--jwks-url", "https://y",
                             "--roles", "staff"})
                .code,
            2);
  EXPECT_EQ(
      run_against({}, {"issuer", "add", "https://x", "drover", "--jwks-file", "/nonexistent"}).code,
      1);
}

TEST(CertificateCommand, RevokesWithAReason) {
  EXPECT_EQ(run_against({}, {"node", "revoke", "n1"}).code, 2) << "--why is missing";
  TestDaemon daemon(from_table({{"POST /api/v1/certificates/revoke", {204, {}, ""}}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran revoked = drover({"node", "revoke", "n[1-2]", "--why", "stolen", "--yes"});
  EXPECT_EQ(revoked.code, 0) << revoked.err;
  EXPECT_EQ(revoked.out, "revoked: compute n[1-2]\n");
  EXPECT_EQ(
      daemon.requests().back(),
      R"(POST /api/v1/certificates/revoke {"role":"compute","names":"n[1-2]","why":"stolen"})");
  const Ran tried =
      drover({"certificate", "revoke", "aggregator", "agg1", "--why", "sold", "--dry-run"});
  EXPECT_EQ(tried.code, 0) << tried.err;
  EXPECT_EQ(tried.out, "would be revoked: aggregator agg1\n");
  EXPECT_NE(daemon.requests().back().find("/revoke?dry_run=true "), std::string::npos);
}

TEST(AuditCommand, ShowsTheNewestLast) {
  const std::string page =
      R"({"items":[{"time":"2026-11-21T00:00:02Z","principal":"user:b@master/m","daemon":"master/m",)"
      R"("address":"unix","method":"POST","target":"/x","outcome":"done","status":200,)"
      R"("request_id":"r2","why":""},)"
      R"({"time":"2026-11-21T00:00:01Z","principal":"anonymous","daemon":"master/m",)"
      R"("address":"10.0.0.7:4","method":"PATCH","target":"/y","outcome":"refused","status":401,)"
      R"("request_id":"r1","why":"no token"}]})";
  TestDaemon daemon(from_table({{"GET /api/v1/audit", json_response(page)}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran shown = drover({"audit", "--outcome", "refused", "--principal", "user:*"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_LT(shown.out.find("10.0.0.7:4"), shown.out.find("master/m")) << shown.out;
  EXPECT_EQ(daemon.requests().back(),
            "GET /api/v1/audit?principal=user%3A%2A&outcome=refused&limit=50");
  EXPECT_EQ(drover({"audit", "--since", "yesterday"}).code, 2);
  EXPECT_EQ(drover({"audit", "--limit", "0"}).code, 2);
  EXPECT_EQ(drover({"audit", "--follow", "--since", "1h"}).code, 2);
}

TEST(BearerToken, IsForAServerAloneAndNeverShown) {
  const auto kept = std::make_shared<Kept>();
  TestDaemon daemon(keeping(kept, "{}"));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  drover.environment["DROVER_TOKEN"] = "a.b.secret";
  EXPECT_EQ(drover({"whoami"}).code, 0);
  EXPECT_FALSE(kept->requests.back().headers.has("Authorization"))
      << "on a socket the kernel says who asks";
  EXPECT_EQ(drover({"whoami", "--token-file", "/dev/null"}).code, 2);
}

}  // namespace
}  // namespace drover::cli

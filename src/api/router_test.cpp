#include "api/router.hpp"

#include "api/native/native.hpp"
#include "api/openapi_text.hpp"
#include "api/test_master.hpp"
#include "base/json_values.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace drover::api {
namespace {

using testing::person;
using testing::TestMaster;

json::value parsed(const std::string& body) {
  auto value = parse_json(body);
  EXPECT_TRUE(value) << body;
  return value ? *value : json::value();
}
std::string detail(const testing::Recorded& answer) {
  return std::string(parsed(answer.body).at("detail").as_string());
}
std::string type(const testing::Recorded& answer) {
  return std::string(parsed(answer.body).at("type").as_string());
}

TEST(Router, UnknownPathsAndMethodsAreProblems) {
  TestMaster master;
  const auto missing = master.get("/api/v1/nodez");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.get("Content-Type"), "application/problem+json");
  EXPECT_EQ(type(missing), "urn:drover:problem:not-found");
  const auto wrong = master.ask("DELETE", "/api/v1/health");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.get("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(master.get("/api/v1/../v1/nodes").status, 400);
  EXPECT_EQ(master.get("/api/v1/nodes/%zz").status, 400);
}

TEST(Router, PrivilegesAreChecked) {
  TestMaster master;
  const std::string body = R"({"role":"compute"})";
  EXPECT_EQ(master.ask("POST", "/api/v1/tokens", body, {}, person("operator")).status, 403);
  EXPECT_EQ(master.ask("POST", "/api/v1/tokens", body, {}, auth::Principal{}).status, 401);
  EXPECT_EQ(master.ask("POST", "/api/v1/tokens", body, {}, person("admin")).status, 201);
  EXPECT_EQ(master.get("/api/v1/nodes", auth::Principal{}).status, 401);
  EXPECT_EQ(master.get("/api/v1/version", auth::Principal{}).status, 200);
}

TEST(Router, AnUnprovenCallerIsToldWhy) {
  TestMaster master;
  const auto answer = master.send({"GET", "/api/v1/nodes", {}, "", {}},
                                  fail(Code::unauthenticated, "the assertion was seen before"));
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(detail(*answer), "the assertion was seen before");
}

TEST(Router, QueryParametersAreChecked) {
  TestMaster master;
  EXPECT_EQ(detail(master.get("/api/v1/nodes?node=n1")),
            "query parameter 'node' is not known; did you mean 'nodes'?");
  EXPECT_EQ(detail(master.get("/api/v1/version?x=1")),
            "query parameter 'x' is not known; known are fields");
  EXPECT_EQ(detail(master.get("/api/v1/nodes?limit=0")),
            "query parameter limit: expected a whole number from 1 to 10000, got '0'");
  EXPECT_EQ(master.get("/api/v1/nodes?limit=1e3").status, 400);
}

TEST(Router, ABodyThatNobodyReadsIsRefused) {
  TestMaster master;
  EXPECT_EQ(master.ask("GET", "/api/v1/nodes", "{}").status, 400);
}

TEST(Router, TheTraceIdIsKeptOrMade) {
  TestMaster master;
  const std::string id = "0af7651916cd43dd8448eb211c80319c";
  const auto kept = master.ask("GET", "/api/v1/nodes", "",
                               {{"traceparent", "00-" + id + "-b7ad6b7169203331-01"}});
  EXPECT_NE(kept.headers.get("Traceparent")->find(id), std::string::npos);
  const auto made = master.ask("GET", "/api/v1/nodes", "", {{"traceparent", "garbage"}});
  EXPECT_EQ(made.headers.get("Traceparent")->size(), 55U);
  EXPECT_EQ(trace_id_of("00-00000000000000000000000000000000-b7ad6b7169203331-01"), std::nullopt);
}

TEST(Router, EveryRequestHasADeadline) {
  TestMaster master;
  master.add_node("n1");
  const auto answer = master.ask("POST", "/api/v1/calls", R"({"method":"ping","nodes":"n1"})",
                                 {{"Drover-Timeout-Ms", "100"}});
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(type(answer), "urn:drover:problem:timed-out");
  // What comes too late is dropped.
  ASSERT_EQ(master.calls.pending.size(), 1U);
  master.calls.pending[0](tree::CallReport{});
  EXPECT_EQ(master.ask("GET", "/api/v1/nodes", "", {{"Drover-Timeout-Ms", "x"}}).status, 400);
}

TEST(Router, WhatWouldChangeSomethingIsAuditedRefusedOnesToo) {
  TestMaster master;
  master.add_node("n1");
  EXPECT_EQ(master.get("/api/v1/nodes").status, 200);
  EXPECT_TRUE(master.audited.empty());
  master.ask("PATCH", "/api/v1/nodes/n1", R"({"locked":true})", {}, person("operator", "bob"));
  master.ask("POST", "/api/v1/tokens", R"({"role":"compute"})", {}, person("operator", "bob"));
  master.ask("PATCH", "/api/v1/nodes/n2", "{}", {}, person("operator", "bob"));
  ASSERT_EQ(master.audited.size(), 3U);
  EXPECT_EQ(master.audited[0].outcome, "done");
  EXPECT_EQ(master.audited[0].principal, "person:bob");
  EXPECT_EQ(master.audited[0].daemon, "master/m1");
  EXPECT_EQ(master.audited[1].outcome, "refused");
  EXPECT_FALSE(master.audited[1].why.empty());
  EXPECT_EQ(master.audited[2].outcome, "failed");
  EXPECT_EQ(master.audited[2].status, 404U);
}

TEST(Router, ForwardsWhatItDoesNotKnow) {
  TestMaster master;
  Router router({master.process.executor(),
                 master.process.random(),
                 master.process.log(),
                 [&] { return master.access->policy(); },
                 "compute/n1",
                 {}});
  add_local(router, master.local);
  std::string forwarded;
  router.otherwise([&](const net::HttpRequest& request, const auth::Principal&,
                       const std::unique_ptr<Answer>&) { forwarded = request.target; });
  auto recorded = std::make_shared<testing::Recorded>();
  router.serve({"GET", "/api/v1/local", {}, "", {}}, person("viewer"),
               std::make_unique<testing::RecordingAnswer>(recorded));
  EXPECT_EQ(recorded->status, 200);
  EXPECT_EQ(forwarded, "");
  router.serve({"GET", "/api/v1/nodes", {}, "", {}}, person("viewer"),
               std::make_unique<testing::RecordingAnswer>(recorded));
  EXPECT_EQ(forwarded, "/api/v1/nodes");
  EXPECT_TRUE(router.knows("/api/v1/local?x"));
  EXPECT_FALSE(router.knows("/api/v1/nodes"));
}

/// api/openapi.yaml is what the routes say. DROVER_UPDATE_GOLDEN=1 writes it anew.
TEST(OpenApi, IsTheGoldenFile) {
  TestMaster master;
  const std::string made = master.api->openapi("0.1.0");
  const std::string path = DROVER_SOURCE_DIR "/api/openapi.yaml";
  if (std::getenv("DROVER_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << made;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_TRUE(made == golden.str())
      << "api/openapi.yaml is not what the routes say;"
      << " run this with DROVER_UPDATE_GOLDEN=1 and look at the difference";
  const bool updated =
      std::getenv("DROVER_UPDATE_GOLDEN") != nullptr;  // built in by the next build
  EXPECT_TRUE(updated || made == openapi_text()) << "what is built in is not what the routes say";
}

}  // namespace
}  // namespace drover::api

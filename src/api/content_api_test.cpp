// What nodes are given, from request to answer; secrets go in and come out for boot daemons alone.
#include "api/test_master.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

auth::Principal boot_daemon() {
  auth::Principal out;
  out.kind = auth::PrincipalKind::daemon;
  out.role = "boot";
  out.name = "b1";
  return out;
}

class ContentApi : public ::testing::Test {
 protected:
  ContentApi() {
    EXPECT_EQ(master.ask("POST", "/api/v1/nodes", R"({"name":"n1"})").status, 201);
    EXPECT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"rack1","nodes":"n1"})").status, 201);
  }
  static bool has(const Recorded& answer, const std::string& part) {
    return answer.body.find(part) != std::string::npos;
  }
  TestMaster master;
};

TEST_F(ContentApi, MakesChangesAndRemovesWhatAnOwnerSays) {
  const std::string at = "/api/v1/cloud-init/group/rack1";
  EXPECT_EQ(master.get(at).status, 404);
  const Recorded made = master.ask("PATCH", at, R"({"meta_data":{"a":"1","b":"2"}})");
  ASSERT_EQ(made.status, 200) << made.body;
  const Recorded changed =
      master.ask("PATCH", at, R"({"meta_data":{"a":null},"user_data":"#!/bin/sh\n"})");
  EXPECT_TRUE(has(changed, R"("meta_data":{"b":"2"},"user_data":"#!/bin/sh\n")")) << changed.body;
  EXPECT_EQ(master.ask("PATCH", at, R"({"user_data":"nonsense"})").status, 400);
  EXPECT_EQ(master.ask("PATCH", at, R"({"secrets":["x"]})").status, 400);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/cloud-init/group/none", "{}").status, 404);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/cloud-init/rack/r1", "{}").status, 400);
  EXPECT_TRUE(has(master.get("/api/v1/cloud-init"), R"("name":"group/rack1")"));
  EXPECT_EQ(master.ask("DELETE", at).status, 204);
  EXPECT_EQ(master.ask("DELETE", at).status, 404);
}

TEST_F(ContentApi, ShowsWhatANodeIsTold) {
  ASSERT_EQ(master.ask("PATCH", "/api/v1/cloud-init/group/rack1", R"({"user_data":"#!/bin/sh\n"})")
                .status,
            200);
  const Recorded shown = master.get("/api/v1/nodes/n1/cloud-init");
  ASSERT_EQ(shown.status, 200) << shown.body;
  EXPECT_TRUE(has(shown, R"("origin":"group rack1")")) << shown.body;
  EXPECT_TRUE(has(shown, R"("user_data":"#!/bin/sh\n")"));
  EXPECT_TRUE(has(shown, "local-hostname: n1"));
}

TEST_F(ContentApi, SecretsAreNeverShownAgain) {
  const std::string at = "/api/v1/cloud-init/group/rack1/secrets/munge.key";
  const Recorded set = master.ask("PUT", at, R"({"value":"hunter2"})");
  ASSERT_EQ(set.status, 204) << set.body;
  for (const char* path :
       {"/api/v1/cloud-init", "/api/v1/cloud-init/group/rack1", "/api/v1/nodes/n1/cloud-init",
        "/api/v1/changes", "/api/v1/snapshot", "/api/v1/export"}) {
    const Recorded shown = master.get(path);
    EXPECT_EQ(shown.status, 200) << path;
    EXPECT_FALSE(has(shown, "hunter2")) << path;
    EXPECT_FALSE(has(shown, "v1.")) << path;
  }
  EXPECT_TRUE(has(master.get("/api/v1/cloud-init/group/rack1"), R"("secrets":["munge.key"])"));
  EXPECT_EQ(master.get("/api/v1/nodes/n1/secrets").status, 403) << "not even an administrator";
  const Recorded given = master.get("/api/v1/nodes/n1/secrets", boot_daemon());
  ASSERT_EQ(given.status, 200) << given.body;
  EXPECT_TRUE(has(given, R"({"secrets":{"munge.key":"hunter2"}})")) << given.body;
  EXPECT_EQ(master.ask("DELETE", at).status, 204);
  EXPECT_EQ(master.ask("DELETE", at).status, 404);
  EXPECT_EQ(master.ask("PUT", at, R"({"value":""})").status, 400);
}

TEST_F(ContentApi, IsChangedByAdministratorsAlone) {
  for (const char* role : {"viewer", "user", "operator"}) {
    for (const char* path : {"/api/v1/cloud-init/group/rack1", "/api/v1/steps/group/rack1",
                             "/api/v1/overlays/group/rack1"}) {
      EXPECT_EQ(master.ask("PATCH", path, "{}", {}, person(role)).status, 403) << role << path;
    }
  }
  EXPECT_EQ(master
                .ask("PATCH", "/api/v1/steps/group/rack1",
                     R"({"steps":[{"name":"a","kind":"module","module":"fuse"}]})")
                .status,
            200);
  EXPECT_EQ(master
                .ask("PATCH", "/api/v1/overlays/group/rack1",
                     R"({"files":{"/etc/motd":{"content":"hi"}}})")
                .status,
            200);
  EXPECT_EQ(
      master.ask("PATCH", "/api/v1/overlays/group/rack1", R"({"files":{"/etc/motd":null}})").status,
      200);
}

}  // namespace
}  // namespace drover::api

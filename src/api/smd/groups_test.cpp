// SMD's groups, partitions and memberships on the model's groups.
#include "api/test_master.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

class SmdGroups : public ::testing::Test {
 protected:
  SmdGroups() {
    const Recorded made =
        ask("POST", "/State/Components",
            R"({"Components":[{"ID":"x0c0s0b0n0","State":"On"},)"
            R"({"ID":"x0c0s1b0n0","State":"On"},{"ID":"x0c0s2b0n0","State":"On"},)"
            R"({"ID":"x0c0s0b0","State":"On"}]})");
    EXPECT_EQ(made.status, 204) << made.body;
  }
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const auth::Principal& who = person("admin")) {
    return master.ask(method, "/hsm/v2" + at, body, {}, who);
  }
  std::string get(const std::string& at) { return ask("GET", at).body; }
  int status(const std::string& method, const std::string& at, const std::string& body = "") {
    return ask(method, at, body).status;
  }
  TestMaster master;
};

TEST_F(SmdGroups, AreTheModelsGroups) {
  const Recorded made = ask("POST", "/groups",
                            R"({"label":"Blue","description":"first","tags":["T1","t2"],)"
                            R"("members":{"ids":["x0c0s0b0n0","X0c0s01b0n0"]}})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, "[{\"URI\":\"/hsm/v2/groups/blue\"}]\n");
  EXPECT_EQ(made.headers.get("Location"), "/hsm/v2/groups/blue");
  const std::string blue = R"({"label":"blue","description":"first","tags":["t1","t2"],)"
                           R"("members":{"ids":["x0c0s0b0n0","x0c0s1b0n0"]}})";
  EXPECT_EQ(get("/groups/blue"), blue + "\n");
  EXPECT_EQ(get("/groups/BLUE"), blue + "\n");
  EXPECT_EQ(get("/groups/"), "[" + blue + "]\n");
  EXPECT_EQ(get("/groups/labels"), "[\"blue\"]\n");
  EXPECT_NE(master.get("/api/v1/groups/blue").body.find("x0c0s[0-1]b0n0"), std::string::npos);
  EXPECT_EQ(get("/groups?group=blue&tag=t2"), "[" + blue + "]\n");
  EXPECT_EQ(get("/groups?tag=t3"), "[]\n");
  EXPECT_EQ(status("PATCH", "/groups/blue", R"({"description":"second","tags":["t3"]})"), 204);
  EXPECT_NE(
      get("/groups/blue").find(R"("description":"second","tags":["t3"],"members":{"ids":["x)"),
      std::string::npos);
  EXPECT_EQ(status("DELETE", "/groups/blue"), 200);
  EXPECT_EQ(status("DELETE", "/groups/blue"), 404);
  EXPECT_EQ(get("/groups"), "[]\n");
}

TEST_F(SmdGroups, WhatCannotBeChangesNothing) {
  ASSERT_EQ(status("POST", "/groups", R"({"label":"blue","members":{}})"), 201);
  EXPECT_EQ(status("POST", "/groups", R"({"label":"blue"})"), 409);
  for (const char* body :
       {R"({"label":"a b"})", R"({"label":""})", "{}", R"({"label":"g","tags":["a b"]})",
        R"({"label":"g","tags":"a"})", R"({"label":"g","members":{"ids":["x0c0s9b0n0"]}})",
        R"({"label":"g","members":{"ids":["x0c0s0b0"]}})",
        R"({"label":"g","members":{"ids":["FAKE"]}})", R"({"label":"g","members":{"ids":"x"}})",
        R"({"label":"7up"})", "[", ""}) {
    EXPECT_EQ(status("POST", "/groups", body), 400) << body;
  }
  EXPECT_EQ(get("/groups/labels"), "[\"blue\"]\n");
  EXPECT_EQ(status("PATCH", "/groups/none", "{}"), 404);
  EXPECT_EQ(status("PATCH", "/groups/blue", R"({"tags":["a b"]})"), 400);
  EXPECT_EQ(status("PATCH", "/groups/blue", R"({"tags":[7]})"), 400);
  EXPECT_EQ(status("GET", "/groups/none"), 404);
  EXPECT_EQ(ask("POST", "/groups", R"({"label":"g"})", person("viewer")).status, 403);
}

TEST_F(SmdGroups, Members) {
  ASSERT_EQ(status("POST", "/groups", R"({"label":"blue"})"), 201);
  EXPECT_EQ(get("/groups/blue/members"), "{\"ids\":[]}\n");
  const Recorded added = ask("POST", "/groups/blue/members", R"({"id":"X0c0s0b0n0"})");
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(added.body, "[{\"URI\":\"/hsm/v2/groups/blue/members/x0c0s0b0n0\"}]\n");
  EXPECT_EQ(status("POST", "/groups/blue/members", R"({"id":"x0c0s0b0n0"})"), 409);
  EXPECT_EQ(status("POST", "/groups/none/members", R"({"id":"x0c0s0b0n0"})"), 404);
  EXPECT_EQ(status("POST", "/groups/blue/members", R"({"id":"x0c0s9b0n0"})"), 400);
  EXPECT_EQ(status("POST", "/groups/blue/members", "{}"), 400);
  // As `ochami smd group member set` writes it.
  const Recorded set =
      ask("PUT", "/groups/blue/members", R"({"label":"blue","ids":["x0c0s1b0n0","x0c0s2b0n0"]})");
  EXPECT_EQ(set.status, 201) << set.body;
  EXPECT_EQ(get("/groups/blue/members"), "{\"ids\":[\"x0c0s1b0n0\",\"x0c0s2b0n0\"]}\n");
  EXPECT_EQ(status("PUT", "/groups/blue/members", "{}"), 400);
  EXPECT_EQ(status("PUT", "/groups/none/members", R"({"ids":[]})"), 404);
  EXPECT_EQ(status("DELETE", "/groups/blue/members/x0c0s1b0n0"), 200);
  EXPECT_EQ(status("DELETE", "/groups/blue/members/x0c0s1b0n0"), 404);
  EXPECT_EQ(status("DELETE", "/groups/blue/members/x0c0s9b0n0"), 404);
  EXPECT_EQ(status("DELETE", "/groups/blue/members/FAKE"), 400);
  EXPECT_EQ(get("/groups/blue/members"), "{\"ids\":[\"x0c0s2b0n0\"]}\n");
}

TEST_F(SmdGroups, ExclusiveGroupsShareNobody) {
  ASSERT_EQ(
      status("POST", "/groups",
             R"({"label":"lion","exclusiveGroup":"Animals","members":{"ids":["x0c0s0b0n0"]}})"),
      201);
  EXPECT_EQ(
      status("POST", "/groups",
             R"({"label":"tiger","exclusiveGroup":"animals","members":{"ids":["x0c0s0b0n0"]}})"),
      409);
  ASSERT_EQ(status("POST", "/groups", R"({"label":"tiger","exclusiveGroup":"animals"})"), 201);
  EXPECT_EQ(status("POST", "/groups/tiger/members", R"({"id":"x0c0s0b0n0"})"), 409);
  EXPECT_EQ(status("PUT", "/groups/tiger/members", R"({"ids":["x0c0s0b0n0"]})"), 409);
  EXPECT_EQ(status("POST", "/groups/tiger/members", R"({"id":"x0c0s1b0n0"})"), 201);
  EXPECT_NE(get("/groups/tiger").find(R"("exclusiveGroup":"animals")"), std::string::npos);
  ASSERT_EQ(status("POST", "/groups", R"({"label":"red"})"), 201);
  EXPECT_EQ(status("POST", "/groups/red/members", R"({"id":"x0c0s0b0n0"})"), 201);
}

TEST_F(SmdGroups, GroupsThatAreAlwaysThere) {
  EXPECT_EQ(status("POST", "/groups",
                   R"({"label":"compute","members":{"ids":["x0c0s0b0n0","x0c0s1b0n0"]}})"),
            201);
  EXPECT_EQ(status("POST", "/groups", R"({"label":"utility","members":{"ids":["x0c0s0b0n0"]}})"),
            409);
  EXPECT_NE(get("/groups/compute/members").find("x0c0s2b0n0"), std::string::npos);
  EXPECT_EQ(status("DELETE", "/groups/compute"), 409);
  EXPECT_EQ(status("PATCH", "/groups/compute", "{}"), 409);
  EXPECT_EQ(status("PUT", "/groups/compute/members", R"({"ids":[]})"), 409);
  EXPECT_EQ(status("DELETE", "/groups/compute/members/x0c0s0b0n0"), 409);
  EXPECT_EQ(get("/groups"), "[]\n");
}

TEST_F(SmdGroups, ANodeIsInOnePartitionAtMost) {
  const Recorded made =
      ask("POST", "/partitions",
          R"({"name":"P1","description":"one","members":{"ids":["x0c0s0b0n0"]}})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, "[{\"URI\":\"/hsm/v2/partitions/p1\"}]\n");
  EXPECT_EQ(get("/partitions/p1"),
            R"({"name":"p1","description":"one","members":{"ids":["x0c0s0b0n0"]}})"
            "\n");
  EXPECT_EQ(get("/partitions/names"), "[\"p1\"]\n");
  EXPECT_EQ(get("/groups"), "[]\n");
  EXPECT_EQ(status("GET", "/groups/partition.p1"), 404);
  ASSERT_EQ(status("POST", "/partitions", R"({"name":"p2"})"), 201);
  EXPECT_EQ(status("POST", "/partitions/p2/members", R"({"id":"x0c0s0b0n0"})"), 409);
  EXPECT_EQ(status("POST", "/partitions/p2/members", R"({"id":"x0c0s1b0n0"})"), 201);
  ASSERT_EQ(
      status("POST", "/groups",
             R"({"label":"blue","members":{"ids":["x0c0s0b0n0","x0c0s1b0n0","x0c0s2b0n0"]}})"),
      201);
  EXPECT_EQ(get("/groups/blue/members?partition=p1"), "{\"ids\":[\"x0c0s0b0n0\"]}\n");
  EXPECT_EQ(get("/groups/blue/members?partition=NULL"), "{\"ids\":[\"x0c0s2b0n0\"]}\n");
  EXPECT_EQ(status("GET", "/groups/blue?partition=p9"), 400);
  EXPECT_EQ(get("/memberships/x0c0s0b0n0"),
            R"({"id":"x0c0s0b0n0","groupLabels":["compute","blue"],"partitionName":"p1"})"
            "\n");
  EXPECT_EQ(get("/memberships?id=x0c0s2b0n0&id=x0c0s0b0"),
            R"([{"id":"x0c0s2b0n0","groupLabels":["compute","blue"],"partitionName":""},)"
            R"({"id":"x0c0s0b0","groupLabels":[],"partitionName":""}])"
            "\n");
  EXPECT_EQ(status("GET", "/memberships/x0c0s9b0n0"), 404);
  EXPECT_EQ(status("GET", "/memberships?type=FAKE"), 400);
  EXPECT_EQ(status("DELETE", "/partitions/p1/members/x0c0s0b0n0"), 200);
  EXPECT_EQ(status("DELETE", "/partitions/p1"), 200);
  EXPECT_EQ(status("DELETE", "/partitions/p1"), 404);
  EXPECT_EQ(status("PATCH", "/partitions/p2", R"({"description":"two"})"), 204);
}

}  // namespace
}  // namespace drover::api

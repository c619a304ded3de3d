// Power by the API: who may, what is refused, what becomes of each node; passwords never come back.
#include "api/test_power.hpp"

namespace drover::api {
namespace {

using namespace std::chrono_literals;
using testing::parsed;
using testing::person;
using PowerApi = testing::PowerTest;

TEST_F(PowerApi, NodesAreSwitchedOnInWaves) {
  make(10);
  const Duration begin = master.world.now();
  const auto done = ended(R"({"nodes":"n[1-10]","action":"on","per_second":2,"why":"spring"})");
  EXPECT_EQ(done.at("state"), "done") << json::serialize(done);
  EXPECT_EQ(done.at("groups").at(0).at("nodes"), "n[1-10]");
  EXPECT_EQ(done.at("groups").at(0).at("result"), "on");
  EXPECT_GE(master.world.now() - begin, 4500ms);
  for (size_t i = 0; i < 10; ++i) EXPECT_TRUE(fleet->at(i).bmc().machines().at(0).on);
  const auto node = parsed(master.get("/api/v1/nodes/n7"));
  EXPECT_EQ(node.at("power").at("state"), "on");
  EXPECT_EQ(node.at("power").at("why"), "its BMC said so (power on): spring");
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(fleet->at(i).bmc().door().sessions(), 0U);
}

TEST_F(PowerApi, LookingIsNotHeldUpByTheLimitForSwitching) {
  make(10);
  const Duration begin = master.world.now();
  EXPECT_EQ(ended(R"({"nodes":"n[1-10]","action":"status","per_second":1})").at("state"), "done");
  EXPECT_LT(master.world.now() - begin, 3s);
}

TEST_F(PowerApi, GroupsHaveLimitsOfTheirOwn) {
  sim::BmcTraits traits;
  traits.power_time = 10s;
  make(4, traits);
  ASSERT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"rack1","nodes":"n[1-4]"})").status,
            201);
  const Duration begin = master.world.now();
  const auto done = ended(R"({"nodes":"n[1-4]","action":"on","group_limits":{"rack1":1}})");
  EXPECT_EQ(done.at("state"), "done") << json::serialize(done);
  EXPECT_GE(master.world.now() - begin, 40s);  // one after the other
}

TEST_F(PowerApi, EachNodeSaysWhyItWasNot) {
  make(1);
  master.add_node("bare");
  add_node("closed", fmt::format(R"({{"bmc":{{"address":"bmcs","mac":"02:00:00:00:09:09"}}}})"));
  ASSERT_EQ(master.ask("PATCH", "/api/v1/nodes/n1", R"({"locked":true})").status, 200);
  const auto done = ended(R"({"nodes":"bare,closed,n1","action":"on"})");
  EXPECT_EQ(done.at("state"), "failed");
  std::string all = json::serialize(done.at("groups"));
  for (const char* words : {"it has no BMC", "connection refused", "it is locked"}) {
    EXPECT_NE(all.find(words), std::string::npos) << words << " in " << all;
  }
  EXPECT_FALSE(fleet->at(0).bmc().machines().at(0).on);
  // Looking is no change.
  EXPECT_EQ(ended(R"({"nodes":"n1","action":"status"})").at("state"), "done");
}

TEST_F(PowerApi, ByIpmiTooAndARefusedPasswordOnce) {
  ASSERT_EQ(keep("default/default", "calvin").status, 204);
  add_node("old1", R"({"bmc":{"address":"10.9.9.9","protocol":"ipmi"}})");
  const auto done = ended(R"({"nodes":"old1","action":"status"})");
  EXPECT_EQ(done.at("groups").at(0).at("result"), "on") << json::serialize(done);
  ASSERT_EQ(ipmi.asked, (std::vector<std::string>{"10.9.9.9 status"}));
  ipmi.refuse = Error{Code::unauthenticated, "wrong password", {}, {}};
  EXPECT_EQ(ended(R"({"nodes":"old1","action":"status"})").at("state"), "failed");
  const size_t asked = ipmi.asked.size();
  EXPECT_EQ(ended(R"({"nodes":"old1","action":"status"})").at("state"), "failed");
  EXPECT_EQ(ipmi.asked.size(), asked);
  ASSERT_EQ(keep("default/default", "better").status, 204);
  ipmi.refuse.reset();
  EXPECT_EQ(ended(R"({"nodes":"old1","action":"status"})").at("state"), "done");
}

TEST_F(PowerApi, CollectingKeepsWhatIsBehindTheBmcs) {
  make(2);
  add_node("bare", "{}");
  const auto look = [&](const std::string& nodes) {
    return outcome(master.ask("POST", "/api/v1/discover",
                              fmt::format(R"({{"nodes":"{}","why":"audit"}})", nodes), {},
                              person("operator")));
  };
  const auto done = look("n1");
  EXPECT_EQ(done.at("state"), "done") << json::serialize(done);
  EXPECT_EQ(done.at("groups").at(0).at("result"),
            "1 machine, 12 parts, 2 NICs, 3 firmware versions, 0 warnings");
  const auto changes = [&] { return master.get("/api/v1/changes?since=0&kind=bmcs").body; };
  const std::string before = changes();
  EXPECT_NE(before.find("S000000-0"), std::string::npos) << before;
  EXPECT_NE(before.find("its BMC was looked through: audit"), std::string::npos);
  EXPECT_EQ(look("n1").at("state"), "done");
  EXPECT_EQ(changes(), before);  // the same again: nothing is written
  EXPECT_EQ(look("n1,bare").at("state"), "failed");
  EXPECT_EQ(master.ask("POST", "/api/v1/discover", R"({"nodes":"n1","in_flight":99})").status, 400);
  EXPECT_EQ(master.ask("POST", "/api/v1/discover", R"({"nodes":"nosuch"})").status, 404);
  EXPECT_EQ(
      master.ask("POST", "/api/v1/discover", R"({"nodes":"n1"})", {}, person("viewer")).status,
      403);
}

TEST_F(PowerApi, CancellingLeavesTheRestAlone) {
  sim::BmcTraits traits;
  traits.power_time = 30s;
  make(3, traits);
  const auto answer = power(R"({"nodes":"n[1-3]","action":"on","at_a_time":1})");
  const std::string id(parsed(answer).at("id").as_string());
  ASSERT_TRUE(master.world.run_for(5s));
  EXPECT_EQ(master.ask("DELETE", "/api/v1/operations/" + id).status, 200);
  const auto done = parsed(master.get(fmt::format("/api/v1/operations/{}?wait=60", id)));
  EXPECT_EQ(done.at("state"), "cancelled") << json::serialize(done);
  ASSERT_TRUE(master.world.run_for(5min));
  EXPECT_FALSE(fleet->at(2).bmc().machines().at(0).on);
  EXPECT_EQ(bmcs.in_flight(), 0U);
}

TEST_F(PowerApi, TheSameKeyIsOneOperation) {
  make(1);
  const net::HttpHeaders key{{"Idempotency-Key", "once"}};
  const std::string body = R"({"nodes":"n1","action":"on"})";
  const auto first = master.ask("POST", "/api/v1/power", body, key);
  const auto second = master.ask("POST", "/api/v1/power", body, key);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(parsed(first).at("id"), parsed(second).at("id"));
}

TEST_F(PowerApi, WhoMayAndWhatIsRefused) {
  make(1);
  EXPECT_EQ(power(R"({"nodes":"n1","action":"on"})", "viewer").status, 403);
  EXPECT_EQ(power(R"({"nodes":"n1","action":"explode"})").status, 400);
  EXPECT_EQ(power(R"({"nodes":"n1","action":"on","per_second":0})").status, 400);
  EXPECT_EQ(power(R"({"nodes":"nosuch","action":"on"})").status, 404);
  EXPECT_EQ(power(R"({"nodes":"n1","action":"on","group_limits":{"none":1}})").status, 404);
  const auto put = [&](const std::string& role) {
    return master
        .ask("PUT", "/api/v1/bmc-credentials/default/default", R"({"user":"a","password":"b"})", {},
             person(role))
        .status;
  };
  EXPECT_EQ(put("viewer"), 403);
  EXPECT_EQ(put("operator"), 403);
  EXPECT_EQ(put("admin"), 204);
  EXPECT_EQ(keep("planet/x", "p").status, 400);
  EXPECT_EQ(keep("group/none", "p").status, 404);
  EXPECT_EQ(keep("bmc/10.0.0.7", std::string(300, 'p')).status, 400);
}

TEST_F(PowerApi, PasswordsNeverComeBack) {
  ASSERT_EQ(keep("bmc/10.0.0.7", "hunter2-secret").status, 204);
  const auto listed = master.get("/api/v1/bmc-credentials", person("admin"));
  EXPECT_EQ(listed.status, 200);
  EXPECT_NE(listed.body.find("10.0.0.7"), std::string::npos);
  EXPECT_EQ(listed.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(listed.body.find("sealed"), std::string::npos);
  EXPECT_EQ(master.get("/api/v1/bmc-credentials", person("viewer")).status, 403);
  EXPECT_EQ(master.get("/api/v1/changes?since=0", person("admin")).body.find("v1."),
            std::string::npos);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/bmc-credentials/bmc/10.0.0.7").status, 204);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/bmc-credentials/bmc/10.0.0.7").status, 404);
}

TEST_F(PowerApi, WhatMustNotBeDoneTwiceIsNotTakenUp) {
  sim::BmcTraits traits;
  traits.power_time = 60s;
  make(2, traits);
  const auto answer = power(R"({"nodes":"n1","action":"cycle"})");
  const auto repeatable = power(R"({"nodes":"n2","action":"on","forced_s":300})");
  ASSERT_TRUE(master.world.run_for(3s));
  master.restart();
  add_power_operations();
  EXPECT_EQ(outcome(answer).at("state"), "interrupted");
  EXPECT_EQ(outcome(repeatable).at("state"), "done");
}

}  // namespace
}  // namespace drover::api

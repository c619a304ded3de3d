// PCS's transitions and power status: words, outcomes, deputy keys, and what is refused.
#include "api/pcs/words.hpp"
#include "api/test_power.hpp"

#include <algorithm>

namespace drover::api {
namespace {

using namespace std::chrono_literals;
using testing::parsed;
using testing::person;
using testing::Recorded;

class Pcs : public testing::PowerTest {
 protected:
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const std::string& role = "operator") {
    return master.ask(method, at, body, {}, person(role));
  }
  /// Nodes x0c0s0b0n0, x0c0s1b0n0 .. are n1, n2 ..
  void make_named(uint32_t count, sim::BmcTraits traits = {}) {
    make(count, std::move(traits));
    for (uint32_t i = 0; i < count; ++i) {
      const auto named = master.ask("PATCH", fmt::format("/api/v1/nodes/n{}", i + 1),
                                    fmt::format(R"({{"spec":{{"aliases":["{}"]}}}})", xname(i)));
      ASSERT_EQ(named.status, 200) << named.body;
    }
  }
  static std::string xname(uint32_t index) { return fmt::format("x0c0s{}b0n0", index); }
  std::string begin(const std::string& body) {
    const Recorded made = ask("POST", "/transitions", body);
    EXPECT_EQ(made.status, 200) << made.body;
    return std::string(parsed(made).at("transitionID").as_string());
  }
  json::value show(const std::string& id) { return parsed(ask("GET", "/transitions/" + id)); }
  json::value ended(const std::string& body) {
    const std::string id = begin(body);
    json::value seen;
    for (int second = 0; second < 3600; ++second) {
      seen = show(id);
      if (seen.at("transitionStatus") != "in-progress") break;
      EXPECT_TRUE(master.world.run_for(1s));
    }
    return seen;
  }
  std::string reserve(uint32_t index) {
    const Recorded made =
        ask("POST", "/hsm/v2/locks/service/reservations",
            fmt::format(R"({{"ComponentIDs":["{}"],"ReservationDuration":5}})", xname(index)));
    EXPECT_EQ(made.status, 200) << made.body;
    return std::string(parsed(made).at("Success").at(0).at("DeputyKey").as_string());
  }
  static std::string on(uint32_t index, const std::string& deputy = "") {
    return fmt::format(R"({{"operation":"On","location":[{{"xname":"{}","deputyKey":"{}"}}]}})",
                       xname(index), deputy);
  }
  json::value locks(uint32_t index) {
    return parsed(ask("POST", "/hsm/v2/locks/status",
                      fmt::format(R"({{"ComponentIDs":["{}"]}})", xname(index))))
        .at("Components")
        .at(0);
  }
};

TEST_F(Pcs, ATransitionIsAnOperation) {
  make_named(2);
  const auto done =
      ended(R"({"operation":"ON","taskDeadlineMinutes":2,"location":[)"
            R"({"xname":"x0c0s0b0n0"},{"xname":"X0c0s01b0n0"},{"xname":"x0c0s0b0n0"},)"
            R"({"xname":"x0c0s7b0n0"},{"xname":"x0c0s0b0n0p0"},{"xname":"q\u001b[2J"}]})");
  EXPECT_EQ(done.at("transitionStatus"), "completed") << json::serialize(done);
  EXPECT_EQ(done.at("operation"), "On");
  EXPECT_EQ(json::serialize(done.at("taskCounts")),
            R"({"total":5,"new":0,"in-progress":0,"failed":3,"succeeded":2,"un-supported":0})");
  const std::string tasks = json::serialize(done.at("tasks"));
  for (const char* part :
       {R"({"xname":"x0c0s1b0n0","taskStatus":"succeeded","taskStatusDescription":)"
        R"("Transition confirmed, on"})",
        R"("xname":"x0c0s7b0n0","taskStatus":"failed","taskStatusDescription":)"
        R"("Failed to achieve transition","error":"Missing xname")",
        R"("No power control for component type Processor")", R"("Invalid xname")"}) {
    EXPECT_NE(tasks.find(part), std::string::npos) << part << " in " << tasks;
  }
  EXPECT_EQ(tasks.find("\\u001b"), std::string::npos) << tasks;
  EXPECT_TRUE(fleet->at(1).bmc().machines().at(0).on);
  EXPECT_EQ(parsed(master.get("/api/v1/nodes/n1")).at("power").at("state"), "on");
  // The same thing, the other way round: what our own command began is a transition.
  EXPECT_EQ(testing::PowerTest::ended(R"({"nodes":"n1","action":"force_off"})").at("state"),
            "done");
  EXPECT_EQ(testing::PowerTest::ended(R"({"nodes":"n1","action":"status"})").at("state"), "done");
  const auto all = parsed(ask("GET", "/v1/transitions")).at("transitions");
  ASSERT_EQ(all.as_array().size(), 2U) << json::serialize(all);
  EXPECT_EQ(all.at(0).at("operation"), "Force-Off");
  EXPECT_EQ(all.at(1).at("transitionID"), done.at("transitionID"));
  EXPECT_EQ(all.at(1).at("taskCounts"), done.at("taskCounts"));
}

TEST_F(Pcs, EveryOperationDoesWhatItSays) {
  sim::BmcTraits traits;
  traits.starts_on = true;
  traits.power_time = 3s;
  make_named(1, traits);
  auto& bmc = fleet->at(0).bmc();
  const auto run = [&](const std::string& operation, int minutes = 5) {
    return ended(
               fmt::format(
                   R"({{"operation":"{}","taskDeadlineMinutes":{},"location":[{{"xname":"{}"}}]}})",
                   operation, minutes, xname(0)))
        .at("tasks")
        .at(0);
  };
  EXPECT_EQ(run("Soft-Restart").at("taskStatus"), "succeeded");
  EXPECT_EQ(bmc.counts().resets, 1U);
  EXPECT_EQ(run("hard-restart").at("taskStatus"), "succeeded");
  EXPECT_EQ(bmc.counts().resets, 3U);  // off and on
  EXPECT_EQ(run("soft-off").at("taskStatus"), "succeeded");
  EXPECT_FALSE(bmc.machines().at(0).on);
  const auto refused = run("hard-restart");
  EXPECT_EQ(refused.at("taskStatus"), "failed");
  EXPECT_NE(json::serialize(refused).find("nothing to restart"), std::string::npos);
  EXPECT_EQ(run("init").at("taskStatus"), "succeeded");  // from off too
  EXPECT_TRUE(bmc.machines().at(0).on);
  EXPECT_EQ(run("off").at("taskStatus"), "succeeded");
  EXPECT_EQ(run("on", 0).at("taskStatus"), "succeeded");  // accepted is enough
  EXPECT_FALSE(bmc.machines().at(0).on);
  ASSERT_TRUE(master.world.run_for(5s));
  EXPECT_TRUE(bmc.machines().at(0).on);
  bmc.edit_traits().reset_types = "On ForceOff";
  EXPECT_EQ(run("soft-off").at("taskStatus"), "unsupported");
  EXPECT_EQ(run("force-off", -1).at("taskStatus"), "succeeded");
}

TEST_F(Pcs, AReservationStopsWhoDoesNotHoldIt) {
  make_named(1);
  const std::string deputy = reserve(0);
  const auto without = ended(on(0)).at("tasks").at(0);
  EXPECT_EQ(without.at("taskStatus"), "failed");
  EXPECT_NE(json::serialize(without).find("it is reserved until"), std::string::npos);
  const auto wrong = ended(on(0, "x0c0s0b0n0:dk:00")).at("tasks").at(0);
  EXPECT_NE(json::serialize(wrong).find("the deputy key is not the one"), std::string::npos);
  // Drover's own command is stopped too.
  const auto own = testing::PowerTest::ended(R"({"nodes":"n1","action":"on"})");
  EXPECT_NE(json::serialize(own).find("it is reserved until"), std::string::npos);
  EXPECT_FALSE(fleet->at(0).bmc().machines().at(0).on);
  const std::string id = begin(on(0, deputy));
  EXPECT_EQ(show(id).at("transitionStatus"), "in-progress");
  ASSERT_TRUE(master.world.run_for(10s));
  EXPECT_EQ(show(id).at("tasks").at(0).at("taskStatus"), "succeeded");
  EXPECT_EQ(locks(0).at("Reserved"), true);  // still its holder's
  // The key is nowhere, and its digest opens nothing.
  const std::string kept = master.get("/api/v1/operations").body;
  EXPECT_EQ(kept.find(deputy), std::string::npos);
  EXPECT_EQ(power(R"({"nodes":"n1","action":"off","deputies":{"n1":"00"}})").status, 400);
  EXPECT_EQ(testing::PowerTest::ended(
                fmt::format(R"({{"nodes":"n1","action":"force_off","deputy_keys":{{"n1":"{}"}}}})",
                            deputy))
                .at("state"),
            "done");
}

TEST_F(Pcs, AChangeReservesItsNodeMeanwhile) {
  sim::BmcTraits traits;
  traits.power_time = 20s;
  make_named(1, traits);
  const std::string first = begin(on(0));
  ASSERT_TRUE(master.world.run_for(5s));
  EXPECT_EQ(locks(0).at("Reserved"), true);
  const auto second = ended(on(0)).at("tasks").at(0);
  EXPECT_NE(json::serialize(second).find("it is reserved by the operation"), std::string::npos);
  ASSERT_TRUE(master.world.run_for(30s));
  EXPECT_EQ(show(first).at("transitionStatus"), "completed");
  EXPECT_EQ(locks(0).at("Reserved"), false);
}

TEST_F(Pcs, LocksStopAndForcePassesThem) {
  make_named(1);
  const std::string body = R"({"ComponentIDs":["x0c0s0b0n0"]})";
  ASSERT_EQ(ask("POST", "/hsm/v2/locks/lock", body).status, 200);
  EXPECT_NE(json::serialize(ended(on(0))).find("it is locked"), std::string::npos);
  EXPECT_EQ(power(R"({"nodes":"n1","action":"on","force":true})", "user").status, 403);
  EXPECT_EQ(testing::PowerTest::ended(R"({"nodes":"n1","action":"on","force":true})").at("state"),
            "done");
  ASSERT_EQ(ask("POST", "/hsm/v2/locks/unlock", body).status, 200);
  ASSERT_EQ(ask("POST", "/hsm/v2/locks/disable", body).status, 200);
  EXPECT_NE(json::serialize(ended(on(0))).find("nobody may reserve it"), std::string::npos);
}

TEST_F(Pcs, AnAbortEndsIt) {
  sim::BmcTraits traits;
  traits.power_time = 60s;
  make_named(1, traits);
  const std::string id = begin(on(0));
  ASSERT_TRUE(master.world.run_for(3s));
  const Recorded aborted = ask("DELETE", "/transitions/" + id);
  EXPECT_EQ(aborted.status, 202);
  EXPECT_EQ(aborted.body, "{\"abortStatus\":\"Accepted - abort initiated\"}\n");
  ASSERT_TRUE(master.world.run_for(3s));
  EXPECT_EQ(show(id).at("transitionStatus"), "aborted");
  EXPECT_EQ(show(id).at("tasks").at(0).at("taskStatusDescription"), "Transition aborted");
  EXPECT_EQ(locks(0).at("Reserved"), false);
  EXPECT_EQ(ask("DELETE", "/transitions/" + id).status, 202);
  ASSERT_TRUE(master.world.run_for(2min));
  const std::string done = begin(on(0));
  ASSERT_TRUE(master.world.run_for(2min));
  EXPECT_EQ(ask("DELETE", "/transitions/" + done).status, 400);
}

TEST_F(Pcs, ARestartEndsItsOwnReservations) {
  sim::BmcTraits traits;
  traits.power_time = 60s;
  make_named(2, traits);
  const std::string on_again = begin(on(0));
  const std::string not_again =
      begin(R"({"operation":"init","location":[{"xname":"x0c0s1b0n0"}]})");
  ASSERT_TRUE(master.world.run_for(3s));
  master.restart();
  add_power_operations();
  ASSERT_TRUE(master.world.run_for(3min));
  EXPECT_EQ(show(on_again).at("tasks").at(0).at("taskStatus"), "succeeded");
  EXPECT_EQ(show(not_again).at("tasks").at(0).at("taskStatus"), "failed");
  EXPECT_EQ(locks(0).at("Reserved"), false);
  EXPECT_EQ(locks(1).at("Reserved"), false);
}

TEST_F(Pcs, WhatCannotBeIsRefused) {
  make_named(1);
  for (const char* body :
       {"", "{", "[]", "{}", R"({"operation":"explode"})", R"({"operation":7})",
        R"({"operation":"on","location":{}})", R"({"operation":"on","location":[{"xname":7}]})",
        R"({"operation":"on","taskDeadlineMinutes":"soon"})"}) {
    EXPECT_EQ(ask("POST", "/transitions", body).status, 400) << body;
  }
  EXPECT_EQ(ask("POST", "/transitions", on(0), "viewer").status, 403);
  EXPECT_EQ(ask("GET", "/transitions/nonsense").status, 400);
  const std::string nobody = "/transitions/00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(ask("GET", nobody).status, 404);
  EXPECT_EQ(ask("DELETE", nobody).status, 404);
  const auto empty = ended(R"({"operation":"on"})");
  EXPECT_EQ(empty.at("transitionStatus"), "completed");
  EXPECT_EQ(empty.at("taskCounts").at("total"), 0);
  // An operation of another kind is no transition.
  const auto looked = power(R"({"nodes":"n1","action":"status"})");
  const std::string id(parsed(looked).at("id").as_string());
  EXPECT_EQ(ask("GET", "/transitions/" + pcs::uuid_of(id)).status, 404);
}

TEST_F(Pcs, PowerStatusAsksTheBmcs) {
  make_named(2);
  add_node("bare", R"({"aliases":["x0c0s9b0n0"]})");
  const auto look = [&](const std::string& query) {
    const Recorded answer = ask("GET", "/power-status" + query, "", "viewer");
    EXPECT_EQ(answer.status, 200) << query << answer.body;
    return parsed(answer).at("status");
  };
  auto one = look("?xname=x0c0s0b0n0&xname=x0c0s1b0n0&xname=x0c0s8b0n0&xname=x0c0s9b0n0");
  ASSERT_EQ(one.as_array().size(), 4U);
  EXPECT_EQ(one.at(0).at("powerState"), "off");
  EXPECT_EQ(one.at(0).at("managementState"), "available");
  EXPECT_EQ(json::serialize(one.at(0).at("supportedPowerTransitions")),
            R"(["On","Force-Off","Soft-Off","Off","Init","Hard-Restart","Soft-Restart"])");
  EXPECT_EQ(one.at(2).at("error"), "Component not found in component map.");
  EXPECT_NE(json::serialize(one.at(3)).find("it has no BMC"), std::string::npos);
  // Switched behind our back: seen when what is known is too old, and not before.
  ASSERT_TRUE(fleet->at(0).bmc().machines().reset(0, "On"));
  ASSERT_TRUE(master.world.run_for(3s));
  const uint64_t asked = fleet->requests();
  EXPECT_EQ(look("?xname=x0c0s0b0n0").at(0).at("powerState"), "off");
  EXPECT_EQ(fleet->requests(), asked);
  ASSERT_TRUE(master.world.run_for(15s));
  EXPECT_EQ(look("?powerStateFilter=ON").as_array().size(), 1U);
  ASSERT_TRUE(master.world.run_for(1s));
  EXPECT_EQ(parsed(master.get("/api/v1/nodes/n1")).at("power").at("state"), "on");
  EXPECT_EQ(look("?managementStateFilter=available").as_array().size(), 2U);
  const auto posted = ask("POST", "/v1/power-status",
                          R"({"xname":["x0c0s1b0n0"],"powerStateFilter":"off"})", "viewer");
  EXPECT_EQ(parsed(posted).at("status").as_array().size(), 1U) << posted.body;
  // Nothing of all this is an operation.
  EXPECT_EQ(parsed(master.get("/api/v1/operations")).at("items").as_array().size(), 0U);
  for (const char* query : {"?xname=FAKE", "?powerStateFilter=x", "?managementStateFilter=x"}) {
    EXPECT_EQ(ask("GET", std::string("/power-status") + query).status, 400) << query;
  }
  for (const char* body : {"", "[]", R"({"xname":"x0c0s0b0n0"})", R"({"xname":["q"]})"}) {
    EXPECT_EQ(ask("POST", "/power-status", body).status, 400) << body;
  }
}

TEST_F(Pcs, ASilentBmcIsUnavailableAndHoldsNobodyUp) {
  make_named(2);
  fleet->at(1).bmc().edit_traits().hostility = sim::BmcHostility::silent;
  const Duration begin = master.world.now();
  const auto status = parsed(ask("GET", "/power-status")).at("status");
  EXPECT_LE(master.world.now() - begin, 21s);
  EXPECT_EQ(status.at(0).at("managementState"), "available");
  EXPECT_EQ(status.at(1).at("managementState"), "unavailable") << json::serialize(status);
  EXPECT_EQ(status.at(1).at("powerState"), "undefined");
}

TEST_F(Pcs, AnyoneMayAskForItsHealth) {
  auth::Principal nobody;
  for (const std::string prefix : {"", "/v1"}) {
    EXPECT_EQ(master.ask("GET", prefix + "/liveness", "", {}, nobody).status, 204);
    EXPECT_EQ(master.ask("GET", prefix + "/readiness", "", {}, nobody).status, 204);
    const auto health = master.ask("GET", prefix + "/health", "", {}, nobody);
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(parsed(health).at("KvStore"), "connected, responsive");
  }
  EXPECT_EQ(master.ask("GET", "/transitions", "", {}, nobody).status, 401);
  EXPECT_EQ(ask("PUT", "/transitions").status, 405);
}

TEST(PcsWords, IdsAreUuids) {
  const std::string id = "0f6c2f0f9f0e4f0aa6e1d2c3b4a59687";
  EXPECT_EQ(pcs::uuid_of(id), "0f6c2f0f-9f0e-4f0a-a6e1-d2c3b4a59687");
  EXPECT_EQ(pcs::id_in(pcs::uuid_of(id)).value(), id);
  EXPECT_EQ(pcs::id_in("0F6C2F0F-9F0E-4F0A-A6E1-D2C3B4A59687").value(), id);
  for (const char* wrong :
       {"", "x", "0f6c2f0f-9f0e-4f0a-a6e1-d2c3b4a5968", "../../../../etc/passwd"}) {
    EXPECT_FALSE(pcs::id_in(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace drover::api

// SMD's locks, reservations, node maps and power maps.
#include "api/test_master.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

class SmdLocks : public ::testing::Test {
 protected:
  SmdLocks() {
    const Recorded made =
        ask("POST", "/State/Components",
            R"({"Components":[{"ID":"x0c0s0b0n0","State":"On"},)"
            R"({"ID":"x0c0s1b0n0","State":"On"},{"ID":"x0c0r1b0","State":"On"}]})");
    EXPECT_EQ(made.status, 204) << made.body;
  }
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const auth::Principal& who = person("admin")) {
    return master.ask(method, "/hsm/v2" + at, body, {}, who);
  }
  int status(const std::string& method, const std::string& at, const std::string& body = "") {
    return ask(method, at, body).status;
  }
  std::string lock(const std::string& what, const std::string& body) {
    return ask("POST", "/locks/" + what, body).body;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  static std::string key_in(const std::string& text, const std::string& name) {
    const size_t from = text.find("\"" + name + "\":\"") + name.size() + 4;
    return text.substr(from, text.find('"', from) - from);
  }
  TestMaster master;
};

TEST_F(SmdLocks, ALockIsTheNodes) {
  EXPECT_EQ(lock("lock", R"({"ComponentIDs":["x0c0s0b0n0","X0c0r01b0"]})"),
            R"({"Counts":{"Total":2,"Success":2,"Failure":0},)"
            R"("Success":{"ComponentIDs":["x0c0s0b0n0","x0c0r1b0"]},"Failure":[]})"
            "\n");
  EXPECT_TRUE(has(master.get("/api/v1/nodes/x0c0s0b0n0").body, R"("locked":true)"));
  EXPECT_TRUE(has(ask("GET", "/State/Components/x0c0r1b0").body, R"("Locked":true)"));
  EXPECT_TRUE(has(ask("GET", "/State/Components?locked=true").body, "x0c0s0b0n0"));
  EXPECT_EQ(lock("status", R"({"ComponentIDs":["x0c0s0b0n0","x0c0s9b0n0"]})"),
            R"({"Components":[{"ID":"x0c0s0b0n0","Locked":true,"Reserved":false,)"
            R"("ReservationDisabled":false}],"NotFound":["x0c0s9b0n0"]})"
            "\n");
  EXPECT_TRUE(
      has(ask("GET", "/locks/status?type=RouterBMC").body, R"("ID":"x0c0r1b0","Locked":true)"));
  // Rigid: all or nothing.
  EXPECT_EQ(status("POST", "/locks/lock", R"({"ComponentIDs":["x0c0s0b0n0","x0c0s1b0n0"]})"), 400);
  EXPECT_FALSE(has(ask("GET", "/State/Components/x0c0s1b0n0").body, "Locked"));
  EXPECT_EQ(lock("lock", R"({"ComponentIDs":["x0c0s0b0n0","x0c0s1b0n0","x0c0s9b0n0"],)"
                         R"("ProcessingModel":"flexible"})"),
            R"({"Counts":{"Total":3,"Success":1,"Failure":2},)"
            R"("Success":{"ComponentIDs":["x0c0s1b0n0"]},"Failure":)"
            R"([{"ID":"x0c0s0b0n0","Reason":"Locked"},{"ID":"x0c0s9b0n0","Reason":"NotFound"}]})"
            "\n");
  EXPECT_EQ(status("POST", "/locks/unlock", R"({"Type":["Node"]})"), 200);
  EXPECT_TRUE(has(lock("unlock", R"({"ComponentIDs":["x0c0s0b0n0"],"ProcessingModel":"flexible"})"),
                  R"("Reason":"Unlocked")"));
}

TEST_F(SmdLocks, WhatCannotBeIsRefused) {
  for (const char* body :
       {"{", "{}", R"({"ComponentIDs":[]})", R"({"foo":"bar"})", R"({"ComponentIDs":["FAKE"]})",
        R"({"ComponentIDs":["x0c0s0b0n0"],"ProcessingModel":"FAKE"})", R"({"Type":["FAKE"]})",
        R"({"ComponentIDs":"x0c0s0b0n0"})"}) {
    for (const char* act : {"lock", "unlock", "disable", "repair", "status", "reservations"}) {
      EXPECT_EQ(status("POST", std::string("/locks/") + act, body), 400) << act << body;
    }
  }
  EXPECT_EQ(status("GET", "/locks/status?type=FAKE"), 400);
  EXPECT_EQ(
      ask("POST", "/locks/lock", R"({"ComponentIDs":["x0c0s0b0n0"]})", person("viewer")).status,
      403);
  EXPECT_FALSE(has(ask("GET", "/State/Components").body, "Locked"));
}

TEST_F(SmdLocks, AServiceReserves) {
  const char* body = R"({"ComponentIDs":["x0c0s0b0n0"],"ReservationDuration":1})";
  const Recorded made = ask("POST", "/locks/service/reservations", body);
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string key = key_in(made.body, "ReservationKey");
  const std::string deputy = key_in(made.body, "DeputyKey");
  EXPECT_TRUE(key.starts_with("x0c0s0b0n0:rk:")) << made.body;
  EXPECT_TRUE(deputy.starts_with("x0c0s0b0n0:dk:")) << made.body;
  EXPECT_TRUE(has(made.body, "ExpirationTime"));
  EXPECT_TRUE(
      has(lock("service/reservations", R"({"ComponentIDs":["x0c0s0b0n0"],"ReservationDuration":1,)"
                                       R"("ProcessingModel":"flexible"})"),
          R"("Failure":[{"ID":"x0c0s0b0n0","Reason":"Reserved"}])"));
  EXPECT_EQ(status("POST", "/locks/lock", R"({"ComponentIDs":["x0c0s0b0n0"]})"), 400);
  const auto keyed = [](const std::string& list, const std::string& value) {
    return fmt::format(R"({{"{}":[{{"ID":"x0c0s0b0n0","Key":"{}"}}],"ReservationDuration":15}})",
                       list, value);
  };
  const Recorded checked = ask("POST", "/locks/service/reservations/check",
                               keyed("DeputyKeys", deputy), person("viewer"));
  EXPECT_EQ(checked.status, 200) << checked.body;
  EXPECT_TRUE(has(checked.body, deputy));
  EXPECT_FALSE(has(checked.body, key));
  EXPECT_TRUE(has(lock("service/reservations/check", keyed("DeputyKeys", key)),
                  R"("Success":[],"Failure":[{"ID":"x0c0s0b0n0","Reason":"NotFound"}])"));
  EXPECT_EQ(status("POST", "/locks/service/reservations/renew", keyed("ReservationKeys", key)),
            200);
  EXPECT_EQ(status("POST", "/locks/service/reservations/renew", keyed("ReservationKeys", deputy)),
            400);
  EXPECT_EQ(status("POST", "/locks/service/reservations/release", keyed("ReservationKeys", "x")),
            400);
  EXPECT_EQ(status("POST", "/locks/service/reservations/release", keyed("ReservationKeys", key)),
            200);
  EXPECT_FALSE(has(lock("status", R"({"ComponentIDs":["x0c0s0b0n0"]})"), R"("Reserved":true)"));
  // No key is in the log of changes.
  EXPECT_FALSE(has(master.get("/api/v1/changes").body, key));
  for (const char* bad : {R"({"ComponentIDs":["x0c0s0b0n0"]})",
                          R"({"ComponentIDs":["x0c0s0b0n0"],"ReservationDuration":16})",
                          R"({"ComponentIDs":["x0c0s0b0n0"],"ReservationDuration":0})"}) {
    EXPECT_EQ(status("POST", "/locks/service/reservations", bad), 400) << bad;
  }
  EXPECT_EQ(status("POST", "/locks/service/reservations/release", "{}"), 400);
  EXPECT_EQ(status("POST", "/locks/service/reservations/check", R"({"DeputyKeys":[{"ID":"q"}]})"),
            400);
}

TEST_F(SmdLocks, AReservationEndsByItself) {
  const char* body = R"({"ComponentIDs":["x0c0s0b0n0"],"ReservationDuration":1})";
  ASSERT_EQ(status("POST", "/locks/service/reservations", body), 200);
  EXPECT_EQ(status("POST", "/locks/service/reservations", body), 400);
  const auto over = master.process.executor().now() + std::chrono::seconds(61);
  master.world.run_until([&] { return master.process.executor().now() >= over; },
                         std::chrono::minutes(2));
  EXPECT_EQ(status("POST", "/locks/service/reservations", body), 200);
}

TEST_F(SmdLocks, AnAdministratorReservesWhatIsLocked) {
  const std::string one = R"({"ComponentIDs":["x0c0s0b0n0"]})";
  EXPECT_EQ(status("POST", "/locks/reservations", one), 400);  // not locked
  ASSERT_EQ(status("POST", "/locks/lock", one), 200);
  EXPECT_EQ(status("POST", "/locks/service/reservations",
                   R"({"ComponentIDs":["x0c0s0b0n0"],"ReservationDuration":1})"),
            400);  // locked
  const Recorded made = ask("POST", "/locks/reservations", one);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_FALSE(has(made.body, "ExpirationTime"));
  EXPECT_EQ(status("POST", "/locks/unlock", one), 400);  // reserved
  EXPECT_EQ(status("POST", "/locks/reservations/release",
                   fmt::format(R"({{"ReservationKeys":[{{"ID":"x0c0s0b0n0","Key":"{}"}}]}})",
                               key_in(made.body, "ReservationKey"))),
            200);
  ASSERT_EQ(status("POST", "/locks/reservations", one), 200);
  EXPECT_EQ(status("POST", "/locks/reservations/remove", one), 200);
  EXPECT_EQ(status("POST", "/locks/reservations/remove", one), 400);
  EXPECT_EQ(status("POST", "/locks/unlock", one), 200);
  EXPECT_EQ(status("POST", "/locks/disable", one), 200);
  EXPECT_EQ(status("POST", "/locks/disable", one), 400);
  EXPECT_TRUE(
      has(ask("GET", "/State/Components/x0c0s0b0n0").body, R"("ReservationDisabled":true)"));
  EXPECT_EQ(status("POST", "/locks/service/reservations",
                   R"({"ComponentIDs":["x0c0s0b0n0"],"ReservationDuration":1})"),
            400);
  EXPECT_EQ(status("POST", "/locks/repair", one), 200);
  EXPECT_FALSE(has(ask("GET", "/State/Components/x0c0s0b0n0").body, "ReservationDisabled"));
}

TEST_F(SmdLocks, NodeMapsAreWhatNodesGetThatComeWithout) {
  const std::string all = "/Defaults/NodeMaps";
  const Recorded made =
      ask("POST", all,
          R"({"NodeMaps":[{"ID":"X0c0s5b00n0","NID":50,"Role":"storage","SubRole":"worker",)"
          R"("NodeInfo":{"rack":7}},{"ID":"x0c0s6b0n0","NID":60}]})");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.body, "{\"code\":0,\"message\":\"Created or modified 2 entries\"}\n");
  EXPECT_EQ(
      ask("GET", all + "/x0c0s5b0n0").body,
      R"({"ID":"x0c0s5b0n0","NID":50,"Role":"Storage","SubRole":"Worker","NodeInfo":{"rack":7}})"
      "\n");
  EXPECT_TRUE(has(ask("GET", all).body, R"({"NodeMaps":[{"ID":"x0c0s5b0n0")"));
  ASSERT_EQ(
      status("POST", "/State/Components", R"({"Components":[{"ID":"x0c0s5b0n0","State":"On"}]})"),
      204);
  EXPECT_TRUE(has(ask("GET", "/State/Components/x0c0s5b0n0").body,
                  R"("Role":"Storage","SubRole":"Worker","NID":50)"));
  for (const char* body : {"{", "{}", "[]", R"({"NodeMaps":[{"ID":"x0c0s7b0n0"}]})",
                           R"({"NodeMaps":[{"ID":"x0c0s7b0","NID":7}]})",
                           R"({"NodeMaps":[{"ID":"x0c0s7b0n0","NID":0}]})",
                           R"({"NodeMaps":[{"ID":"x0c0s7b0n0","NID":7,"Role":"FAKE"}]})",
                           R"({"NodeMaps":[{"ID":"x0c0s7b0n0","NID":"x"}]})"}) {
    EXPECT_EQ(status("POST", all, body), 400) << body;
  }
  EXPECT_EQ(status("POST", all, R"({"NodeMaps":[{"ID":"x0c0s7b0n0","NID":60}]})"), 409);
  EXPECT_EQ(status("GET", all + "/x0c0s7b0n0"), 404);
  EXPECT_EQ(status("PUT", all + "/x0c0s7b0n0", R"({"NID":70})"), 200);
  EXPECT_EQ(status("PUT", all + "/x0c0s7b0n0", R"({"NID":60})"), 409);
  EXPECT_EQ(status("PUT", all + "/x0c0s7b0n0", "{}"), 400);
  EXPECT_EQ(status("DELETE", all + "/x0c0s7b0n0"), 200);
  EXPECT_EQ(status("DELETE", all + "/x0c0s7b0n0"), 404);
  EXPECT_EQ(status("DELETE", all), 200);
  EXPECT_EQ(status("DELETE", all), 404);
}

TEST_F(SmdLocks, PowerMapsAndDiscoveryStatus) {
  const std::string all = "/sysinfo/powermaps";
  EXPECT_EQ(status("POST", all, R"([{"id":"x0c0s0b0n0","poweredBy":["x0m0p0v1","X0m0p0v02"]}])"),
            200);
  EXPECT_EQ(ask("GET", all).body, R"([{"id":"x0c0s0b0n0","poweredBy":["x0m0p0v1","x0m0p0v2"]}])"
                                  "\n");
  EXPECT_EQ(status("PUT", all + "/x0c0s1b0n0", R"({"poweredBy":["x0m0p0v1"]})"), 200);
  EXPECT_EQ(status("GET", all + "/x0c0s1b0n0"), 200);
  EXPECT_EQ(status("GET", all + "/x0c0s2b0n0"), 404);
  for (const char* body :
       {"[]", "{}", R"([{"id":"q","poweredBy":["x0m0p0v1"]}])", R"([{"id":"x0c0s0b0n0"}])",
        R"([{"id":"x0c0s0b0n0","poweredBy":["q"]}])"}) {
    EXPECT_EQ(status("POST", all, body), 400) << body;
  }
  EXPECT_EQ(status("DELETE", all + "/x0c0s1b0n0"), 200);
  EXPECT_EQ(status("DELETE", all), 200);
  EXPECT_EQ(status("DELETE", all), 404);
  EXPECT_EQ(ask("GET", "/Inventory/DiscoveryStatus").body,
            "[{\"ID\":0,\"Status\":\"NotStarted\"}]\n");
  ASSERT_EQ(status("POST", "/Inventory/RedfishEndpoints",
                   R"({"ID":"x0c0s0b0","FQDN":"10.1.0.1","SchemaVersion":1})"),
            201);
  EXPECT_TRUE(has(ask("GET", "/Inventory/DiscoveryStatus/0").body, R"("Status":"Complete")"));
  EXPECT_EQ(status("GET", "/Inventory/DiscoveryStatus/1"), 404);
}

}  // namespace
}  // namespace drover::api

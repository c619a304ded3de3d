// PCS's power caps, and our own: tasks, limits, what is refused.
#include "api/pcs/words.hpp"
#include "api/test_power.hpp"

namespace drover::api {
namespace {

using namespace std::chrono_literals;
using testing::parsed;
using testing::person;
using testing::Recorded;

class PcsCaps : public testing::PowerTest {
 protected:
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const std::string& role = "operator") {
    return master.ask(method, at, body, {}, person(role));
  }
  void make_named(uint32_t count, sim::BmcTraits traits = {}) {
    make(count, std::move(traits));
    for (uint32_t i = 0; i < count; ++i) {
      const auto named = master.ask("PATCH", fmt::format("/api/v1/nodes/n{}", i + 1),
                                    fmt::format(R"({{"spec":{{"aliases":["x0c0s{}b0n0"]}}}})", i));
      ASSERT_EQ(named.status, 200) << named.body;
    }
  }
  json::value ended(const Recorded& made) {
    EXPECT_EQ(made.status, 200) << made.body;
    const std::string id(parsed(made).at("taskID").as_string());
    json::value seen;
    for (int second = 0; second < 600; ++second) {
      seen = parsed(ask("GET", "/power-cap/" + id));
      if (seen.at("taskStatus") == "completed") break;
      EXPECT_TRUE(master.world.run_for(1s));
    }
    return seen;
  }
};

TEST_F(PcsCaps, SnapshotAndPatch) {
  sim::BmcTraits traits;
  traits.caps = "controls";
  make_named(2, traits);
  const auto before =
      ended(ask("POST", "/power-cap/snapshot", R"({"xnames":["x0c0s0b0n0","x9c0s0b0n0"]})"));
  EXPECT_EQ(before.at("type"), "snapshot");
  EXPECT_EQ(json::serialize(before.at("taskCounts")),
            R"({"total":2,"new":0,"in-progress":0,"failed":1,"succeeded":1,"un-supported":0})");
  EXPECT_EQ(json::serialize(before.at("components")),
            R"([{"xname":"x0c0s0b0n0","limits":{"hostLimitMax":1600,"hostLimitMin":350},)"
            R"("powerCapLimits":[{"name":"Node Power Limit","currentValue":0,"maximumValue":1600,)"
            R"("minimumValue":350}]},{"xname":"x9c0s0b0n0","error":"Missing xname"}])");
  const auto set = ended(ask(
      "PATCH", "/v1/power-cap",
      R"({"components":[{"xname":"x0c0s0b0n0","controls":[{"name":"Node Power Limit","value":500}]},)"
      R"({"xname":"x0c0s1b0n0","controls":[{"name":"Lunch","value":500}]}]})"));
  EXPECT_EQ(set.at("type"), "patch");
  EXPECT_EQ(set.at("taskCounts").at("succeeded"), 1) << json::serialize(set);
  EXPECT_EQ(fleet->at(0).bmc().board().cap(), 500U);
  EXPECT_EQ(fleet->at(1).bmc().board().cap(), 0U);
  EXPECT_NE(json::serialize(set).find("there is no limit called 'Lunch'"), std::string::npos);
  EXPECT_EQ(parsed(ask("GET", "/power-cap")).at("tasks").as_array().size(), 2U);
  EXPECT_EQ(parsed(ask("GET", "/transitions")).at("transitions").as_array().size(), 0U);
}

TEST_F(PcsCaps, OurOwnSetsTheSame) {
  make_named(1);
  const auto done = outcome(ask("POST", "/api/v1/power-caps", R"({"nodes":"n1","watts":700})"));
  EXPECT_EQ(done.at("groups").at(0).at("result"),
            R"({"caps":[{"name":"Whole enclosure","limit":700,"least":null,"most":1600}]})");
  EXPECT_EQ(fleet->at(0).bmc().board().cap(), 700U);
  EXPECT_EQ(
      outcome(ask("POST", "/api/v1/power-caps", R"({"nodes":"n1","watts":9999})")).at("state"),
      "failed");
  EXPECT_EQ(fleet->at(0).bmc().board().cap(), 700U);
}

TEST_F(PcsCaps, WhatCannotBeIsRefused) {
  make_named(1);
  for (const char* body : {"", "[]", "{}", R"({"xnames":[]})", R"({"xnames":"x0c0s0b0n0"})"}) {
    EXPECT_EQ(ask("POST", "/power-cap/snapshot", body).status, 400) << body;
  }
  for (const char* body :
       {"", "{}", R"({"components":{}})", R"({"components":[{"xname":"x0c0s0b0n0"}]})",
        R"({"components":[{"xname":"x0c0s0b0n0","controls":[{"name":"","value":1}]}]})",
        R"({"components":[{"xname":"x0c0s0b0n0","controls":[{"name":"a","value":-1}]}]})",
        R"({"components":[{"xname":7,"controls":[]}]})"}) {
    EXPECT_EQ(ask("PATCH", "/power-cap", body).status, 400) << body;
  }
  const char* good = R"({"components":[]})";
  EXPECT_EQ(ask("PATCH", "/power-cap", good).status, 200);
  EXPECT_EQ(ask("PATCH", "/power-cap", good, "viewer").status, 403);
  EXPECT_EQ(ask("GET", "/power-cap/nonsense").status, 400);
  EXPECT_EQ(ask("GET", "/power-cap/00000000-0000-0000-0000-000000000000").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/power-caps", R"({"nodes":"nosuch"})").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/power-caps", R"({"nodes":"n1","at_a_time":0})").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/power-caps", R"({"nodes":"n1","left_out":{"a":"b"}})").status,
            400);
}

}  // namespace
}  // namespace drover::api

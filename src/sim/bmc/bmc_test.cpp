// The emulated BMC by itself: the tree, who is let in, power that really changes.
#include "base/json_values.hpp"
#include "sim/bmc/bmc_fleet.hpp"
#include "sim/bmc/bmc_harm.hpp"
#include "sim/bmc/bmc_tree.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

#include <deque>
#include <set>

#include <gtest/gtest.h>

namespace drover::sim {
namespace {

using namespace std::chrono_literals;

constexpr const char* kReset = "/redfish/v1/Systems/Node0/Actions/ComputerSystem.Reset";

class EmulatedBmcTest : public ::testing::Test {
 protected:
  EmulatedBmc& make(BmcTraits traits = {}) {
    traits.sessions = true;
    return bmc_.emplace(traits, process_.executor(), process_.random());
  }
  net::HttpResponse ask(const std::string& method, const std::string& target,
                        const std::string& body = "", net::HttpHeaders headers = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    if (!request.headers.has("X-Auth-Token") && !request.headers.has("Authorization")) {
      request.headers.add("Authorization", "Basic cm9vdDpjYWx2aW4=");  // root:calvin
    }
    return bmc_->answer(request);
  }
  json::value get(const std::string& target) {
    const auto answer = ask("GET", target);
    EXPECT_EQ(answer.status, 200) << target;
    return parse_json(answer.body).value_or(json::value{});
  }
  std::string power() {
    return get("/redfish/v1/Systems/Node0").at("PowerState").as_string().c_str();
  }
  void pass(Duration time) { ASSERT_TRUE(world_.run_for(time)); }

  World world_{1};
  SimProcess process_{world_, {.name = "bmc", .host = "h1"}};
  std::optional<EmulatedBmc> bmc_;
};

TEST_F(EmulatedBmcTest, EveryLinkLeadsToAResourceOfThatName) {
  BmcTraits traits;
  traits.systems = 2;
  traits.gpus = 4;
  make(traits);
  std::deque<std::string> open{"/redfish/v1/"};
  std::set<std::string> seen;
  const auto collect = [&](const json::value& value, const auto& self) -> void {
    if (const auto* object = value.if_object()) {
      for (const auto& [name, member] : *object) {
        if (name == "@odata.id" && member.as_string().find('#') == std::string::npos) {
          open.emplace_back(member.as_string());
        }
        self(member, self);
      }
    } else if (const auto* array = value.if_array()) {
      for (const auto& element : *array) self(element, self);
    }
  };
  while (!open.empty()) {
    const std::string path = open.front();
    open.pop_front();
    if (!seen.insert(path).second || path.ends_with("/Sessions")) continue;
    collect(get(path), collect);
  }
  EXPECT_TRUE(seen.contains("/redfish/v1/Systems/Node1/Processors/GPU3"));
  EXPECT_GT(seen.size(), 60U);
}

TEST_F(EmulatedBmcTest, OnlyTheRootIsOpen) {
  make();
  const net::HttpHeaders wrong{{"Authorization", "Basic cm9vdDp3cm9uZw=="}};
  EXPECT_EQ(ask("GET", "/redfish/v1/", "", wrong).status, 200);
  EXPECT_EQ(ask("GET", "/redfish/v1/Systems", "", wrong).status, 401);
  EXPECT_EQ(ask("GET", "/redfish/v1/Nothing").status, 404);
  EXPECT_EQ(ask("PUT", "/redfish/v1/Systems").status, 405);
}

TEST_F(EmulatedBmcTest, SessionsComeAndGo) {
  make();
  const auto opened = ask("POST", "/redfish/v1/SessionService/Sessions",
                          R"({"UserName":"root","Password":"calvin"})");
  ASSERT_EQ(opened.status, 201);
  const net::HttpHeaders token{{"X-Auth-Token", std::string(*opened.headers.get("X-Auth-Token"))}};
  EXPECT_EQ(ask("GET", "/redfish/v1/Systems", "", token).status, 200);
  EXPECT_EQ(ask("DELETE", std::string(*opened.headers.get("Location")), "", token).status, 204);
  EXPECT_EQ(ask("GET", "/redfish/v1/Systems", "", token).status, 401);
}

TEST_F(EmulatedBmcTest, WrongPasswordsLockEverybodyOut) {
  BmcTraits traits;
  traits.lock_out_after = 2;
  make(traits);
  const net::HttpHeaders wrong{{"Authorization", "Basic cm9vdDp3cm9uZw=="}};
  EXPECT_EQ(ask("GET", "/redfish/v1/Systems", "", wrong).status, 401);
  EXPECT_EQ(ask("GET", "/redfish/v1/Systems").status, 200);
  EXPECT_EQ(ask("GET", "/redfish/v1/Systems", "", wrong).status, 401);
  EXPECT_EQ(ask("GET", "/redfish/v1/Systems").status, 401);
  EXPECT_TRUE(bmc_->door().locked());
}

TEST_F(EmulatedBmcTest, AResetChangesThePowerInItsTime) {
  make();
  EXPECT_EQ(power(), "Off");
  EXPECT_EQ(ask("POST", kReset, R"({"ResetType":"On"})").status, 204);
  EXPECT_EQ(power(), "PoweringOn");
  pass(2s);
  EXPECT_EQ(power(), "On");
  EXPECT_EQ(ask("POST", kReset, R"({"ResetType":"GracefulShutdown"})").status, 204);
  pass(2s);
  EXPECT_EQ(power(), "PoweringOff");
  pass(4s);
  EXPECT_EQ(power(), "Off");
  EXPECT_EQ(ask("POST", kReset, R"({"ResetType":"ForceRestart"})").status, 409);
  EXPECT_EQ(ask("POST", kReset, R"({"ResetType":"Nonsense"})").status, 400);
  EXPECT_EQ(ask("POST", kReset, "no json").status, 400);
}

TEST_F(EmulatedBmcTest, BootOnceIsSpentByTheNextStart) {
  BmcTraits traits;
  traits.demands_etag = true;
  make(traits);
  const std::string system = "/redfish/v1/Systems/Node0";
  const std::string body =
      R"({"Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideTarget":"Pxe"}})";
  EXPECT_EQ(ask("PATCH", system, body).status, 428);
  net::HttpHeaders stale{{"If-Match", "W/\"999\""}, {"Authorization", "Basic cm9vdDpjYWx2aW4="}};
  EXPECT_EQ(ask("PATCH", system, body, stale).status, 412);
  const std::string etag(*ask("GET", system).headers.get("ETag"));
  EXPECT_EQ(
      ask("PATCH", system, body, {{"If-Match", etag}, {"Authorization", "Basic cm9vdDpjYWx2aW4="}})
          .status,
      204);
  EXPECT_EQ(get(system).at("Boot").at("BootSourceOverrideTarget"), "Pxe");
  EXPECT_EQ(ask("POST", kReset, R"({"ResetType":"On"})").status, 204);
  pass(2s);
  EXPECT_EQ(get(system).at("Boot").at("BootSourceOverrideTarget"), "None");
}

TEST_F(EmulatedBmcTest, TasksEndInTheirTime) {
  BmcTraits traits;
  traits.reset_by_task = true;
  make(traits);
  const auto accepted = ask("POST", kReset, R"({"ResetType":"On"})");
  ASSERT_EQ(accepted.status, 202);
  const std::string monitor(*accepted.headers.get("Location"));
  EXPECT_EQ(ask("GET", monitor).status, 202);
  pass(2s);
  EXPECT_EQ(ask("GET", monitor).status, 204);
}

TEST_F(EmulatedBmcTest, CollectionsComeExpandedAndInPages) {
  BmcTraits traits;
  traits.expand = true;
  traits.page = 3;
  make(traits);
  const auto page = get("/redfish/v1/Systems/Node0/Memory?$expand=.($levels=1)");
  EXPECT_EQ(page.at("Members").as_array().size(), 3U);
  EXPECT_EQ(page.at("Members").at(0).at("CapacityMiB"), 32768);
  const auto next = get(page.at("Members@odata.nextLink").as_string().c_str());
  EXPECT_EQ(next.at("Members").at(0).at("Id"), "DIMM3");
  EXPECT_EQ(next.at("Members").at(0).at("CapacityMiB"), 32768);
  EXPECT_FALSE(get("/redfish/v1/Systems/Node0/Memory?$skip=6")
                   .as_object()
                   .contains("Members@odata.nextLink"));
}

TEST(BmcHarm, WrongTypesAreStillJsonAndKeepTheLinks) {
  const auto text =
      with_wrong_types(R"({"@odata.id":"/a","Id":"x","Count":2,"L":{"@odata.id":"/b"}})");
  const auto value = parse_json(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->at("@odata.id"), "/a");
  EXPECT_FALSE(value->at("Id").is_string());
  EXPECT_TRUE(value->at("Count").is_string());
  EXPECT_EQ(value->at("L").at("@odata.id"), "/b");
}

}  // namespace
}  // namespace drover::sim

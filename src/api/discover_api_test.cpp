// Discovery by the API: scans as operations, what they find and keep, who may.
#include "api/collect_operation.hpp"
#include "api/scan_operation.hpp"
#include "api/test_master.hpp"
#include "base/json_values.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "sim/bmc/bmc_fleet.hpp"
#include "sim/sim_net.hpp"
#include "sim/sim_security.hpp"

#include <deque>

#include <fmt/format.h>

namespace drover::api {
namespace {

using namespace std::chrono_literals;
using testing::person;
using testing::TestMaster;

json::value parsed(const testing::Recorded& answer) {
  auto value = parse_json(answer.body);
  EXPECT_TRUE(value) << answer.body;
  return value ? *value : json::value();
}

class DiscoverApi : public ::testing::Test {
 protected:
  DiscoverApi() { add_operations(); }
  ~DiscoverApi() override { master.api.reset(); }
  void add_operations() {
    const PowerServices services{master.process.executor(),
                                 master.process.log("power"),
                                 *master.store,
                                 master.model,
                                 &*master.secrets,
                                 ground,
                                 nullptr};
    master.api->operations().add(scan_operations(services));
    master.api->operations().add(collect_operations(services));
  }
  /// BMCs behind TLS at port 443 of 10.0.0.1 and so on.
  void make(int count, const sim::BmcTraits& traits = {}) {
    net::SecurityConfig config;
    config.certificate_pem = sim::sim_certificate("bmc", master.world.wall() + 24h, "self");
    config.verify_peer = false;
    for (int i = 1; i <= count; ++i) {
      const std::string name = fmt::format("bmc{}", i);
      auto& host = hosts.emplace_back();
      host.process = std::make_unique<sim::SimProcess>(
          master.world, sim::ProcessOptions{.name = name, .host = name});
      host.net = std::make_unique<sim::SimNet>(master.fabric, *host.process);
      master.fabric.add_address(name, fmt::format("10.0.0.{}", i));
      sim::BmcFleetOptions options;
      options.first = static_cast<uint32_t>(i);
      options.host = fmt::format("10.0.0.{}", i);
      options.port = 443;
      options.traits = traits;
      host.fleet = sim::BmcFleet::start({host.process->executor(), *host.net,
                                         host.process->random(), host.process->log()},
                                        options, host.net->make_security(config).value())
                       .value();
    }
  }
  testing::Recorded scan(const std::string& body, const std::string& role = "operator") {
    return master.ask("POST", "/api/v1/discover/scan", body, {}, person(role));
  }
  json::value outcome(const testing::Recorded& started) {
    EXPECT_EQ(started.status, 202) << started.body;
    const std::string id(parsed(started).at("id").as_string());
    json::value operation;
    for (int minute = 0; minute < 10; ++minute) {
      operation = parsed(master.get(fmt::format("/api/v1/operations/{}?wait=60", id)));
      if (operation.at("state") != "running") break;
    }
    return operation;
  }
  /// Scans, gives the password, and looks through what was found.
  void find_and_look() {
    ASSERT_EQ(outcome(scan(R"({"networks":["10.0.0.0/24"]})")).at("state"), "done");
    ASSERT_EQ(master
                  .ask("PUT", "/api/v1/bmc-credentials/default/default",
                       R"({"user":"root","password":"calvin"})")
                  .status,
              204);
    const auto looked = outcome(look());
    ASSERT_EQ(looked.at("state"), "done") << json::serialize(looked);
  }
  testing::Recorded look(const std::string& body = "{}", const std::string& role = "operator") {
    return master.ask("POST", "/api/v1/discover/bmcs", body, {}, person(role));
  }
  json::value adopt(const std::string& body, const std::string& query = "") {
    const auto answer = master.ask("POST", "/api/v1/discover/adopt" + query, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return parsed(answer);
  }
  uint64_t asked() {
    uint64_t sum = 0;
    for (const auto& host : hosts) sum += host.fleet->requests();
    return sum;
  }
  json::array found() { return parsed(master.get("/api/v1/discover/bmcs")).at("items").as_array(); }

  struct Host {
    std::unique_ptr<sim::SimProcess> process;
    std::unique_ptr<sim::SimNet> net;
    std::unique_ptr<sim::BmcFleet> fleet;
  };
  TestMaster master;
  sim::SimNet net{master.fabric, master.process};
  hardware::BmcGround ground{master.process.executor(), net, master.process.random(), 100};
  std::deque<Host> hosts;
};

TEST_F(DiscoverApi, AScanKeepsWhatItFinds) {
  make(3);
  const auto done = outcome(scan(R"({"networks":["10.0.0.0/29"],"why":"spring"})"));
  EXPECT_EQ(done.at("state"), "done") << json::serialize(done);
  EXPECT_EQ(done.at("nodes"), "10.0.0.[1-6]");
  EXPECT_EQ(done.at("groups").as_array().size(), 2U);
  const auto bmcs = found();
  ASSERT_EQ(bmcs.size(), 3U);
  EXPECT_EQ(bmcs.at(1).at("address"), "10.0.0.2");
  EXPECT_EQ(bmcs.at(1).at("port"), 443);
  EXPECT_EQ(bmcs.at(1).at("vendor"), "Contoso");
  EXPECT_EQ(bmcs.at(1).at("nodes"), "");
  const auto log = master.get("/api/v1/changes?since=0&kind=found-bmc").body;
  EXPECT_NE(log.find("a scan found it: spring"), std::string::npos) << log;
}

TEST_F(DiscoverApi, WhatIsKnownIsNotAskedAgain) {
  make(2);
  ASSERT_EQ(outcome(scan(R"({"networks":["10.0.0.1"]})")).at("state"), "done");
  const uint64_t once = asked();
  const auto plan = parsed(master.ask("POST", "/api/v1/discover/scan?dry_run=true",
                                      R"({"networks":["10.0.0.1-10.0.0.2"]})"));
  EXPECT_EQ(plan.at("asks"), "10.0.0.2") << json::serialize(plan);
  EXPECT_EQ(plan.at("known"), 1);
  EXPECT_EQ(asked(), once);
  const auto again = outcome(scan(R"({"networks":["10.0.0.1-10.0.0.2"]})"));
  EXPECT_EQ(again.at("groups").at(0).at("nodes"), "10.0.0.[1-2]") << json::serialize(again);
  EXPECT_EQ(hosts[0].fleet->requests(), once);
  ASSERT_EQ(outcome(scan(R"({"networks":["10.0.0.1"],"fresh":true})")).at("state"), "done");
  EXPECT_GT(hosts[0].fleet->requests(), once);
  ASSERT_EQ(master.ask("DELETE", "/api/v1/discover/bmcs/10.0.0.1").status, 204);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/discover/bmcs/10.0.0.1").status, 404);
  EXPECT_EQ(found().size(), 1U);
}

TEST_F(DiscoverApi, TheListSaysWhichNodesHaveThem) {
  make(1);
  ASSERT_EQ(outcome(scan(R"({"networks":["10.0.0.1"]})")).at("state"), "done");
  for (const char* name : {"n1", "n2"}) {
    ASSERT_EQ(master
                  .ask("POST", "/api/v1/nodes",
                       fmt::format(R"({{"name":"{}","spec":{{"bmc":{{"address":"10.0.0.1"}},)"
                                   R"("attributes":{{"bmc_system":"{}"}}}}}})",
                                   name, name))
                  .status,
              201);
  }
  EXPECT_EQ(found().at(0).at("nodes"), "n[1-2]");
}

TEST_F(DiscoverApi, AScanGoesOnUnderTheNextStartOfTheMaster) {
  sim::BmcTraits slow;
  slow.latency = 1500ms;
  make(4, slow);
  const auto started = scan(R"({"networks":["10.0.0.1-10.0.0.4"],"at_a_time":1})");
  ASSERT_TRUE(master.world.run_for(4s));
  master.restart();
  add_operations();
  const auto done = outcome(started);
  EXPECT_EQ(done.at("state"), "done") << json::serialize(done);
  EXPECT_EQ(done.at("taken_up"), 1);
  EXPECT_EQ(found().size(), 4U);
  EXPECT_EQ(hosts[0].fleet->requests(), 1U);  // was done before
}

TEST_F(DiscoverApi, ACancelledScanStops) {
  make(3);
  const auto started = scan(R"({"networks":["10.0.0.0/24"],"at_a_time":1})");
  const std::string id(parsed(started).at("id").as_string());
  ASSERT_TRUE(master.world.run_for(2s));
  EXPECT_EQ(master.ask("DELETE", "/api/v1/operations/" + id).status, 200);
  EXPECT_EQ(outcome(started).at("state"), "cancelled");
}

TEST_F(DiscoverApi, FoundBmcsAreLookedThroughAndBecomeNodes) {
  sim::BmcTraits traits;
  traits.systems = 2;
  make(3, traits);
  find_and_look();
  EXPECT_EQ(found().at(0).at("machines"), 2);
  const std::string body =
      R"({"names":"n[1-8]","network":"mgmt","address":"10.9.0.${number}/16","group":"rack","why":"May"})";
  ASSERT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"rack","nodes":""})").status, 201);
  const auto plan = adopt(body, "?dry_run=true");
  EXPECT_EQ(plan.at("created"), 6) << json::serialize(plan);
  EXPECT_EQ(master.get("/api/v1/nodes/n1").status, 404);
  EXPECT_EQ(adopt(body).at("created"), 6);
  const auto node = parsed(master.get("/api/v1/nodes/n4"));
  EXPECT_EQ(node.at("spec").at("bmc").at("address"), "10.0.0.2") << json::serialize(node);
  EXPECT_EQ(node.at("spec").at("attributes").at("bmc_system"), "Node1");
  EXPECT_EQ(node.at("spec").at("interfaces").as_array().size(), 2U);
  EXPECT_EQ(parsed(master.get("/api/v1/groups/rack")).at("nodes"), "n[1-6]");
  EXPECT_EQ(found().at(2).at("nodes"), "n[5-6]");
  // The BMCs go by the places of their nodes, and stay the same ones.
  for (const auto& [name, bmc] : master.model.hardware().bmcs()) {
    EXPECT_TRUE(name.starts_with("x9998c0s")) << name;
  }
  EXPECT_EQ(master.model.hardware().bmcs().size(), 3U);
  const std::string log = master.get("/api/v1/changes?since=0&kind=node").body;
  EXPECT_NE(log.find("adopted from its BMC: May"), std::string::npos);
  const auto again = adopt(body);
  EXPECT_EQ(again.at("kept"), 6) << json::serialize(again);
  EXPECT_EQ(master.get("/api/v1/changes?since=0&kind=node").body, log);
  ASSERT_EQ(outcome(look()).at("state"), "done");
  EXPECT_EQ(master.model.hardware().bmcs().size(), 3U);
}

TEST_F(DiscoverApi, APasswordThatIsMissingIsSaid) {
  make(1);
  ASSERT_EQ(outcome(scan(R"({"networks":["10.0.0.1"]})")).at("state"), "done");
  const auto looked = outcome(look());
  EXPECT_EQ(looked.at("state"), "failed");
  EXPECT_NE(json::serialize(looked).find("no password is kept"), std::string::npos);
  const auto plan = adopt(R"({"names":"n1"})");
  EXPECT_EQ(plan.at("skipped"), 1) << json::serialize(plan);
  // One for this BMC alone.
  ASSERT_EQ(master
                .ask("PUT", "/api/v1/bmc-credentials/bmc/10.0.0.1",
                     R"({"user":"root","password":"calvin"})")
                .status,
            204);
  EXPECT_EQ(outcome(look(R"({"bmcs":["10.0.0.0/24"]})")).at("state"), "done");
}

TEST_F(DiscoverApi, AConflictAdoptsNobody) {
  make(2);
  find_and_look();
  const auto answer =
      master.ask("POST", "/api/v1/discover/adopt", R"({"names":"n[1-2]","address":"10.9.0.1/16"})");
  EXPECT_EQ(answer.status, 409) << answer.body;
  EXPECT_NE(answer.body.find("10.9.0.1"), std::string::npos);
  EXPECT_EQ(master.get("/api/v1/nodes/n1").status, 404);
}

TEST_F(DiscoverApi, AdoptingIsRefusedWhereItCannotBe) {
  const auto status = [&](const std::string& body, const std::string& role = "operator") {
    return master.ask("POST", "/api/v1/discover/adopt", body, {}, person(role)).status;
  };
  EXPECT_EQ(status("{}"), 200);
  EXPECT_EQ(status("{}", "viewer"), 403);
  EXPECT_EQ(status(R"({"names":"n[1-"})"), 400);
  EXPECT_EQ(status(R"({"by":"map"})"), 400);
  EXPECT_EQ(status(R"({"by":"colour"})"), 400);
  EXPECT_EQ(status(R"({"bmcs":["10.0.0.0/8"]})"), 413);
  EXPECT_EQ(look().status, 404);
  EXPECT_EQ(look("{}", "viewer").status, 403);
  EXPECT_EQ(look(R"({"at_a_time":0})").status, 400);
  make(1);
  find_and_look();
  EXPECT_EQ(status(R"({"names":"n1","group":"none"})"), 404);
  EXPECT_EQ(look(R"({"bmcs":["10.9.9.9"]})").status, 404);
}

TEST_F(DiscoverApi, WhoMayAndWhatIsRefused) {
  EXPECT_EQ(scan(R"({"networks":["10.0.0.1"]})", "viewer").status, 403);
  EXPECT_EQ(scan(R"({"networks":[]})").status, 400);
  EXPECT_EQ(scan(R"({"networks":["10.0.0.0/8"]})").status, 413);
  EXPECT_EQ(scan(R"({"networks":["nonsense"]})").status, 400);
  EXPECT_EQ(scan(R"({"networks":["10.0.0.1"],"at_a_time":0})").status, 400);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/discover/bmcs/10.0.0.1", {}, {}, person("viewer")).status,
            403);
  EXPECT_EQ(master.get("/api/v1/discover/bmcs", person("viewer")).status, 200);
  const net::HttpHeaders key{{"Idempotency-Key", "once"}};
  const auto ask = [&] {
    return parsed(master.ask("POST", "/api/v1/discover/scan", R"({"networks":["10.0.0.9"]})", key));
  };
  EXPECT_EQ(ask().at("id"), ask().at("id"));
}

}  // namespace
}  // namespace drover::api

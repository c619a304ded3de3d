// For tests: a master beside emulated BMCs in one simulated world, its nodes' power in their hands.
#pragma once

#include "api/cap_operation.hpp"
#include "api/collect_operation.hpp"
#include "api/power_operation.hpp"
#include "api/power_sight.hpp"
#include "api/test_master.hpp"
#include "base/json_values.hpp"
#include "sim/bmc/bmc_fleet.hpp"
#include "sim/sim_net.hpp"
#include "sim/sim_security.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace drover::api::testing {

using namespace std::chrono_literals;

inline json::value parsed(const Recorded& answer) {
  auto value = parse_json(answer.body);
  EXPECT_TRUE(value) << answer.body;
  return value ? *value : json::value();
}

/// A BMC whose machine is on; refuses where a test says so.
class FakeIpmi final : public hardware::IpmiTool {
 public:
  explicit FakeIpmi(Executor& executor) : executor_(executor) {}
  void run(const hardware::IpmiAccess& access, Words words, Done done) override {
    asked.push_back(access.host + " " + words.back());
    Result<std::string> answer = std::string("Chassis Power is on\n");
    if (refuse) answer = tl::unexpected<Error>(*refuse);
    executor_.post([done = std::move(done), answer]() mutable { done(std::move(answer)); });
  }
  std::vector<std::string> asked;
  std::optional<Error> refuse;

 private:
  Executor& executor_;
};

class PowerTest : public ::testing::Test {
 protected:
  PowerTest() {
    sight = std::make_unique<PowerSight>(services(), "daemon:master/m1");
    add_power_operations();
  }
  ~PowerTest() override {
    master.api.reset();
    sight.reset();
  }
  PowerServices services() {
    return {master.process.executor(),
            master.process.log("power"),
            *master.store,
            master.model,
            &*master.secrets,
            bmcs,
            &ipmi,
            sight.get()};
  }
  void add_power_operations() {
    master.api->use(*sight);
    master.api->operations().add(power_operations(services()));
    master.api->operations().add(collect_operations(services()));
    master.api->operations().add(cap_operations(services()));
  }
  /// BMCs behind TLS, each with the machine of one node: n1, n2 ..
  void make(uint32_t count, sim::BmcTraits traits = {}) {
    net::SecurityConfig config;
    config.certificate_pem = sim::sim_certificate("bmc", master.world.wall() + 24h, "self");
    config.verify_peer = false;
    sim::BmcFleetOptions options;
    options.count = count;
    options.host = "bmcs";
    options.traits = std::move(traits);
    fleet = sim::BmcFleet::start({far.executor(), far_net, far.random(), far.log()}, options,
                                 far_net.make_security(config).value())
                .value();
    for (uint32_t i = 0; i < count; ++i) {
      add_node(fmt::format("n{}", i + 1),
               fmt::format(R"({{"bmc":{{"address":"bmcs"}},"attributes":{{"bmc_port":"{}"}}}})",
                           fleet->endpoint(i).port));
    }
    EXPECT_EQ(keep("default/default", "calvin").status, 204);
  }
  void add_node(const std::string& name, const std::string& spec) {
    const auto answer = master.ask("POST", "/api/v1/nodes",
                                   fmt::format(R"({{"name":"{}","spec":{}}})", name, spec));
    ASSERT_EQ(answer.status, 201) << answer.body;
  }
  Recorded keep(const std::string& whose, const std::string& password) {
    return master.ask("PUT", "/api/v1/bmc-credentials/" + whose,
                      fmt::format(R"({{"user":"root","password":"{}"}})", password));
  }
  Recorded power(const std::string& body, const std::string& role = "operator") {
    return master.ask("POST", "/api/v1/power", body, {}, person(role));
  }
  json::value ended(const std::string& body) {
    const auto answer = power(body);
    EXPECT_EQ(answer.status, 202) << answer.body;
    return outcome(answer);
  }
  json::value outcome(const Recorded& started) {
    const std::string id(parsed(started).at("id").as_string());
    json::value operation;
    for (int minute = 0; minute < 10; ++minute) {
      operation = parsed(master.get(fmt::format("/api/v1/operations/{}?wait=60", id)));
      if (operation.at("state") != "running") break;
    }
    return operation;
  }

  TestMaster master;
  sim::SimNet net{master.fabric, master.process};
  hardware::BmcGround bmcs{master.process.executor(), net, master.process.random(), 100};
  FakeIpmi ipmi{master.process.executor()};
  sim::SimProcess far{master.world, {.name = "bmcs", .host = "bmcs"}};
  sim::SimNet far_net{master.fabric, far};
  std::unique_ptr<sim::BmcFleet> fleet;
  std::unique_ptr<PowerSight> sight;
};

}  // namespace drover::api::testing

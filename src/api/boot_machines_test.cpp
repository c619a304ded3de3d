// Unknown machines over the API.
#include "api/test_master.hpp"
#include "cluster/unknown_machine.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

class BootMachines : public ::testing::Test {
 protected:
  void SetUp() override { master.add_node("n1"); }
  void seen(int machine, int second, const std::string& port = "") {
    cluster::Sighting sighting;
    sighting.mac = mac(machine);
    sighting.at = from_unix_ms(1'700'000'000'000) + std::chrono::seconds(second);
    sighting.port = port;
    ASSERT_TRUE(master.write([sighting](store::Transaction& tx) {
      return cluster::apply_sighting(tx, sighting, "boot1", "fresh");
    }));
  }
  static std::string mac(int i) { return fmt::format("52:54:00:77:00:{:02x}", i); }
  Recorded post(const std::string& target, const std::string& body,
                const std::string& role = "operator") {
    return master.ask("POST", "/api/v1/boot/" + target, body, {}, person(role));
  }

  TestMaster master;
};

TEST_F(BootMachines, AnUnknownMachineIsApproved) {
  seen(1, 0);
  EXPECT_NE(master.get("/api/v1/boot/unknown").body.find(mac(1)), std::string::npos);
  const std::string path = "unknown/" + mac(1) + "/approve";
  EXPECT_EQ(post(path, R"({"node":"n1"})", "viewer").status, 403);
  EXPECT_EQ(master.ask("POST", "/api/v1/boot/" + path + "?dry_run=true", R"({"node":"n1"})").status,
            200);
  EXPECT_TRUE(master.model.find("n1")->node().spec.interfaces.empty());
  const auto approved = post(path, R"({"node":"n1","why":"rack 1"})");
  EXPECT_EQ(approved.body,
            fmt::format(R"({{"mac":"{}","node":"n1","problem":""}})", mac(1)) + "\n");
  EXPECT_EQ(master.model.find("n1")->node().spec.interfaces.at(0).mac, mac(1));
  EXPECT_TRUE(master.model.unknown_machines().empty());
  EXPECT_EQ(post(path, R"({"node":"n1"})").status, 404);
  seen(2, 0);
  EXPECT_EQ(post("unknown/" + mac(2) + "/approve", R"({"node":"n1"})").status, 409);
  EXPECT_EQ(post("unknown/nomac/approve", R"({"node":"n1"})").status, 400);
}

TEST_F(BootMachines, AllThatWaitAreNamedByArrivalOrPort) {
  seen(2, 5);
  seen(1, 1);
  seen(3, 9);
  const auto numbered = post("number", R"({"nodes":"n[1-2]"})");
  EXPECT_EQ(numbered.status, 200) << numbered.body;
  EXPECT_EQ(master.model.find("n1")->node().spec.interfaces.at(0).mac, mac(1));
  EXPECT_EQ(master.model.find("n2")->node().spec.interfaces.at(0).mac, mac(2));
  EXPECT_NE(numbered.body.find("each of the 2 names has a machine"), std::string::npos);
  EXPECT_EQ(master.model.unknown_machines().size(), 1U);
  seen(3, 9, "sw/4");
  EXPECT_NE(post("number", R"({"nodes":"n[1-4]","by":"port"})").body.find(R"("node":"n4")"),
            std::string::npos);
  EXPECT_EQ(post("number", R"({"nodes":""})").status, 400);
  EXPECT_EQ(post("number", R"({"nodes":"n[1-"})").status, 400);
}

TEST_F(BootMachines, AMachineIsIgnoredAndForgotten) {
  seen(1, 0);
  const std::string path = "/api/v1/boot/unknown/" + mac(1);
  EXPECT_EQ(master.ask("PUT", path, R"({"ignored":true,"why":"a switch"})").status, 200);
  EXPECT_TRUE(master.model.unknown_machines().at(mac(1)).ignored);
  EXPECT_EQ(post("number", R"({"nodes":"n[1-2]"})").body, "{\"items\":[]}\n");
  EXPECT_EQ(master.ask("DELETE", path).status, 204);
  EXPECT_EQ(master.ask("DELETE", path).status, 404);
  EXPECT_EQ(master.ask("PUT", path, R"({"ignored":true})").status, 404);
  const std::string early = fmt::format(R"({{"mac":"{}","ignored":true}})", mac(1));
  EXPECT_EQ(post("unknown", early).status, 201);
  EXPECT_EQ(post("unknown", early).status, 409);
  EXPECT_EQ(post("unknown", R"({"mac":"x"})").status, 400);
}

}  // namespace
}  // namespace drover::api

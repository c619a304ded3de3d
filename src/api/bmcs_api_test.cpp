// BMCs by the API: who they are, which nodes they have, and what was found behind them.
#include "api/test_master.hpp"
#include "base/json_values.hpp"
#include "cluster/bmc/bmc.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::TestMaster;

class BmcsApi : public ::testing::Test {
 protected:
  void keep(const cluster::ManagedBmc& bmc) {
    EXPECT_TRUE(master.write([bmc](store::Transaction& tx) { return cluster::put_bmc(tx, bmc); }));
  }
  void add_node(const std::string& name, const std::string& spec) {
    const auto answer = master.ask("POST", "/api/v1/nodes",
                                   fmt::format(R"({{"name":"{}","spec":{}}})", name, spec));
    ASSERT_EQ(answer.status, 201) << answer.body;
  }
  json::value get(const std::string& path, int status = 200) {
    const auto answer = master.get(path);
    EXPECT_EQ(answer.status, status) << answer.body;
    auto value = parse_json(answer.body);
    return value ? *value : json::value();
  }
  static cluster::ManagedBmc with_machines(const std::string& name, const std::string& address,
                                           std::initializer_list<const char*> ids) {
    cluster::ManagedBmc bmc;
    bmc.name = name;
    bmc.address = address;
    bmc.look.status = "DiscoverOK";
    bmc.inventory.emplace();
    for (const char* id : ids) {
      cluster::BmcSystem& system = bmc.inventory->systems.emplace_back();
      system.identity.id = id;
      system.identity.manufacturer = "Contoso";
      system.identity.model = "Model 7";
      system.drives.resize(2);
      system.nics.resize(1);
    }
    bmc.inventory->managers.emplace_back().firmware_version = "9.08";
    bmc.inventory->warnings.push_back({"/redfish/v1", "something"});
    return bmc;
  }

  TestMaster master;
};

TEST_F(BmcsApi, AreListedWithTheirNodesAndWhatIsBehindThem) {
  add_node("n1", R"({"bmc":{"address":"10.1.0.1"}})");
  add_node("n2", R"({"aliases":["x1c0s0b0n1"]})");
  add_node("n3", R"({"bmc":{"address":"10.1.0.3"}})");
  add_node("n4", R"({"bmc":{"address":"10.1.0.${number-3}"}})");
  keep(with_machines("x1c0s0b0", "10.1.0.1", {"Node0", "Node1"}));
  keep(with_machines("x1c0s1b0", "10.1.0.2", {"Self"}));
  const auto items = get("/api/v1/bmcs").at("items").as_array();
  ASSERT_EQ(items.size(), 2U);
  const json::value& first = items.at(0);
  EXPECT_EQ(first.at("name"), "x1c0s0b0");
  EXPECT_EQ(first.at("nodes"), "n[1-2,4]") << "by addresses, one of them a formula, and by places";
  EXPECT_EQ(first.at("vendor"), "Contoso");
  EXPECT_EQ(first.at("model"), "Model 7");
  EXPECT_EQ(first.at("firmware"), "9.08");
  EXPECT_EQ(first.at("machines").to_number<int>(), 2);
  EXPECT_EQ(first.at("parts").to_number<int>(), 4);
  EXPECT_EQ(first.at("nics").to_number<int>(), 2);
  EXPECT_EQ(first.at("warnings").to_number<int>(), 1);
  EXPECT_EQ(items.at(1).at("nodes"), "");
}

TEST_F(BmcsApi, PagesFollowOneAnother) {
  for (int i = 0; i < 5; ++i) {
    keep(with_machines(fmt::format("x1c0s{}b0", i), fmt::format("10.1.0.{}", i + 1), {"Self"}));
  }
  std::string names;
  std::string page;
  int pages = 0;
  do {
    const auto list = get("/api/v1/bmcs?limit=2" + (page.empty() ? "" : "&page=" + page));
    for (const auto& item : list.at("items").as_array()) {
      names += std::string(item.at("name").as_string()) + " ";
    }
    const json::value* const next = list.as_object().if_contains("next_page");
    page = next == nullptr ? "" : std::string(next->as_string());
  } while (!page.empty() && ++pages < 10);
  EXPECT_EQ(names, "x1c0s0b0 x1c0s1b0 x1c0s2b0 x1c0s3b0 x1c0s4b0 ");
}

TEST_F(BmcsApi, OneIsFoundByItsNameItsAddressAndItsNodes) {
  add_node("n1", R"({"bmc":{"address":"10.1.0.1"}})");
  add_node("n9", "{}");
  keep(with_machines("x1c0s0b0", "10.1.0.1", {"Node0"}));
  for (const char* named : {"x1c0s0b0", "10.1.0.1", "n1"}) {
    const auto bmc = get(std::string("/api/v1/bmcs/") + named);
    EXPECT_EQ(bmc.at("name"), "x1c0s0b0");
    EXPECT_EQ(bmc.at("nodes"), "n1");
    EXPECT_EQ(bmc.at("inventory").at("systems").at(0).at("serial"), "");
  }
  const auto unknown = get("/api/v1/bmcs/n9", 404);
  EXPECT_EQ(unknown.at("next"), "drover discover collect n9");
  EXPECT_EQ(get("/api/v1/bmcs/nobody", 404).at("next"), "drover bmc list");
}

}  // namespace
}  // namespace drover::api

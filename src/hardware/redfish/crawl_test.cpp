// Whole looks through emulated BMCs, good and hostile ones side by side.
#include "hardware/redfish/crawl.hpp"

#include "hardware/redfish/bmc_test_ground.hpp"
#include "hardware/redfish/redfish_quirks.hpp"

#include <algorithm>

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::BmcPowerState;
using sim::BmcHostility;

class CrawlTest : public testing::BmcGroundTest {};

TEST_F(CrawlTest, FindsEverythingBehindABmc) {
  sim::BmcTraits traits;
  traits.gpus = 4;
  traits.starts_on = true;
  add_bmc(traits);
  const auto result = crawl();
  ASSERT_TRUE(result) << result.error().text();
  const auto& inventory = result->inventory;
  EXPECT_TRUE(inventory.complete);
  EXPECT_TRUE(inventory.warnings.empty());
  ASSERT_EQ(inventory.systems.size(), 1U);
  const auto& system = inventory.systems[0];
  EXPECT_EQ(system.identity.id, "Node0");
  EXPECT_EQ(system.identity.serial, "S000000-0");
  EXPECT_EQ(system.uuid, "6f0e0001-0000-4000-8000-000000000000");
  EXPECT_EQ(system.power, BmcPowerState::on);
  EXPECT_EQ(system.memory_mib, 8U * 32768);
  EXPECT_EQ(system.processors.size(), 2U);
  EXPECT_EQ(system.accelerators.size(), 4U);
  EXPECT_EQ(system.memory.size(), 8U);
  ASSERT_EQ(system.drives.size(), 2U);
  EXPECT_EQ(system.drives[0].storage, "1");
  EXPECT_EQ(system.drives[0].capacity_bytes, 1'920'383'410'176U);
  ASSERT_EQ(system.nics.size(), 2U);
  EXPECT_EQ(system.nics[0].mac, "02:bb:00:00:00:00");
  EXPECT_EQ(system.reset.target, "/redfish/v1/Systems/Node0/Actions/ComputerSystem.Reset");
  EXPECT_EQ(system.reset.allowed.size(), 6U);
  EXPECT_EQ(system.managers, (std::vector<std::string>{"/redfish/v1/Managers/BMC"}));
  ASSERT_EQ(inventory.managers.size(), 1U);
  EXPECT_EQ(inventory.managers[0].firmware_version, "1.64.00");
  EXPECT_EQ(inventory.managers[0].nics.at(0).addresses, (std::vector<std::string>{"10.0.0.0"}));
  ASSERT_EQ(inventory.chassis.size(), 1U);
  EXPECT_EQ(inventory.chassis[0].power_supplies.size(), 2U);
  EXPECT_EQ(inventory.chassis[0].power_controls.at(0).capacity_watts, 1600);
  EXPECT_EQ(inventory.firmware.size(), 3U);
  EXPECT_FALSE(inventory.update_target.empty());
  EXPECT_EQ(result->readings.readings.size(), 3U);
}

TEST_F(CrawlTest, TwoLooksAreEqualHoweverTheyAreMade) {
  sim::BmcTraits traits;
  traits.systems = 12;
  traits.system_uuids = false;
  traits.expand = true;
  traits.page = 5;
  traits.latency = 10ms;
  traits.latency_jitter = 200ms;  // answers come in any order
  auto& server = add_bmc(traits);
  const auto first = crawl();
  ASSERT_TRUE(first) << first.error().text();
  ASSERT_EQ(first->inventory.systems.size(), 12U);
  for (size_t i = 0; i < 12; ++i) {  // Node2 before Node10
    EXPECT_EQ(first->inventory.systems[i].identity.id, "Node" + std::to_string(i));
  }
  EXPECT_TRUE(first->inventory.complete);
  CrawlOptions plain;
  plain.expand = false;
  BmcClientOptions four;
  four.in_flight = 4;
  const auto second = crawl(four, plain);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->inventory, second->inventory);
  EXPECT_LT(first->requests * 2, second->requests);
  server.bmc().edit_traits().page = 0;
  EXPECT_EQ(crawl()->inventory, first->inventory);
}

TEST_F(CrawlTest, ExpandThatIsAnnouncedAndFailsIsDoneWithout) {
  auto& server = add_bmc();
  server.bmc().serve_from([&](std::string_view path) -> std::optional<std::string> {
    if (path == "/redfish/v1") {
      return R"({"Systems":{"@odata.id":"/redfish/v1/Systems"},
        "ProtocolFeaturesSupported":{"ExpandQuery":{"NoLinks":true}}})";
    }
    if (path == "/redfish/v1/Systems") {
      if (server.bmc().counts().gets < 3) return std::nullopt;  // 404 to the first
      return R"({"Members":[{"@odata.id":"/redfish/v1/Systems/Self"}]})";
    }
    return R"({"@odata.id":"/redfish/v1/Systems/Self","PowerState":"Off"})";
  });
  const auto result = crawl();
  ASSERT_TRUE(result) << result.error().text();
  ASSERT_EQ(result->inventory.systems.size(), 1U);
  EXPECT_EQ(result->inventory.systems[0].identity.id, "Self");
  EXPECT_EQ(result->inventory.systems[0].power, BmcPowerState::off);
}

TEST_F(CrawlTest, InvalidAddressesAreWarningsAndTheInterfaceIsKept) {
  sim::BmcTraits traits;
  traits.macs = {{"/redfish/v1/Systems/Node0/EthernetInterfaces/0", "Not Available"},
                 {"/redfish/v1/Systems/Node0/EthernetInterfaces/1", ""}};
  add_bmc(traits);
  const auto result = crawl();
  ASSERT_TRUE(result);
  ASSERT_EQ(result->inventory.systems.at(0).nics.size(), 2U);
  EXPECT_EQ(result->inventory.systems[0].nics[0].mac, "");
  ASSERT_EQ(result->inventory.warnings.size(), 1U);
  EXPECT_EQ(result->inventory.warnings[0].text,
            "MACAddress 'Not Available' is none and was left out");
  EXPECT_TRUE(result->inventory.complete);
}

TEST_F(CrawlTest, AWrongPasswordIsTriedOnceInAWholeLook) {
  sim::BmcTraits traits;
  traits.password = "other";
  traits.lock_out_after = 3;
  auto& server = add_bmc(traits);
  const auto result = crawl();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::unauthenticated);
  EXPECT_EQ(server.bmc().door().wrong_passwords(), 1U);
  EXPECT_FALSE(server.bmc().door().locked());
}

/// Each kind of hostile BMC among good ones: these are looked through as fast as if they were
/// alone, and nothing that the hostile ones said is kept unclean.
class HostileTest : public testing::BmcGroundTest,
                    public ::testing::WithParamInterface<BmcHostility> {};

TEST_P(HostileTest, HarmsNobodyElse) {
  sim::BmcTraits good;
  good.latency = 20ms;
  for (int i = 0; i < 10; ++i) add_bmc(good);
  sim::BmcTraits bad = good;
  bad.hostility = GetParam();
  for (int i = 0; i < 10; ++i) add_bmc(bad);
  BmcClientOptions client;
  client.request_time = 5s;
  CrawlOptions options;
  options.deadline = 60s;
  options.most_requests = 300;
  options.most_bytes = size_t{8} << 20;
  const auto results = crawl_all(client, options);
  for (size_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(results[i]) << results[i].error().text();
    EXPECT_TRUE(results[i]->inventory.complete);
    EXPECT_LT(took_[i], 3s);
  }
  for (size_t i = 10; i < 20; ++i) {
    EXPECT_LE(took_[i], 66s);
    if (!results[i]) {
      EXPECT_EQ(results[i].error().text().find('\x1b'), std::string::npos);
      continue;
    }
    EXPECT_LE(results[i]->requests, 310U);
    EXPECT_TRUE(check(results[i]->inventory));
    const bool harmless = GetParam() == BmcHostility::none;
    const bool odd = GetParam() == BmcHostility::wrong_types;  // its links are whole
    EXPECT_TRUE(harmless || odd || !results[i]->inventory.complete);
    if (GetParam() == BmcHostility::recursive) {
      EXPECT_LE(results[i]->inventory.systems.size(), cluster::kMaxBmcSystems);
    }
  }
  EXPECT_EQ(ground_.in_flight(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, HostileTest,
                         ::testing::Values(BmcHostility::none, BmcHostility::silent,
                                           BmcHostility::slow, BmcHostility::endless,
                                           BmcHostility::huge, BmcHostility::deep,
                                           BmcHostility::recursive, BmcHostility::wrong_types,
                                           BmcHostility::garbage, BmcHostility::foreign_links,
                                           BmcHostility::redirect, BmcHostility::cut,
                                           BmcHostility::failing),
                         [](const auto& named) { return std::string(enum_name(named.param)); });

TEST(RedfishQuirks, RowsAddUpByVendorInAnyCase) {
  EXPECT_TRUE(redfish_quirks("SUPERMICRO", "X13").boot_needs_mode);
  EXPECT_EQ(redfish_quirks("Cray Inc.", "").in_flight, 1U);
  EXPECT_FALSE(redfish_quirks("Contoso", "").boot_needs_mode);
  for (const RedfishQuirkRow& row : redfish_quirk_rows()) EXPECT_FALSE(row.why.empty());
}

}  // namespace
}  // namespace drover::hardware

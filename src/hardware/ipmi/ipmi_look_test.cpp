// What a look through an IPMI BMC makes of ipmitool's words.
#include "hardware/ipmi/ipmi_look.hpp"

#include "sim/world.hpp"

#include <map>
#include <optional>
#include <string>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using cluster::BmcInventory;
using cluster::BmcPowerState;

// Recorded with ipmitool 1.8.19 and ipmi_sim 1.0.13, whose FRU was filled for it; the parts behind
// the first are in the form that ipmitool's lib/ipmi_fru.c prints.
constexpr const char* kController =
    "Device ID                 : 0\nDevice Revision           : 3\n"
    "Firmware Revision         : 9.08\nIPMI Version              : 2.0\n"
    "Manufacturer ID           : 4753\nManufacturer Name         : MontaVista Software, Inc.\n"
    "Product ID                : 3842 (0x0f02)\nProduct Name              : Unknown (0xF02)\n"
    "Additional Device Support :\n    Sensor Device\n";
constexpr const char* kGuid =
    "System GUID   : EFCDAB89-6745-23a1-efcd-ab89674523a1\nGUID Encoding : IPMI\n";
constexpr const char* kLan =
    "IP Address Source       : Static Address\nIP Address              : 10.1.0.9\n"
    "MAC Address             : AC:1F:6B:00:00:01\nDefault Gateway MAC     : 00:00:00:00:00:00\n";
constexpr const char* kChassis =
    "System Power         : on\nPower Restore Policy : previous\nLast Power Event     : \n";
constexpr const char* kParts =
    "FRU Device Description : Builtin FRU Device (ID 0)\n"
    " Chassis Type          : Rack Mount Chassis\n Chassis Part Number   : CH-PN\n"
    " Chassis Serial        : CH-SER\n Board Mfg Date        : Unspecified\n"
    " Board Mfg             : Contoso\n Board Product         : BoardX\n"
    " Board Serial          : BSER1\n Board Part Number     : BPN1\n"
    " Product Manufacturer  : Contoso\n Product Name          : ProdX\n"
    " Product Part Number   : PPN\n Product Serial        : PSER\n"
    " Product Asset Tag     : TAG\n\n"
    "FRU Device Description : PS1 (ID 5)\n Board Mfg             : DELTA\n"
    " Board Product         : PWR SPLY,750W\n Board Serial          : PS-1\n\n"
    "FRU Device Description : DIMM A1 (ID 12)\n Product Manufacturer  : Hynix\n"
    " Product Serial        : 2A\n\n"
    "FRU Device Description : PS2 (ID 6)\n"
    " Device not present (Requested sensor, data, or record not found)\n\n"
    "FRU Device Description : Riser (ID 7)\n Board Product         : R\n";

/// Answers commands from a table; a command that it lacks is not answered.
class Machine final : public IpmiTool {
 public:
  explicit Machine(Executor& executor) : executor_(executor) {}
  void run(const IpmiAccess&, Words words, Done done) override {
    const std::string asked = fmt::format("{}", fmt::join(words, " "));
    const auto found = answers.find(asked);
    Result<std::string> said = found == answers.end()
                                   ? Result<std::string>(fail(Code::timed_out, "no answer in 30 s"))
                                   : Result<std::string>(found->second);
    executor_.post(
        [done = std::move(done), said = std::move(said)]() mutable { done(std::move(said)); });
  }
  std::map<std::string, std::string, std::less<>> answers{{"mc info", kController},
                                                          {"mc guid", kGuid},
                                                          {"lan print", kLan},
                                                          {"chassis status", kChassis},
                                                          {"fru print", kParts}};

 private:
  Executor& executor_;
};

class IpmiLookTest : public testing::Test {
 protected:
  Result<BmcInventory> look() {
    std::optional<Result<BmcInventory>> out;
    const IpmiLook under_way(machine_, {"10.1.0.9", 623, "root", "calvin"},
                             [&](Result<BmcInventory> found) { out = std::move(found); });
    EXPECT_FALSE(out.has_value()) << "it was called from the constructor";
    EXPECT_TRUE(world_.run_for(std::chrono::seconds(1)));
    if (!out) return fail(Code::internal, "never called");
    return *std::move(out);
  }

  sim::World world_{1};
  sim::SimProcess process_{world_, {.name = "master", .host = "h"}};
  Machine machine_{process_.executor()};
};

TEST_F(IpmiLookTest, FindsTheMachineItsControllerAndItsParts) {
  const auto found = look();
  ASSERT_TRUE(found.has_value()) << found.error().text();
  EXPECT_TRUE(found->complete && found->warnings.empty());
  EXPECT_TRUE(cluster::check(*found));
  ASSERT_EQ(found->systems.size(), 1U);
  const cluster::BmcSystem& system = found->systems.front();
  EXPECT_EQ(system.identity.id, "Node0");
  EXPECT_EQ(system.identity.manufacturer, "Contoso");
  EXPECT_EQ(system.identity.model, "ProdX");
  EXPECT_EQ(system.identity.serial, "PSER");
  EXPECT_EQ(system.identity.part_number, "PPN");
  EXPECT_EQ(system.asset_tag, "TAG");
  EXPECT_EQ(system.uuid, "efcdab89-6745-23a1-efcd-ab89674523a1");
  EXPECT_EQ(system.power, BmcPowerState::on);
  EXPECT_EQ(system.restore_policy, "LastState");
  ASSERT_EQ(system.memory.size(), 1U);
  EXPECT_EQ(system.memory.front().locator, "DIMM A1");
  EXPECT_EQ(system.memory.front().identity.serial, "2A");
  ASSERT_EQ(found->managers.size(), 1U);
  const cluster::BmcManager& manager = found->managers.front();
  EXPECT_EQ(manager.firmware_version, "9.08");
  EXPECT_EQ(manager.identity.manufacturer, "MontaVista Software, Inc.");
  EXPECT_EQ(manager.identity.model, "");  // "Unknown (0xF02)" is none
  ASSERT_EQ(manager.nics.size(), 1U);
  EXPECT_EQ(manager.nics.front().mac, "ac:1f:6b:00:00:01");
  EXPECT_EQ(manager.nics.front().addresses, std::vector<std::string>{"10.1.0.9"});
  ASSERT_EQ(found->chassis.size(), 1U);
  EXPECT_EQ(found->chassis.front().kind, "Rack Mount Chassis");
  EXPECT_EQ(found->chassis.front().identity.serial, "CH-SER");
  ASSERT_EQ(found->chassis.front().power_supplies.size(), 1U);  // PS2's place is empty
  EXPECT_EQ(found->chassis.front().power_supplies.front().identity.manufacturer, "DELTA");
}

TEST_F(IpmiLookTest, LeavesOutWhatIsNotAnswered) {
  machine_.answers.erase("fru print");
  machine_.answers.erase("mc guid");
  machine_.answers["lan print"] = "IP Address : 0.0.0.0\nMAC Address : 00:00:00:00:00:00\n";
  const auto found = look();
  ASSERT_TRUE(found.has_value()) << found.error().text();
  EXPECT_FALSE(found->complete);
  ASSERT_EQ(found->warnings.size(), 2U);
  EXPECT_EQ(found->warnings.front().text, "fru print: no answer in 30 s");
  EXPECT_EQ(found->systems.front().identity.serial, "");
  EXPECT_EQ(found->systems.front().power, BmcPowerState::on);
  EXPECT_TRUE(found->managers.front().nics.empty());
}

TEST_F(IpmiLookTest, ABmcThatDoesNotSayWhatItIsIsAnError) {
  machine_.answers.erase("mc info");
  const auto found = look();
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, Code::timed_out);
}

TEST_F(IpmiLookTest, WordsOfAnyKindAreHarmless) {
  std::string many;
  for (int i = 0; i < 5000; ++i) {
    many +=
        fmt::format("FRU Device Description : DIMM{0} (ID {0})\n Product Serial : \x1b[2J{0}\n", i);
  }
  for (const std::string& parts :
       {std::string("FRU Device Description"), std::string("FRU Device Description :\n:\n : \n"),
        std::string(" Product Serial : early\n"), std::string(100'000, 'x'), many,
        "FRU Device Description : A (ID \n x : " + std::string(10'000, 'y')}) {
    machine_.answers["fru print"] = parts;
    const auto found = look();
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(cluster::check(*found));
    EXPECT_LE(found->systems.front().memory.size(), cluster::kMaxBmcList);
  }
}

TEST_F(IpmiLookTest, NothingIsHeardAfterItsEnd) {
  bool heard = false;
  {
    const IpmiLook under_way(machine_, {}, [&](const Result<BmcInventory>&) { heard = true; });
  }
  EXPECT_TRUE(world_.run_for(std::chrono::seconds(1)));
  EXPECT_FALSE(heard);
}

}  // namespace
}  // namespace drover::hardware

#include "cluster/hardware/bmc_inventory.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

BmcIdentity identity(const std::string& id, const std::string& path) {
  return {id, path, "a " + id, "Maker", "M1", "S-" + id, "P1", "OK"};
}

BmcSystem node(const std::string& id) {
  BmcSystem system;
  system.identity = identity(id, "/redfish/v1/Systems/" + id);
  system.uuid = "38947555-7742-3448-3784-823347823834";
  system.power = BmcPowerState::on;
  system.processor_count = 2;
  system.memory_mib = 98304;
  system.reset = {system.identity.path + "/Actions/ComputerSystem.Reset", {"On", "ForceOff"}};
  system.boot = {"Once", "Pxe", "UEFI", {"None", "Pxe"}};
  system.console = {true, false, {"SSH"}, 2200};
  BmcProcessor cpu;
  cpu.identity = identity("CPU1", system.identity.path + "/Processors/CPU1");
  cpu.kind = "CPU";
  cpu.cores = 64;
  system.processors = {cpu};
  BmcProcessor gpu = cpu;
  gpu.kind = "GPU";
  system.accelerators = {gpu};
  BmcMemory dimm;
  dimm.identity = identity("DIMM1", system.identity.path + "/Memory/DIMM1");
  dimm.capacity_mib = 32768;
  system.memory = {dimm};
  BmcDrive drive;
  drive.identity = identity("0", system.identity.path + "/Storage/1/Drives/0");
  drive.capacity_bytes = 1'920'383'410'176;
  system.drives = {drive};
  BmcNic nic;
  nic.id = "NIC1";
  nic.path = system.identity.path + "/EthernetInterfaces/NIC1";
  nic.mac = "02:00:00:00:00:01";
  nic.addresses = {"10.0.0.1"};
  nic.enabled = true;
  BmcNic bare;
  bare.id = "NIC2";
  bare.path = system.identity.path + "/EthernetInterfaces/NIC2";
  system.nics = {nic, bare};
  system.chassis = {"/redfish/v1/Chassis/1U"};
  system.managers = {"/redfish/v1/Managers/BMC"};
  return system;
}

BmcInventory whole() {
  BmcInventory inventory;
  inventory.redfish_version = "1.18.0";
  inventory.systems = {node("Node0"), node("Node1")};
  BmcManager manager;
  manager.identity = identity("BMC", "/redfish/v1/Managers/BMC");
  manager.kind = "BMC";
  manager.firmware_version = "2.14";
  inventory.managers = {manager};
  BmcChassis chassis;
  chassis.identity = identity("1U", "/redfish/v1/Chassis/1U");
  BmcPowerSupply supply;
  supply.identity = identity("0", "/redfish/v1/Chassis/1U/Power#/PowerSupplies/0");
  supply.capacity_watts = 800.5;
  chassis.power_supplies = {supply};
  chassis.power_controls = {
      {"0", "/redfish/v1/Chassis/1U/Power#/PowerControl/0", "System", 800, {}}};
  inventory.chassis = {chassis};
  inventory.firmware = {
      {"BIOS", "/redfish/v1/UpdateService/FirmwareInventory/BIOS", "BIOS", "P79", true}};
  inventory.warnings = {{"/redfish/v1/Systems/Node0", "MAC 'Not Available' is none"}};
  return inventory;
}

TEST(BmcInventory, IsTheSameAfterWritingAndReading) {
  const BmcInventory before = whole();
  const auto after = decode_text<BmcInventory>(encode(before));
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_EQ(*after, before);
  BmcReadings readings;
  readings.readings = {
      {"/redfish/v1/Chassis/1U", "CPU1", BmcSensorKind::temperature, "Cel", 41.5, 90, "OK"}};
  const auto read = decode_text<BmcReadings>(encode(readings));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, readings);
}

TEST(BmcInventory, IdentityStandsAmongTheFieldsOfWhatItIdentifies) {
  const std::string text = encode(node("Node0"));
  EXPECT_TRUE(text.starts_with(R"({"id":"Node0","path":"/redfish/v1/Systems/Node0")")) << text;
}

TEST(BmcInventory, ReadsWhatLeavesOutAllButTheNames) {
  const auto read = decode_text<BmcInventory>(
      R"({"systems":[{"id":"Self","path":"/redfish/v1/Systems/Self","nics":[{"id":"1","path":"/p"}]}]})");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->systems.at(0).identity.id, "Self");
  EXPECT_EQ(read->systems[0].nics.at(0).mac, "");
  EXPECT_TRUE(read->complete);
}

TEST(BmcInventory, WrongTypesNameThePlace) {
  const auto read = decode_text<BmcInventory>(R"({"systems":[{"id":7,"path":"/p"}]})");
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().message.starts_with("systems[0].id")) << read.error().message;
  EXPECT_FALSE(decode_text<BmcInventory>(R"({"systems":[{"id":"a"}]})"));
}

TEST(BmcInventory, KeepsToItsBounds) {
  EXPECT_TRUE(check(whole()));
  EXPECT_TRUE(check(BmcInventory{}));

  BmcInventory longer = whole();
  longer.systems[1].nics[0].name = std::string(kMaxBmcText + 1, 'x');
  ASSERT_FALSE(check(longer));
  EXPECT_EQ(check(longer).error().message, "systems[1].nics[0].name: longer than 512 bytes");
  EXPECT_EQ(check(longer).error().code, Code::too_large);

  BmcInventory more = whole();
  more.systems.resize(kMaxBmcSystems + 1);
  ASSERT_FALSE(check(more));
  EXPECT_EQ(check(more).error().message, "systems: 129 entries, at most 128 are kept");
  more = whole();
  more.systems[0].drives.resize(kMaxBmcList + 1);
  EXPECT_EQ(check(more).error().message, "systems[0].drives: 2049 entries, at most 2048 are kept");

  BmcInventory unclean = whole();
  unclean.chassis[0].identity.serial = "\x1b[2J";
  ASSERT_FALSE(check(unclean));
  EXPECT_EQ(check(unclean).error().message, "chassis[0].serial: holds a control character");
  EXPECT_EQ(check(unclean).error().code, Code::invalid_argument);
}

TEST(BmcInventory, IsBoundedAsAWholeToo) {
  BmcInventory large;
  large.systems.resize(100);
  for (BmcSystem& system : large.systems) {
    system.drives.resize(200);
    for (BmcDrive& drive : system.drives) drive.identity.name = std::string(kMaxBmcText, 'x');
  }
  ASSERT_FALSE(check(large));
  EXPECT_NE(check(large).error().message.find("the inventory is over 4194304 bytes"),
            std::string::npos);
}

TEST(BmcText, IsFitToBeKept) {
  EXPECT_EQ(bmc_text("  437XR1138R2 \r\n"), "437XR1138R2");
  EXPECT_EQ(bmc_text("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(bmc_text("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(bmc_text(std::string(5000, 'y')).size(), kMaxBmcText);
  std::string wide;
  for (int i = 0; i < 300; ++i) wide += "\xc3\xa4";
  BmcInventory inventory;
  inventory.vendor = bmc_text("x" + wide);
  EXPECT_LE(inventory.vendor.size(), kMaxBmcText);
  EXPECT_TRUE(check(inventory));
  inventory.vendor = bmc_text(std::string(kMaxBmcText, '\x01'));
  EXPECT_LE(inventory.vendor.size(), kMaxBmcText);
  EXPECT_TRUE(check(inventory));
}

}  // namespace
}  // namespace drover::cluster

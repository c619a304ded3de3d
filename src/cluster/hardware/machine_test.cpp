#include "cluster/hardware/machine.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using Attributes = std::map<std::string, std::string>;

NodeParts reported() {
  NodeParts parts;
  const auto add = [&](const std::string& kind, const std::string& slot, const std::string& serial,
                       const Attributes& attributes) {
    parts[kind + "/" + slot] = Part{"n1", kind, slot, serial, attributes};
  };
  add("board", "system", "SYS1",
      {{"vendor", "HPE"}, {"product", "EX425"}, {"uuid", "u-1"}, {"sku", "k"}});
  add("board", "chassis", "CH1", {{"asset_tag", "rack 7"}});
  add("firmware", "bios", "", {{"version", "1.7.4"}});
  add("memory", "total", "", {{"size_mib", "257000"}, {"installed_mib", "262144"}});
  add("cpu", "socket1", "", {{"vendor", "AuthenticAMD"}, {"model", "EPYC 7742"}});
  add("cpu", "socket0", "",
      {{"vendor", "AuthenticAMD"},
       {"model", "EPYC 7742"},
       {"cores", "64"},
       {"threads", "128"},
       {"max_mhz", "3400"},
       {"socket", "P0"}});
  add("dimm", "DIMM 10", "D10", {{"size_mib", "32768"}, {"speed_mts", "3200"}});
  add("dimm", "DIMM 2", "D2",
      {{"manufacturer", "Hynix"},
       {"part_number", "HMA8"},
       {"type", "DDR4"},
       {"size_mib", "32768"},
       {"speed_mts", "3200"},
       {"configured_mts", "2933"}});
  add("disk", "nvme0n1", "N1",
      {{"model", "PM9A3"},
       {"size_bytes", "960197124096"},
       {"rotational", "false"},
       {"transport", "nvme"}});
  add("disk", "sr0", "", {{"model", "DVD"}, {"removable", "true"}});
  add("gpu", "0000:03:00.0", "G1",
      {{"vendor", "NVIDIA"}, {"model", "A100"}, {"pci", "0000:03:00.0"}});
  add("nic", "eth0", "", {{"mac", "02:00:00:00:00:01"}});
  return parts;
}

TEST(Machine, AnAgentsPartsMakeAMachine) {
  const BmcSystem found = machine_of(reported());
  EXPECT_EQ(found.identity.manufacturer, "HPE");
  EXPECT_EQ(found.identity.model, "EX425");
  EXPECT_EQ(found.identity.serial, "SYS1");
  EXPECT_EQ(found.uuid, "u-1");
  EXPECT_EQ(found.asset_tag, "rack 7");
  EXPECT_EQ(found.bios_version, "1.7.4");
  EXPECT_EQ(found.memory_mib, 262144U);
  EXPECT_EQ(found.processor_count, 2U);
  EXPECT_EQ(found.processor_model, "EPYC 7742");
  ASSERT_EQ(found.processors.size(), 2U);
  EXPECT_EQ(found.processors[0].identity.id, "socket0");
  EXPECT_EQ(found.processors[0].cores, 64U);
  EXPECT_EQ(found.processors[0].max_mhz, 3400U);
  EXPECT_FALSE(found.processors[1].cores);
  ASSERT_EQ(found.memory.size(), 2U);
  EXPECT_EQ(found.memory[0].locator, "DIMM 2");  // in the order in which people count
  EXPECT_EQ(found.memory[0].speed_mhz, 2933U);
  EXPECT_EQ(found.memory[1].speed_mhz, 3200U);
  ASSERT_EQ(found.drives.size(), 1U);  // what can be taken out is no hardware of the machine
  EXPECT_EQ(found.drives[0].media, "SSD");
  EXPECT_EQ(found.drives[0].capacity_bytes, 960197124096U);
  ASSERT_EQ(found.accelerators.size(), 1U);
  EXPECT_EQ(found.accelerators[0].identity.serial, "G1");
}

TEST(Machine, NumbersThatAreNoneAreNotKnown) {
  NodeParts parts;
  parts["dimm/1"] = Part{"n1", "dimm", "1", "", {{"size_mib", "32 GB"}, {"speed_mts", "-1"}}};
  const BmcSystem found = machine_of(parts);
  ASSERT_EQ(found.memory.size(), 1U);
  EXPECT_FALSE(found.memory[0].capacity_mib);
  EXPECT_FALSE(found.memory[0].speed_mhz);
  EXPECT_FALSE(found.processor_count);
}

TEST(Machine, TheBmcGoesFirstAndTheAgentFillsInWhatItDoesNotSay) {
  BmcSystem bmc;
  bmc.identity.id = "Node0";
  bmc.identity.model = "EX425 by its BMC";
  bmc.bios_version = "1.8.0";
  bmc.processors.resize(1);
  bmc.processors[0].identity.model = "AMD EPYC 7742";
  const NodeParts parts = reported();
  const Machine both(&bmc, parts);
  EXPECT_TRUE(both.known());
  EXPECT_EQ(both.self().identity.id, "Node0");
  EXPECT_EQ(both.self().identity.model, "EX425 by its BMC");
  EXPECT_EQ(both.self().identity.serial, "SYS1");
  EXPECT_EQ(both.self().bios_version, "1.8.0");
  EXPECT_EQ(both.self().memory_mib, 262144U);
  EXPECT_EQ(both.processors().size(), 1U);  // a list is one's or the other's: never twice the same
  EXPECT_EQ(both.memory().size(), 2U);
  EXPECT_EQ(both.drives().size(), 1U);
}

TEST(Machine, OneOfThemAloneIsEnough) {
  const NodeParts none;
  BmcSystem bmc;
  bmc.identity.serial = "S";
  bmc.drives.resize(2);
  const Machine by_bmc(&bmc, none);
  EXPECT_TRUE(by_bmc.known());
  EXPECT_EQ(&by_bmc.self(), &bmc);
  EXPECT_EQ(by_bmc.drives().size(), 2U);
  EXPECT_TRUE(by_bmc.memory().empty());
  const NodeParts parts = reported();
  const Machine by_agent(nullptr, parts);
  EXPECT_TRUE(by_agent.known());
  EXPECT_EQ(by_agent.self().identity.serial, "SYS1");
  EXPECT_EQ(by_agent.accelerators().size(), 1U);
  const Machine nobody(nullptr, none);
  EXPECT_FALSE(nobody.known());
  EXPECT_EQ(nobody.self(), BmcSystem());
}

}  // namespace
}  // namespace drover::cluster

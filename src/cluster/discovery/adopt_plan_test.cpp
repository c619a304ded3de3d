// Which machine becomes which node, and what that changes: the rules one by one.
#include "cluster/discovery/adopt_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

FoundBmc found(const std::string& address) {
  FoundBmc bmc;
  bmc.address = address;
  bmc.port = 443;
  return bmc;
}

BmcSystem system(const std::string& id, const std::string& serial,
                 const std::vector<std::string>& macs) {
  BmcSystem out;
  out.identity.id = id;
  out.identity.path = "/redfish/v1/Systems/" + id;
  out.identity.serial = serial;
  for (const std::string& mac : macs) {
    BmcNic nic;
    nic.id = fmt::format("NIC{}", out.nics.size());
    nic.mac = mac;
    out.nics.push_back(nic);
  }
  return out;
}

ManagedBmc collected(const std::string& address, std::vector<BmcSystem> systems) {
  ManagedBmc bmc;
  bmc.name = bmc_name_of(address);
  bmc.address = address;
  bmc.inventory.emplace();
  bmc.inventory->systems = std::move(systems);
  return bmc;
}

std::string mac(int n) {
  return fmt::format("52:54:00:00:{:02x}:{:02x}", n / 256, n % 256);
}

class AdoptPlan : public ::testing::Test {
 protected:
  /// A machine with the serial S<n> and two cards at 10.0.0.<n>.
  void add(int n) { add(n, fmt::format("S{}", n), {mac(2 * n), mac(2 * n + 1)}); }
  void add(int n, const std::string& serial, const std::vector<std::string>& macs) {
    const std::string address = fmt::format("10.0.0.{}", n);
    std::erase_if(bmcs, [&](const ManagedBmc& b) { return b.address == address; });
    std::erase_if(finds, [&](const FoundBmc& b) { return b.address == address; });
    finds.push_back(found(address));
    bmcs.push_back(collected(address, {system("Self", serial, macs)}));
  }
  /// Plans, and makes the world what the plan says.
  std::vector<AdoptRow> adopt() {
    world.machines = found_machines(finds, bmcs);
    EXPECT_TRUE(check(request));
    std::vector<AdoptRow> rows;
    for (AdoptedNode& adopted : plan_adoption(request, world)) {
      if (adopted.row.action != AdoptAction::skip) {
        EXPECT_TRUE(normalise(adopted.spec, adopted.row.node)) << adopted.row.node;
        world.nodes[adopted.row.node] = adopted.spec;
        world.facts.bmc_of[adopted.row.node] = adopted.spec.bmc->address;
      }
      rows.push_back(adopted.row);
    }
    return rows;
  }
  std::string said() {
    std::string out;
    for (const AdoptRow& row : adopt()) {
      out += fmt::format("{} {}\n", row.node.empty() ? row.bmc : row.node, enum_name(row.action));
    }
    return out;
  }
  const Interface& nic(const std::string& node, size_t index) {
    return world.nodes.at(node).interfaces.at(index);
  }

  std::vector<FoundBmc> finds;
  std::vector<ManagedBmc> bmcs;
  AdoptWorld world;
  AdoptRequest request;
};

TEST_F(AdoptPlan, NamesFollowTheAddressesAsNumbers) {
  for (const int n : {10, 9, 100}) add(n);
  request.names = "n[1-8]";
  request.network = "mgmt";
  request.address = "10.1.0.${number}/16";
  const auto rows = adopt();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].bmc, "10.0.0.9");
  EXPECT_EQ(rows[0].node, "n1");
  EXPECT_EQ(rows[2].node, "n3");
  const NodeSpec& first = world.nodes.at("n1");
  EXPECT_EQ(first.bmc->address, "10.0.0.9");
  EXPECT_EQ(first.attributes.at("serial"), "S9");
  EXPECT_FALSE(first.attributes.contains("bmc_port"));
  EXPECT_FALSE(first.attributes.contains("bmc_system"));
  ASSERT_EQ(first.interfaces.size(), 2U);
  EXPECT_EQ(first.interfaces[0].mac, mac(18));
  EXPECT_EQ(first.interfaces[0].addresses, std::vector<std::string>{"10.1.0.${number}/16"});
  EXPECT_EQ(first.interfaces[0].network, "mgmt");
  EXPECT_EQ(first.interfaces[1].name, "eth1");
  EXPECT_TRUE(first.interfaces[1].addresses.empty());
}

TEST_F(AdoptPlan, ARerunChangesNothingAndNewOnesGetTheNextNames) {
  add(1);
  add(2);
  request.names = "n[1-8]";
  EXPECT_EQ(said(), "n1 create\nn2 create\n");
  EXPECT_EQ(said(), "n1 keep\nn2 keep\n");
  add(3);
  finds.insert(finds.begin(), found("9.0.0.1"));
  bmcs.push_back(collected("9.0.0.1", {system("1", "S0", {mac(900)})}));
  EXPECT_EQ(said(), "n3 create\nn1 keep\nn2 keep\nn4 create\n");
  request.names.clear();
  EXPECT_EQ(said(), "n3 keep\nn1 keep\nn2 keep\nn4 keep\n");
  add(5);
  EXPECT_EQ(adopt().back().problem, "it is new, and no names were given");
  request.names = "n[1-4]";
  EXPECT_EQ(adopt().back().problem, "each of the 4 names has a machine");
}

TEST_F(AdoptPlan, AReplacedMachineKeepsTheNodeAndItsAddresses) {
  add(1);
  request.names = "n[1-8]";
  request.address = "10.1.0.1/16";
  adopt();
  world.nodes.at("n1").interfaces[1].addresses = {"10.9.0.1/16"};
  world.nodes.at("n1").description = "ours";
  add(1, "NEW", {mac(500), mac(501), mac(502)});
  const auto row = adopt().front();
  EXPECT_EQ(row.action, AdoptAction::replace);
  EXPECT_EQ(row.node, "n1");
  EXPECT_EQ(fmt::format("{}", fmt::join(row.changes, "; ")),
            "serial: S1 becomes NEW; eth0.mac: 52:54:00:00:00:02 becomes 52:54:00:00:01:f4; "
            "eth1.mac: 52:54:00:00:00:03 becomes 52:54:00:00:01:f5; eth2.mac: 52:54:00:00:01:f6");
  EXPECT_EQ(nic("n1", 0).addresses, std::vector<std::string>{"10.1.0.1/16"});
  EXPECT_EQ(nic("n1", 1).addresses, std::vector<std::string>{"10.9.0.1/16"});
  EXPECT_EQ(world.nodes.at("n1").description, "ours");
  EXPECT_EQ(said(), "n1 keep\n");
  // Fewer cards: an interface without addresses goes, one with some waits for a card.
  add(1, "THIRD", {mac(600)});
  adopt();
  ASSERT_EQ(world.nodes.at("n1").interfaces.size(), 2U);
  EXPECT_EQ(nic("n1", 0).mac, mac(600));
  EXPECT_EQ(nic("n1", 1).mac, "");
  EXPECT_EQ(said(), "n1 keep\n");
}

TEST_F(AdoptPlan, ASwappedCardChangesItsInterfaceAlone) {
  add(1);
  request.names = "n1";
  adopt();
  add(1, "S1", {mac(2), mac(777)});
  const auto row = adopt().front();
  EXPECT_EQ(row.action, AdoptAction::change);
  EXPECT_EQ(row.changes,
            std::vector<std::string>{"eth1.mac: 52:54:00:00:00:03 becomes 52:54:00:00:03:09"});
}

TEST_F(AdoptPlan, WhatPeopleDefinedIsFilledInAndNotTakenAway) {
  NodeSpec spec;  // by its MAC alone, at a card that the BMC does not list
  spec.interfaces.push_back({"boot0", mac(2), {"10.5.0.1/16"}, "boot"});
  spec.interfaces.push_back({"ib0", "", {"10.6.0.1/16"}, "fast"});
  spec.attributes["image"] = "lean";
  world.nodes["login"] = spec;
  NodeSpec by_bmc;
  by_bmc.bmc = Bmc{"10.0.0.2", BmcProtocol::redfish, "", "admin"};
  by_bmc.interfaces.push_back({"eth0", "02:00:00:00:99:99", {"10.5.0.2/16"}, "boot"});
  world.nodes["hand"] = by_bmc;
  world.facts.bmc_of["hand"] = "10.0.0.2";
  add(1);
  add(2);
  request.names = "n[1-8]";
  EXPECT_EQ(said(), "login change\nhand change\n");
  EXPECT_EQ(nic("login", 0).mac, mac(2));
  EXPECT_EQ(nic("login", 1).mac, mac(3));  // it waited for one
  EXPECT_EQ(nic("login", 1).name, "ib0");
  EXPECT_EQ(world.nodes.at("login").attributes.at("image"), "lean");
  EXPECT_EQ(nic("hand", 0).mac, "02:00:00:00:99:99");
  EXPECT_EQ(world.nodes.at("hand").interfaces.size(), 3U);
  EXPECT_EQ(world.nodes.at("hand").bmc->user, "admin");
  EXPECT_EQ(said(), "login keep\nhand keep\n");
}

TEST_F(AdoptPlan, EveryMachineOfAMultiNodeBmcIsANode) {
  std::vector<BmcSystem> systems;
  for (int i = 0; i < 4; ++i) {
    systems.push_back(system(fmt::format("Node{}", i), "CHASSIS", {mac(i)}));
  }
  finds.push_back(found("10.0.0.1"));
  finds.back().port = 8443;
  bmcs.push_back(collected("10.0.0.1", systems));
  request.names = "n[1-8]";
  EXPECT_EQ(said(), "n1 create\nn2 create\nn3 create\nn4 create\n");
  EXPECT_EQ(world.nodes.at("n3").attributes.at("bmc_system"), "Node2");
  EXPECT_EQ(world.nodes.at("n3").attributes.at("bmc_port"), "8443");
  EXPECT_EQ(said(), "n1 keep\nn2 keep\nn3 keep\nn4 keep\n");
  // One serial for all four tells nothing: a machine that is exchanged is seen by its cards.
  bmcs.back().inventory->systems[2] = system("Node2", "CHASSIS", {mac(70)});
  EXPECT_EQ(said(), "n1 keep\nn2 keep\nn3 change\nn4 keep\n");
  EXPECT_EQ(nic("n3", 0).mac, mac(70));
}

TEST_F(AdoptPlan, AMachineThatMovedTakesItsNodeAlong) {
  add(1);
  add(2);
  request.names = "n[1-8]";
  adopt();
  finds.clear();
  bmcs.clear();
  add(9, "S1", {mac(2), mac(3)});
  add(2);
  const auto rows = adopt();
  EXPECT_EQ(rows[0].node, "n2");
  EXPECT_EQ(rows[1].node, "n1");
  EXPECT_EQ(rows[1].action, AdoptAction::change);
  EXPECT_EQ(rows[1].changes, std::vector<std::string>{"bmc.address: 10.0.0.1 becomes 10.0.0.9"});
}

TEST_F(AdoptPlan, TwoMachinesThatChangePlacesKeepTheNodesInTheirPlaces) {
  add(1);
  add(2);
  request.names = "n[1-8]";
  adopt();
  add(1, "S2", {mac(4), mac(5)});
  add(2, "S1", {mac(2), mac(3)});
  EXPECT_EQ(said(), "n1 replace\nn2 replace\n");
  EXPECT_EQ(nic("n1", 0).mac, mac(4));
  EXPECT_EQ(nic("n2", 1).mac, mac(3));
}

TEST_F(AdoptPlan, TheMapSaysWhoIsWho) {
  for (int n = 1; n <= 6; ++n) add(n);
  request.by = AdoptBy::map;
  request.map.racks.push_back({"r1n[01-02]", "10.0.0.1", 1, "r1", ""});
  request.map.nodes = {{.node = "by-serial", .serial = "S3"},
                       {.node = "by-mac", .mac = "52-54-00-00-00-08"},
                       {.node = "by-bmc", .bmc = "10.0.0.5"}};
  EXPECT_EQ(said(),
            "r1n01 create\nr1n02 create\nby-serial create\nby-mac create\nby-bmc create\n"
            "10.0.0.6 skip\n");
  EXPECT_EQ(world.nodes.at("r1n02").attributes.at("rack"), "r1");
  EXPECT_EQ(adopt().back().problem, "the map has no place for it");
  EXPECT_EQ(adopt().front().action, AdoptAction::keep);
  // A map that names another node for a place that has one.
  request.map.racks[0].nodes = "q[1-2]";
  const auto rows = adopt();
  EXPECT_EQ(rows[0].problem, "node r1n01 has this machine: drover node rename r1n01 q1");
}

TEST_F(AdoptPlan, ARackOfMultiNodeBmcsHasAPlaceForEach) {
  for (int n = 1; n <= 3; ++n) {
    const std::string address = fmt::format("10.0.0.{}", n);
    finds.push_back(found(address));
    bmcs.push_back(collected(
        address, {system("Node0", "", {mac(10 * n)}), system("Node1", "", {mac(10 * n + 1)})}));
  }
  request.by = AdoptBy::map;
  request.map.racks.push_back({"n[1-6]", "10.0.0.1", 2, "", ""});
  EXPECT_EQ(said(), "n1 create\nn2 create\nn3 create\nn4 create\nn5 create\nn6 create\n");
  EXPECT_EQ(nic("n4", 0).mac, mac(21));
}

TEST_F(AdoptPlan, ARackWithXnamesGivesThemAsAliases) {
  for (int n = 1; n <= 2; ++n) {
    const std::string address = fmt::format("10.0.0.{}", n);
    finds.push_back(found(address));
    // The second machine of three is missing: its place stays free.
    bmcs.push_back(collected(
        address, {system("Node0", "", {mac(10 * n)}), system("Node2", "", {mac(10 * n + 1)})}));
  }
  request.by = AdoptBy::map;
  request.map.racks.push_back({"n[1-6]", "10.0.0.1", 3, "", "x3000c0s9b0"});
  world.nodes["other"].aliases = {"x3000c0s10b0n2"};
  EXPECT_EQ(said(), "n1 create\nn3 create\nn4 create\nn6 create\n");
  EXPECT_EQ(world.nodes.at("n3").aliases, std::vector<std::string>{"x3000c0s9b0n2"});
  EXPECT_EQ(world.nodes.at("n4").aliases, std::vector<std::string>{"x3000c0s10b0n0"});
  EXPECT_TRUE(world.nodes.at("n6").aliases.empty());  // another has it
  EXPECT_EQ(said(), "n1 keep\nn3 keep\nn4 keep\nn6 keep\n");
  request.map.racks[0].xname = "x3000";
  EXPECT_FALSE(check(request));
}

TEST_F(AdoptPlan, TheSwitchPortSaysWhoIsWho) {
  add(1);
  add(2);
  add(3);
  add(4);
  world.port_of_mac = {{mac(2), "leaf1/7"}, {mac(5), "leaf1/2"}, {mac(6), "leaf1/99"}};
  world.nodes["rack"] = {};
  world.facts.node_at_port["leaf1/7"] = "rack";
  request.by = AdoptBy::port;
  request.names = "n[1-8]";
  const auto rows = adopt();
  EXPECT_EQ(rows[0].node, "rack");
  EXPECT_EQ(rows[1].node, "n2");
  EXPECT_EQ(rows[2].problem, "port leaf1/99 is number 99, and there are 8 names");
  EXPECT_EQ(rows[3].problem, "no relay has told of its switch port");
}

TEST_F(AdoptPlan, WhatIsWrongIsAWarningAndNoFailure) {
  BmcSystem odd = system("Self", "To be filled by O.E.M.", {mac(1), "", mac(1), mac(2)});
  odd.identity.manufacturer = "${evil}";
  finds.push_back(found("10.0.0.1"));
  bmcs.push_back(collected("10.0.0.1", {odd}));
  bmcs.back().inventory->warnings = {
      {"/redfish/v1/Systems/Self/EthernetInterfaces/NIC1", "'Not Available' is no MAC"}};
  add(2, "S2", {mac(2)});                     // the same card again
  finds.push_back(found("10.0.0.3"));         // never looked through
  bmcs.push_back(collected("10.0.0.4", {}));  // no machine
  FoundBmc ipmi;
  ipmi.address = "10.0.0.5";
  ipmi.ipmi_port = 623;
  finds.push_back(ipmi);
  request.names = "n[1-8]";
  const auto rows = adopt();
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].warnings,
            (std::vector<std::string>{"NIC1 has no MAC that is valid", mac(1) + " is there twice",
                                      "/redfish/v1/Systems/Self/EthernetInterfaces/NIC1: 'Not "
                                      "Available' is no MAC"}));
  ASSERT_EQ(world.nodes.at("n1").interfaces.size(), 2U);
  EXPECT_EQ(nic("n1", 1).name, "eth3");
  EXPECT_FALSE(world.nodes.at("n1").attributes.contains("serial"));
  EXPECT_FALSE(world.nodes.at("n1").attributes.contains("vendor"));
  EXPECT_EQ(rows[1].warnings, std::vector<std::string>{mac(2) + " is left out: it is that of n1"});
  EXPECT_NE(rows[2].problem.find("discover collect --found"), std::string::npos);
  EXPECT_EQ(rows[3].problem, "there is no machine behind it");
  EXPECT_EQ(rows[4].node, "n3");
  EXPECT_EQ(world.nodes.at("n3").bmc->protocol, BmcProtocol::ipmi);
  AdoptResult result;
  result.rows = rows;
  result.count();
  EXPECT_EQ(result.created, 3U);
  EXPECT_EQ(result.skipped, 2U);
}

TEST_F(AdoptPlan, WhatNodesWithoutMachineSayOfASharedBmcStands) {
  NodeSpec gone;
  gone.bmc = Bmc{"10.0.0.1", BmcProtocol::redfish, "02:00:00:00:00:aa", "ops"};
  gone.attributes["bmc_system"] = "Node7";
  world.nodes["gone"] = gone;
  world.facts.bmc_of["gone"] = "10.0.0.1";
  finds.push_back(found("10.0.0.1"));
  bmcs.push_back(
      collected("10.0.0.1", {system("Node0", "", {mac(1)}), system("Node1", "", {mac(2)})}));
  bmcs.back().mac = mac(900);
  request.names = "n[1-2]";
  EXPECT_EQ(said(), "n1 create\nn2 create\n");
  EXPECT_EQ(world.nodes.at("n2").bmc, gone.bmc);
}

TEST_F(AdoptPlan, ABmcOfIpmiStaysOne) {
  FoundBmc ipmi;
  ipmi.address = "10.0.0.1";
  ipmi.ipmi_port = 6230;
  finds.push_back(ipmi);
  bmcs.push_back(collected("10.0.0.1", {system("", "S1", {})}));
  bmcs.push_back(
      collected("10.0.0.2", {system("", "S2", {})}));  // looked through by its node alone
  world.nodes["old"].bmc = Bmc{"10.0.0.2", BmcProtocol::ipmi, "", ""};
  world.facts.bmc_of["old"] = "10.0.0.2";
  request.names = "n1";
  EXPECT_EQ(said(), "n1 create\nold change\n");
  EXPECT_EQ(world.nodes.at("n1").bmc->protocol, BmcProtocol::ipmi);
  EXPECT_EQ(world.nodes.at("n1").attributes.at("bmc_port"), "6230");
  EXPECT_EQ(world.nodes.at("old").bmc->protocol, BmcProtocol::ipmi);
  EXPECT_EQ(world.nodes.at("old").attributes.at("serial"), "S2");
}

TEST_F(AdoptPlan, TheMacOfABmcIsItsOwn) {
  add(1);
  add(2);
  for (size_t i = 0; i < 2; ++i) {
    BmcManager manager;
    manager.kind = "BMC";
    BmcNic nic;
    nic.mac = mac(800);  // both say the same
    nic.addresses = {bmcs[i].address};
    manager.nics.push_back(nic);
    bmcs[i].inventory->managers.push_back(manager);
  }
  request.names = "n[1-2]";
  const auto rows = adopt();
  EXPECT_EQ(world.nodes.at("n1").bmc->mac, mac(800));
  EXPECT_EQ(world.nodes.at("n2").bmc->mac, "");
  EXPECT_EQ(rows[1].warnings.size(), 1U);
}

}  // namespace
}  // namespace drover::cluster

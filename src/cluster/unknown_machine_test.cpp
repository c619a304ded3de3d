#include "cluster/unknown_machine.hpp"

#include "cluster/definition_writer.hpp"
#include "cluster/memory_store.hpp"
#include "cluster/mutations.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using testing::MemoryTransaction;

std::string mac(int i) {
  return fmt::format("52:54:00:00:{:02x}:{:02x}", i / 256, i % 256);
}
WallTime at(int seconds) {
  return from_unix_ms(1'700'000'000'000) + std::chrono::seconds(seconds);
}

class UnknownMachinesTest : public ::testing::Test {
 protected:
  void network(UnknownMachines unknown, const std::string& nodes = "",
               NumberBy by = NumberBy::arrival) {
    Network network;
    network.name = "boot";
    network.prefix = "10.77.0.0/24";
    network.unknown = unknown;
    network.number_nodes = nodes;
    network.number_by = by;
    DefinitionWriter writer(tx_);
    ASSERT_TRUE(writer.put_network(network));
    ASSERT_TRUE(writer.finish());
  }
  void define(const std::string& name, NodeSpec spec) {
    DefinitionWriter writer(tx_);
    ASSERT_TRUE(writer.add_node(name, NodeRole::compute, std::move(spec), "id-" + name));
    ASSERT_TRUE(writer.finish());
  }
  void seen(int machine, int second = 0, const std::string& port = "") {
    Sighting sighting;
    sighting.mac = mac(machine);
    sighting.at = at(second);
    sighting.network = "boot";
    sighting.port = port;
    sighting.client = "pxe";
    ASSERT_TRUE(apply_sighting(tx_, sighting, "boot1", fmt::format("id{}", machine)));
  }
  std::optional<UnknownMachine> unknown(int machine) {
    const auto object = tx_.get(kUnknownKind, mac(machine)).value();
    if (!object) return {};
    return decode_text<UnknownMachine>(object->body).value();
  }
  Status approve(int machine, const std::string& node, bool replace = false,
                 const std::string& interface = "") {
    DefinitionWriter writer(tx_);
    DROVER_CHECK_OK(approve_machine(tx_, writer, {mac(machine), node, interface, replace}, "id"));
    return writer.finish();
  }
  /// The MAC of a node's interface.
  std::string mac_of(const std::string& node, size_t interface = 0) {
    const auto found = read_node(tx_, node);
    if (!found || found->spec.interfaces.size() <= interface) return "none";
    return found->spec.interfaces[interface].mac;
  }

  MemoryTransaction tx_;
};

TEST_F(UnknownMachinesTest, SightingsAddUp) {
  seen(1, 5);
  seen(1, 9, "sw1/7");
  seen(1, 7);
  const auto machine = unknown(1).value();
  EXPECT_EQ(machine.first_seen, at(5));
  EXPECT_EQ(machine.last_seen, at(9));
  EXPECT_EQ(machine.count, 3U);
  EXPECT_EQ(machine.port, "sw1/7") << "not every packet has it";
  EXPECT_EQ(machine.daemon, "boot1");
}

TEST_F(UnknownMachinesTest, AnApprovedMachineIsTheNodeAndWaitsNoMore) {
  NodeSpec spec;
  spec.interfaces.push_back({"eth0", "", {"10.77.0.11"}, "boot"});
  define("n1", spec);
  seen(1);
  ASSERT_TRUE(approve(1, "n1"));
  EXPECT_EQ(mac_of("n1"), mac(1));
  EXPECT_EQ(read_node(tx_, "n1")->spec.interfaces[0].addresses.at(0), "10.77.0.11");
  EXPECT_FALSE(unknown(1));
  seen(1);  // a record that was under way
  EXPECT_FALSE(unknown(1));
  EXPECT_EQ(approve(1, "n1").error().code, Code::not_found);
}

TEST_F(UnknownMachinesTest, ANodeThatIsNotThereIsMade) {
  seen(1);
  ASSERT_TRUE(approve(1, "n7"));
  EXPECT_EQ(mac_of("n7"), mac(1));
  EXPECT_EQ(read_node(tx_, "n7")->spec.interfaces[0].network, "boot");
  seen(2);
  EXPECT_EQ(approve(2, "Bad Name").error().code, Code::invalid_argument);
  EXPECT_TRUE(unknown(2));
}

TEST_F(UnknownMachinesTest, ANodeKeepsItsMacUnlessItIsReplaced) {
  seen(1);
  ASSERT_TRUE(approve(1, "n1"));
  seen(2);
  const Status refused = approve(2, "n1");
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().next.find("--replace"), std::string::npos);
  ASSERT_TRUE(approve(2, "n1", false, "eth1"));
  EXPECT_EQ(mac_of("n1", 1), mac(2));
  seen(3);
  ASSERT_TRUE(approve(3, "n1", true));
  EXPECT_EQ(mac_of("n1"), mac(3));
  seen(1);
  EXPECT_TRUE(unknown(1)) << "the old board is nobody now";
}

TEST_F(UnknownMachinesTest, ByArrivalTheFirstFreeNameIsGiven) {
  NodeSpec spec;
  spec.interfaces.push_back({"eth0", mac(99), {}, ""});
  define("n1", spec);
  define("n2", {});
  network(UnknownMachines::number, "n[1-4]");
  seen(1);
  seen(2);
  seen(3);
  EXPECT_EQ(mac_of("n1"), mac(99));
  EXPECT_EQ(mac_of("n2"), mac(1));
  EXPECT_EQ(mac_of("n3"), mac(2));
  EXPECT_EQ(mac_of("n4"), mac(3));
  seen(4);
  EXPECT_EQ(unknown(4)->why, "not numbered: each of the 4 names has a machine");
}

TEST_F(UnknownMachinesTest, ByPortThePlaceDecides) {
  network(UnknownMachines::number, "n[1-4]", NumberBy::port);
  seen(1, 0, "sw1/Gi1/0/3");
  EXPECT_EQ(mac_of("n3"), mac(1));
  seen(2);
  EXPECT_NE(unknown(2)->why.find("switch port"), std::string::npos);
  seen(2, 1, "sw1/Gi1/0/2");  // the relay has begun to tell
  EXPECT_EQ(mac_of("n2"), mac(2));
  seen(3, 2, "sw1/Gi1/0/3");
  EXPECT_EQ(unknown(3)->why, "not numbered: n3, of port sw1/Gi1/0/3, has a machine already");
  seen(4, 2, "sw1/Gi1/0/48");
  EXPECT_NE(unknown(4)->why.find("number 48, and there are 4 names"), std::string::npos);
}

TEST_F(UnknownMachinesTest, AnIgnoredOneStaysAndGetsNoName) {
  seen(1);
  ASSERT_TRUE(ignore_machine(tx_, mac(1), true, "the switch itself"));
  network(UnknownMachines::number, "n[1-4]");
  seen(1);
  EXPECT_TRUE(unknown(1)->ignored);
  EXPECT_EQ(unknown(1)->why, "the switch itself");
  ASSERT_TRUE(ignore_machine(tx_, mac(1), false, ""));
  seen(1);
  EXPECT_EQ(mac_of("n1"), mac(1));
  EXPECT_EQ(ignore_machine(tx_, mac(1), true, "").error().code, Code::not_found);
  EXPECT_EQ(ignore_machine(tx_, "no mac", true, "").error().code, Code::invalid_argument);
}

TEST_F(UnknownMachinesTest, AFloodPushesOutWhatWasSilentTheLongest) {
  seen(0, 0);
  ASSERT_TRUE(ignore_machine(tx_, mac(0), true, "kept"));
  for (int i = 1; i <= static_cast<int>(kMostUnknown) + 5; ++i) seen(i, i);
  EXPECT_EQ(tx_.list({.kind = std::string(kUnknownKind)})->size(), kMostUnknown);
  EXPECT_TRUE(unknown(0));
  EXPECT_FALSE(unknown(1));
  EXPECT_TRUE(unknown(static_cast<int>(kMostUnknown) + 5));
}

TEST_F(UnknownMachinesTest, AMachineIsNotedBeforeItIsSeen) {
  UnknownMachine machine;
  machine.mac = "52-54-00-00-00-01";
  machine.ignored = true;
  ASSERT_TRUE(note_machine(tx_, machine));
  EXPECT_EQ(note_machine(tx_, machine).error().code, Code::already_exists);
  seen(1, 5);
  EXPECT_TRUE(unknown(1)->ignored);
  EXPECT_EQ(unknown(1)->first_seen, at(5));
  seen(2);
  ASSERT_TRUE(approve(2, "n2"));
  machine.mac = mac(2);
  EXPECT_EQ(note_machine(tx_, machine).error().code, Code::conflict);
  machine.mac = "nonsense";
  EXPECT_EQ(note_machine(tx_, machine).error().code, Code::invalid_argument);
}

TEST_F(UnknownMachinesTest, SightingsThatAreNoneAreRefused) {
  const auto parsed = parse_sighting(
      R"({"mac":"52-54-00-AA-00-01","at":"2026-01-01T00:00:00.000Z","client":"pxe"})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->mac, "52:54:00:aa:00:01");
  EXPECT_FALSE(parse_sighting(R"({"mac":"x","at":"2026-01-01T00:00:00.000Z"})"));
  EXPECT_FALSE(
      parse_sighting(R"({"mac":"52:54:00:aa:00:01","at":"2026-01-01T00:00:00.000Z","uuid":")" +
                     std::string(500, 'a') + "\"}"));
  EXPECT_FALSE(parse_sighting("no json"));
}

TEST_F(UnknownMachinesTest, WhoHasTheMacAlreadyKeepsIt) {
  NodeSpec spec;
  spec.interfaces.push_back({"eth0", mac(1), {}, ""});
  seen(1);
  define("n1", spec);  // by the node's own definition
  EXPECT_FALSE(unknown(1));
  seen(1);
  EXPECT_FALSE(unknown(1));
}

}  // namespace
}  // namespace drover::cluster

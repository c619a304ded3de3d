// Redfish endpoints as magellan, ochami and hands post them, what follows from them, and SMD's
// faults with real machines' payloads kept out. Payloads are written from descriptions of real
// ones.
#include "api/test_master.hpp"
#include "cluster/bmc/hardware_book.hpp"

#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

constexpr const char* kAll = "/Inventory/RedfishEndpoints";

class SmdEndpoints : public ::testing::Test {
 protected:
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const auth::Principal& who = person("admin")) {
    return master.ask(method, "/hsm/v2" + at, body, {}, who);
  }
  std::string get(const std::string& at) { return ask("GET", at).body; }
  int status(const std::string& method, const std::string& at, const std::string& body = "") {
    return ask(method, at, body).status;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  /// One of magellan's systems; no UUID, as multi-node BMCs have it.
  static std::string system(const std::string& id, const std::string& nics,
                            const std::string& state = "On") {
    return fmt::format(
        R"({{"uri":"https://10.1.0.9/redfish/v1/Systems/{}","uuid":"","name":"{}",)"
        R"("manufacturer":"HPE","model":"EX425","serial":"S{}","system_type":"Physical",)"
        R"("bios_version":"ex425.bios-1.7.4","ethernet_interfaces":[{}],)"
        R"("actions":["On","ForceOff","GracefulShutdown"],)"
        R"("power":{{"state":"{}","mode":"","restore_policy":"AlwaysOff",)"
        R"("power_control_ids":["/redfish/v1/Chassis/{}/Power#/PowerControl/0"]}},)"
        R"("serial_console":{{"impi":{{"enabled":false}},"ssh":{{"port":2200,"enabled":true}}}},)"
        R"("processor_count":2,"processor_type":"AMD EPYC 7742","memory_total":256,)"
        R"("links":{{"chassis":["/redfish/v1/Chassis/{}"],"managers":["/redfish/v1/Managers/BMC"]}}}})",
        id, id, id, nics, state, id, id);
  }
  static std::string nic(const std::string& id, const std::string& mac, const std::string& ip) {
    return fmt::format(
        R"({{"uri":"https://10.1.0.9/redfish/v1/Systems/1/EthernetInterfaces/{}","mac":"{}",)"
        R"("ip":"{}","name":"{}","description":"a NIC","enabled":true}})",
        id, mac, ip, id);
  }
  static std::string found(const std::string& systems, const std::string& id = "x1000c0s0b0",
                           const std::string& address = "10.1.0.9") {
    return fmt::format(
        R"({{"ID":"{}","Type":"","Name":"","FQDN":"{}","User":"root","MACRequired":true,)"
        R"("RediscoverOnUpdate":false,"SchemaVersion":1,"MACAddr":"02:aa:00:00:00:09",)"
        R"("Systems":[{}],"Managers":[{{"uri":"https://10.1.0.9/redfish/v1/Managers/BMC",)"
        R"("uuid":"U1","name":"BMC","model":"C1","type":"BMC","firmware_version":"1.7",)"
        R"("ethernet_interfaces":[{{"uri":"/redfish/v1/Managers/BMC/EthernetInterfaces/e0",)"
        R"("mac":"02:AA:00:00:00:0A","ip":"10.1.0.9","name":"e0"}}],)"
        R"("serial_console":["SSH","IPMI"],"command_shell":["SSH"]}}]}})",
        id, address, systems);
  }
  TestMaster master;
};

TEST_F(SmdEndpoints, AMultiNodeBmcGivesANodeForEachOfItsSystems) {
  // In an order that is not theirs, without UUIDs, without IP addresses of host NICs.
  const Recorded made = ask("POST", kAll,
                            found(system("Node2", nic("1", "02:00:00:00:02:01", "")) + "," +
                                  system("Node0", nic("1", "02:00:00:00:00:01", "") + "," +
                                                      nic("2", "Not Available", "10.0.0.77")) +
                                  "," + system("Node3", "", "Off") + "," +
                                  system("Node1", nic("1", "02-00-00-00-01-01", "N/A"))));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, "[{\"URI\":\"/hsm/v2/Inventory/RedfishEndpoints/x1000c0s0b0\"}]\n");
  EXPECT_EQ(made.headers.get("Location"), "/hsm/v2/Inventory/RedfishEndpoints/x1000c0s0b0");
  const std::string nodes = get("/State/Components?type=Node");
  std::set<std::string> nids;
  for (const char* xname : {"x1000c0s0b0n0", "x1000c0s0b0n1", "x1000c0s0b0n2", "x1000c0s0b0n3"}) {
    const std::string one = get(std::string("/State/Components/") + xname);
    EXPECT_TRUE(has(one, R"("Role":"Compute")")) << one;
    EXPECT_TRUE(has(one, R"("Flag":"OK","Enabled":true)")) << one;
    EXPECT_TRUE(has(one, R"("Arch":"X86")")) << one;
    const size_t at = one.find("\"NID\":");
    ASSERT_NE(at, std::string::npos) << one;
    EXPECT_TRUE(nids.insert(one.substr(at, one.find_first_of(",}", at) - at)).second) << one;
  }
  EXPECT_TRUE(has(get("/State/Components/x1000c0s0b0n2"), R"("State":"On")"));
  EXPECT_TRUE(has(get("/State/Components/x1000c0s0b0n3"), R"("State":"Off")"));
  // n2 is what the BMC calls Node2, whatever its place in the list.
  EXPECT_TRUE(has(get("/Inventory/ComponentEndpoints/x1000c0s0b0n2"),
                  R"("OdataID":"/redfish/v1/Systems/Node2")"));
  const std::string boot = get("/Inventory/EthernetInterfaces?MACAddress=02:00:00:00:02:01");
  EXPECT_TRUE(has(boot, R"("ID":"020000000201")")) << boot;
  EXPECT_TRUE(has(boot, R"("ComponentID":"x1000c0s0b0n2","Type":"Node","IPAddresses":[])")) << boot;
  EXPECT_TRUE(has(get("/Inventory/EthernetInterfaces/020000000101"), "x1000c0s0b0n1"));
  const std::string all = get("/Inventory/EthernetInterfaces");
  EXPECT_FALSE(has(all, "available")) << all;
  EXPECT_FALSE(has(all, "N/A")) << all;
  // The manager's interfaces are there once, and the answer was one document.
  EXPECT_TRUE(has(
      get("/Inventory/EthernetInterfaces/02aa0000000a"),
      R"("ComponentID":"x1000c0s0b0","Type":"NodeBMC","IPAddresses":[{"IPAddress":"10.1.0.9"}])"));
  // What was left out is told.
  EXPECT_EQ(master.model.hardware().bmcs().at("x1000c0s0b0").inventory->warnings.size(), 2U);
}

TEST_F(SmdEndpoints, ASecondPostMergesAndKeepsWhatPeopleSaid) {
  const std::string one = found(system("1", nic("1", "02:00:00:00:00:01", "10.0.0.1")));
  ASSERT_EQ(status("POST", kAll, one), 201);
  ASSERT_EQ(status("PATCH", "/State/Components/x1000c0s0b0n0/NID", R"({"NID":5})"), 204);
  ASSERT_EQ(status("POST", "/State/Components",
                   R"({"Components":[{"ID":"x1000c0s0b0n0","State":"On","Role":"Storage"}],)"
                   R"("Force":true})"),
            204);
  ASSERT_EQ(status("POST", kAll, one), 201);
  ASSERT_EQ(status("PUT", std::string(kAll) + "/x1000c0s0b0",
                   found(system("1", nic("1", "02:00:00:00:00:01", "") + "," +
                                         nic("2", "02:00:00:00:00:02", "")))),
            200);
  const std::string node = get("/State/Components/x1000c0s0b0n0");
  EXPECT_TRUE(has(node, R"("Role":"Storage","NID":5)")) << node;
  EXPECT_TRUE(has(get("/Inventory/EthernetInterfaces/020000000001"), "10.0.0.1"));
  EXPECT_TRUE(has(get("/Inventory/EthernetInterfaces/020000000002"), "x1000c0s0b0n0"));
  const Recorded native = master.get("/api/v1/nodes/x1000c0s0b0n0");
  EXPECT_TRUE(has(native.body, R"("bmc":{"address":"10.1.0.9")")) << native.body;
}

TEST_F(SmdEndpoints, ComponentEndpointsSayHowToReachThem) {
  ASSERT_EQ(status("POST", kAll, found(system("Self", nic("1", "02:00:00:00:00:01", "")))), 201);
  EXPECT_EQ(
      get("/Inventory/ComponentEndpoints/x1000c0s0b0n0"),
      R"({"ID":"x1000c0s0b0n0","Type":"Node","RedfishType":"ComputerSystem",)"
      R"("RedfishSubtype":"Physical","OdataID":"/redfish/v1/Systems/Self",)"
      R"("RedfishEndpointID":"x1000c0s0b0","Enabled":true,"RedfishEndpointFQDN":"10.1.0.9",)"
      R"("RedfishURL":"10.1.0.9/redfish/v1/Systems/Self",)"
      R"("ComponentEndpointType":"ComponentEndpointComputerSystem","RedfishSystemInfo":)"
      R"({"Name":"Self","Actions":{"#ComputerSystem.Reset":{"ResetType@Redfish.AllowableValues":)"
      R"(["On","ForceOff","GracefulShutdown"],"target":)"
      R"("/redfish/v1/Systems/Self/Actions/ComputerSystem.Reset"}},"EthernetNICInfo":)"
      R"([{"RedfishId":"1","@odata.id":"/redfish/v1/Systems/1/EthernetInterfaces/1",)"
      R"("Description":"a NIC","InterfaceEnabled":true,"MACAddress":"02:00:00:00:00:01"}],)"
      R"("PowerURL":"/redfish/v1/Chassis/Self/Power","PowerControl":[{"@odata.id":)"
      R"("/redfish/v1/Chassis/Self/Power#/PowerControl/0","MemberId":"0"}],"SerialConsole":)"
      R"({"ServiceEnabled":true,"ConnectTypesSupported":["SSH"],"SSH":{"Port":2200}}}})"
      "\n");
  const std::string manager = get("/Inventory/ComponentEndpoints/x1000c0s0b0");
  EXPECT_TRUE(has(manager, R"("RedfishType":"Manager","RedfishSubtype":"BMC","UUID":"u1")"))
      << manager;
  EXPECT_TRUE(has(manager, R"("CommandShell":{"ServiceEnabled":true)")) << manager;
  const auto ids = [&](const std::string& query) {
    const std::string list = get("/Inventory/ComponentEndpoints" + query);
    size_t count = 0;
    for (size_t at = list.find("{\"ID\""); at != std::string::npos;
         at = list.find("{\"ID\"", at + 1)) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(ids(""), 3U);  // the BMC, its node, and the enclosure
  EXPECT_EQ(ids("?type=Node"), 1U);
  EXPECT_EQ(ids("?id=x1000c0s0b0&id=x1000c0s0b0n0"), 2U);
  EXPECT_EQ(ids("?redfish_ep=x1000c0s0b0&redfish_type=manager"), 1U);
  EXPECT_EQ(ids("/Query/x1000"), 3U);
  EXPECT_EQ(ids("/Query/x1001"), 0U);
  EXPECT_EQ(status("GET", "/Inventory/ComponentEndpoints?type=FAKE"), 400);
  EXPECT_EQ(status("GET", "/Inventory/ComponentEndpoints/Query/FAKE"), 400);
  EXPECT_EQ(status("GET", "/Inventory/ComponentEndpoints/x1000c0s9b0"), 404);
  EXPECT_EQ(status("GET", "/Inventory/ComponentEndpoints/FAKE"), 404);
}

TEST_F(SmdEndpoints, TheEnclosureIsReachedThroughTheBmcToo) {
  const std::string below = "/Inventory/ComponentEndpoints";
  ASSERT_EQ(status("POST", kAll, found(system("1", "") + "," + system("2", ""))), 201);
  const std::string enclosure = get(below + "/x1000c0s0e0");
  EXPECT_TRUE(has(enclosure, R"("Type":"NodeEnclosure","RedfishType":"Chassis")")) << enclosure;
  EXPECT_TRUE(has(enclosure, R"("ComponentEndpointType":"ComponentEndpointChassis")"));
  EXPECT_EQ(status("GET", below + "/x1000c0s0e1"), 404);
  const std::string others = get(below + "?type=!Node");
  EXPECT_TRUE(has(others, R"("RedfishType":"Manager")")) << others;
  EXPECT_FALSE(has(others, "ComputerSystem")) << others;
  EXPECT_TRUE(has(get(below + "?redfish_type=chassis"), "x1000c0s0e0"));
}

TEST_F(SmdEndpoints, PasswordsAreTakenAndNeverGiven) {
  ASSERT_EQ(
      status("POST", kAll,
             R"({"ID":"x0c0s0b0","FQDN":"bmc1.example.org","User":"root","Password":"hunter2"})"),
      201);
  const std::string shown = get(std::string(kAll) + "/x0c0s0b0");
  EXPECT_EQ(shown, R"({"ID":"x0c0s0b0","Type":"NodeBMC","Hostname":"bmc1","Domain":"example.org",)"
                   R"("FQDN":"bmc1.example.org","Enabled":true,"User":"root","Password":"",)"
                   R"("RediscoverOnUpdate":false,"DiscoveryInfo":)"
                   R"({"LastDiscoveryStatus":"NotYetQueried"}})"
                   "\n");
  EXPECT_EQ(get(kAll), R"({"RedfishEndpoints":[)" + shown.substr(0, shown.size() - 1) + "]}\n");
  std::string kept;
  ASSERT_TRUE(master.write([&](store::Transaction& tx) -> Status {
    DROVER_TRY(const auto object, tx.get("bmc-credential", "bmc/bmc1.example.org"));
    kept = object ? object->body : "";
    return {};
  }));
  ASSERT_FALSE(kept.empty());
  EXPECT_FALSE(has(kept, "hunter2"));
  const size_t from = kept.find("v1.");
  const auto opened =
      master.secrets->open(kept.substr(from, kept.find('"', from) - from), "bmc/bmc1.example.org");
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(*opened, "hunter2");
  // It is the one that power and discovery get in with; it goes with the endpoint.
  EXPECT_TRUE(has(master.get("/api/v1/bmc-credentials", person("admin")).body,
                  R"("name":"bmc1.example.org","user":"root")"));
  EXPECT_EQ(status("DELETE", std::string(kAll) + "/x0c0s0b0"), 200);
  EXPECT_FALSE(
      has(master.get("/api/v1/bmc-credentials", person("admin")).body, "bmc1.example.org"));
  EXPECT_EQ(status("POST", kAll, R"({"ID":"x0c0s0b0","FQDN":"b","Password":"hunter2"})"), 400);
  EXPECT_EQ(status("POST", kAll,
                   R"({"ID":"x0c0s0b0","FQDN":"b","User":"root","Password":")" +
                       std::string(257, 'x') + R"("})"),
            400);
  EXPECT_FALSE(has(master.get("/api/v1/changes").body, "hunter2"));
}

TEST_F(SmdEndpoints, PlainEndpointsAndTheirRules) {
  const Recorded two =
      ask("POST", kAll,
          R"({"RedfishEndpoints":[{"ID":"X0c0s00b0","Hostname":"a","Domain":"d.org"},)"
          R"({"ID":"x0m0","IPAddress":"10.1.0.2"}]})");
  ASSERT_EQ(two.status, 201) << two.body;
  EXPECT_EQ(two.headers.get("Location"), "/hsm/v2/Inventory/RedfishEndpoints");
  EXPECT_TRUE(has(get(std::string(kAll) + "/x0c0s0b0"), R"("FQDN":"a.d.org")"));
  EXPECT_TRUE(has(get(std::string(kAll) + "/x0m0"), R"("FQDN":"10.1.0.2")"));
  EXPECT_EQ(status("POST", kAll, R"({"ID":"x0c0s0b0","FQDN":"other.org"})"), 409);
  EXPECT_EQ(status("POST", kAll, R"({"ID":"x0c0s1b0","FQDN":"A.d.org"})"), 409);
  for (const char* body :
       {"{", "{}", R"({"ID":"x0c0s0b0n0","FQDN":"n"})", R"({"ID":"FAKE"})", R"({"ID":"x0c0"})",
        R"({"ID":"x0c0s5b0","FQDN":"a.b.org","Domain":"c.org"})",
        R"({"ID":"x0c0s5b0","FQDN":"a.b.org","Hostname":"x"})",
        R"({"ID":"x0c0s5b0","Type":"FAKE"})", R"({"ID":"x0c0s5b0","FQDN":"not a name"})",
        R"({"ID":"x0c0s5b0","FQDN":7})", R"({"ID":"x0c0s5b0","Enabled":"yes"})",
        R"({"RedfishEndpoints":[]})"}) {
    EXPECT_EQ(status("POST", kAll, body), 400) << body;
  }
  EXPECT_EQ(status("GET", std::string(kAll) + "/x0c0s5b0"), 404);
  const std::string one = std::string(kAll) + "/x0c0s0b0";
  const Recorded patched = ask("PATCH", one, R"({"Enabled":false,"User":"ops"})");
  EXPECT_EQ(patched.status, 200);
  EXPECT_TRUE(has(patched.body, R"("FQDN":"a.d.org","Enabled":false,"User":"ops")"))
      << patched.body;
  EXPECT_EQ(status("PATCH", std::string(kAll) + "/x0c0s7b0", "{}"), 404);
  EXPECT_EQ(status("PATCH", std::string(kAll) + "/FAKE", "{}"), 400);
  EXPECT_EQ(status("PUT", std::string(kAll) + "/FAKE", "{}"), 400);
  EXPECT_EQ(status("PUT", std::string(kAll) + "/x0c0s7b0", R"({"FQDN":"a.d.org"})"), 409);
  EXPECT_EQ(status("PUT", std::string(kAll) + "/x0c0s7b0", R"({"FQDN":"seven.org"})"), 200);
  EXPECT_TRUE(has(get(std::string(kAll) + "?fqdn=seven.org&type=NodeBMC"), "x0c0s7b0"));
  EXPECT_EQ(get(std::string(kAll) + "?ipaddress=10.9.9.9"), "{\"RedfishEndpoints\":[]}\n");
  EXPECT_EQ(status("GET", std::string(kAll) + "?type=FAKE"), 400);
  EXPECT_TRUE(has(get(std::string(kAll) + "/Query/x0c0s7"), "x0c0s7b0"));
  EXPECT_EQ(status("GET", std::string(kAll) + "/Query/FAKE"), 400);
  // Its controller is a component; the endpoint says so, so that goes first.
  EXPECT_TRUE(has(get("/State/Components/x0c0s7b0"), R"("Type":"NodeBMC")"));
  EXPECT_EQ(status("DELETE", "/State/Components/x0c0s7b0"), 409);
  EXPECT_EQ(status("DELETE", one), 200);
  EXPECT_EQ(status("DELETE", one), 404);
  EXPECT_EQ(status("POST", kAll, R"({"ID":"x0c0s1b0","FQDN":"a.d.org"})"), 201);  // free again
  EXPECT_EQ(ask("DELETE", kAll).body, "{\"code\":0,\"message\":\"deleted 3 entries\"}\n");
  EXPECT_EQ(status("DELETE", kAll), 404);
  EXPECT_EQ(ask("POST", kAll, R"({"ID":"x0c0s1b0"})", person("viewer")).status, 403);
}

TEST_F(SmdEndpoints, PowerStrips) {
  ASSERT_EQ(
      status("POST", kAll,
             R"({"ID":"x3000m0","Type":"Node","FQDN":"10.1.0.77","SchemaVersion":1,)"
             R"("PDUInventory":{"Hostname":"pdu","Outlets":[{"id":"AA1","name":"o1","state":"On"},)"
             R"({"id":"BA35","name":"o2","state":"Off"},{"id":"odd","state":"?"}]}})"),
      201);
  EXPECT_TRUE(has(get("/State/Components/x3000m0"), R"("Type":"CabinetPDUController")"));
  EXPECT_TRUE(has(get("/State/Components/x3000m0p0v1"),
                  R"("Type":"CabinetPDUPowerConnector","State":"On")"));
  EXPECT_TRUE(has(get("/State/Components/x3000m0p1v35"), R"("State":"Off")"));
  EXPECT_TRUE(has(get("/State/Components/x3000m0p0v3"), R"("State":"Unknown")"));
}

TEST_F(SmdEndpoints, HostilePayloadsCostNothing) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  EXPECT_EQ(status("POST", kAll, deep), 400);
  const std::string odd =
      R"({"ID":"x0c0s0b0","FQDN":"10.1.0.1","SchemaVersion":1,"Systems":[7,null,{"uri":9,)"
      R"("ethernet_interfaces":{"a":1},"power":[],"actions":"x","links":7,"memory_total":-4,)"
      R"("processor_count":1e300,"name":"a\u0007b"}],"Managers":"x"})";
  EXPECT_EQ(status("POST", kAll, odd), 201);
  EXPECT_FALSE(has(get("/Inventory/ComponentEndpoints/x0c0s0b0n0"), "\\u0007"));
  std::string many;
  for (int i = 0; i < 300; ++i) many += fmt::format("{}{{\"uri\":\"/s/{}\"}}", i ? "," : "", i);
  EXPECT_EQ(
      status("POST", kAll,
             R"({"ID":"x0c0s1b0","FQDN":"10.1.0.2","SchemaVersion":1,"Systems":[)" + many + "]}"),
      201);
  EXPECT_EQ(status("GET", "/State/Components/x0c0s1b0n63"), 200);
  EXPECT_EQ(status("GET", "/State/Components/x0c0s1b0n64"), 404);
}

TEST_F(SmdEndpoints, MacsOfOtherNodesAreRefusedAndChangeNothing) {
  ASSERT_EQ(status("POST", kAll, found(system("1", nic("1", "02:00:00:00:00:01", "")))), 201);
  EXPECT_EQ(
      status("POST", kAll,
             found(system("1", nic("1", "02:00:00:00:00:01", "")), "x1000c0s1b0", "10.1.0.10")),
      409);
  EXPECT_EQ(status("GET", "/State/Components/x1000c0s1b0n0"), 404);
  EXPECT_EQ(status("GET", std::string(kAll) + "/x1000c0s1b0"), 404);
}

}  // namespace
}  // namespace drover::api

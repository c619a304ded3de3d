// SMD's hardware inventory: what BMCs and agents found, what clients said, and the history of both.
#include "api/test_master.hpp"
#include "cluster/hardware/collected.hpp"
#include "cluster/inventory.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

const std::string kHardware = "/Inventory/Hardware";
const std::string kFrus = "/Inventory/HardwareByFRU";

cluster::BmcIdentity identity(const std::string& id, const std::string& maker,
                              const std::string& part, const std::string& serial) {
  return {id, "/redfish/v1/" + id, id, maker, "model " + id, serial, part, "OK"};
}

/// A blade with two computers; the first has two CPUs, two DIMMs and drives of two controllers.
cluster::BmcInventory blade(const std::string& dimm = "D1") {
  cluster::BmcInventory out;
  out.managers.resize(1);
  out.managers[0].identity = identity("BMC", "HPE", "", "");
  out.managers[0].kind = "BMC";
  out.managers[0].firmware_version = "nc.1.7";
  out.chassis.resize(1);
  out.chassis[0].identity = identity("Enclosure", "HPE", "P-101.A", "E 1");
  out.chassis[0].kind = "Enclosure";
  out.chassis[0].power_supplies.resize(1);
  out.chassis[0].power_supplies[0].identity = identity("PS1", "ABB", "", "PS-1");
  out.chassis[0].power_supplies[0].capacity_watts = 1600;
  out.systems.resize(2);
  out.systems[0].identity = identity("Node0", "HPE", "101920703.A", "S0");
  out.systems[0].bios_version = "1.7.4";
  out.systems[0].processor_count = 2;
  out.systems[0].processor_model = "EPYC";
  out.systems[0].memory_mib = 262144;
  out.systems[0].processors.resize(2);
  out.systems[0].processors[0].identity = identity("P0", "AMD", "EPYC-7742", "C0");
  out.systems[0].processors[0].cores = 64;
  out.systems[0].processors[1].identity = identity("P1", "AMD", "", "");
  out.systems[0].memory.resize(2);
  out.systems[0].memory[0].identity = identity("DIMM0", "Hynix", "HMA8-X", "D0");
  out.systems[0].memory[1].identity = identity("DIMM1", "Hynix", "HMA8-X", dimm);
  out.systems[0].drives.resize(3);
  for (size_t i = 0; i < 3; ++i) {
    auto& drive = out.systems[0].drives[i];
    drive.identity =
        identity("Disk" + std::to_string(i), "Samsung", "PM9", "K" + std::to_string(i));
    drive.storage = i == 1 ? "RAID 10" : "RAID 2";
  }
  out.systems[1].identity = identity("Node1", "HPE", "101920703.A", "S1");
  out.update_target = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate";
  out.event_stream = "/redfish/v1/EventService/SSE";
  return out;
}

class SmdHardware : public ::testing::Test {
 protected:
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const auth::Principal& who = person("admin")) {
    return master.ask(method, "/hsm/v2" + at, body, {}, who);
  }
  std::string get(const std::string& at) {
    const Recorded answer = ask("GET", at);
    EXPECT_EQ(answer.status, 200) << at << answer.body;
    return answer.body;
  }
  int status(const std::string& method, const std::string& at, const std::string& body = "") {
    return ask(method, at, body).status;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  static size_t count(const std::string& text, const std::string& part) {
    size_t out = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++out;
    return out;
  }
  void look(const cluster::BmcInventory& found, const std::string& name = "x1000c0s4b1") {
    pass();
    ASSERT_TRUE(master.write([&](store::Transaction& tx) -> Status {
      DROVER_TRY(const bool kept,
                 cluster::keep_collected(tx, {"10.1.0." + name.substr(8, 1), name, "root", found}));
      (void)kept;
      return {};
    }));
  }
  void report(const std::string& node, const std::string& parts) {
    pass();
    ASSERT_TRUE(master.write([&](store::Transaction& tx) -> Status {
      DROVER_TRY(const auto read,
                 cluster::parse_inventory(R"({"parts":[)" + parts + R"(],"summary":{}})"));
      DROVER_TRY(const auto outcome, cluster::apply_inventory(tx, node, cluster::NodeRole::compute,
                                                              read, "id-" + node));
      (void)outcome;
      return {};
    }));
  }
  /// Times in the log tell one look from the next.
  void pass() {
    const auto until = master.process.executor().now() + std::chrono::seconds(1);
    master.world.run_until([&] { return master.process.executor().now() >= until; },
                           std::chrono::seconds(5));
  }
  TestMaster master;
};

TEST_F(SmdHardware, EachPieceIsAtItsPlace) {
  look(blade());
  const std::string all = get(kHardware);
  for (const char* id :
       {"x1000c0s4e1", "x1000c0s4e1t0", "x1000c0s4b1", "x1000c0s4b1n0", "x1000c0s4b1n0p0",
        "x1000c0s4b1n0p1", "x1000c0s4b1n0d0", "x1000c0s4b1n0d1", "x1000c0s4b1n0g0k0",
        "x1000c0s4b1n0g0k1", "x1000c0s4b1n0g1k0", "x1000c0s4b1n1"}) {
    EXPECT_EQ(count(all, "{\"ID\":\"" + std::string(id) + "\""), 1U) << id << all;
  }
  EXPECT_EQ(count(all, "{\"ID\""), 12U);
  EXPECT_EQ(get(kHardware + "/x1000c0s4b1n0"),
            R"({"ID":"x1000c0s4b1n0","Type":"Node","Ordinal":0,"Status":"Populated",)"
            R"("HWInventoryByLocationType":"HWInvByLocNode","NodeLocationInfo":{"Id":"Node0",)"
            R"("Name":"Node0","Description":"","HostName":"","ProcessorSummary":{"Count":2,)"
            R"("Model":"EPYC"},"MemorySummary":{"TotalSystemMemoryGiB":256}},"PopulatedFRU":)"
            R"({"FRUID":"Node.HPE.101920703A.S0","Type":"Node","Subtype":"",)"
            R"("HWInventoryByFRUType":"HWInvByFRUNode","NodeFRUInfo":{"AssetTag":"",)"
            R"("BiosVersion":"1.7.4","Manufacturer":"HPE","Model":"model Node0",)"
            R"("PartNumber":"101920703.A","SerialNumber":"S0","SKU":"","SystemType":"Physical",)"
            R"("UUID":""}}})"
            "\n");
  // The controllers of drives in natural order: "RAID 2" is the first.
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4b1n0g1k0"), R"("SerialNumber":"K1")"));
  EXPECT_TRUE(has(get(kHardware + "/X1000C0S04B1N0P0/"), "Processor.AMD.EPYC7742.C0"));
  // Without a serial number nothing tells it from others.
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4b1n0p1"), "FRUIDforx1000c0s4b1n0p1"));
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4e1"), "NodeEnclosure.HPE.P101A.E1"));
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4e1t0"), R"("PowerCapacityWatts":1600)"));
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4b1"), R"("FirmwareVersion":"nc.1.7")"));
  EXPECT_EQ(status("GET", kHardware + "/x1000c0s4b1n7"), 404);
  EXPECT_EQ(status("GET", kHardware + "/FAKE"), 404);
}

TEST_F(SmdHardware, AnAgentFillsInWhatTheBmcDoesNotSay) {
  look(blade());
  report("x1000c0s4b1n1",
         R"({"kind":"cpu","slot":"socket0","serial":"","attributes":{"model":"EPYC 7742"}},)"
         R"({"kind":"dimm","slot":"A1","serial":"D9","attributes":{"manufacturer":"Micron",)"
         R"("part_number":"MTA","size_mib":32768}},)"
         R"({"kind":"board","slot":"system","serial":"other","attributes":{"uuid":"u-9"}})");
  report("n7", R"({"kind":"disk","slot":"sda","serial":"K9","attributes":{"vendor":"ATA"}})");
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4b1n1p0"), "EPYC 7742"));
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4b1n1d0"), "Memory.Micron.MTA.D9"));
  const std::string node = get(kHardware + "/x1000c0s4b1n1");
  EXPECT_TRUE(has(node, R"("SerialNumber":"S1")")) << node;  // the BMC's
  EXPECT_TRUE(has(node, R"("UUID":"u-9")")) << node;
  // A node that no BMC was looked through for is there by the xname that it goes by.
  EXPECT_EQ(count(get(kHardware + "?serialnumber=k9"), "Drive.ATA.K9"), 1U);
}

TEST_F(SmdHardware, FiltersNarrowAndNegate) {
  look(blade());
  EXPECT_EQ(count(get(kHardware + "?type=Memory"), "{\"ID\""), 2U);
  EXPECT_EQ(count(get(kHardware + "?type=memory&type=Node"), "{\"ID\""), 4U);
  EXPECT_EQ(count(get(kHardware + "?type=!Memory"), "{\"ID\""), 10U);
  EXPECT_EQ(count(get(kHardware + "?manufacturer=hynix"), "{\"ID\""), 2U);
  EXPECT_EQ(count(get(kHardware + "?manufacturer=Hynix&serialnumber=!D0"), "{\"ID\""), 1U);
  EXPECT_EQ(count(get(kHardware + "?partnumber=HMA8-X"), "{\"ID\""), 2U);
  EXPECT_EQ(count(get(kHardware + "?fruid=Memory.Hynix.HMA8X.D0"), "{\"ID\""), 1U);
  EXPECT_EQ(count(get(kHardware + "?id=x1000c0s4b1n0"), "{\"ID\""), 1U);
  EXPECT_EQ(count(get(kHardware + "?id=x1000c0s4b1n0&children=true"), "{\"ID\""), 8U);
  EXPECT_EQ(count(get(kHardware + "?id=x1000c0s4b1n0d0&parents=true"), "{\"ID\""), 3U);
  for (const char* query : {"?id=FAKE", "?type=FAKE", "?children=FAKE", "?partition=a%20b"}) {
    EXPECT_EQ(status("GET", kHardware + query), 400) << query;
  }
  EXPECT_TRUE(has(ask("GET", kHardware + "?id=FAKE").body, R"("detail":"Invalid xname")"));
  EXPECT_TRUE(has(ask("GET", kHardware + "?type=FAKE").body, R"("detail":"Invalid HMS type")"));
}

TEST_F(SmdHardware, QueriesSortByType) {
  look(blade());
  const std::string nested = get(kHardware + "/Query/x1000c0s4b1");
  EXPECT_TRUE(nested.starts_with(R"({"XName":"x1000c0s4b1","Format":"NestNodesOnly",)")) << nested;
  EXPECT_EQ(count(nested, R"("Nodes":[)"), 1U);
  // The parts stand in their node.
  EXPECT_LT(nested.find(R"("ID":"x1000c0s4b1n0")"), nested.find(R"("Processors":[)"));
  EXPECT_LT(nested.find(R"("Memory":[)"), nested.find(R"("ID":"x1000c0s4b1n1")"));
  EXPECT_FALSE(has(nested, "NodeEnclosures"));
  const std::string flat = get(kHardware + "/Query/s0?format=fullyflat&type=Node&type=Drive");
  EXPECT_TRUE(has(flat, R"("Format":"FullyFlat")"));
  EXPECT_TRUE(has(flat, R"(],"Drives":[{)")) << flat;
  EXPECT_FALSE(has(flat, "Processors"));
  EXPECT_TRUE(has(get(kHardware + "/Query/x1000c0s4"), "NodeEnclosurePowerSupplies"));
  EXPECT_FALSE(has(get(kHardware + "/Query/x1000c0s4b1n0?children=false"), "Processors"));
  EXPECT_EQ(get(kHardware + "/Query/x9999c7s9b9n9"),
            "{\"XName\":\"x9999c7s9b9n9\",\"Format\":\"NestNodesOnly\"}\n");
  EXPECT_EQ(status("GET", kHardware + "/Query/FAKE"), 400);
  EXPECT_EQ(status("GET", kHardware + "/Query/s0?format=Hierarchical"), 400);
  // A part whose node was not asked for is not lost.
  EXPECT_TRUE(has(get(kHardware + "/Query/x1000c0s4b1n0d1"), R"(,"Memory":[{)"));
}

TEST_F(SmdHardware, PiecesAreFoundWhereverTheyAre) {
  look(blade());
  const std::string all = get(kFrus + "?type=Memory");
  EXPECT_EQ(count(all, R"({"FRUID")"), 2U) << all;
  EXPECT_TRUE(has(get(kFrus + "/Memory.Hynix.HMA8X.D0"), R"("MemoryFRUInfo":{)"));
  EXPECT_EQ(status("GET", kFrus + "/Memory.None"), 404);
  EXPECT_EQ(status("GET", kFrus + "?type=FAKE"), 400);
}

TEST_F(SmdHardware, ClientsSayWhatNobodyLooksAt) {
  const std::string entry =
      R"({"ID":"x9999c7t9","Type":"CMMRectifier","Ordinal":9,"Status":"Populated",)"
      R"("CMMRectifierLocationInfo":{"Name":"Rectifier9","FirmwareVersion":""},"PopulatedFRU":)"
      R"({"Type":"CMMRectifier","CMMRectifierFRUInfo":{"Manufacturer":"ABB",)"
      R"("SerialNumber":"LBGEPE20KZ46051725","PartNumber":""}}})";
  const Recorded made = ask("POST", kHardware, R"({"Hardware":[)" + entry + "]}");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.body, "{\"code\":0,\"message\":\"Created 1 entries\"}\n");
  EXPECT_EQ(get(kHardware + "/x9999c7t9"),
            R"({"ID":"x9999c7t9","Type":"CMMRectifier","Ordinal":9,"Status":"Populated",)"
            R"("HWInventoryByLocationType":"HWInvByLocCMMRectifier","CMMRectifierLocationInfo":)"
            R"({"Name":"Rectifier9","FirmwareVersion":""},"PopulatedFRU":{"FRUID":)"
            R"("CMMRectifier.ABB.LBGEPE20KZ46051725","Type":"CMMRectifier","Subtype":"",)"
            R"("HWInventoryByFRUType":"HWInvByFRUCMMRectifier","CMMRectifierFRUInfo":)"
            R"({"Manufacturer":"ABB","SerialNumber":"LBGEPE20KZ46051725","PartNumber":""}}})"
            "\n");
  EXPECT_EQ(count(get(kHardware + "?manufacturer=abb"), "x9999c7t9"), 1U);
  EXPECT_EQ(status("DELETE", kHardware + "/x9999c7t9"), 200);
  EXPECT_EQ(status("DELETE", kHardware + "/x9999c7t9"), 404);
  EXPECT_EQ(status("DELETE", kHardware), 404);
  ASSERT_EQ(status("POST", kHardware, R"({"Hardware":[)" + entry + "]}"), 200);
  EXPECT_EQ(ask("DELETE", kHardware).body, "{\"code\":0,\"message\":\"deleted 1 entry\"}\n");
}

TEST_F(SmdHardware, WhatIsFoundIsNotSaidOrErased) {
  look(blade());
  const std::string entry =
      R"({"Hardware":[{"ID":"x1000c0s4b1n0d0","MemoryLocationInfo":{},"PopulatedFRU":)"
      R"({"MemoryFRUInfo":{}}}]})";
  EXPECT_EQ(status("POST", kHardware, entry), 409);
  EXPECT_EQ(status("DELETE", kHardware + "/x1000c0s4b1n0d0"), 409);
  EXPECT_EQ(status("DELETE", kHardware), 404);
  EXPECT_TRUE(has(get(kHardware + "/x1000c0s4b1n0d0"), "Hynix"));
}

TEST_F(SmdHardware, WhatCannotBeIsRefusedInSmdsWords) {
  const auto detail = [&](const std::string& entry) {
    const Recorded answer = ask("POST", kHardware, R"({"Hardware":[)" + entry + "]}");
    EXPECT_EQ(answer.status, 400) << answer.body;
    const size_t at = answer.body.find("\"detail\":\"") + 10;
    return answer.body.substr(at, answer.body.find('"', at) - at);
  };
  EXPECT_EQ(detail(R"({"Type":"CMMRectifier"})"), "ID is empty or not a valid xname");
  EXPECT_EQ(detail(R"({"ID":""})"), "ID is empty or not a valid xname");
  EXPECT_EQ(detail(R"({"ID":"FAKE"})"), "ID is empty or not a valid xname");
  EXPECT_EQ(detail(R"({"ID":"x9999c7s9b9n9d9"})"), "PopulatedFRU must be populated");
  EXPECT_EQ(detail(R"({"ID":"x9999c7s9b9","PopulatedFRU":{"NodeBMCFRUInfo":{}}})"),
            "Component location info is empty");
  EXPECT_EQ(detail(R"({"ID":"x9999c7s9e9","NodeEnclosureLocationInfo":{},"PopulatedFRU":{}})"),
            "FRU info is empty");
  EXPECT_EQ(detail(R"({"ID":"x9999c7s9b9i1","PopulatedFRU":{}})"), "Invalid HMS type");
  for (const char* body :
       {"{", "[]", "{}", R"({"Hardware":7})", R"({"Hardware":[]})", R"({"Hardware":[7]})"}) {
    EXPECT_EQ(status("POST", kHardware, body), 400) << body;
  }
  EXPECT_EQ(ask("POST", kHardware, "{}", person("viewer")).status, 403);
}

TEST_F(SmdHardware, HistorySaysWhatCameAndWent) {
  look(blade("D1"));
  look(blade("D1"));  // finds nothing new: no event
  look(blade("D2"));
  const std::string dimm = get(kHardware + "/History/x1000c0s4b1n0d1");
  EXPECT_TRUE(dimm.starts_with(R"({"ID":"x1000c0s4b1n0d1","History":[{"ID":"x1000c0s4b1n0d1",)"
                               R"("FRUID":"Memory.Hynix.HMA8X.D1","Timestamp":")"))
      << dimm;
  EXPECT_EQ(count(dimm, "\"EventType\""), 3U) << dimm;
  const size_t detected = dimm.find(R"("EventType":"Detected"})");
  const size_t removed = dimm.find(R"("EventType":"Removed"})");
  const size_t added = dimm.find(R"(D2","Timestamp")");
  EXPECT_LT(detected, removed) << dimm;
  EXPECT_LT(removed, added) << dimm;
  const std::string all = get(kHardware + "/History");
  EXPECT_TRUE(all.starts_with(R"({"Components":[{"ID":"x1000c0s4b1","History":[)")) << all;
  EXPECT_EQ(count(all, R"("EventType":"Detected")"), 12U) << all;
  EXPECT_EQ(count(get(kHardware + "/History?eventtype=removed"), "\"EventType\""), 1U);
  EXPECT_EQ(count(get(kHardware + "/History?id=x1000c0s4b1n0d0"), "\"EventType\""), 1U);
  EXPECT_EQ(count(get(kHardware + "/History?endtime=2001-01-01T00:00:00Z"), "\"EventType\""), 0U);
  const std::string piece = get(kFrus + "/History/Memory.Hynix.HMA8X.D1");
  EXPECT_EQ(count(piece, R"("ID":"x1000c0s4b1n0d1")"), 2U) << piece;
  EXPECT_EQ(count(get(kFrus + "/History?fruid=Memory.Hynix.HMA8X.D2"), "\"EventType\""), 1U);
  EXPECT_EQ(get(kHardware + "/History/x9c0s9b9n9"), "{\"ID\":\"x9c0s9b9n9\",\"History\":[]}\n");
  EXPECT_EQ(status("GET", kHardware + "/History/FAKE"), 400);
  for (const char* query : {"?id=FAKE", "?eventtype=FAKE", "?starttime=FAKE", "?endtime=7"}) {
    EXPECT_EQ(status("GET", kHardware + "/History" + query), 400) << query;
  }
}

TEST_F(SmdHardware, HistoryKnowsWhatAgentsReported) {
  const std::string first =
      R"({"kind":"dimm","slot":"A1","serial":"D1","attributes":{"part_number":"P"}})";
  const std::string second =
      R"({"kind":"dimm","slot":"A2","serial":"D2","attributes":{"part_number":"P"}})";
  report("x3c0s1b0n0", second);
  report("x3c0s1b0n0", first + "," + second);  // the new one comes before the other
  report("x3c0s1b0n0", first);
  const std::string place = get(kHardware + "/History/x3c0s1b0n0d0");
  EXPECT_EQ(count(place, "\"EventType\""), 3U) << place;
  EXPECT_TRUE(has(place, R"("FRUID":"Memory.P.D2")")) << place;
  EXPECT_TRUE(has(place, R"("FRUID":"Memory.P.D1")")) << place;
  const std::string moved = get(kFrus + "/History/Memory.P.D2");
  EXPECT_TRUE(has(moved, R"("ID":"x3c0s1b0n0d1","FRUID":"Memory.P.D2")")) << moved;
  EXPECT_EQ(count(moved, R"("EventType":"Removed")"), 2U) << moved;
}

TEST_F(SmdHardware, ServicesAreThoseThatALookFound) {
  look(blade());
  const std::string all = get("/Inventory/ServiceEndpoints");
  EXPECT_EQ(all,
            R"({"ServiceEndpoints":[{"RedfishEndpointID":"x1000c0s4b1","RedfishType":)"
            R"("EventService","RedfishSubtype":"","UUID":"","OdataID":"/redfish/v1/EventService",)"
            R"("RedfishEndpointFQDN":"10.1.0.4","RedfishURL":"10.1.0.4/redfish/v1/EventService",)"
            R"("ServiceInfo":{"ServerSentEventUri":"/redfish/v1/EventService/SSE"}},)"
            R"({"RedfishEndpointID":"x1000c0s4b1","RedfishType":"UpdateService",)"
            R"("RedfishSubtype":"","UUID":"","OdataID":"/redfish/v1/UpdateService",)"
            R"("RedfishEndpointFQDN":"10.1.0.4","RedfishURL":"10.1.0.4/redfish/v1/UpdateService",)"
            R"("ServiceInfo":{"Actions":{"#UpdateService.SimpleUpdate":{"target":)"
            R"("/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate"}}}}]})"
            "\n");
  const std::string update = "/Inventory/ServiceEndpoints/UpdateService";
  EXPECT_EQ(count(get(update), "\"RedfishType\""), 1U);
  EXPECT_EQ(count(get(update + "?redfish_ep=x9c0s0b0"), "\"RedfishType\""), 0U);
  EXPECT_EQ(count(get("/Inventory/ServiceEndpoints?service=!updateservice"), "\"RedfishType\""),
            1U);
  EXPECT_TRUE(has(get(update + "/RedfishEndpoints/x1000c0s4b1"), "SimpleUpdate"));
  EXPECT_EQ(status("GET", update + "/RedfishEndpoints/x1025c7s4b4"), 404);
  EXPECT_EQ(status("GET", update + "/RedfishEndpoints/x1025000c7s4b4"), 400);
  EXPECT_EQ(status("GET", "/Inventory/ServiceEndpoints/FAKE"), 400);
  EXPECT_EQ(status("GET", "/Inventory/ServiceEndpoints?redfish_ep=FAKE"), 400);
}

TEST_F(SmdHardware, DiscoverStartsALookThroughTheBmcsOfNodes) {
  EXPECT_TRUE(has(get("/Inventory/DiscoveryStatus"), R"([{"ID":0,"Status":"NotStarted"}])"));
  ASSERT_EQ(status("POST", "/Inventory/RedfishEndpoints",
                   R"({"ID":"x1000c0s4b1","FQDN":"10.1.0.4","SchemaVersion":1,"Systems":)"
                   R"([{"uri":"/redfish/v1/Systems/1"}],"Managers":[]})"),
            201);
  ASSERT_EQ(status("POST", "/Inventory/RedfishEndpoints", R"({"ID":"x9c0s0b0","FQDN":"bmc9"})"),
            201);
  const Recorded begun = ask("POST", "/Inventory/Discover", R"({"xnames":["x1000c0s4b1"]})");
  ASSERT_EQ(begun.status, 200) << begun.body;
  EXPECT_EQ(begun.body, "[{\"URI\":\"/hsm/v2/Inventory/DiscoveryStatus/0\"}]\n");
  const std::string operations = master.get("/api/v1/operations").body;
  EXPECT_TRUE(has(operations, R"("kind":"discover")")) << operations;
  EXPECT_TRUE(has(operations, R"("nodes":"x1000c0s4b1n0")")) << operations;
  EXPECT_TRUE(has(get("/Inventory/DiscoveryStatus/0"), R"("Status":"InProgress")"));
  EXPECT_EQ(status("POST", "/Inventory/Discover", "{}"), 409);
  EXPECT_EQ(status("POST", "/Inventory/Discover", R"({"force":true})"), 200);
  EXPECT_EQ(status("POST", "/Inventory/Discover", "{"), 400);
  EXPECT_EQ(status("POST", "/Inventory/Discover", R"({"xnames":"all"})"), 400);
  EXPECT_EQ(status("POST", "/Inventory/Discover", R"({"xnames":["FAKE"]})"), 400);
  EXPECT_EQ(status("POST", "/Inventory/Discover", R"({"xnames":["x7c0s0b0"]})"), 404);
  // Nobody knows yet what is behind this one.
  EXPECT_EQ(status("POST", "/Inventory/Discover", R"({"xnames":["x9c0s0b0"]})"), 404);
  EXPECT_EQ(ask("POST", "/Inventory/Discover", "{}", person("viewer")).status, 403);
  EXPECT_EQ(status("GET", "/Inventory/DiscoveryStatus/1"), 404);
}

}  // namespace
}  // namespace drover::api

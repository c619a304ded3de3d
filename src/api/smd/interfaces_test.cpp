// SMD's interfaces: those of nodes, of controllers and of nobody.
#include "api/test_master.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

const std::string kAll = "/Inventory/EthernetInterfaces";

class SmdInterfaces : public ::testing::Test {
 protected:
  SmdInterfaces() {
    const Recorded made =
        master.ask("POST", "/api/v1/nodes",
                   R"({"name":"n1","spec":{"aliases":["x0c0s0b0n0"],"interfaces":[{"name":"eth0",)"
                   R"("mac":"02:00:00:00:00:01","addresses":["10.0.0.1/16"]}]}})");
    EXPECT_EQ(made.status, 201) << made.body;
  }
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
  TestMaster master;
};

TEST_F(SmdInterfaces, OfANodeStandInTheNode) {
  const std::string shown = get(kAll + "/020000000001");
  EXPECT_TRUE(
      has(shown, R"({"ID":"020000000001","Description":"","MACAddress":"02:00:00:00:00:01",)"))
      << shown;
  EXPECT_TRUE(has(shown, R"("ComponentID":"x0c0s0b0n0","Type":"Node",)"
                         R"("IPAddresses":[{"IPAddress":"10.0.0.1"}]})"))
      << shown;
  // As `ochami smd iface add` writes it.
  const Recorded made = ask(
      "POST", kAll,
      R"({"ID":"","Description":"HSN 0","MACAddress":"02:00:00:00:00:0B","ComponentID":"X0c0s0b0n0",)"
      R"("Type":"","IPAddresses":[{"IPAddress":"10.2.0.1","Network":"HSN"}]})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, "{\"URI\":\"/hsm/v2/Inventory/EthernetInterfaces/02000000000b\"}\n");
  EXPECT_TRUE(has(get(kAll + "/02000000000b"),
                  R"("IPAddresses":[{"IPAddress":"10.2.0.1","Network":"HSN"}])"));
  EXPECT_TRUE(has(get(kAll + "/02000000000b"), R"("Description":"HSN 0")"));
  EXPECT_TRUE(has(master.get("/api/v1/nodes/n1").body,
                  R"({"name":"eth1","mac":"02:00:00:00:00:0b","addresses":["10.2.0.1"])"));
  EXPECT_EQ(status("DELETE", kAll + "/02000000000b"), 200);
  EXPECT_FALSE(has(master.get("/api/v1/nodes/n1").body, "eth1"));
  EXPECT_EQ(status("DELETE", kAll + "/02000000000b"), 404);
}

TEST_F(SmdInterfaces, OfNobodyAndOfOthersAreKept) {
  ASSERT_EQ(status("POST", kAll, R"({"MACAddress":"02:00:00:00:00:02"})"), 201);
  EXPECT_TRUE(
      has(get(kAll + "/02:00:00:00:00:02"), R"("ComponentID":"","Type":"","IPAddresses":[])"));
  ASSERT_EQ(status("POST", kAll,
                   R"({"MACAddress":"02:00:00:00:00:03","ComponentID":"x0c0w1",)"
                   R"("IPAddresses":[{"IPAddress":"10.3.0.1"}]})"),
            201);
  EXPECT_TRUE(has(get(kAll + "?ComponentID=x0c0w1"), R"("Type":"MgmtSwitch")"));
  // It becomes a node's.
  const Recorded patched =
      ask("PATCH", kAll + "/020000000002",
          R"({"ComponentID":"x0c0s0b0n0","IPAddresses":[{"IPAddress":"10.0.0.2"}]})");
  EXPECT_EQ(patched.status, 200) << patched.body;
  EXPECT_TRUE(has(patched.body, R"("ComponentID":"x0c0s0b0n0")"));
  EXPECT_TRUE(has(master.get("/api/v1/nodes/n1").body, R"("addresses":["10.0.0.2"])"));
  // And nobody's again.
  EXPECT_EQ(status("PATCH", kAll + "/020000000002", R"({"ComponentID":""})"), 200);
  EXPECT_FALSE(has(master.get("/api/v1/nodes/n1").body, "10.0.0.2"));
  EXPECT_TRUE(has(get(kAll + "/020000000002"), "10.0.0.2"));
}

TEST_F(SmdInterfaces, PostedBeforeItsNodeItBecomesTheNodes) {
  ASSERT_EQ(
      status("POST", kAll,
             R"({"MACAddress":"02:00:00:00:00:05","ComponentID":"x0c0s5b0n0",)"
             R"("Description":"boot","IPAddresses":[{"IPAddress":"10.0.0.5","Network":"NMN"}]})"),
      201);
  ASSERT_EQ(
      status("POST", "/State/Components", R"({"Components":[{"ID":"x0c0s5b0n0","State":"On"}]})"),
      204);
  EXPECT_TRUE(has(master.get("/api/v1/nodes/x0c0s5b0n0").body,
                  R"({"name":"eth0","mac":"02:00:00:00:00:05","addresses":["10.0.0.5"])"));
  const std::string shown = get(kAll + "/020000000005");
  EXPECT_TRUE(has(shown, R"("Description":"boot")")) << shown;
  EXPECT_TRUE(has(shown, R"({"IPAddress":"10.0.0.5","Network":"NMN"})")) << shown;
}

TEST_F(SmdInterfaces, WhatCannotBeChangesNothing) {
  for (const char* body :
       {"{", "{}", R"({"MACAddress":"not available"})", R"({"MACAddress":7})",
        R"({"MACAddress":"02:00:00:00:00:09","ComponentID":"FAKE"})",
        R"({"MACAddress":"02:00:00:00:00:09","IPAddresses":[{"IPAddress":"N/A"}]})",
        R"({"MACAddress":"02:00:00:00:00:09","IPAddresses":[{"IPAddress":"10.0.0.1/8"}]})",
        R"({"MACAddress":"02:00:00:00:00:09","IPAddresses":{}})",
        R"({"MACAddress":"02:00:00:00:00:09","Description":"a\u0007"})"}) {
    EXPECT_EQ(status("POST", kAll, body), 400) << body;
  }
  EXPECT_EQ(status("GET", kAll + "/020000000009"), 404);
  EXPECT_EQ(status("POST", kAll, R"({"MACAddress":"02-00-00-00-00-01"})"), 409);
  // An address that another node has.
  ASSERT_EQ(master.ask("POST", "/api/v1/nodes", R"({"name":"n2","spec":{"nid":2}})").status, 201);
  EXPECT_EQ(status("POST", kAll,
                   R"({"MACAddress":"02:00:00:00:00:09","ComponentID":"x9999c0s2b0n0",)"
                   R"("IPAddresses":[{"IPAddress":"10.0.0.1"}]})"),
            409);
  EXPECT_EQ(status("GET", kAll + "/020000000009"), 404);
  EXPECT_EQ(status("PATCH", kAll + "/020000000009", "{}"), 404);
  EXPECT_EQ(status("PATCH", kAll + "/020000000001", R"({"ComponentID":"FAKE"})"), 400);
  EXPECT_EQ(ask("POST", kAll, "{}", person("viewer")).status, 403);
}

TEST_F(SmdInterfaces, Addresses) {
  const std::string of = kAll + "/020000000001/IPAddresses";
  EXPECT_EQ(get(of), "[{\"IPAddress\":\"10.0.0.1\"}]\n");
  const Recorded made = ask("POST", of, R"({"IPAddress":"10.0.0.9","Network":"NMN"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(status("POST", of, R"({"IPAddress":"10.0.0.9"})"), 409);
  EXPECT_EQ(status("POST", of, R"({"IPAddress":"x"})"), 400);
  EXPECT_EQ(status("POST", kAll + "/020000000077/IPAddresses", R"({"IPAddress":"10.0.0.8"})"), 404);
  EXPECT_EQ(status("PATCH", of + "/10.0.0.9", R"({"Network":"HMN"})"), 200);
  EXPECT_EQ(status("PATCH", of + "/10.0.0.9", R"({"Network":7})"), 400);
  EXPECT_EQ(status("PATCH", of + "/10.0.0.7", R"({"Network":"x"})"), 404);
  EXPECT_EQ(get(of),
            "[{\"IPAddress\":\"10.0.0.1\"},{\"IPAddress\":\"10.0.0.9\",\"Network\":\"HMN\"}]\n");
  // The prefix that was written for the first one stays.
  EXPECT_TRUE(has(master.get("/api/v1/nodes/n1").body, R"(["10.0.0.1/16","10.0.0.9"])"));
  EXPECT_EQ(status("DELETE", of + "/10.0.0.9"), 200);
  EXPECT_EQ(status("DELETE", of + "/10.0.0.9"), 404);
  EXPECT_EQ(status("GET", kAll + "/020000000077/IPAddresses"), 404);
}

TEST_F(SmdInterfaces, FiltersAndDeletes) {
  ASSERT_EQ(status("POST", kAll,
                   R"({"MACAddress":"02:00:00:00:00:03","ComponentID":"x0c0w1",)"
                   R"("IPAddresses":[{"IPAddress":"10.3.0.1","Network":"HMN"}]})"),
            201);
  const auto finds = [&](const std::string& query, const std::string& mac) {
    const std::string list = get(kAll + "?" + query);
    const bool one = list.find("\"ID\"") == list.rfind("\"ID\"");
    return one && has(list, mac);
  };
  // `ochami smd iface get --mac` ignored its filter.
  EXPECT_TRUE(finds("MACAddress=02-00-00-00-00-03", "02:00:00:00:00:03"));
  EXPECT_TRUE(finds("IPAddress=10.0.0.1", "02:00:00:00:00:01"));
  EXPECT_TRUE(finds("Network=HMN", "02:00:00:00:00:03"));
  EXPECT_TRUE(finds("Type=Node", "02:00:00:00:00:01"));
  EXPECT_TRUE(finds("ID=020000000003", "02:00:00:00:00:03"));
  EXPECT_EQ(get(kAll + "?NewerThan=2100-01-01T00:00:00Z"), "[]\n");
  EXPECT_EQ(status("GET", kAll + "?OlderThan=yesterday"), 400);
  EXPECT_EQ(status("GET", kAll + "?Type=FAKE"), 400);
  EXPECT_EQ(status("GET", kAll + "?ComponentID=FAKE"), 400);
  ASSERT_EQ(status("POST", "/Inventory/RedfishEndpoints",
                   R"({"ID":"x0c0s0b0","FQDN":"10.1.0.1","MACAddr":"02:00:00:00:00:0f"})"),
            201);
  EXPECT_TRUE(finds("IPAddress=10.1.0.1", R"("ComponentID":"x0c0s0b0")"));
  EXPECT_EQ(status("DELETE", kAll + "/02000000000f"), 409);
  EXPECT_EQ(ask("DELETE", kAll).body, "{\"code\":0,\"message\":\"deleted 2 entries\"}\n");
  EXPECT_EQ(status("DELETE", kAll), 404);
  EXPECT_EQ(ask("GET", kAll, "", auth::Principal{}).status, 401);
  ASSERT_TRUE(master.write(
      [](store::Transaction& tx) { return cluster::set_setting(tx, "smd.open_reads", "true"); }));
  EXPECT_EQ(ask("GET", kAll, "", auth::Principal{}).status, 200);
}

}  // namespace
}  // namespace drover::api

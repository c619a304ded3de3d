// BSS's boot parameters on the one model, and the scripts that follow from them. Each fault of the
// original that the reference lists has a test here that shows it absent.
#include "api/test_master.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

constexpr const char* kMac = "02:00:00:00:00:01";
constexpr const char* kStranger = "02:00:00:00:00:99";

class Bss : public ::testing::Test {
 protected:
  Bss() {
    EXPECT_EQ(smd("/State/Components",
                  R"({"Components":[{"ID":"x0c0s0b0n0","State":"On","NID":7},)"
                  R"({"ID":"x0c0s1b0n0","State":"On","NID":8,"Role":"Management"}]})"),
              204);
    EXPECT_EQ(smd("/Inventory/EthernetInterfaces",
                  fmt::format(R"({{"MACAddress":"{}","ComponentID":"x0c0s0b0n0"}})", kMac)),
              201);
  }
  int smd(const std::string& at, const std::string& body) {
    return master.ask("POST", "/hsm/v2" + at, body, {}, person("admin")).status;
  }
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const auth::Principal& who = person("admin")) {
    return master.ask(method, "/boot/v1" + at, body, {}, who);
  }
  int put(const std::string& body) { return ask("PUT", "/bootparameters", body).status; }
  int post(const std::string& body) { return ask("POST", "/bootparameters", body).status; }
  std::string all() { return ask("GET", "/bootparameters").body; }
  std::string script(const std::string& query) { return ask("GET", "/bootscript?" + query).body; }
  /// What the kernel of that machine is fetched from; empty: none is.
  std::string kernel(const std::string& query) {
    const std::string text = script(query);
    constexpr std::string_view kStart = "kernel --name kernel ";
    const size_t at = text.find(kStart);
    if (at == std::string::npos) return {};
    const size_t from = at + kStart.size();
    return text.substr(from, text.find(' ', from) - from);
  }
  void be_strict() {
    const Recorded set = master.ask("PUT", "/api/v1/settings/smd.strict", R"({"value":"true"})", {},
                                    person("admin"));
    ASSERT_LT(set.status, 300) << set.body;
  }
  TestMaster master;
};

TEST_F(Bss, WhatWasPutIsWhatIsGot) {
  const std::string said = R"({"hosts":["x0c0s0b0n0","x0c0s1b0n0"],"params":"a=b&c=<d> quiet",)"
                           R"("kernel":"http://h/k?x&y","initrd":"http://h/i"})";
  EXPECT_EQ(all(), "[]\n");
  EXPECT_EQ(put(said), 200);
  EXPECT_EQ(all(), "[" + said + "]\n");
  const std::string one = said.substr(0, 22) + said.substr(35);
  EXPECT_EQ(ask("GET", "/bootparameters?name=x0c0s0b0n0").body, "[" + one + "]\n");
  const Recorded node = master.get("/api/v1/nodes/x0c0s0b0n0");
  EXPECT_NE(node.body.find(R"("kernel_args":"a=b&c=<d> quiet")"), std::string::npos) << node.body;
  EXPECT_EQ(ask("DELETE", "/bootparameters", R"({"hosts":["x0c0s0b0n0","x0c0s1b0n0"]})").status,
            200);
  EXPECT_EQ(all(), "[]\n");
}

TEST_F(Bss, AnythingThatIsSaidIsReadBack) {
  for (const char* keys :
       {R"("hosts":["Default"])", R"("hosts":["Global"])", R"("hosts":["Unknown-x86_64"])",
        R"("hosts":["Compute"])", R"("hosts":["Storage"])", R"("hosts":["x9c0s0b0n0"])",
        R"("macs":["02:00:00:00:00:99"])", R"("nids":[4711])"}) {
    const std::string said =
        fmt::format(R"({{{},"params":"p","kernel":"http://h/k","initrd":"http://h/i"}})", keys);
    EXPECT_EQ(put(said), 200) << keys;
    EXPECT_EQ(all(), "[" + said + "]\n");
    EXPECT_EQ(ask("DELETE", "/bootparameters", fmt::format("{{{}}}", keys)).status, 200);
    EXPECT_EQ(all(), "[]\n") << keys;
  }
  const Recorded left = master.get("/api/v1/profiles");
  EXPECT_EQ(left.body.find("bss."), std::string::npos) << "nothing stays behind";
  EXPECT_EQ(master.get("/api/v1/groups").body.find("role."), std::string::npos);
}

TEST_F(Bss, ANodeIsFoundByAnyOfItsKeys) {
  ASSERT_EQ(put(fmt::format(R"({{"macs":["{}"],"kernel":"http://h/k"}})", kMac)), 200);
  EXPECT_EQ(ask("GET", "/bootparameters?name=x0c0s0b0n0").body,
            "[{\"hosts\":[\"x0c0s0b0n0\"],\"kernel\":\"http://h/k\"}]\n");
  EXPECT_EQ(ask("GET", "/bootparameters?nid=7").body,
            "[{\"nids\":[7],\"kernel\":\"http://h/k\"}]\n");
  EXPECT_EQ(ask("GET", "/bootparameters?mac=02-00-00-00-00-01,02:00:00:00:00:98").body,
            "[{\"macs\":[\"02:00:00:00:00:01\"],\"kernel\":\"http://h/k\"}]\n");
  for (const char* by : {"name=x0c0s0b0n0", "nid=7", "mac=02:00:00:00:00:01"}) {
    EXPECT_EQ(kernel(by), "http://h/k") << by;
  }
  EXPECT_EQ(ask("GET", "/bootparameters", R"({"hosts":["X0C0S0B0N0"]})").status, 200);
  EXPECT_EQ(ask("GET", "/bootparameters", R"({"kernel":"http://h/k"})").status, 200);
}

TEST_F(Bss, WhatIsNotThereIsNotFound) {
  for (const char* query : {"name=x0c0s0b0n0", "name=nobody", "mac=02:00:00:00:00:99", "nid=99"}) {
    EXPECT_EQ(ask("GET", std::string("/bootparameters?") + query).status, 404) << query;
  }
  EXPECT_EQ(ask("GET", "/bootparameters?nid=x").status, 400);
  EXPECT_EQ(ask("PATCH", "/bootparameters", R"({"hosts":["x0c0s0b0n0"],"params":"p"})").status,
            404);
  EXPECT_EQ(ask("DELETE", "/bootparameters", R"({"hosts":["x0c0s0b0n0"]})").status, 400);
  EXPECT_EQ(ask("GET", "/bootparameters/").body, "[]\n");
  be_strict();
  EXPECT_EQ(all(), "null\n");
}

TEST_F(Bss, PostMakesAndMakesNothingTwice) {
  const Recorded made =
      ask("POST", "/bootparameters", R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/1"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_FALSE(made.headers.get("BSS-Referral-Token").value_or("").empty());
  const Recorded again = ask("POST", "/bootparameters",
                             R"({"hosts":["x0c0s1b0n0","x0c0s0b0n0"],"kernel":"http://h/2"})");
  EXPECT_EQ(again.status, 400);
  EXPECT_NE(again.body.find("about:blank"), std::string::npos);
  EXPECT_EQ(kernel("nid=7"), "http://h/1");
  EXPECT_EQ(kernel("nid=8"), "") << "all or nothing";
}

TEST_F(Bss, PatchChangesWhatItSays) {
  ASSERT_EQ(put(R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/1","initrd":"http://h/i"})"), 200);
  EXPECT_EQ(ask("PATCH", "/bootparameters",
                R"({"nids":[7],"params":"quiet","kernel":"","cloud-init":{"meta-data":null,)"
                R"("user-data":null,"phone-home":{"pub_key_dsa":""}}})")
                .status,
            200);
  EXPECT_EQ(all(),
            "[{\"hosts\":[\"x0c0s0b0n0\"],\"params\":\"quiet\",\"kernel\":\"http://h/1\","
            "\"initrd\":\"http://h/i\"}]\n");
  ASSERT_EQ(put(R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/2"})"), 200);
  EXPECT_EQ(all(), "[{\"hosts\":[\"x0c0s0b0n0\"],\"kernel\":\"http://h/2\"}]\n");
}

TEST_F(Bss, APutChangesNobodyElse) {
  ASSERT_EQ(put(R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/1","params":"p"})"), 200);
  EXPECT_EQ(put(R"({"kernel":"http://h/2"})"), 400) << "nobody is meant";
  ASSERT_EQ(put(R"({"hosts":["x0c0s1b0n0"],"kernel":"http://h/2"})"), 200);
  EXPECT_EQ(kernel("nid=7"), "http://h/1");
  EXPECT_EQ(kernel("nid=8"), "http://h/2");
}

TEST_F(Bss, BadBodiesChangeNothing) {
  for (const char* body :
       {"[",
        "",
        "[]",
        "{}",
        R"({"hosts":[]})",
        R"({"hosts":["x0c0s0b0n0"]})",
        R"({"hosts":"x0c0s0b0n0","kernel":"http://h/k"})",
        R"({"hosts":["x0"],"kernel":"k"})",
        R"({"hosts":["no such"],"kernel":"http://h/k"})",
        R"({"macs":["02:00"],"kernel":"k"})",
        R"({"hosts":["Unknown-"],"kernel":"k"})",
        R"({"hosts":["Unknown-a/b"],"kernel":"k"})",
        R"({"nids":["7"],"kernel":"k"})",
        R"({"nids":[0],"kernel":"k"})",
        R"({"nids":7,"kernel":"k"})",
        R"({"hosts":["x0c0s0b0n0"],"kernel":7})",
        R"({"hosts":["x0c0s0b0n0"],"kernel":"s3://b/k"})",
        R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/k k"})",
        R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/k","params":"a || shell"})",
        R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/k","params":"${net0/mac}"})",
        R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/k","params":"a\nshell"})",
        R"({"hosts":["x0c0s0b0n0"],"cloud-init":{"user-data":{"a":1}}})"}) {
    for (const char* method : {"POST", "PUT"}) {
      const Recorded answer = ask(method, "/bootparameters", body);
      EXPECT_EQ(answer.status, 400) << method << " " << body << answer.body;
    }
  }
  EXPECT_EQ(all(), "[]\n");
}

TEST_F(Bss, TheScriptFallsBackFromNodeToRoleToDefault) {
  ASSERT_EQ(put(R"({"hosts":["Default"],"kernel":"http://h/default","params":"d"})"), 200);
  EXPECT_EQ(kernel("nid=7"), "http://h/default") << "put for Default does something";
  EXPECT_EQ(kernel("nid=8"), "http://h/default");
  ASSERT_EQ(put(R"({"hosts":["Compute"],"kernel":"http://h/compute"})"), 200);
  ASSERT_EQ(put(R"({"hosts":["management"],"kernel":"http://h/management"})"), 200);
  EXPECT_EQ(kernel("nid=7"), "http://h/compute");
  EXPECT_EQ(kernel("nid=8"), "http://h/management");
  EXPECT_EQ(script("nid=8").find(" d "), std::string::npos) << "another kernel's arguments";
  ASSERT_EQ(smd("/groups", R"({"label":"blue","members":{"ids":["x0c0s1b0n0"]}})"), 201);
  ASSERT_EQ(put(R"({"hosts":["blue"],"kernel":"http://h/blue"})"), 200);
  EXPECT_EQ(kernel("nid=8"), "http://h/blue") << "a group is stronger than a role";
  ASSERT_EQ(put(R"({"nids":[8],"kernel":"http://h/own"})"), 200);
  EXPECT_EQ(kernel("nid=8"), "http://h/own");
}

TEST_F(Bss, TheScriptIsThatOfABootDaemon) {
  ASSERT_EQ(put(R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/k","initrd":"http://h/i",)"
                R"("params":"root=live:http://h/r?a&b"})"),
            200);
  const Recorded got = ask("GET", "/bootscript?mac=02:00:00:00:00:01&retry=1&ts=1");
  EXPECT_EQ(got.headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_TRUE(got.body.starts_with(
      "#!ipxe\nkernel --name kernel http://h/k initrd=initrd root=live:http://h/r?a&b "
      "xname=x0c0s0b0n0 nid=7 BOOTIF=01-02-00-00-00-00-01 ds=nocloud-net;s=http://"))
      << got.body;
  EXPECT_NE(got.body.find("/boot/v1/bootscript?mac=02:00:00:00:00:01&retry=2"), std::string::npos);
  const std::string json = ask("GET", "/bootscript?nid=7&json=1").body;
  EXPECT_TRUE(json.starts_with(R"({"params":"initrd=initrd root=live:http://h/r?a&b xname=)"))
      << json;
  EXPECT_NE(json.find(R"("kernel":{"path":"http://h/k"},"initrd":{"path":"http://h/i"}})"),
            std::string::npos);
  EXPECT_EQ(ask("GET", "/bootscript").status, 400);
  EXPECT_EQ(ask("GET", "/bootscript?mac=zz").status, 400);
}

TEST_F(Bss, AMachineThatIsNoNodeIsServed) {
  const std::string by_mac = fmt::format("mac={}&arch=x86_64", kStranger);
  EXPECT_EQ(kernel(by_mac), "");
  ASSERT_EQ(put(R"({"hosts":["Unknown-x86_64"],"kernel":"http://h/u"})"), 200);
  EXPECT_EQ(kernel(by_mac), "http://h/u");
  EXPECT_EQ(kernel(fmt::format("mac={}&arch=arm64", kStranger)), "");
  EXPECT_NE(script(fmt::format("mac={}", kStranger)).find("&arch=${buildarch}"), std::string::npos);
  ASSERT_EQ(put(fmt::format(R"({{"macs":["{}"],"kernel":"http://h/m"}})", kStranger)), 200);
  EXPECT_EQ(kernel(by_mac), "http://h/m") << "stored, and served too";
  EXPECT_EQ(ask("GET", fmt::format("/bootparameters?mac={}", kStranger)).status, 200);
  // It becomes a node, and keeps what was said of it.
  ASSERT_EQ(smd("/Inventory/EthernetInterfaces",
                fmt::format(R"({{"MACAddress":"{}","ComponentID":"x0c0s1b0n0"}})", kStranger)),
            201);
  EXPECT_EQ(kernel("nid=8"), "http://h/m");
  EXPECT_EQ(ask("GET", "/bootparameters?name=x0c0s1b0n0").status, 200);
  EXPECT_EQ(ask("DELETE", "/bootparameters", R"({"nids":[8]})").status, 200);
  EXPECT_EQ(kernel("nid=8"), "");
}

TEST_F(Bss, StrictAnswersForAMachineThatNothingIsSaidOf) {
  const std::string at = fmt::format("/bootscript?mac={}&arch=x86_64", kStranger);
  EXPECT_EQ(ask("GET", at).status, 200);
  be_strict();
  EXPECT_EQ(ask("GET", at).status, 404);
}

TEST_F(Bss, SaysWhatItKnows) {
  EXPECT_NE(ask("GET", "/hosts?mac=02:00:00:00:00:01")
                .body.find(R"("FQDN":"x0c0s0b0n0","MAC":["02:00:00:00:00:01"])"),
            std::string::npos);
  EXPECT_NE(ask("GET", "/hosts").body.find("x0c0s1b0n0"), std::string::npos);
  EXPECT_EQ(ask("GET", "/hosts?name=x0c0s1b0n0").body.find("x0c0s0b0n0"), std::string::npos);
  EXPECT_EQ(ask("GET", "/hosts?nid=99").status, 404);
  EXPECT_EQ(ask("POST", "/hosts").status, 204);
  EXPECT_EQ(ask("POST", "/scn", R"({"Components":["x0c0s0b0n0"],"State":"Ready"})").status, 200);
  ASSERT_EQ(put(R"({"hosts":["Default"],"kernel":"http://h/k"})"), 200);
  const std::string dump = ask("GET", "/dumpstate").body;
  EXPECT_NE(dump.find(R"("Params":[{"hosts":["Default"],"kernel":"http://h/k"}]})"),
            std::string::npos)
      << dump;
  EXPECT_EQ(ask("GET", "/endpoint-history").body, "[]\n");
  const auth::Principal nobody;
  EXPECT_EQ(ask("GET", "/service/status", "", nobody).body, "{\"bss-status\":\"running\"}\n");
  EXPECT_NE(ask("GET", "/service/status/all").body.find("bss-storage-backend"), std::string::npos);
  EXPECT_EQ(ask("GET", "/service/hsm").body, "{\"bss-status-hsm\":\"connected\"}\n");
  EXPECT_EQ(ask("PUT", "/service/hsm").status, 405);
}

TEST_F(Bss, RolesMayWhatTheyMay) {
  const std::string body = R"({"hosts":["x0c0s0b0n0"],"kernel":"http://h/k"})";
  EXPECT_EQ(ask("PUT", "/bootparameters", body, person("viewer")).status, 403);
  EXPECT_EQ(ask("GET", "/bootparameters", "", person("viewer")).status, 200);
  EXPECT_EQ(ask("PUT", "/bootparameters", body, person("operator")).status, 200);
  EXPECT_EQ(ask("GET", "/bootparameters", "", auth::Principal{}).status, 401);
  EXPECT_EQ(ask("GET", "/bootscript?nid=7", "", auth::Principal{}).status, 401);
}

}  // namespace
}  // namespace drover::api

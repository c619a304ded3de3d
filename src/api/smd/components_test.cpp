// SMD's components on Drover's nodes: bodies as its clients write them, statuses and words as it
// answers, and its known faults kept out.
#include "api/test_master.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

class SmdComponents : public ::testing::Test {
 protected:
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const auth::Principal& who = person("admin")) {
    return master.ask(method, "/hsm/v2" + at, body, {}, who);
  }
  Recorded get(const std::string& at) { return ask("GET", at, "", person("viewer")); }
  void post(const std::string& components, bool force = false) {
    const Recorded done =
        ask("POST", "/State/Components",
            fmt::format(R"({{"Components":[{}],"Force":{}}})", components, force));
    ASSERT_EQ(done.status, 204) << done.body;
    EXPECT_EQ(done.body, "");
  }
  std::string shown(const std::string& xname) { return get("/State/Components/" + xname).body; }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  static std::string problem(int status, const std::string& title, const std::string& detail) {
    return fmt::format(R"({{"type":"about:blank","title":"{}","detail":"{}","status":{}}})"
                       "\n",
                       title, detail, status);
  }
  static size_t count(const Recorded& list) {
    size_t out = 0;
    for (size_t at = list.body.find("\"ID\""); at != std::string::npos;
         at = list.body.find("\"ID\"", at + 1)) {
      ++out;
    }
    return out;
  }
  void set(const std::string& key, const std::string& value) {
    ASSERT_TRUE(
        master.write([&](store::Transaction& tx) { return cluster::set_setting(tx, key, value); }));
  }
  TestMaster master;
};

TEST_F(SmdComponents, APostMakesANodeWithItsDefaults) {
  post(R"({"ID":"X0c0s00b0n2","State":"On"})");
  EXPECT_EQ(shown("x0c0s0b0n2"),
            R"({"ID":"x0c0s0b0n2","Type":"Node","State":"On","Flag":"OK","Enabled":true,)"
            R"("Role":"Compute","NID":16386})"
            "\n");
  const Recorded native = master.get("/api/v1/nodes/x0c0s0b0n2");
  EXPECT_TRUE(has(native.body, R"("power":{"state":"on")")) << native.body;
  const std::string row = shown("x0c0s0b0n2");
  EXPECT_EQ(get("/State/Components").body,
            R"({"Components":[)" + row.substr(0, row.size() - 1) + "]}\n");
}

TEST_F(SmdComponents, EveryMemberIsKept) {
  post(R"({"id":"x0c0s1b0n0","Type":"Node","State":"ready","Flag":"warn","Enabled":false,)"
       R"("SoftwareStatus":"AdminStatus","Role":"management","SubRole":"WORKER","NID":"77",)"
       R"("Subtype":"blade","NetType":"infiniband","Arch":"arm","Class":"mountain",)"
       R"("ReservationDisabled":true,"Locked":true,"Unknown":[1]})");
  EXPECT_EQ(shown("x0c0s1b0n0"),
            R"({"ID":"x0c0s1b0n0","Type":"Node","State":"Ready","Flag":"Warning","Enabled":false,)"
            R"("SoftwareStatus":"AdminStatus","Role":"Management","SubRole":"Worker","NID":77,)"
            R"("Subtype":"blade","NetType":"Infiniband","Arch":"ARM","Class":"Mountain",)"
            R"("ReservationDisabled":true,"Locked":true})"
            "\n");
  post(R"({"ID":"x0c0r1b0","State":"Populated","Flag":"Alert","Enabled":true,"Arch":"Other",)"
       R"("Class":"Hill","Role":"System"},{"ID":"x0c0w3","State":"Empty"})");
  EXPECT_EQ(shown("x0c0r1b0"),
            R"({"ID":"x0c0r1b0","Type":"RouterBMC","State":"Populated","Flag":"Alert",)"
            R"("Enabled":true,"Role":"System","Arch":"Other","Class":"Hill"})"
            "\n");
  EXPECT_TRUE(has(shown("x0c0w3"), R"("Type":"MgmtSwitch","State":"Empty","Flag":"OK")"));
}

TEST_F(SmdComponents, ANodeWithAnAliasIsAComponent) {
  const char* node = R"({"name":"n1","spec":{"nid":7,"aliases":["x1000c0s0b0n0"],)"
                     R"("attributes":{"arch":"x86_64"}}})";
  ASSERT_EQ(master.ask("POST", "/api/v1/nodes", node).status, 201);
  ASSERT_EQ(master.ask("POST", "/api/v1/nodes", R"({"name":"n2","spec":{"nid":8}})").status, 201);
  EXPECT_EQ(shown("x1000c0s0b0n0"),
            R"({"ID":"x1000c0s0b0n0","Type":"Node","State":"Unknown","Flag":"OK","Enabled":true,)"
            R"("Role":"Compute","NID":7,"Arch":"X86"})"
            "\n");
  EXPECT_TRUE(has(shown("x9999c0s8b0n0"), R"("NID":8)"));
  // Changed through SMD's interface, it is the same node.
  EXPECT_EQ(ask("PATCH", "/State/Components/x1000c0s0b0n0/Enabled", R"({"Enabled":false})").status,
            204);
  EXPECT_TRUE(has(master.get("/api/v1/nodes/n1").body, R"("enabled":false)"));
  // Roles of all nodes by a group's attributes.
  ASSERT_EQ(master
                .ask("POST", "/api/v1/groups",
                     R"({"name":"login","nodes":"n2","attributes":{"smd_role":"Application"}})")
                .status,
            201);
  EXPECT_TRUE(has(shown("x9999c0s8b0n0"), R"("Role":"Application")"));
}

TEST_F(SmdComponents, WhatIsThereIsKeptUnlessForced) {
  post(R"({"ID":"x0c0s0b0n0","State":"Off","Role":"Service","NID":5})");
  post(R"({"ID":"x0c0s0b0n0","State":"Ready","Role":"Storage","NID":6})");
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Off")"));
  // A forced POST left the role of nodes that a Redfish endpoint had made.
  post(R"({"ID":"x0c0s0b0n0","State":"Ready","Role":"Storage","NID":6})", true);
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Ready")"));
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("Role":"Storage","NID":6)"));
  const Recorded put = ask("PUT", "/State/Components/X0c0s0b0n0",
                           R"({"Component":{"ID":"x0c0s0b0n0","State":"Standby"},"Force":true})");
  EXPECT_EQ(put.status, 204) << put.body;
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Standby","Flag":"OK")"));
  EXPECT_EQ(ask("PUT", "/State/Components/x0c0s1b0n0", R"({"Component":{"State":"On"}})").status,
            204);
  EXPECT_TRUE(has(shown("x0c0s1b0n0"), R"("State":"On")"));
  EXPECT_EQ(ask("PUT", "/State/Components/nonsense", R"({"Component":{"State":"On"}})").body,
            problem(400, "Bad Request", "invalid xname"));
}

TEST_F(SmdComponents, WhatCannotBeIsNamedAndChangesNothing) {
  const auto refused = [&](const std::string& component) {
    const Recorded done =
        ask("POST", "/State/Components",
            R"({"Components":[{"ID":"x0c0s9b0n0","State":"On"},)" + component + "]}");
    EXPECT_EQ(done.status, 400) << component;
    EXPECT_EQ(done.headers.get("Content-Type"), "application/problem+json");
    return done.body;
  };
  const auto told = [&](const std::string& detail) {
    return problem(400, "Bad Request", "couldn't validate components: " + detail);
  };
  EXPECT_EQ(refused(R"({"ID":"x1","State":"FAKE"})"), told("state 'FAKE' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x1"})"), told("state '' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x1","State":"On","Flag":"FAKE"})"), told("flag 'FAKE' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x1","State":"On","NetType":"FAKE"})"),
            told("netType 'FAKE' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x1","State":"On","Arch":"FAKE"})"), told("arch 'FAKE' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x1","State":"On","Class":"FAKE"})"), told("class 'FAKE' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x1","State":"On","Role":"FAKE"})"), told("role 'FAKE' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x9999c7r9FAKE9","State":"On"})"),
            told("xname ID 'x9999c7r9FAKE9' is invalid"));
  EXPECT_EQ(refused(R"({"ID":"x0c0s8b0n0","State":"On","NID":-4})"), told("NID '-4' is invalid"));
  refused(R"({"ID":"x1","State":"On","Enabled":"FAKE"})");
  refused(R"({"ID":"x1","State":"On","NID":1.5})");
  refused(R"({"ID":"x1","State":"On","SoftwareStatus":"a\nb"})");
  refused("7");
  EXPECT_EQ(ask("POST", "/State/Components", R"({"Components":[{"FAKE":"x1","State":"On"}]})").body,
            problem(400, "Bad Request", "Missing Components"));
  EXPECT_EQ(ask("POST", "/State/Components", "{").status, 400);
  EXPECT_EQ(ask("POST", "/State/Components", "").status, 400);
  EXPECT_EQ(ask("POST", "/State/Components", R"({"Components":{}})").status, 400);
  EXPECT_EQ(ask("POST", "/State/Components", R"({"Components":[],"Force":"x"})").status, 400);
  EXPECT_EQ(get("/State/Components").body, "{\"Components\":[]}\n");
}

TEST_F(SmdComponents, DuplicateNumbersAreRefusedAndSwapsAreNot) {
  post(R"({"ID":"x0c0s0b0n0","State":"On","NID":1},{"ID":"x0c0s1b0n0","State":"On","NID":2})");
  const Recorded twice = ask("POST", "/State/Components",
                             R"({"Components":[{"ID":"x0c0s2b0n0","State":"On"},)"
                             R"({"ID":"x0c0s3b0n0","State":"On","NID":2}]})");
  EXPECT_EQ(twice.status, 409) << twice.body;
  EXPECT_EQ(get("/State/Components/x0c0s2b0n0").status, 404);
  EXPECT_EQ(ask("PATCH", "/State/Components/x0c0s0b0n0/NID", R"({"NID":2})").status, 409);
  const Recorded swapped = ask("PATCH", "/State/Components/BulkNID",
                               R"({"Components":[{"ID":"x0c0s0b0n0","NID":2},)"
                               R"({"ID":"x0c0s1b0n0","NID":1}]})");
  EXPECT_EQ(swapped.status, 204) << swapped.body;
  EXPECT_TRUE(has(get("/State/Components/ByNID/2").body, "x0c0s0b0n0"));
  EXPECT_EQ(
      ask("PATCH", "/State/Components/BulkNID", R"({"Components":[{"ID":"x0c0s0b0n0","NID":""}]})")
          .status,
      400);
  EXPECT_EQ(ask("PATCH", "/State/Components/BulkNID", R"({"Components":[]})").status, 400);
  EXPECT_EQ(
      ask("PATCH", "/State/Components/BulkNID", R"({"Components":[{"ID":"q","NID":1}]})").body,
      problem(400, "Bad Request", "invalid xname ID"));
}

TEST_F(SmdComponents, NodesInOneBodyGetNumbersOfTheirOwn) {
  post(R"({"ID":"x0c0s0b0n0","State":"On","NID":16385},{"ID":"x0c0s0b0n1","State":"On"},)"
       R"({"ID":"x0c0s0b0n2","State":"On"},{"ID":"x0c0s99b0n0","State":"On"})");
  EXPECT_TRUE(has(shown("x0c0s0b0n1"), R"("NID":16386)"));
  EXPECT_TRUE(has(shown("x0c0s0b0n2"), R"("NID":16387)"));
  EXPECT_TRUE(has(shown("x0c0s99b0n0"), R"("NID":1)"));
}

TEST_F(SmdComponents, PatchesOfOneAndOfMany) {
  post(R"({"ID":"x0c0s0b0n0","State":"On"},{"ID":"x0c0s1b0n0","State":"On"},)"
       R"({"ID":"x0c0s0b0","State":"On"})");
  const auto patch = [&](const std::string& at, const std::string& body) {
    const Recorded done = ask("PATCH", "/State/Components/" + at, body);
    EXPECT_EQ(done.status, 204) << at << done.body;
  };
  patch("x0c0s0b0n0/StateData", R"({"State":"Ready"})");
  patch("x0c0s0b0n0/SoftwareStatus", R"({"SoftwareStatus":"up"})");
  patch("x0c0s0b0n0/Role", R"({"Role":"Storage","SubRole":"Master"})");
  patch("x0c0s0b0n0/NID", R"({"NID":9})");
  patch("x0c0s0b0n0/FlagOnly", R"({"Flag":"Alert"})");
  EXPECT_EQ(shown("x0c0s0b0n0"),
            R"({"ID":"x0c0s0b0n0","Type":"Node","State":"Ready","Flag":"Alert","Enabled":true,)"
            R"("SoftwareStatus":"up","Role":"Storage","SubRole":"Master","NID":9})"
            "\n");
  patch("BulkStateData",
        R"({"ComponentIDs":["x0c0s0b0n0","x0c0s1b0n0","x0c0s0b0"],"State":"Off"})");
  patch("BulkFlagOnly", R"({"ComponentIDs":["x0c0s1b0n0","x0c0s0b0"],"Flag":"Warning"})");
  patch("BulkEnabled", R"({"ComponentIDs":["x0c0s1b0n0","x0c0s0b0"],"Enabled":false})");
  patch("BulkSoftwareStatus", R"({"ComponentIDs":["x0c0s1b0n0"],"SoftwareStatus":"down"})");
  patch("BulkRole", R"({"ComponentIDs":["x0c0s0b0n0","x0c0s1b0n0"],"Role":"Compute"})");
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Off","Flag":"OK")"));
  EXPECT_FALSE(has(shown("x0c0s0b0n0"), "SubRole"));
  EXPECT_TRUE(has(shown("x0c0s1b0n0"), R"("State":"Off","Flag":"Warning","Enabled":false)"));
  EXPECT_TRUE(has(shown("x0c0s0b0"), R"("State":"Off","Flag":"Warning","Enabled":false)"));
}

TEST_F(SmdComponents, PatchesSayWhatIsMissing) {
  post(R"({"ID":"x0c0s0b0n0","State":"On"})");
  const auto detail = [&](const std::string& at, const std::string& body) {
    const Recorded done = ask("PATCH", "/State/Components/" + at, body);
    EXPECT_EQ(done.status, 400) << at << done.body;
    const size_t from = done.body.find("detail\":\"") + 9;
    return done.body.substr(from, done.body.find("\",\"status") - from);
  };
  const std::string no_match = "a required argument did not match any valid input";
  EXPECT_EQ(detail("x0c0s0b0n0/StateData", "{}"), "Missing State");
  EXPECT_EQ(detail("x0c0s0b0n0/StateData", R"({"State":"FAKE"})"),
            "Argument was not a valid HMS State");
  EXPECT_EQ(detail("FAKE/StateData", R"({"State":"Ready"})"), "invalid xname ID");
  EXPECT_EQ(detail("x0c0s0b0n0/StateData", R"({"State":"Ready","Flag":"x"})"), no_match);
  EXPECT_EQ(detail("x0c0s0b0n0/FlagOnly", R"({"foo":"bar"})"), "Missing Flag");
  EXPECT_EQ(detail("x0c0s0b0n0/FlagOnly", R"({"Flag":"FAKE"})"), no_match);
  EXPECT_EQ(detail("x0c0s0b0n0/Enabled", "{}"), "Missing Enabled");
  EXPECT_EQ(detail("x0c0s0b0n0/SoftwareStatus", "{}"), "Missing SoftwareStatus");
  EXPECT_EQ(detail("x0c0s0b0n0/Role", R"({"Role":"FAKE"})"), no_match);
  EXPECT_EQ(detail("x0c0s0b0n0/Role", R"({"Role":"Compute","SubRole":"FAKE"})"), no_match);
  EXPECT_EQ(detail("x0c0s0b0n0/NID", "{}"), "Missing NID");
  EXPECT_EQ(detail("BulkFlagOnly", R"({"ComponentIDs":["FAKE"],"Flag":"OK"})"), "invalid xname ID");
  EXPECT_EQ(detail("BulkFlagOnly", R"({"ComponentIDs":[],"Flag":"OK"})"), "Missing ComponentIDs");
  EXPECT_TRUE(detail("BulkEnabled", R"({"ComponentIDs":["x1"],"Enabled":"FAKE"})")
                  .starts_with("error decoding JSON"));
}

TEST_F(SmdComponents, SilentFaultsAreErrorsUnlessTheSiteWantsThem) {
  post(R"({"ID":"x0c0s0b0n0","State":"Off"})");
  EXPECT_EQ(ask("PATCH", "/State/Components/x0c0s7b0n0/StateData", R"({"State":"On"})").status,
            404);
  EXPECT_EQ(ask("PATCH", "/State/Components/BulkStateData",
                R"({"ComponentIDs":["x0c0s0b0n0","x0c0s7b0n0"],"State":"On"})")
                .status,
            404);
  const Recorded refused =
      ask("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"Halt"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(has(refused.body, "Halt cannot follow Off")) << refused.body;
  const Recorded unforced =
      ask("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"Empty"})");
  EXPECT_EQ(unforced.status, 400);
  EXPECT_TRUE(has(unforced.body, "not forced")) << unforced.body;
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Off")"));
  set("smd.strict", "true");
  EXPECT_EQ(ask("PATCH", "/State/Components/x0c0s7b0n0/StateData", R"({"State":"On"})").status,
            204);
  EXPECT_EQ(ask("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"Halt"})").status,
            204);
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Off")"));
  EXPECT_EQ(ask("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"Empty"})").status,
            400);
  EXPECT_EQ(ask("POST", "/State/Components", "{").status, 500);
  const Recorded forced =
      ask("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"Empty","Force":true})");
  EXPECT_EQ(forced.status, 204);
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Empty")"));
}

TEST_F(SmdComponents, AControllerThatSaysOnOfAReadyNodeSaysNothingNew) {
  post(R"({"ID":"x0c0s0b0n0","State":"Ready"})");
  EXPECT_EQ(ask("PATCH", "/State/Components/BulkStateData",
                R"({"ComponentIDs":["x0c0s0b0n0"],"State":"On"})")
                .status,
            204);
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Ready")"));
}

TEST_F(SmdComponents, FiltersAndTheirNegation) {
  post(R"({"ID":"x0c0s0b0n0","State":"On","NID":1,"Role":"Compute","Class":"River"},)"
       R"({"ID":"x0c0s1b0n0","State":"Off","NID":2,"Role":"Storage","Enabled":false},)"
       R"({"ID":"x0c0s2b0n0","State":"Ready","NID":30,"Arch":"ARM","SoftwareStatus":"s1"},)"
       R"({"ID":"x0c0s0b0","State":"On"},{"ID":"x0c0","State":"On","Flag":"Alert"})");
  ASSERT_EQ(
      master.ask("POST", "/api/v1/groups", R"({"name":"blue","nodes":"x0c0s[0-1]b0n0"})").status,
      201);
  ASSERT_EQ(master.ask("POST", "/api/v1/groups", R"({"name":"partition.p1","nodes":"x0c0s2b0n0"})")
                .status,
            201);
  const auto found = [&](const std::string& query) {
    const Recorded list = get("/State/Components?" + query);
    EXPECT_EQ(list.status, 200) << query << list.body;
    return count(list);
  };
  EXPECT_EQ(found(""), 5U);
  EXPECT_EQ(found("type=Node"), 3U);
  EXPECT_EQ(found("type=node&type=NodeBMC"), 4U);
  EXPECT_EQ(found("type=!Node"), 2U);
  EXPECT_EQ(found("TYPE=Node&state=on"), 1U);
  EXPECT_EQ(found("state=!On&state=!Off"), 1U);
  EXPECT_EQ(found("flag=Alert"), 1U);
  EXPECT_EQ(found("enabled=false"), 1U);
  EXPECT_EQ(found("role=Compute&role=Storage"), 3U);
  EXPECT_EQ(found("role=!Compute&type=Node"), 1U);
  EXPECT_EQ(found("arch=ARM"), 1U);
  EXPECT_EQ(found("class=river"), 1U);
  EXPECT_EQ(found("softwarestatus=s1"), 1U);
  EXPECT_EQ(found("softwarestatus=!s1"), 4U);
  EXPECT_EQ(found("id=X0c0s00b0n0&id=x0c0"), 2U);
  EXPECT_EQ(found("nid=1&nid=30"), 2U);
  EXPECT_EQ(found("nid=!1&type=Node"), 2U);
  EXPECT_EQ(found("nid_start=2"), 2U);
  EXPECT_EQ(found("nid_start=1&nid_end=2"), 2U);
  EXPECT_EQ(found("nid_start=1&nid_end=2&nid=30"), 3U);
  EXPECT_EQ(found("group=blue"), 2U);
  EXPECT_EQ(found("group=!blue"), 3U);
  EXPECT_EQ(found("group=nosuch"), 0U);
  EXPECT_EQ(found("partition=p1"), 1U);
  EXPECT_EQ(found("partition=NULL&type=Node"), 2U);
  EXPECT_EQ(found("locked=true"), 0U);
  EXPECT_EQ(found("nonsense=1"), 5U);
  EXPECT_EQ(get("/State/Components?type=Node&nid=1&stateonly=true").body,
            R"({"Components":[{"ID":"x0c0s0b0n0","Type":"Node","State":"On","Flag":"OK"}]})"
            "\n");
  EXPECT_EQ(get("/State/Components?nid=1&flagonly=true").body,
            R"({"Components":[{"ID":"x0c0s0b0n0","Type":"Node","Flag":"OK"}]})"
            "\n");
  EXPECT_EQ(get("/State/Components?nid=2&roleonly=1").body,
            R"({"Components":[{"ID":"x0c0s1b0n0","Type":"Node","Role":"Storage"}]})"
            "\n");
  EXPECT_EQ(get("/State/Components?nid=2&nidonly=true").body,
            R"({"Components":[{"ID":"x0c0s1b0n0","Type":"Node","NID":2}]})"
            "\n");
  for (const char* name : {"id", "type", "state", "flag", "role", "subrole", "enabled", "arch",
                           "class", "nid", "nid_start", "nid_end", "locked", "stateonly"}) {
    const Recorded bad = get(fmt::format("/State/Components?{}=FAKE", name));
    EXPECT_EQ(bad.status, 400) << name;
    EXPECT_TRUE(has(bad.body, "bad query param: ")) << bad.body;
  }
  EXPECT_EQ(get("/State/Components?type=%zz").status, 400);
}

TEST_F(SmdComponents, Queries) {
  post(R"({"ID":"x0c0s0b0n0","State":"On","NID":1},{"ID":"x0c0s0b0n1","State":"Off","NID":2},)"
       R"({"ID":"x0c0s0b0","State":"On"},{"ID":"x0c0s10b0n0","State":"On","NID":3})");
  const auto found = [&](const std::string& body) {
    const Recorded list = ask("POST", "/State/Components/Query", body, person("viewer"));
    EXPECT_EQ(list.status, 200) << body << list.body;
    return count(list);
  };
  EXPECT_EQ(found(R"({"ComponentIDs":["x0c0s0b0n0","x0c0s0b0n0","x0c0s5b0n0"]})"), 1U);
  EXPECT_EQ(found(R"({"ComponentIDs":["x0c0s0b0"],"type":["Node"]})"), 2U);
  EXPECT_EQ(found(R"({"ComponentIDs":["x0c0s0b0"],"type":"Node","state":["Off"]})"), 1U);
  EXPECT_EQ(found(R"({"ComponentIDs":["s0"],"partition":"","stateonly":true})"), 4U);
  for (const char* body : {"{}", R"({"ComponentIDs":[]})", R"({"ComponentIDs":["FAKE"]})",
                           R"({"ComponentIDs":["x1"],"type":["FAKE"]})", "[", R"({"type":{}})"}) {
    EXPECT_EQ(ask("POST", "/State/Components/Query", body).status, 400) << body;
  }
  EXPECT_EQ(count(get("/State/Components/Query/x0c0s0?type=Node")), 2U);
  EXPECT_EQ(count(get("/State/Components/Query/x0c0s0b0n0")), 1U);
  EXPECT_EQ(count(get("/State/Components/Query/all")), 4U);
  EXPECT_EQ(get("/State/Components/Query/FAKE").status, 400);
  const Recorded nids =
      ask("POST", "/State/Components/ByNID/Query", R"({"NIDRanges":["0-1","3"],"nidonly":true})");
  EXPECT_EQ(count(nids), 2U) << nids.body;
  EXPECT_EQ(ask("POST", "/State/Components/ByNID/Query", R"({"NIDRanges":["FAKE"]})").body,
            problem(400, "Bad Request", "bad query param: a required argument was not an integer"));
  EXPECT_EQ(ask("POST", "/State/Components/ByNID/Query", "{}").status, 400);
  EXPECT_EQ(get("/State/Components/ByNID/7").body, problem(404, "Not Found", "no such NID."));
  EXPECT_EQ(get("/State/Components/ByNID/FAKE").body,
            problem(400, "Bad Request", "a required argument was not an integer"));
}

TEST_F(SmdComponents, Deletes) {
  EXPECT_EQ(ask("DELETE", "/State/Components").body,
            problem(404, "Not Found", "no entries to delete"));
  post(R"({"ID":"x0c0s0b0n0","State":"On"},{"ID":"x0c0s0b0","State":"On","Locked":true},)"
       R"({"ID":"x0c0s1b0n0","State":"On"})");
  const Recorded one = ask("DELETE", "/State/Components/x0c0s0b0n0");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body, "{\"code\":0,\"message\":\"deleted 1 entry\"}\n");
  EXPECT_EQ(master.get("/api/v1/nodes/x0c0s0b0n0").status, 404);
  EXPECT_EQ(ask("DELETE", "/State/Components/x0c0s0b0n0").body,
            problem(404, "Not Found", "no such xname."));
  EXPECT_EQ(ask("DELETE", "/State/Components/FAKE").body,
            problem(400, "Bad Request", "invalid xname"));
  EXPECT_EQ(get("/State/Components/FAKE").body, problem(404, "Not Found", "no such xname."));
  EXPECT_EQ(ask("DELETE", "/State/Components/").body,
            "{\"code\":0,\"message\":\"deleted 2 entries\"}\n");
  EXPECT_EQ(get("/State/Components/").body, "{\"Components\":[]}\n");
}

TEST_F(SmdComponents, AnAgentIsBelievedBeforeAReport) {
  master.add_node("x0c0s0b0n0");
  cluster::Verdict verdict;
  verdict.node = "x0c0s0b0n0";
  verdict.phase = cluster::PhaseState::up;
  verdict.confirmed = true;
  ASSERT_TRUE(master.write([](store::Transaction& tx) -> Status {
    DROVER_TRY(cluster::Node node, cluster::read_node(tx, "x0c0s0b0n0"));
    node.phase.state = cluster::PhaseState::up;
    DROVER_CHECK_OK(cluster::write_node(tx, node));
    return {};
  }));
  master.model.take(verdict, master.world.wall());
  EXPECT_EQ(ask("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"Off"})").status,
            204);
  EXPECT_TRUE(has(shown("x0c0s0b0n0"), R"("State":"Ready")"));
}

TEST_F(SmdComponents, WhoMayDoWhat) {
  post(R"({"ID":"x0c0s0b0n0","State":"On"})");
  const char* body = R"({"State":"Off"})";
  const std::string at = "/State/Components/x0c0s0b0n0/StateData";
  EXPECT_EQ(ask("PATCH", at, body, person("viewer")).status, 403);
  EXPECT_EQ(ask("PATCH", at, body, auth::Principal{}).status, 401);
  EXPECT_EQ(ask("PATCH", at, body, person("operator")).status, 204);
  EXPECT_EQ(ask("GET", "/State/Components", "", auth::Principal{}).status, 401);
  EXPECT_EQ(ask("GET", "/State/Components/x0c0s0b0n0", "", auth::Principal{}).status, 401);
  set("smd.open_reads", "true");
  EXPECT_EQ(ask("GET", "/State/Components", "", auth::Principal{}).status, 200);
  EXPECT_EQ(ask("GET", "/State/Components/x0c0s0b0n0", "", auth::Principal{}).status, 401);
  EXPECT_EQ(ask("DELETE", "/State/Components", "", auth::Principal{}).status, 401);
}

TEST_F(SmdComponents, ServiceAnswersAnyone) {
  const auto open = [&](const std::string& at) { return ask("GET", at, "", auth::Principal{}); };
  EXPECT_EQ(open("/service/ready").body, "{\"code\":0,\"message\":\"HSM is healthy\"}\n");
  EXPECT_EQ(open("/service/liveness").status, 204);
  EXPECT_EQ(open("/service/values/class").body, "{\"Class\":[\"River\",\"Mountain\",\"Hill\"]}\n");
  EXPECT_TRUE(has(open("/service/values").body, R"("State":["Unknown","Empty",)"));
  EXPECT_EQ(open("/service/values/FAKE").status, 404);
  EXPECT_EQ(get("/nonsense").status, 404);
  const Recorded method = ask("PUT", "/State/Components", "{}");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.body,
            problem(405, "Method Not Allowed", "allow GET, HEAD, POST, DELETE, OPTIONS"));
  EXPECT_EQ(method.headers.get("Allow"), "GET, HEAD, POST, DELETE, OPTIONS");
}

}  // namespace
}  // namespace drover::api

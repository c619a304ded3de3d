// OpenCHAMI's admin resources of cloud-init on Drover's model: bodies as its client writes them,
// statuses as its server answers, and the faults of both kept out.
#include "api/test_master.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

constexpr const char* kBase = "/cloud-init/admin";

class OpenChamiCloudInit : public ::testing::Test {
 protected:
  OpenChamiCloudInit() {
    const char* node = R"({"name":"n1","spec":{"nid":7,"aliases":["x1000c0s0b0n0"]}})";
    const Recorded made = master.ask("POST", "/api/v1/nodes", node);
    EXPECT_EQ(made.status, 201) << made.body;
  }
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "") {
    return master.ask(method, kBase + at, body);
  }
  std::string told(const std::string& document, const std::string& node = "x1000c0s0b0n0") {
    const Recorded got = ask("GET", "/impersonation/" + node + "/" + document);
    EXPECT_EQ(got.status, 200) << got.body;
    return got.body;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  TestMaster master;
};

TEST_F(OpenChamiCloudInit, SaysItsVersionAndContractToAnyone) {
  const auth::Principal nobody;
  const Recorded version = master.ask("GET", "/cloud-init/version", "", {}, nobody);
  EXPECT_EQ(version.status, 200);
  EXPECT_TRUE(version.body.starts_with(R"({"version":")")) << version.body;
  const Recorded contract = master.ask("GET", "/cloud-init/openapi.json", "", {}, nobody);
  ASSERT_EQ(contract.status, 200);
  EXPECT_TRUE(has(contract.body, R"("openapi":"3.1)"));
  EXPECT_TRUE(has(contract.body, R"("/cloud-init/admin/groups":{)"));
  EXPECT_FALSE(has(contract.body, R"("/api/v1/nodes":{)"));
}

TEST_F(OpenChamiCloudInit, ClusterDefaultsAreWhatTheDefaultProfileSays) {
  EXPECT_EQ(ask("GET", "/cluster-defaults").body, "{}\n");
  // As `ochami cloud-init defaults set` writes them: no Content-Type, cloud_provider.
  const Recorded set = ask(
      "POST", "/cluster-defaults",
      R"({"cloud_provider":"drover","region":"north","cluster-name":"demo","nid-length":3,)"
      R"("short-name":"nid","base-url":"http://10.0.0.1/cloud-init","boot-subnet":"10.0.0.0/16",)"
      R"("wg-subnet":"100.97.0.0/16","public-keys":["ssh-ed25519 AAAA one","ssh-rsa BBBB two"]})");
  EXPECT_EQ(set.status, 201) << set.body;
  EXPECT_EQ(set.body, "");
  EXPECT_EQ(ask("POST", "/cluster-defaults", R"({"region":"south","short-name":""})").status, 201);
  EXPECT_EQ(ask("GET", "/cluster-defaults").body,
            R"({"base-url":"http://10.0.0.1/cloud-init","boot-subnet":"10.0.0.0/16",)"
            R"("cloud_provider":"drover","cluster-name":"demo","nid-length":3,)"
            R"("public-keys":["ssh-ed25519 AAAA one","ssh-rsa BBBB two"],"region":"south",)"
            R"("short-name":"nid","wg-subnet":"100.97.0.0/16"})"
            "\n");
  const Recorded kept = master.get("/api/v1/cloud-init/profile/default");
  EXPECT_TRUE(has(kept.body, R"("region":"south")")) << kept.body;
  const std::string meta = told("meta-data");
  EXPECT_TRUE(has(meta, "local-hostname: nid007\n")) << meta;
  EXPECT_TRUE(has(meta, "    cloud_provider: drover\n")) << meta;
  EXPECT_TRUE(has(meta, "      cloud_init_base_url: http://10.0.0.1/cloud-init\n")) << meta;
}

TEST_F(OpenChamiCloudInit, BadDefaultsChangeNothing) {
  for (const char* body :
       {"[]", "{", R"({"region":7})", R"({"nosuch":"x"})", R"({"nid-length":-1})",
        R"({"nid-length":13})", R"({"nid-length":"3"})", R"({"base-url":"ftp://x"})",
        R"({"base-url":"http://x\n#include"})", R"({"boot-subnet":"10.0.0.0"})",
        R"({"wg-subnet":"10.0.0.0/33"})", R"({"short-name":"-x"})", R"({"short-name":"N D"})",
        R"({"public-keys":["nokey"]})", R"({"public-keys":["ssh-rsa A\nssh-rsa B"]})",
        R"({"region":"a\nb"})", R"({"cloud_provider":"a","cloud-provider":"b"})",
        R"({"region":"${nosuch("})"}) {
    EXPECT_EQ(ask("POST", "/cluster-defaults", body).status, 400) << body;
  }
  EXPECT_EQ(ask("GET", "/cluster-defaults").body, "{}\n");
  EXPECT_EQ(ask("PUT", "/cluster-defaults", "{}").status, 405);
}

TEST_F(OpenChamiCloudInit, InstanceInformationIsWhatTheNodeSays) {
  ASSERT_EQ(
      master.ask("PATCH", "/api/v1/cloud-init/node/n1", R"({"meta_data":{"own":"1"}})").status,
      200);
  const Recorded put =
      ask("PUT", "/instance-info/x1000c0s0b0n0",
          R"({"id":"x1000c0s0b0n0","instance-id":"","local-hostname":"login","region":"east",)"
          R"("public-keys":["ssh-rsa CCCC c"],"cloud-init-base-url":"http://own/ci"})");
  EXPECT_EQ(put.status, 201) << put.body;
  std::string meta = told("meta-data");
  EXPECT_TRUE(has(meta, "local-hostname: login\n")) << meta;
  EXPECT_TRUE(has(meta, "own: \"1\"\n")) << meta;
  EXPECT_TRUE(has(meta, "region: east\n")) << meta;
  EXPECT_EQ(ask("PUT", "/instance-info/n1", R"({"availability-zone":"a"})").status, 201);
  meta = told("meta-data", "n1");
  EXPECT_TRUE(has(meta, "local-hostname: n1\n")) << "the rest is taken back: " << meta;
  EXPECT_TRUE(has(meta, "availability_zone: a\n")) << meta;
  EXPECT_FALSE(has(meta, "region")) << meta;

  EXPECT_EQ(ask("PUT", "/instance-info/nosuch", "{}").status, 404);
  for (const char* body :
       {R"({"id":"x9"})", R"({"instance-id":"i-mine"})", R"({"local-hostname":"two words"})",
        R"({"nosuch":1})", "nonsense", R"({"cloud-init-base-url":"x"})"}) {
    EXPECT_EQ(ask("PUT", "/instance-info/n1", body).status, 400) << body;
  }
}

TEST_F(OpenChamiCloudInit, GroupsAreAddedReplacedAndTakenAway) {
  const std::string body =
      R"({"name":"rack1","description":"the first","meta-data":{"rack":7,"cool":true,"row":"b"},)"
      R"("file":{"content":"#cloud-config\nr: 1\n","encoding":"plain","filename":"x"}})";
  const Recorded added = ask("POST", "/groups", body);
  EXPECT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.headers.get("Location"), "/cloud-init/admin/groups/rack1");
  EXPECT_EQ(ask("POST", "/groups", body).status, 409);
  EXPECT_TRUE(has(master.get("/api/v1/groups/rack1").body, R"("description":"the first")"));
  const std::string shown =
      R"({"name":"rack1","description":"the first",)"
      R"("meta-data":{"cool":"true","rack":"7","row":"b"},)"
      R"("file":{"content":"#cloud-config\nr: 1\n","filename":"rack1.yaml","encoding":"plain"}})";
  EXPECT_EQ(ask("GET", "/groups/rack1").body, shown + "\n");
  EXPECT_EQ(ask("GET", "/groups").body, R"({"rack1":)" + shown + "}\n");

  // A node that is in it is told so, and gets the file; others do not.
  EXPECT_EQ(ask("GET", "/impersonation/n1/rack1.yaml").status, 404);
  ASSERT_EQ(master.ask("PATCH", "/api/v1/groups/rack1", R"({"nodes":"n1"})").status, 200);
  EXPECT_EQ(told("rack1.yaml"), "#cloud-config\nr: 1\n");
  EXPECT_EQ(told("vendor-data"), "#include\nhttp://boot-daemon/cloud-init/rack1.yaml\n");
  EXPECT_EQ(told("user-data"), "#cloud-config\n{}\n");

  EXPECT_EQ(ask("PUT", "/groups/rack1", R"({"name":"rack1","meta-data":{"a":"1"}})").status, 201);
  EXPECT_EQ(ask("PUT", "/groups/rack2", R"({"name":"rack2"})").status, 201) << "it makes it too";
  EXPECT_EQ(ask("GET", "/groups/rack2").body,
            R"({"name":"rack2","file":{"content":"","filename":"rack2.yaml","encoding":"plain"}})"
            "\n");
  EXPECT_TRUE(
      has(ask("GET", "/groups/rack1").body, R"("meta-data":{"a":"1"},"file":{"content":"")"));
  const Recorded gone = ask("DELETE", "/groups/rack1");
  EXPECT_EQ(gone.status, 200) << gone.body;
  EXPECT_EQ(ask("DELETE", "/groups/rack1").status, 404);
  EXPECT_EQ(ask("GET", "/groups/rack1").status, 404);
  EXPECT_EQ(master.get("/api/v1/groups/rack1").status, 200) << "the group itself stays";
}

TEST_F(OpenChamiCloudInit, TheGroupComputeIsEverybodysHere) {
  EXPECT_EQ(ask("POST", "/groups",
                R"({"name":"compute","file":{"content":"#!/bin/sh\n","encoding":"plain"}})")
                .status,
            201);
  EXPECT_EQ(told("compute.yaml"), "#!/bin/sh\n");
  EXPECT_TRUE(has(told("vendor-data"), "/compute.yaml\n"));
  EXPECT_EQ(ask("PUT", "/groups/compute", R"({"name":"compute","description":"x"})").status, 409);
}

TEST_F(OpenChamiCloudInit, ContentIsTakenInEveryEncodingThatItsClientsWrite) {
  // base64 of "#!/bin/sh\n", and that once more.
  for (const char* file : {R"({"content":"IyEvYmluL3NoCg==","encoding":"base64"})",
                           R"({"content":"IyEvYmluL3NoCg==","encoding":"plain"})",
                           R"({"content":"SXlFdlltbHVMM05vQ2c9PQ==","encoding":"base64"})",
                           R"({"content":"#!/bin/sh\n","encoding":"plain"})"}) {
    const Recorded put =
        ask("PUT", "/groups/g", std::string(R"({"name":"g","file":)") + file + "}");
    EXPECT_EQ(put.status, 201) << file << put.body;
    EXPECT_TRUE(has(ask("GET", "/groups/g").body, R"("content":"#!/bin/sh\n")")) << file;
  }
  // A group without a file, as Go writes it.
  EXPECT_EQ(ask("PUT", "/groups/g", R"({"name":"g","file":{"content":null,"filename":""}})").status,
            201);
  EXPECT_TRUE(has(ask("GET", "/groups/g").body, R"("content":"")"));
}

TEST_F(OpenChamiCloudInit, BadGroupsAreUnprocessableAndChangeNothing) {
  for (const char* body :
       {"", "[]", "{", "{}", R"({"name":""})", R"({"name":"a b"})", R"({"name":"g","nosuch":1})",
        R"({"name":"g","meta-data":[]})", R"({"name":"g","meta-data":{"a":{"b":1}}})",
        R"({"name":"g","meta-data":{"a":[1]}})", R"({"name":"g","meta-data":{"a b":"1"}})",
        R"({"name":"g","meta-data":{"drover":"x"}})",
        R"({"name":"g","file":{"content":"#!/bin/sh","encoding":"gzip"}})",
        R"({"name":"g","file":{"content":"#!/bin/sh"}})",
        R"({"name":"g","file":{"content":"!!","encoding":"base64"}})",
        R"({"name":"g","file":{"content":"nothing it knows","encoding":"plain"}})"}) {
    const Recorded refused = ask("POST", "/groups", body);
    EXPECT_EQ(refused.status, 422) << body << refused.body;
    EXPECT_TRUE(has(refused.body, "problem:invalid-argument")) << refused.body;
    EXPECT_EQ(ask("PUT", "/groups/g", body).status, 422) << body;
  }
  EXPECT_EQ(ask("PUT", "/groups/other", R"({"name":"g"})").status, 422);
  EXPECT_EQ(ask("GET", "/groups").body, "{}\n");
  EXPECT_EQ(master.get("/api/v1/groups/g").status, 404);
}

TEST_F(OpenChamiCloudInit, ReplacingLeavesSecretsAndVendorDataAlone) {
  ASSERT_EQ(ask("POST", "/groups", R"({"name":"g"})").status, 201);
  ASSERT_EQ(
      master.ask("PUT", "/api/v1/cloud-init/group/g/secrets/key", R"({"value":"hunter2"})").status,
      204);
  ASSERT_EQ(
      master.ask("PATCH", "/api/v1/cloud-init/group/g", R"({"vendor_data":"#!/bin/sh\n"})").status,
      200);
  EXPECT_EQ(ask("PUT", "/groups/g", R"({"name":"g","meta-data":{"a":"1"}})").status, 201);
  const Recorded kept = master.get("/api/v1/cloud-init/group/g");
  EXPECT_TRUE(has(kept.body, R"("secrets":["key"])")) << kept.body;
  EXPECT_TRUE(has(kept.body, R"("vendor_data":"#!/bin/sh\n")")) << kept.body;
}

TEST_F(OpenChamiCloudInit, TriesAndRightsAreThoseOfEveryChange) {
  EXPECT_EQ(ask("POST", "/groups?dry_run=true", R"({"name":"g"})").status, 201);
  EXPECT_EQ(ask("GET", "/groups").body, "{}\n");
  const auth::Principal nobody;
  for (const char* at :
       {"/groups", "/cluster-defaults", "/groups/g", "/impersonation/n1/meta-data"}) {
    EXPECT_EQ(master.get(std::string(kBase) + at, nobody).status, 401) << at;
  }
  EXPECT_EQ(ask("GET", "/impersonation/n1/nosuch").status, 404);
  EXPECT_EQ(ask("GET", "/impersonation/nosuch/meta-data").status, 404);
}

}  // namespace
}  // namespace drover::api

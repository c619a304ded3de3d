#include "boot/cloudinit/node_documents.hpp"

#include "boot/site/test_site.hpp"

#include <gtest/gtest.h>

namespace drover::boot::cloudinit {
namespace {

class NodeDocumentsTest : public ::testing::Test {
 protected:
  NodeDocumentsTest() {
    cluster.commit({{"network/boot", R"({"name":"boot","prefix":"10.77.0.0/24"})"},
                    {"profile/default", R"({"name":"default","attributes":{"image":"rocky"}})"},
                    {"group/rack1", R"({"name":"rack1","nodes":"n1"})"},
                    {"group/wide", R"({"name":"wide","range":"*"})"},
                    {"node/n1", boot::test::TestCluster::node("n1", R"({"attributes":{"rack":"7"},
             "interfaces":[{"name":"eth0","mac":"52:54:00:77:00:01",
                            "addresses":["10.77.0.11","fd77::11"]}]})")}});
  }
  Result<NodeDocuments> documents() {
    const NetworkIndex networks(cluster.model.networks());
    return documents_of(cluster.model, networks, cluster.model.find("n1")->node(), "lab");
  }
  std::string args() {
    Site site(cluster.model, cluster.images, {});
    script::LateValues late;
    late.server = "S";
    late.token = "T";
    return script::LateText(site.plan("n1").value().args).render(late);
  }
  boot::test::TestCluster cluster;
};

TEST_F(NodeDocumentsTest, PutsOwnersTogetherTheStrongestLast) {
  cluster.commit(
      {{"cloud-init/profile/default",
        R"({"name":"profile/default","user_data":"#cloud-config\na: 1\n","meta_data":{"region":"x","tier":"1"}})"},
       {"cloud-init/group/wide", R"({"name":"group/wide","vendor_data":"#!/bin/sh\n"})"},
       {"cloud-init/node/n1",
        R"({"name":"node/n1","user_data":"#cloud-config\na: 2\n",
            "meta_data":{"region":"rack${rack}","public-keys":"ssh-rsa A\nssh-rsa B"}})"}});
  const auto made = documents();
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_LT(made->user_data.find("a: 1"), made->user_data.find("a: 2"));
  EXPECT_EQ(made->vendor_data, "#!/bin/sh\n");
  EXPECT_NE(made->meta_data.find("region: rack7\n"), std::string::npos) << made->meta_data;
  EXPECT_NE(made->meta_data.find("tier: \"1\"\n"), std::string::npos) << made->meta_data;
  EXPECT_NE(made->meta_data.find("- ssh-rsa B"), std::string::npos) << made->meta_data;
  std::string told;
  for (const ToldPart& part : made->parts)
    told += part.what + " " + part.name + " " + part.origin + ";";
  EXPECT_EQ(told,
            "meta-data public-keys node;meta-data region node;meta-data tier profile default;"
            "user-data  profile default;vendor-data  group wide;user-data  node;");
}

TEST_F(NodeDocumentsTest, GroupsThatAreAlwaysThereCanSaySomething) {
  cluster.commit(
      {{"cloud-init/profile/default",
        R"({"name":"profile/default","meta_data":{"a":"default","b":"default","c":"default"}})"},
       {"cloud-init/group/all", R"({"name":"group/all","meta_data":{"b":"all","c":"all"}})"},
       {"cloud-init/group/compute", R"({"name":"group/compute","meta_data":{"c":"compute"}})"},
       {"cloud-init/group/utility", R"({"name":"group/utility","meta_data":{"a":"utility"}})"},
       {"cloud-init/group/rack1", R"({"name":"group/rack1","meta_data":{"d":"rack"}})"}});
  const auto made = documents();
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_NE(made->meta_data.find("\na: default\nb: all\nc: compute\nd: rack\n"), std::string::npos)
      << made->meta_data;
}

TEST_F(NodeDocumentsTest, GivesOpenChamisClientsGroupsAsFilesToInclude) {
  cluster.commit(
      {{"cloud-init/profile/default",
        R"({"name":"profile/default","meta_data":{"public-keys":"ssh-rsa A"}})"},
       {"cloud-init/group/compute",
        R"({"name":"group/compute","user_data":"#cloud-config\nc: 1\n"})"},
       {"cloud-init/group/rack1",
        R"({"name":"group/rack1","user_data":"#cloud-config\nr: 1\n","meta_data":{"rack":"x${rack}"}})"},
       {"cloud-init/node/n1",
        R"({"name":"node/n1","meta_data":{"public-keys":"ssh-rsa B\nssh-rsa A"}})"},
       {"node/n1", boot::test::TestCluster::node("n1", R"({"attributes":{"rack":"7"}})")}});
  const NetworkIndex networks(cluster.model.networks());
  const cluster::Node& node = cluster.model.find("n1")->node();
  auto made = openchami_documents_of(cluster.model, networks, node, "lab", "http://b/cloud-init/");
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->user_data, "#cloud-config\n{}\n");
  EXPECT_EQ(made->vendor_data,
            "#include\nhttp://b/cloud-init/compute.yaml\nhttp://b/cloud-init/wide.yaml\n"
            "http://b/cloud-init/rack1.yaml\n");
  EXPECT_NE(made->meta_data.find("public_keys:\n      - ssh-rsa A\n      - ssh-rsa B\n"),
            std::string::npos)
      << made->meta_data;
  EXPECT_NE(made->meta_data.find("rack1:\n          Description: \"\"\n          rack: x7\n"),
            std::string::npos)
      << made->meta_data;
  EXPECT_EQ(*group_file(cluster.model, node, "rack1"), "#cloud-config\nr: 1\n");
  EXPECT_EQ(*group_file(cluster.model, node, "wide"), "#cloud-config\n{}\n");
  EXPECT_EQ(*group_file(cluster.model, node, "compute"), "#cloud-config\nc: 1\n");
  EXPECT_FALSE(group_file(cluster.model, node, "utility"));
  EXPECT_FALSE(group_file(cluster.model, node, "nosuch"));

  cluster.commit(
      {{"cloud-init/node/n1",
        R"({"name":"node/n1","user_data":"#!/bin/sh\n","meta_data":{"cloud-init-base-url":"http://own"}})"}});
  made = openchami_documents_of(cluster.model, networks, cluster.model.find("n1")->node(), "lab",
                                "http://b/cloud-init");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->user_data, "#!/bin/sh\n");
  EXPECT_NE(made->vendor_data.find("\nhttp://own/rack1.yaml\n"), std::string::npos);
}

TEST_F(NodeDocumentsTest, SaysWhoseFormulaFails) {
  cluster.commit(
      {{"cloud-init/group/rack1", R"({"name":"group/rack1","meta_data":{"a":"${nid}"}})"}});
  EXPECT_NE(documents().error().text().find("group/rack1: meta_data.a"), std::string::npos)
      << documents().error().text();
}

TEST_F(NodeDocumentsTest, TheStrongestOwnersSecretCounts) {
  cluster.commit({{"cloud-init/group/rack1", R"({"name":"group/rack1","secrets":["a","b"]})"},
                  {"cloud-init/node/n1", R"({"name":"node/n1","secrets":["b"]})"}});
  const cluster::ModelDefinitions definitions(cluster.model);
  const auto secrets = secrets_of(
      cluster.model, cluster::NodeAttributes(cluster.model.find("n1")->node(), definitions));
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_EQ(secrets[0].owner, "group/rack1");
  EXPECT_EQ(secrets[1].owner, "node/n1");
}

TEST_F(NodeDocumentsTest, TheKernelIsToldWhereSomethingIsDefined) {
  EXPECT_EQ(args().find("ds="), std::string::npos);
  cluster.commit({{"cloud-init/group/wide", R"({"name":"group/wide","user_data":"#!/bin/sh\n"})"}});
  EXPECT_NE(args().find(" ds=nocloud;s=http://S:8080/cloud-init/nocloud/T/"), std::string::npos)
      << args();
  EXPECT_EQ(args().find("drover.secrets"), std::string::npos);
  cluster.commit({{"cloud-init/group/wide", R"({"name":"group/wide","secrets":["a"]})"},
                  {"profile/default", R"({"name":"default","attributes":{"image":"lean"}})"}});
  EXPECT_NE(args().find("drover.secrets=yes"), std::string::npos) << args();
  EXPECT_EQ(args().find("ds="), std::string::npos) << "lean nodes have no cloud-init";
}

TEST_F(NodeDocumentsTest, ScriptsFollowWhatIsDefined) {
  Site site(cluster.model, cluster.images, {});
  ScriptRequest request;
  request.mac = "52:54:00:77:00:01";
  request.server = "S";
  request.token = "T";
  EXPECT_EQ(site.script(request).text.find("ds=nocloud"), std::string::npos);
  (void)site.refresh(cluster.commit(
      {{"cloud-init/group/rack1", R"({"name":"group/rack1","user_data":"#!/bin/sh\n"})"}}));
  EXPECT_NE(site.script(request).text.find("ds=nocloud"), std::string::npos);
}

TEST_F(NodeDocumentsTest, NodesAreFoundByTheirAddresses) {
  Site site(cluster.model, cluster.images, {});
  EXPECT_EQ(site.node_at("10.77.0.11"), "n1");
  EXPECT_EQ(site.node_at("fd77:0::11"), "n1");
  EXPECT_EQ(site.node_at("10.77.0.12"), "");
  EXPECT_EQ(site.node_at("nonsense"), "");
  (void)site.refresh(cluster.commit({{"node/n1", ""}}));
  EXPECT_EQ(site.node_at("10.77.0.11"), "");
}

}  // namespace
}  // namespace drover::boot::cloudinit

#include "boot/cloudinit/documents.hpp"

#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "boot/site/test_site.hpp"

#include <gtest/gtest.h>

namespace drover::boot::cloudinit {
namespace {

using boot::test::TestCluster;

class CloudInit : public ::testing::Test {
 protected:
  CloudInit() {
    cluster.commit(
        {{"network/boot",
          R"({"name":"boot","prefix":"10.77.0.0/24","gateway":"10.77.0.254","domain":"c.test","mtu":9000,)"
          R"("nameservers":["10.77.0.1"]})"},
         {"network/data", R"({"name":"data","prefix":"10.80.0.0/16","gateway":"10.80.0.1"})"},
         {"group/rack1",
          R"({"name":"rack1","description":"the first","nodes":"n1","attributes":{"rack":"7"}})"},
         {"node/n1", TestCluster::node("n1", R"({"attributes":{"comment":"a: b"},"interfaces":[
            {"name":"eth0","mac":"52:54:00:77:00:01","addresses":["10.77.0.${number+10}","fd77::1/64"]},
            {"name":"ib0","addresses":["10.80.0.1/16"]}],
            "bmc":{"address":"10.78.0.11"}})")}});
  }
  Facts facts() {
    const NetworkIndex networks(cluster.model.networks());
    return facts_of(cluster.model, networks, cluster.model.find("n1")->node(), "lab");
  }
  TestCluster cluster;
};

TEST_F(CloudInit, TellsWhoTheNodeIs) {
  const std::string text = meta_data(facts());
  EXPECT_EQ(
      text,
      "instance-id: i-id-n1\nlocal-hostname: n1\nhostname: n1.c.test\ncluster-name: lab\n"
      "instance_data:\n  v1:\n    instance_id: i-id-n1\n    local_hostname: n1\n"
      "    hostname: n1.c.test\n    local_ipv4: 10.77.0.11\n    vendor_data:\n"
      "      version: \"1.0\"\n      cluster_name: lab\n      groups:\n        rack1:\n"
      "          Description: the first\n"
      "drover:\n  groups:\n    - rack1\n  attributes:\n    comment: \"a: b\"\n    rack: \"7\"\n")
      << text;
  EXPECT_TRUE(parse_yaml(text, YamlScalars::text));
}

TEST_F(CloudInit, NamesTheNodeAsItsKeysSay) {
  Facts one = facts();
  one.nid = 7;
  EXPECT_EQ(host_name(one), "n1");
  one.more["short-name"] = "nid";
  EXPECT_EQ(host_name(one), "nid0007");
  one.more["nid-length"] = "6";
  EXPECT_EQ(host_name(one), "nid000007");
  one.more["nid-length"] = "4000000000";
  EXPECT_EQ(host_name(one).size(), 23U) << "bounded";
  one.more["nid-length"] = "x";
  EXPECT_EQ(host_name(one), "nid0007");
  one.nid = 0;
  EXPECT_EQ(host_name(one), "n1") << "without a number its own";
  one.more["local-hostname"] = "login";
  one.more["cluster-name"] = "other";
  const std::string text = meta_data(one);
  EXPECT_NE(text.find("local-hostname: login\nhostname: login.c.test\ncluster-name: other\n"),
            std::string::npos)
      << text;
  one.more["hostname"] = "login.site.test";
  EXPECT_NE(meta_data(one).find("\nhostname: login.site.test\n"), std::string::npos);
}

TEST_F(CloudInit, GivesEveryLinkItsAddressAndOneTheRoute) {
  EXPECT_EQ(
      network_config(facts()),
      "version: 2\nethernets:\n"
      "  eth0:\n    match:\n      macaddress: \"52:54:00:77:00:01\"\n    set-name: eth0\n"
      "    dhcp4: false\n    dhcp6: false\n"
      "    addresses:\n      - 10.77.0.11/24\n      - fd77::1/64\n"
      "    routes:\n      - to: default\n        via: 10.77.0.254\n"
      "    nameservers:\n      addresses:\n        - 10.77.0.1\n      search:\n        - c.test\n"
      "    mtu: 9000\n"
      "  ib0:\n    dhcp4: false\n    dhcp6: false\n    addresses:\n      - 10.80.0.1/16\n");
}

TEST(CloudInitParts, AreComposedInTheirOrder) {
  EXPECT_EQ(*compose({}), "#cloud-config\n{}\n");
  EXPECT_EQ(*compose({{"one", "#!/bin/sh\ntrue"}}), "#!/bin/sh\ntrue");
  EXPECT_EQ(
      *compose({{"group rack1", "#cloud-config\na: 1\n"}, {"b", "#!/bin/sh\n# ==drover-0=="}}),
      "Content-Type: multipart/mixed; boundary=\"==drover-1==\"\nMIME-Version: 1.0\n\n"
      "--==drover-1==\nContent-Type: text/cloud-config; charset=\"utf-8\"\n"
      "MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n"
      "Content-Disposition: attachment; filename=\"group-rack1\"\n\n#cloud-config\na: 1\n"
      "--==drover-1==\nContent-Type: text/x-shellscript; charset=\"utf-8\"\n"
      "MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n"
      "Content-Disposition: attachment; filename=\"b\"\n\n#!/bin/sh\n# ==drover-0==\n"
      "--==drover-1==--\n");
  EXPECT_EQ(include_list({"http://s/rack1.yaml"}), "#include\nhttp://s/rack1.yaml\n");
  EXPECT_EQ(include_list({}), "#cloud-config\n{}\n");
}

TEST(CloudInitParts, AreRefusedWithTheirName) {
  EXPECT_EQ(compose({{"gpu", "a: 1\n"}}).error().text(),
            "gpu: its first line says nothing that cloud-init knows: 'a: 1'");
  EXPECT_EQ(compose({{"gpu", std::string("#!/bin/sh\n\0", 11)}}).error().text(),
            "gpu: holds control characters, which are no text");
  EXPECT_EQ(compose({{"gpu", "#!" + std::string(kMaxPart, 'x')}}).error().code, Code::too_large);
  const std::string big = "#!" + std::string(kMaxPart - 2, 'x');
  EXPECT_EQ(compose({{"a", big}, {"b", big}, {"c", big}, {"d", big}}).error().code,
            Code::too_large);
}

}  // namespace
}  // namespace drover::boot::cloudinit

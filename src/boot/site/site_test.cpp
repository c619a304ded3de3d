// A site from the model: who is who, what DHCP and DNS are told, the script to the letter, and how
// changes come through.
#include "boot/site/site.hpp"

#include "boot/site/test_site.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::boot {
namespace {

using test::TestCluster;

constexpr const char* kBoot =
    R"({"name":"boot","prefix":"10.77.0.0/24","prefix6":"fd77::/64","pool":"10.77.0.200-10.77.0.250",)"
    R"("gateway":"10.77.0.254","domain":"cluster.test","mtu":1500})";

SiteOptions options() {
  SiteOptions out;
  out.ca_sha256 = std::string(64, 'f');
  out.own_addresses = {*Ipv4::parse("10.77.0.1")};
  return out;
}

class SiteTest : public ::testing::Test {
 protected:
  SiteTest() {
    cluster.commit(
        {{"network/boot", kBoot},
         {"network/bmc", R"({"name":"bmc","prefix":"10.78.0.0/24","mode":"off"})"},
         {"profile/default",
          R"({"name":"default","attributes":{"image":"lean","console":"ttyS0,115200n8"}})"},
         {"profile/gpu",
          R"({"name":"gpu","attributes":{"image":"rocky","kernel_args":"iommu=pt"}})"},
         {"group/rack1",
          R"({"name":"rack1","nodes":"n1","profiles":[],"attributes":{"rack":"7"}})"},
         {"node/n1", TestCluster::node("n1", R"({"nid":1,"aliases":["x1000c0s0b0n0","login"],
            "interfaces":[{"name":"eth0","mac":"52:54:00:77:00:01","addresses":["10.77.0.${number+10}"]},
                          {"name":"eth1.5","mac":"52:54:00:77:01:01","addresses":["10.79.0.1/24"]}],
            "bmc":{"address":"10.78.0.11","mac":"52:54:00:78:00:01"}})")},
         {"node/n2", TestCluster::node("n2", R"({"profiles":["gpu"],
            "interfaces":[{"name":"eth0","mac":"52:54:00:77:00:02","addresses":["10.77.0.210/24","fd77::2"]}]})")},
         {"node/n3", TestCluster::node("n3", "{}")}});
  }
  Site site() { return Site(cluster.model, cluster.images, options()); }
  static ScriptRequest by_mac(std::string_view mac) {
    ScriptRequest out;
    out.mac = mac;
    out.source = "10.77.0.11";
    out.server = "10.77.0.1";
    out.token = "tok";
    return out;
  }
  static HardwareAddress hardware(const char* mac) { return *HardwareAddress::parse(mac); }

  TestCluster cluster;
};

TEST_F(SiteTest, KnowsMachinesByTheirHardwareAddress) {
  Site made = site();
  const dhcp::Reservation* n1 = made.by_hardware(hardware("52:54:00:77:00:01"));
  ASSERT_NE(n1, nullptr);
  EXPECT_EQ(n1->name, "n1");
  ASSERT_EQ(n1->addresses.size(), 1U);
  EXPECT_EQ(n1->addresses[0].text(), "10.77.0.11");
  EXPECT_EQ(n1->script, "http://{server}:8080/boot/v1/bootscript?mac=52:54:00:77:00:01");
  EXPECT_TRUE(n1->boots);
  const dhcp::Reservation* bmc = made.by_hardware(hardware("52:54:00:78:00:01"));
  ASSERT_NE(bmc, nullptr);
  EXPECT_EQ(bmc->name, "bmc-n1");
  EXPECT_FALSE(bmc->boots);
  EXPECT_EQ(made.by_hardware(hardware("52:54:00:99:00:01")), nullptr);
  const auto* six = made.reservations6().by_hardware(hardware("52:54:00:77:00:02"));
  ASSERT_NE(six, nullptr);
  EXPECT_EQ(six->addresses[0].text(), "fd77::2");
  EXPECT_EQ(made.reserved(), std::vector{*Ipv4::parse("10.77.0.210")}) << "it lies in the pool";
  EXPECT_TRUE(made.take_problems().empty());
}

TEST_F(SiteTest, TellsDhcpOfNetworks) {
  const auto config = site().dhcp_config();
  ASSERT_EQ(config.subnets.size(), 2U);
  const dhcp::Subnet& bmc = config.subnets[0];
  EXPECT_EQ(bmc.mode, dhcp::SubnetMode::off);
  EXPECT_FALSE(bmc.pool);
  const dhcp::Subnet& boot = config.subnets[1];
  EXPECT_EQ(boot.mode, dhcp::SubnetMode::full);
  EXPECT_EQ(boot.pool, 0U);
  EXPECT_EQ(boot.routers, std::vector{*Ipv4::parse("10.77.0.254")});
  EXPECT_EQ(boot.name_servers, std::vector{*Ipv4::parse("10.77.0.1")}) << "this server itself";
  EXPECT_EQ(boot.search, std::vector<std::string>{"cluster.test"});
  EXPECT_EQ(boot.lease, std::chrono::hours(1));
  EXPECT_EQ(config.http_prefix, "http://{server}:8080/boot/loaders/");
  ASSERT_EQ(site().pools().size(), 1U);
  EXPECT_EQ(site().pools()[0].last.text(), "10.77.0.250");
  const auto six = site().dhcp6_config();
  ASSERT_EQ(six.subnets.size(), 1U);
  EXPECT_TRUE(six.subnets[0].derive);
  EXPECT_TRUE(six.subnets[0].discovers);
}

TEST_F(SiteTest, AnswersNamesOfNodesAndBmcs) {
  Site made = site();
  const auto records = [&](const char* name) {
    return made.hosts().find(dns::Name::parse(name)->lowered());
  };
  ASSERT_NE(records("n1.cluster.test"), nullptr);
  EXPECT_EQ(records("n1.cluster.test")->addresses4[0].text(), "10.77.0.11");
  ASSERT_NE(records("n2.cluster.test"), nullptr);
  EXPECT_EQ(records("n2.cluster.test")->addresses6[0].text(), "fd77::2");
  ASSERT_NE(records("bmc-n1.cluster.internal"), nullptr) << "its network has no domain";
  ASSERT_NE(records("n1-eth1-5.cluster.internal"), nullptr);
  ASSERT_NE(records("login.cluster.test"), nullptr);
  EXPECT_EQ(records("login.cluster.test")->alias->text(), "n1.cluster.test");
  ASSERT_NE(records("boot.cluster.test"), nullptr);
  const auto* reverse = made.hosts().find(dns::reverse_name(*Ipv4::parse("10.77.0.11")));
  ASSERT_NE(reverse, nullptr);
  EXPECT_EQ(reverse->hosts[0].text(), "n1.cluster.test");
  EXPECT_EQ(records("n3.cluster.test"), nullptr);

  std::vector<std::string> zones;
  for (const dns::Zone& zone : made.zones()) zones.push_back(zone.apex.text());
  EXPECT_EQ(zones, (std::vector<std::string>{"cluster.internal", "cluster.test",
                                             "0.78.10.in-addr.arpa", "0.77.10.in-addr.arpa",
                                             "0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa"}));
}

TEST_F(SiteTest, CutsReverseZonesAtWholeOctets) {
  cluster.commit({{"network/boot", R"({"name":"boot","prefix":"10.80.4.0/23"})"},
                  {"network/bmc", R"({"name":"bmc","prefix":"10.78.0.128/25"})"}});
  std::vector<std::string> zones;
  for (const dns::Zone& zone : site().zones()) zones.push_back(zone.apex.text());
  EXPECT_EQ(zones, (std::vector<std::string>{"cluster.internal", "0.78.10.in-addr.arpa",
                                             "4.80.10.in-addr.arpa", "5.80.10.in-addr.arpa"}));
}

TEST_F(SiteTest, WritesTheScriptOfALeanNode) {
  Site made = site();
  const ScriptAnswer answer = made.script(by_mac("52-54-00-77-00-01"));
  EXPECT_EQ(answer.outcome, ScriptOutcome::known);
  EXPECT_EQ(answer.node, "n1");
  EXPECT_EQ(answer.mac, "52:54:00:77:00:01");
  EXPECT_EQ(answer.once, WallTime{});
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  EXPECT_EQ(
      answer.text,
      "#!ipxe\n# n1: lean mode, image lean " + std::string(64, 'd') +
          "\necho\necho Drover: n1 boots lean (lean mode, Linux 6.1.0-56)\n"
          "iseq ${buildarch} arm64 && goto wrong_arch ||\n"
          "kernel --name kernel http://10.77.0.1:8080/boot/blobs/" +
          a +
          " initrd=initrd0 drover.node=n1 drover.mode=lean drover.boot=10.77.0.1:8443"
          " drover.http=http://10.77.0.1:8080 drover.ca=" +
          std::string(64, 'f') +
          " drover.token=tok drover.mac=52:54:00:77:00:01 drover.ip=10.77.0.11/24"
          " drover.gw=10.77.0.254 drover.ns=10.77.0.1 drover.domain=cluster.test drover.mtu=1500"
          " drover.log=10.77.0.1:6666 xname=x1000c0s0b0n0 nid=1"
          " console=tty0 console=ttyS0,115200n8 || goto boot_retry\n"
          "initrd --name initrd0 http://10.77.0.1:8080/boot/blobs/" +
          b +
          " || goto boot_retry\n"
          "boot || goto boot_retry\n\n"
          ":boot_retry\n"
          "echo Drover: n1 could not fetch or start it (error ${errno}, see "
          "https://ipxe.org/err/)\n"
          "goto boot_again\n\n"
          ":wrong_arch\n"
          "echo Drover: n1 cannot run the image lean, which is for x86_64; this is ${buildarch}\n"
          "goto boot_again\n\n"
          ":boot_again\n"
          "echo Drover: 0 tries before this one; asking again in 1 s\n"
          "imgfree\nsleep 1\n"
          "chain --replace --autofree http://10.77.0.1:8080/boot/v1/bootscript?"
          "mac=52:54:00:77:00:01&retry=1 || goto boot_again\n");
}

TEST_F(SiteTest, WritesTheScriptOfAnImageNodeAndAsksLaterAndLater) {
  Site made = site();
  ScriptRequest request = by_mac("52:54:00:77:00:02");
  request.tries = 3;
  const ScriptAnswer answer = made.script(request);
  EXPECT_EQ(answer.outcome, ScriptOutcome::known);
  for (const char* part :
       {"drover.mode=image", "initrd=initrd0 initrd=initrd1", "initrd --name initrd1",
        "BOOTIF=01-52-54-00-77-00-02", " iommu=pt ||", "sleep 8\n", "retry=4"}) {
    EXPECT_NE(answer.text.find(part), std::string::npos) << part << "\n" << answer.text;
  }
  EXPECT_NE(answer.text.find("drover.root=" + std::string(64, 'c')), std::string::npos);

  request.loader = script::Loader::grub;
  const ScriptAnswer grub = made.script(request);
  EXPECT_NE(grub.text.find("linux '(tftp,10.77.0.1)/boot/blobs/" + std::string(64, 'a') +
                           "' 'initrd=initrd0' 'initrd=initrd1' 'drover.node=n2'"),
            std::string::npos)
      << grub.text;
  EXPECT_NE(grub.text.find("initrd '(tftp,10.77.0.1)/boot/blobs/" + std::string(64, 'b')),
            std::string::npos);
}

TEST_F(SiteTest, FindsTheNodeByNameNidAndXname) {
  Site made = site();
  ScriptRequest request;
  request.name = "n2";
  EXPECT_EQ(made.script(request).node, "n2");
  request = {};
  request.nid = "1";
  EXPECT_EQ(made.script(request).node, "n1");
  request = {};
  request.xname = "x1000c0s0b0n0";
  EXPECT_EQ(made.script(request).node, "n1");
  request = {};
  EXPECT_EQ(made.script(request).outcome, ScriptOutcome::bad);
  request.mac = "not a mac";
  EXPECT_EQ(made.script(request).outcome, ScriptOutcome::bad);
  request = {};
  request.nid = "1x";
  EXPECT_EQ(made.script(request).outcome, ScriptOutcome::bad);
  EXPECT_EQ(made.script(by_mac("52:54:00:78:00:01")).outcome, ScriptOutcome::unknown)
      << "a BMC boots nothing";
}

TEST_F(SiteTest, ShowsAnUnknownMachineItsAddressAndAsksAgain) {
  const ScriptAnswer answer = site().script(by_mac("52:54:00:99:00:01"));
  EXPECT_EQ(answer.outcome, ScriptOutcome::unknown);
  EXPECT_EQ(answer.node, "");
  EXPECT_NE(answer.text.find("drover node add NAME eth0.mac=52:54:00:99:00:01\n"),
            std::string::npos)
      << answer.text;
  EXPECT_NE(answer.text.find("chain --replace --autofree http://10.77.0.1:8080/boot/v1/bootscript?"
                             "mac=52:54:00:99:00:01&retry=1&arch=${buildarch} || goto boot_again"),
            std::string::npos)
      << answer.text;
}

TEST_F(SiteTest, SaysWhyANodeCannotBoot) {
  cluster.commit({{"node/n2", TestCluster::node("n2", R"({"attributes":{"image":"n${number}one"},
           "interfaces":[{"name":"eth0","mac":"52:54:00:77:00:02","addresses":["10.77.0.210/24"]}]})")}});
  const ScriptAnswer answer = site().script(by_mac("52:54:00:77:00:02"));
  EXPECT_EQ(answer.outcome, ScriptOutcome::refused);
  EXPECT_EQ(answer.node, "n2");
  EXPECT_EQ(answer.why, "there is no image 'n2one'");
  EXPECT_NE(answer.text.find("echo Drover: n2 cannot boot: there is no image \"n2one\"\n"),
            std::string::npos)
      << answer.text;
  cluster.commit({{"profile/default", ""}});
  const ScriptAnswer none = site().script(by_mac("52:54:00:77:00:01"));
  EXPECT_EQ(none.why, "the node has no image");
}

TEST_F(SiteTest, ExplainsEveryValue) {
  const auto plan = site().plan("n2");
  ASSERT_TRUE(plan);
  const auto origin = [&](std::string_view name) {
    const auto it = std::ranges::find(plan->values, name, &PlanValue::name);
    return it == plan->values.end() ? "absent" : it->value + " by " + it->origin;
  };
  EXPECT_EQ(origin("image"), "rocky by profile gpu of node");
  EXPECT_EQ(origin("mode"), "image by built in: image rocky has a root");
  EXPECT_EQ(origin("drover.ip"), "10.77.0.210/24 by interface eth0");
  EXPECT_EQ(origin("drover.gw"), "10.77.0.254 by network boot");
  EXPECT_EQ(origin("kernel_args"), "iommu=pt by profile gpu of node");
  EXPECT_EQ(origin("console"), "ttyS0,115200n8 by profile default");
  EXPECT_EQ(site().plan("n9").error().code, Code::not_found);
}

TEST_F(SiteTest, BootsOnceWhatWasSaid) {
  Site made = site();
  made.refresh(cluster.commit(
      {{"boot-next/n2",
        R"({"node":"n2","image":"lean","mode":"lean","asked":"2026-01-02T03:04:05.678Z"})"}}));
  const ScriptAnswer once = made.script(by_mac("52:54:00:77:00:02"));
  EXPECT_EQ(once.once, from_unix_ms(1767323045678));
  EXPECT_NE(once.text.find("n2 boots lean (lean mode"), std::string::npos) << once.text;
  made.refresh(cluster.commit({{"boot-next/n2", ""}}));
  const ScriptAnswer after = made.script(by_mac("52:54:00:77:00:02"));
  EXPECT_EQ(after.once, WallTime{});
  EXPECT_NE(after.text.find("n2 boots rocky (image mode"), std::string::npos);

  // A profile is stronger than the node's own words, in what it says.
  cluster.commit(
      {{"profile/test", R"({"name":"test","inherits":["base"],"attributes":{"boot_mode":"lean"}})"},
       {"profile/base", R"({"name":"base","attributes":{"image":"lean"}})"},
       {"boot-next/n2", R"({"node":"n2","profile":"test"})"}});
  const auto plan = site().plan("n2");
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->image.name, "lean");
  EXPECT_EQ(plan->mode, cluster::BootMode::lean);
  EXPECT_NE(plan->args.find("iommu=pt"), std::string::npos) << "what it does not say stays";
}

TEST_F(SiteTest, FollowsChangesOfTheModel) {
  Site made = site();
  const std::string moved = TestCluster::node(
      "n2",
      R"({"interfaces":[{"name":"eth0","mac":"52:54:00:77:00:22","addresses":["10.77.0.220/24"]}]})");
  const Refreshed one = made.refresh(cluster.commit({{"node/n2", moved}}));
  EXPECT_FALSE(one.networks);
  EXPECT_EQ(one.machines, 1U);
  EXPECT_EQ(one.reserved, std::vector{*Ipv4::parse("10.77.0.220")});
  EXPECT_EQ(one.freed, std::vector{*Ipv4::parse("10.77.0.210")});
  EXPECT_EQ(made.by_hardware(hardware("52:54:00:77:00:02")), nullptr);
  ASSERT_NE(made.by_hardware(hardware("52:54:00:77:00:22")), nullptr);
  EXPECT_EQ(made.hosts().find(dns::reverse_name(*Ipv4::parse("10.77.0.210"))), nullptr);

  // The same MAC goes from one node to another in one commit.
  const Refreshed swap = made.refresh(
      cluster.commit({{"node/n9", moved.substr(0, 9) + "n9" + moved.substr(11)}, {"node/n2", ""}}));
  EXPECT_EQ(swap.machines, 2U);
  EXPECT_TRUE(swap.freed.empty());
  ASSERT_NE(made.by_hardware(hardware("52:54:00:77:00:22")), nullptr);
  EXPECT_EQ(made.by_hardware(hardware("52:54:00:77:00:22"))->name, "n9");

  // A profile changes what is booted; a network, what all are told.
  EXPECT_EQ(made.script(by_mac("52:54:00:77:00:01")).outcome, ScriptOutcome::known);
  made.refresh(cluster.commit({{"profile/default", R"({"name":"default"})"}}));
  EXPECT_EQ(made.script(by_mac("52:54:00:77:00:01")).outcome, ScriptOutcome::refused);
  EXPECT_TRUE(made.refresh(cluster.commit({{"network/boot", ""}})).networks);
  EXPECT_EQ(made.dhcp_config().subnets.size(), 1U);
  EXPECT_TRUE(made.reserved().empty());
}

TEST_F(SiteTest, TakesNothingThatALoaderWouldChange) {
  for (const char* args : {"a=$${x}", "a || b", "a='b'", "a && b"}) {
    cluster.commit(
        {{"node/n1",
          TestCluster::node(
              "n1",
              fmt::format(
                  R"({{"attributes":{{"kernel_args":"{}"}},"interfaces":[{{"name":"e","mac":"52:54:00:77:00:01"}}]}})",
                  args))}});
    const ScriptAnswer answer = site().script(by_mac("52:54:00:77:00:01"));
    EXPECT_EQ(answer.outcome, ScriptOutcome::refused) << args;
    EXPECT_NE(answer.text.find("n1 cannot boot: kernel_args: "), std::string::npos) << answer.text;
    EXPECT_EQ(answer.text.find("||"), answer.text.find("|| goto boot_again")) << answer.text;
  }
}

TEST_F(SiteTest, KnowsMachinesByInfinibandGuidAndSwitchPort) {
  cluster.commit(
      {{"node/n1", TestCluster::node("n1", R"({"attributes":{"switch_port":"sw1/Eth7,Eth1"},
         "interfaces":[{"name":"ib0","mac":"80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:31:78:f2",
                        "addresses":["10.77.0.11"]}]})")}});
  Site made = site();
  const std::string id("\xff\0\0\0\0\0\x02\0\0\x02\xc9\0\0\x02\xc9\x03\0\x31\x78\xf2", 20);
  ASSERT_NE(made.by_client_id(id), nullptr);
  EXPECT_EQ(made.by_client_id(id)->name, "n1");
  EXPECT_EQ(made.by_client_id("short"), nullptr);
  EXPECT_TRUE(made.by_client_id(id)->at_port) << "and is answered there alone";
  ASSERT_NE(made.by_port("Eth7", "sw1"), nullptr);
  ASSERT_NE(made.by_port("Eth1", "any"), nullptr);
  EXPECT_EQ(made.by_port("Eth7", "sw2"), nullptr);
}

TEST_F(SiteTest, AMachineOfASwitchPortSaysItsMacItself) {
  cluster.commit({{"node/n1", TestCluster::node("n1", R"({"attributes":{"switch_port":"Eth1"},
         "interfaces":[{"name":"eth0","addresses":["10.77.0.11/24"]}]})")}});
  Site made = site();
  ASSERT_NE(made.by_port("Eth1", ""), nullptr);
  EXPECT_EQ(made.by_port("Eth1", "")->script,
            "http://{server}:8080/boot/v1/bootscript?name=n1&mac=${netX/mac}");
  ScriptRequest request = by_mac("52:54:00:77:00:99");
  EXPECT_EQ(made.script(request).outcome, ScriptOutcome::unknown);
  request.name = "n1";
  const ScriptAnswer answer = made.script(request);
  EXPECT_EQ(answer.outcome, ScriptOutcome::known);
  EXPECT_EQ(answer.node, "n1");
  EXPECT_EQ(answer.mac, "52:54:00:77:00:99");
  EXPECT_NE(answer.text.find(" drover.mac=52:54:00:77:00:99 "), std::string::npos) << answer.text;
  EXPECT_NE(answer.text.find("bootscript?name=n1&mac=52:54:00:77:00:99&retry=1"), std::string::npos)
      << answer.text;
  // A node with a MAC of its own is no stranger's for its name.
  cluster.commit({{"node/n1", TestCluster::node("n1", R"({"interfaces":[{"name":"eth0",
         "mac":"52:54:00:77:00:01","addresses":["10.77.0.11/24"]}]})")}});
  EXPECT_EQ(site().script(request).outcome, ScriptOutcome::unknown);
}

TEST_F(SiteTest, BootsFromItsOwnDiskAndThroughShim) {
  cluster.commit({{"profile/default",
                   R"({"name":"default","attributes":{"boot":"disk","boot_loader":"grub"}})"}});
  Site made = site();
  EXPECT_EQ(made.by_hardware(hardware("52:54:00:77:00:01"))->loader, "shimx64.efi");
  const ScriptAnswer answer = made.script(by_mac("52:54:00:77:00:01"));
  EXPECT_EQ(answer.outcome, ScriptOutcome::known);
  EXPECT_NE(answer.text.find("sanboot --no-describe --drive 0x80"), std::string::npos);
}

TEST_F(SiteTest, RendersTheSitesOwnTemplateByInheritance) {
  cluster.commit(
      {{"profile/base",
        R"({"name":"base","attributes":{"x.menu":"blue","boot_template":)"
        R"("#!ipxe\ncolour {{attr.x.menu}} ${net0/mac}\n{{if attr.x.none}}\nnever\n{{end}}\nkernel {{kernel.url}} {{args}}\n"}})"},
       {"profile/gpu", R"({"name":"gpu","inherits":["base"],"attributes":{"image":"rocky"}})"}});
  Site made = site();
  const ScriptAnswer answer = made.script(by_mac("52:54:00:77:00:02"));
  EXPECT_EQ(answer.outcome, ScriptOutcome::known) << answer.why;
  EXPECT_TRUE(answer.text.starts_with("#!ipxe\ncolour blue ${net0/mac}\nkernel http://10.77.0.1:"))
      << answer.text;
  const auto plan = made.plan("n2");
  ASSERT_TRUE(plan);
  const auto origin = std::ranges::find(plan->values, "template", &PlanValue::name);
  ASSERT_NE(origin, plan->values.end());
  EXPECT_EQ(origin->value + " by " + origin->origin,
            "boot_template by profile base of profile gpu");
  // Another loader's script is the built-in one.
  ScriptRequest grub = by_mac("52:54:00:77:00:02");
  grub.loader = script::Loader::grub;
  EXPECT_NE(made.script(grub).text.find("linux '(tftp,"), std::string::npos);

  // What has no value outside of {{if}} is a reason not to boot, said on the machine's screen.
  cluster.commit({{"profile/base", R"({"name":"base","attributes":{"boot_template":)"
                                   R"("#!ipxe\n# {{name}}\necho {{attr.x.menu}}\n"}})"}});
  const ScriptAnswer refused = site().script(by_mac("52:54:00:77:00:02"));
  EXPECT_EQ(refused.outcome, ScriptOutcome::refused);
  EXPECT_EQ(refused.why, "template boot_template, line 3: attr.x.menu has no value");
  cluster.commit(
      {{"profile/base", R"({"name":"base","attributes":{"x.menu":"a || b","boot_template":)"
                        R"("#!ipxe\necho {{attr.x.menu}}\n"}})"}});
  EXPECT_EQ(site().script(by_mac("52:54:00:77:00:02")).outcome, ScriptOutcome::refused);
}

TEST(SiteSpeed, TenThousandNodesAreReadySoon) {
  TestCluster cluster;
  std::vector<std::pair<std::string, std::string>> objects{
      {"network/boot", R"({"name":"boot","prefix":"10.0.0.0/8","gateway":"10.255.255.254"})"},
      {"profile/default", R"({"name":"default","attributes":{"image":"rocky"}})"}};
  for (int i = 0; i < 10'000; ++i) {
    objects.emplace_back(
        fmt::format("node/n{}", i),
        TestCluster::node(
            fmt::format("n{}", i),
            fmt::format(R"({{"interfaces":[{{"name":"eth0",)"
                        R"("mac":"02:00:00:00:{:02x}:{:02x}",)"
                        R"("addresses":["10.1.${{number/256}}.${{number%256}}"]}}]}})",
                        i / 256, i % 256)));
  }
  cluster.commit(objects);
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto ms = [](auto from, auto to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
  };
  const auto start = now();
  Site site(cluster.model, cluster.images, {});
  const auto built = now();
  std::vector<std::string> macs;
  for (int i = 0; i < 10'000; ++i) {
    macs.push_back(fmt::format("02:00:00:00:{:02x}:{:02x}", i / 256, i % 256));
  }
  const auto ask = [&] {
    size_t known = 0;
    for (const std::string& mac : macs) {
      ScriptRequest request;
      request.mac = mac;
      request.server = "10.0.0.1";
      request.token = "abcdefghijklmnopqrstuvwxyz234567";
      known += site.script(request).outcome == ScriptOutcome::known ? 1U : 0U;
    }
    EXPECT_EQ(known, macs.size());
  };
  const auto first = now();
  ask();
  const auto second = now();
  ask();
  const auto done = now();
  fmt::print("10,000 nodes: ready in {:.0f} ms, first scripts {:.0f}/ms, again {:.0f}/ms\n",
             ms(start, built), 10'000 / ms(first, second), 10'000 / ms(second, done));
  EXPECT_LT(ms(start, built), 5'000) << "far above what any machine needs: see ./dev bench";
}

}  // namespace
}  // namespace drover::boot

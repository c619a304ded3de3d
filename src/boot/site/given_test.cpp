// Kernels by URL: the script to the letter, whose word counts, and machines that are no nodes.
#include "boot/site/given.hpp"

#include "boot/site/test_site.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::boot {
namespace {

using test::TestCluster;

std::string profile(const std::string& name, const std::string& attributes) {
  return fmt::format(R"({{"name":"{}","attributes":{{{}}}}})", name, attributes);
}

class GivenTest : public ::testing::Test {
 protected:
  GivenTest() {
    cluster.commit({{"profile/default", profile("default", R"("image":"lean")")},
                    {"node/n1", TestCluster::node("n1", R"({"nid":1,"aliases":["x1000c0s0b0n0"],
            "interfaces":[{"name":"eth0","mac":"52:54:00:77:00:01"}],
            "attributes":{"kernel":"http://h/k?a=1&b=2","initrd":"http://h/i",
                          "kernel_args":"root=live:http://h/r?x&y initrd=old nid=7"}})")},
                    {"node/n2", TestCluster::node("n2", R"({"aliases":["x1000c0s0b0n1"],
            "interfaces":[{"name":"eth0","mac":"52:54:00:77:00:02"}]})")}});
  }
  std::string ask(std::string_view mac, std::string_view arch = "", uint32_t tries = 0) {
    Site site(cluster.model, cluster.images, {});
    ScriptRequest request;
    request.mac = mac;
    request.arch = arch;
    request.tries = tries;
    request.server = "10.77.0.1";
    request.token = "tok";
    return site.script(request).text;
  }
  /// The line that loads the kernel.
  std::string kernel_line(std::string_view mac, std::string_view arch = "") {
    const std::string text = ask(mac, arch);
    const size_t at = text.find("kernel --name");
    return at == std::string::npos ? text : text.substr(at, text.find('\n', at) - at);
  }
  TestCluster cluster;
};

constexpr std::string_view kDs = "ds=nocloud-net;s=http://10.77.0.1:8080/cloud-init/";

TEST_F(GivenTest, TheScriptIsThatOfBssToTheLetter) {
  EXPECT_EQ(ask("52:54:00:77:00:01", "", 2),
            "#!ipxe\n"
            "kernel --name kernel http://h/k?a=1&b=2 initrd=initrd root=live:http://h/r?x&y nid=7 "
            "xname=x1000c0s0b0n0 BOOTIF=01-52-54-00-77-00-01 "
            "ds=nocloud-net;s=http://10.77.0.1:8080/cloud-init/ || goto boot_retry\n"
            "initrd --name initrd http://h/i || goto boot_retry\n"
            "boot || goto boot_retry\n"
            "\n"
            ":boot_retry\n"
            "imgfree\n"
            "sleep 4\n"
            "chain --replace --autofree "
            "http://10.77.0.1:8080/boot/v1/bootscript?mac=52:54:00:77:00:01&retry=3 "
            "|| goto boot_retry\n"
            "\n");
}

TEST_F(GivenTest, TheStrongerOfImageAndKernelCounts) {
  const auto boots_image = [&] {
    return ask("52:54:00:77:00:02").find("/boot/blobs/") != std::string::npos;
  };
  EXPECT_TRUE(boots_image());
  cluster.commit(
      {{"profile/default", profile("default", R"("kernel":"http://h/d","kernel_args":"quiet")")}});
  EXPECT_EQ(kernel_line("52:54:00:77:00:02"),
            fmt::format("kernel --name kernel http://h/d quiet xname=x1000c0s0b0n1 "
                        "BOOTIF=01-52-54-00-77-00-02 {} || goto boot_retry",
                        kDs));
  cluster.commit({{"group/g", R"({"name":"g","nodes":"n2","attributes":{"image":"lean"}})"}});
  EXPECT_TRUE(boots_image()) << "a group is stronger than the default";
  cluster.commit(
      {{"group/g", R"({"name":"g","nodes":"n2","attributes":{"kernel":"http://h/g"}})"}});
  EXPECT_EQ(kernel_line("52:54:00:77:00:02"),
            fmt::format("kernel --name kernel http://h/g xname=x1000c0s0b0n1 "
                        "BOOTIF=01-52-54-00-77-00-02 {} || goto boot_retry",
                        kDs))
      << "the arguments of another kernel are not its";
}

TEST_F(GivenTest, AMachineThatIsNoNodeBootsWhatIsSaidOfIt) {
  const std::string mac = "52:54:00:99:00:01";
  EXPECT_NE(ask(mac, "x86_64").find("no node is known"), std::string::npos);
  cluster.commit({{"profile/default", profile("default", R"("kernel":"http://h/d")")}});
  EXPECT_NE(ask(mac, "x86_64").find("no node is known"), std::string::npos)
      << "the default is for nodes";
  cluster.commit({{"profile/unknown-x86_64",
                   profile("unknown-x86_64", R"("kernel":"http://h/u","initrd":"http://h/ui")")}});
  const std::string any = fmt::format(
      "kernel --name kernel http://h/u initrd=initrd BOOTIF=01-52-54-00-99-00-01 {} "
      "|| goto boot_retry",
      kDs);
  EXPECT_EQ(kernel_line(mac, "x86_64"), any);
  EXPECT_EQ(kernel_line(mac, "i386"), any);
  EXPECT_NE(ask(mac, "arm64").find("no node is known"), std::string::npos);
  EXPECT_NE(ask(mac).find("&arch=${buildarch}"), std::string::npos) << "it is asked what it is";
  cluster.commit({{"profile/bss.mac.525400990001",
                   profile("bss.mac.525400990001", R"("kernel":"http://h/m")")}});
  EXPECT_NE(kernel_line(mac).find("http://h/m "), std::string::npos);
  EXPECT_NE(ask(mac).find("?mac=52:54:00:99:00:01&retry=1"), std::string::npos);
}

TEST_F(GivenTest, WhatWasSaidOfAMachineHoldsWhenItBecomesANode) {
  cluster.commit({{"profile/default", profile("default", R"("kernel":"http://h/d")")},
                  {"profile/bss.mac.525400770002",
                   profile("bss.mac.525400770002", R"("kernel":"http://h/m")")}});
  EXPECT_NE(kernel_line("52:54:00:77:00:02").find("http://h/m "), std::string::npos);
  EXPECT_NE(kernel_line("52:54:00:77:00:01").find("http://h/k"), std::string::npos);
}

TEST_F(GivenTest, OfSuchABootNothingMoreIsSeenHere) {
  Site site(cluster.model, cluster.images, {});
  ScriptRequest request;
  request.mac = "52:54:00:77:00:01";
  EXPECT_TRUE(site.script(request).elsewhere);
  request.mac = "52:54:00:77:00:02";
  EXPECT_FALSE(site.script(request).elsewhere);
}

TEST_F(GivenTest, WhatNoLoaderCanFetchIsRefusedInWords) {
  for (const char* url : {"s3://b/k", "http://h/k || shell", "http://h/${net0/mac}"}) {
    cluster.commit({{"profile/bss.mac.525400990001",
                     profile("bss.mac.525400990001", fmt::format(R"("kernel":"{}")", url))}});
    const std::string text = ask("52:54:00:99:00:01");
    EXPECT_NE(text.find("cannot boot:"), std::string::npos) << text;
    EXPECT_EQ(text.find("kernel --name"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace drover::boot

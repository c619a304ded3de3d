// The index of a kernel's modules: names, devices, the order of loading, and damaged files.
#include "os/kernel_modules.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

constexpr std::string_view kDep =
    "kernel/drivers/virtio/virtio_ring.ko:\n"
    "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko\n"
    "kernel/net/core/failover.ko.xz:\n"
    "kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko.xz\n"
    "kernel/drivers/net/virtio-net.ko: kernel/drivers/net/net_failover.ko "
    "kernel/net/core/failover.ko.xz kernel/drivers/virtio/virtio.ko "
    "kernel/drivers/virtio/virtio_ring.ko\n"
    "kernel/lib/libcrc32c.ko:\n"
    "kernel/crypto/crc32c_generic.ko:\n";
constexpr std::string_view kAlias =
    "# Aliases extracted from modules themselves.\n"
    "alias virtio:d00000001v* virtio_net\n"
    "alias pci:v00008086d00001[0-5]72sv*sd*bc*sc*i* i40e\n"
    "alias crc32c crc32c_generic\n"
    "alias broken\n";

ModuleIndex index() {
  return ModuleIndex::parse(
      {kDep, kAlias, "kernel/fs/ext4/ext4.ko\n", "softdep libcrc32c pre: crc32c post: other\n"});
}

TEST(KernelModulesTest, WhatIsNeededIsLoadedFirst) {
  const auto order = index().load_order("virtio_net");
  ASSERT_TRUE(order) << order.error().text();
  EXPECT_EQ(*order, (std::vector<std::string>{
                        "kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko",
                        "kernel/net/core/failover.ko.xz", "kernel/drivers/net/net_failover.ko",
                        "kernel/drivers/net/virtio-net.ko"}));
}

TEST(KernelModulesTest, SoftDependenciesAreFoundByTheirAlias) {
  EXPECT_EQ(
      *index().load_order("libcrc32c"),
      (std::vector<std::string>{"kernel/crypto/crc32c_generic.ko", "kernel/lib/libcrc32c.ko"}));
}

TEST(KernelModulesTest, DashesAndUnderscoresAreTheSame) {
  const ModuleIndex all = index();
  ASSERT_NE(all.find("virtio-net"), nullptr);
  EXPECT_EQ(all.find("virtio-net"), all.find("virtio_net"));
  EXPECT_EQ(all.find("virtio-net")->name, "virtio_net");
  EXPECT_EQ(module_name("kernel/a-b/c-d.ko.zst"), "c_d");
}

TEST(KernelModulesTest, BuiltInNeedsNoLoadingAndUnknownIsSaid) {
  const auto ext4 = index().load_order("ext4");
  ASSERT_TRUE(ext4);
  EXPECT_TRUE(ext4->empty());
  const auto none = index().load_order("nonesuch");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
  EXPECT_NE(none.error().message.find("nonesuch"), std::string::npos);
}

TEST(KernelModulesTest, DevicesFindTheirModules) {
  EXPECT_EQ(index().for_device("virtio:d00000001v00001AF4"),
            std::vector<std::string>{"virtio_net"});
  EXPECT_EQ(index().for_device("pci:v00008086d00001572sv00008086sd00000000bc02sc00i00"),
            std::vector<std::string>{"i40e"});
  EXPECT_TRUE(index().for_device("pci:v00008086d00001972sv0sd0bc02sc00i00").empty());
  EXPECT_TRUE(index().for_device("").empty());
}

TEST(KernelModulesTest, PatternsAsFnmatch) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a*b*c", "axxbyyc"));
  EXPECT_FALSE(glob_match("a*b*c", "axxbyy"));
  EXPECT_TRUE(glob_match("[!a]?", "bc"));
  EXPECT_FALSE(glob_match("[!a]?", "ac"));
  EXPECT_TRUE(glob_match("[]]", "]"));
  EXPECT_TRUE(glob_match("[a", "[a")) << "a bracket that is never closed stands for itself";
  EXPECT_FALSE(glob_match("", "a"));
  // Exponential in a naive matcher.
  EXPECT_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST(KernelModulesTest, CirclesAndNonsenseEnd) {
  const auto circle = ModuleIndex::parse({"a.ko: b.ko\nb.ko: a.ko\n:\nnot a line\n",
                                          "alias a a\n",
                                          {},
                                          "softdep a pre: b\nsoftdep\n"});
  const auto order = circle.load_order("a");
  ASSERT_TRUE(order);
  EXPECT_EQ(*order, (std::vector<std::string>{"b.ko", "a.ko"}));
}

}  // namespace
}  // namespace drover::os

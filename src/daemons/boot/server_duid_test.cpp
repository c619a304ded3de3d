#include "daemons/boot/server_duid.hpp"

#include "boot/dhcp6/message.hpp"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

TEST(ServerDuid, IsDrawnOnceAndStays) {
  sim::World world{1};
  sim::SimDisk disk;
  sim::SimProcess process{world, {.name = "boot1", .host = "h1", .disk = &disk}};
  ASSERT_TRUE(disk.make_dirs("/state", 0700));
  const auto first = boot_duid(disk, process.random(), "/state");
  ASSERT_TRUE(first) << first.error().text();
  const auto duid = boot::dhcp6::read_duid(*first);
  ASSERT_TRUE(duid);
  EXPECT_EQ(duid->kind, 4);
  EXPECT_EQ(duid->uuid.size(), 16U);
  disk.crash(process.random());
  EXPECT_EQ(boot_duid(disk, process.random(), "/state").value(), *first) << "after a power cut too";
  ASSERT_TRUE(disk.make_dirs("/other", 0700));
  EXPECT_NE(boot_duid(disk, process.random(), "/other").value(), *first);
}

TEST(ServerDuid, AFileThatIsNoneIsNotOverwritten) {
  sim::World world{1};
  sim::SimDisk disk;
  sim::SimProcess process{world, {.name = "boot1", .host = "h1", .disk = &disk}};
  ASSERT_TRUE(disk.make_dirs("/state", 0700));
  for (const std::string bad : {"", "short\n", "zz000000000000000000000000000000\n",
                                "000000000000000000000000000000000000\n"}) {
    ASSERT_TRUE(disk.write_atomic("/state/duid", bad, 0600));
    const auto read = boot_duid(disk, process.random(), "/state");
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, Code::corrupt);
    EXPECT_EQ(disk.read_all("/state/duid").value(), bad);
  }
}

TEST(ServerDuid, TheKeyIsTheClusters) {
  const std::string ca = "00112233445566778899aabbccddeeff" + std::string(32, '0');
  const auto key = address_key(ca);
  EXPECT_EQ(key[0], 0x0011223344556677U);
  EXPECT_EQ(key[1], 0x8899aabbccddeeffU);
  EXPECT_EQ(address_key(""), (std::array<uint64_t, 2>{}));
}

}  // namespace
}  // namespace drover::daemons

#include "os/host_addresses.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

TEST(HostAddresses, TheDefaultRouteIsFound) {
  EXPECT_EQ(default_interface("Iface\tDestination\tGateway\n"
                              "ib0\t0000010A\t00000000\n"
                              "eth0\t00000000\t0100000A\n"
                              "eth1\t00000000\t0100000B\n"),
            "eth0");
  EXPECT_EQ(default_interface("Iface\tDestination\n"), "");
  EXPECT_EQ(default_interface(""), "");
  EXPECT_EQ(default_interface("Iface\neth0"), "");
}

TEST(HostAddresses, NeitherLoopbackNorLinkLocal) {
  for (const HostAddress& address : host_addresses()) {
    EXPECT_FALSE(address.interface.empty());
    EXPECT_EQ(address.v6, address.address.find(':') != std::string::npos) << address.address;
    EXPECT_FALSE(address.address.starts_with("127.")) << address.address;
    EXPECT_FALSE(address.address.starts_with("fe80")) << address.address;
    EXPECT_NE(address.address, "::1");
  }
}

}  // namespace
}  // namespace drover::os

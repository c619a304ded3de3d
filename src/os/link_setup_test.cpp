// Setting up an interface: the kernel itself says whether the messages are right, in a network
// namespace of the test's own.
#include "os/link_setup.hpp"

#include "os/test_folder.hpp"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>

namespace drover::os {
namespace {

std::string output_of(const char* command) {
  std::string out;
  FILE* pipe = ::popen(command, "r");
  std::array<char, 4096> buffer{};
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), got);
  }
  ::pclose(pipe);
  return out;
}

/// Runs in a child with a network of its own; its exit status says how it went.
template <typename Body>
int in_own_network(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(77);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(LinkSetupTest, TheKernelTakesAddressRouteAndSize) {
  const int rc = in_own_network([] {
    auto setup = LinkSetup::open();
    if (!setup) return 1;
    if (!setup->send(LinkMessages::up(1, 1400), "up")) return 2;
    const auto address = LinkMessages::address(1, "10.77.0.11", 24);
    if (!address || !setup->send(*address, "address")) return 3;
    if (!setup->send(*address, "address again")) return 4;
    const auto six = LinkMessages::address(1, "fd77::11", 64);
    if (!six || !setup->send(*six, "address")) return 5;
    const auto route = LinkMessages::default_route(1, "10.77.0.1");
    if (!route || !setup->send(*route, "route")) return 6;
    const std::string shown = output_of("ip addr show lo; ip route show");
    for (const char* part : {"mtu 1400", "10.77.0.11/24", "fd77::11/64", "default via 10.77.0.1"}) {
      if (shown.find(part) == std::string::npos) {
        std::fprintf(stderr, "no '%s' in %s\n", part, shown.c_str());
        return 7;
      }
    }
    const auto links = list_links();
    if (!links || links->empty()) return 8;
    // A gateway that no address reaches is refused with the kernel's reason.
    const auto far = LinkMessages::default_route(1, "192.0.2.1");
    const Status refused = setup->send(*far, "route to 192.0.2.1");
    return !refused && refused.error().context == "route to 192.0.2.1" ? 0 : 9;
  });
  if (rc == 77) GTEST_SKIP() << "no right to make a network namespace";
  EXPECT_EQ(rc, 0);
}

TEST(LinkSetupTest, WhatIsNoAddressIsRefused) {
  for (const std::string_view text :
       {"", "10.77.0", "10.77.0.256", "n1", "fd77::x", "10.0.0.1/8"}) {
    EXPECT_EQ(LinkMessages::address(1, text, 8).error().code, Code::invalid_argument) << text;
    EXPECT_FALSE(LinkMessages::default_route(1, text)) << text;
  }
  EXPECT_FALSE(LinkMessages::address(1, "10.0.0.1", 33));
  EXPECT_TRUE(LinkMessages::address(1, "10.0.0.1", 32));
  EXPECT_FALSE(LinkMessages::address(1, "fd77::1", 129));
}

TEST(LinkSetupTest, InterfacesAreReadFromSysfs) {
  const testing::TestFolder sys;
  sys.write("class/net/eth1/address", "52:54:00:00:00:02\n");
  sys.write("class/net/eth1/ifindex", "3\n");
  sys.write("class/net/eth0/address", "52:54:00:00:00:01\n");
  sys.write("class/net/eth0/ifindex", "2\n");
  sys.write("class/net/eth0/carrier", "1\n");
  sys.write("class/net/bonding_masters", "\n");
  const auto links = list_links(sys.path());
  ASSERT_TRUE(links);
  ASSERT_EQ(links->size(), 2U);
  EXPECT_EQ((*links)[0].name, "eth0");
  EXPECT_TRUE((*links)[0].carrier);
  EXPECT_EQ((*links)[1].mac, "52:54:00:00:00:02");
  EXPECT_EQ((*links)[1].index, 3);
  EXPECT_FALSE(list_links("/nonesuch"));
}

}  // namespace
}  // namespace drover::os

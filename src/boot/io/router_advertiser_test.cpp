// Router solicitations of firmware are answered at once, by "nothing here", and nothing else is.
#include "boot/io/router_advertiser.hpp"

#include "boot/test_support.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

namespace drover::boot::io {
namespace {

using boot::test::unhex;

net::InetAddress at(std::string_view text) {
  return *net::InetAddress::parse(text);
}
const std::string kSolicitation = unhex("85 00 0000 00000000 01 01 525400770002");

TEST(RouterAdvertisementTest, IsNoRouterAndGivesNoAddresses) {
  const auto plain = router_advertisement(false, {});
  EXPECT_EQ(boot::test::hex(plain.view()),
            "86000000"
            "4000"
            "0000"
            "00000000"
            "00000000");
  const auto managed = router_advertisement(true, net::MacAddress{0x52, 0x54, 0, 0x77, 1, 0});
  EXPECT_EQ(boot::test::hex(managed.view()),
            "86000000"
            "40c0"
            "0000"
            "00000000"
            "00000000"
            "0101525400770100");
}

TEST(RouterAdvertisementTest, NamesWhatIsOnTheLinkForNobodyToMakeAnAddressOf) {
  const std::vector<Prefix6> on_link{*Prefix6::parse("fd77::/64")};
  EXPECT_EQ(boot::test::hex(router_advertisement(true, {}, on_link).view()),
            "86000000"
            "40c0"
            "0000"
            "00000000"
            "00000000"
            "03044080"
            "ffffffffffffffff"
            "00000000"
            "fd770000000000000000000000000000");
  const std::vector<Prefix6> many(20, on_link[0]);
  const auto full = router_advertisement(true, net::MacAddress{}, many);
  EXPECT_EQ(full.size, full.bytes.size());
}

TEST(RouterAdvertisementTest, KnowsSolicitations) {
  const net::InetAddress host = at("fe80::2");
  EXPECT_TRUE(is_router_solicitation(kSolicitation, host));
  EXPECT_TRUE(is_router_solicitation(kSolicitation.substr(0, 8), at("::")));
  EXPECT_FALSE(is_router_solicitation(kSolicitation, at("::"))) << "RFC 4861 section 6.1.1";
  for (size_t size = 0; size < kSolicitation.size(); ++size) {
    EXPECT_EQ(is_router_solicitation(kSolicitation.substr(0, size), host), size == 8) << size;
  }
  EXPECT_FALSE(is_router_solicitation(unhex("85 01 0000 00000000"), host)) << "code";
  EXPECT_FALSE(is_router_solicitation(unhex("87 00 0000 00000000"), host)) << "type";
  EXPECT_FALSE(is_router_solicitation(unhex("85 00 0000 00000000 01 00"), host)) << "length 0";
}

class Host final : public net::DatagramHandler {
 public:
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) {
      got.emplace_back(it.bytes);
      from = it.from;
    }
  }
  std::vector<std::string> got;
  net::InetAddress from;
};

class RouterAdvertiserTest : public testing::Test {
 protected:
  RouterAdvertiserTest() {
    fabric.datagrams().attach("b", "boot", {0x52, 0x54, 0, 0x77, 1, 0}, "fe80::1/64");
    fabric.datagrams().attach("b", "office", {0x52, 0x54, 0, 0x77, 1, 1}, "fe80::1:1/64");
    fabric.datagrams().attach("n", "boot", {0x52, 0x54, 0, 0x77, 0, 2}, "fe80::2/64");
    net::DatagramOptions options;
    options.kind = net::DatagramOptions::Kind::icmp6;
    options.at = at("::");
    socket = node_net.open_datagrams(options, host).value();
    EXPECT_TRUE(socket->join(at("ff02::1"), 2));
  }
  void send(std::string_view bytes, std::string_view to = "ff02::2",
            std::string_view from = "fe80::2") {
    const net::OutgoingDatagram out{.head = bytes, .to = at(to), .from = at(from), .interface = 2};
    socket->send({&out, 1});
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(10)));
  }
  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimProcess server{world, {.name = "boot", .host = "b"}};
  sim::SimProcess node{world, {.name = "node", .host = "n"}};
  sim::SimNet server_net{fabric, server};
  sim::SimNet node_net{fabric, node};
  Host host;
  std::unique_ptr<net::DatagramSocket> socket;
};

TEST_F(RouterAdvertiserTest, AnswersAtOnceWhoeverAsksRight) {
  RouterAdvertiser service(server.executor(), server_net, server.log(), {});
  ASSERT_TRUE(service.start());
  send(kSolicitation);
  ASSERT_EQ(host.got.size(), 1U);
  EXPECT_EQ(host.got[0].size(), 24U);
  EXPECT_EQ(host.from.with_port(0), at("fe80::1"));
  send(kSolicitation.substr(0, 8), "ff02::2", "::");
  EXPECT_EQ(host.got.size(), 2U) << "to all, as the host has no address yet";
  send(kSolicitation.substr(0, 9));
  send("");
  EXPECT_EQ(host.got.size(), 2U);
  for (int i = 0; i < 500; ++i) send(kSolicitation);
  EXPECT_LT(host.got.size(), 300U) << "a flood is limited";
  EXPECT_EQ(service.answered(), host.got.size());
}

TEST_F(RouterAdvertiserTest, IsSilentWhereItIsOff) {
  RouterAdvertiserConfig config;
  config.enabled = false;
  RouterAdvertiser service(server.executor(), server_net, server.log(), config);
  ASSERT_TRUE(service.start());
  send(kSolicitation);
  config.enabled = true;
  config.interfaces = {"eth1"};
  ASSERT_TRUE(service.reconfigure(config));
  send(kSolicitation);
  EXPECT_TRUE(host.got.empty()) << "eth1 is another link";
  config.interfaces = {"eth0"};
  ASSERT_TRUE(service.reconfigure(config));
  send(kSolicitation);
  EXPECT_EQ(host.got.size(), 1U);
}

}  // namespace
}  // namespace drover::boot::io

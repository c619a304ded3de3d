// The DHCPv6 service in the simulator: groups, interfaces, relays, limits.
#include "boot/io/dhcp6_service.hpp"

#include "boot/dhcp6/test_messages.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

namespace drover::boot::io {
namespace {

using dhcp6::MessageType;
using dhcp6::MessageView;
using dhcp6::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

net::InetAddress at(std::string_view text) {
  return *net::InetAddress::parse(text);
}

class Client final : public net::DatagramHandler {
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

class Dhcp6ServiceTest : public testing::Test {
 protected:
  Dhcp6ServiceTest() {
    fabric.datagrams().attach("b", "boot", {0x52, 0x54, 0, 0x77, 1, 0}, "fd77::1/64");
    fabric.datagrams().attach("b", "office", {0x52, 0x54, 0, 0x77, 1, 1}, "fd99::1/64");
    fabric.datagrams().attach("n", "boot", {0x52, 0x54, 0, 0x77, 0, 1}, "fe80::5054:ff:fe77:1/64");
    fabric.datagrams().attach("o", "office", {0x52, 0x54, 0, 0x77, 0, 2},
                              "fe80::5054:ff:fe77:2/64");
    dhcp6::Reservation n1;
    n1.name = "n1";
    n1.addresses = {dhcp6::test::ip("fd77::113")};
    machines.all["hardware 52:54:00:77:00:01"] = n1;
    config.server.duid = dhcp6::test::kServer;
    dhcp6::Subnet subnet;
    subnet.prefix = *Prefix6::parse("fd77::/64");
    config.server.subnets = {subnet};
    config.server.rapid_commit = false;
  }
  void SetUp() override {
    service = std::make_unique<Dhcp6Service>(server.executor(), server_net, server.log(), config,
                                             machines);
    service->on_event([this](const Dhcp6Event& it) { outcomes.push_back(it.decision.outcome); });
    const Status started = service->start();
    ASSERT_TRUE(started) << started.error().text();
    net::DatagramOptions options;
    options.at = at("[::]:546");
    socket = node_net.open_datagrams(options, client).value();
    other_socket = other_net.open_datagrams(options, other).value();
  }
  static std::string solicit() {
    return dhcp6::test::message(
        MessageType::solicit,
        dhcp6::test::option(dhcp6::kClientId, dhcp6::test::kDuidLl) + dhcp6::test::association(7));
  }
  void send(net::DatagramSocket& by, std::string_view bytes, std::string_view to) {
    const net::OutgoingDatagram out{.head = bytes, .to = at(to), .interface = 2};
    by.send({&out, 1});
    ASSERT_TRUE(world.run_for(milliseconds(20)));
  }

  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimProcess server{world, {.name = "boot", .host = "b"}};
  sim::SimProcess node{world, {.name = "node", .host = "n"}};
  sim::SimProcess outsider{world, {.name = "other", .host = "o"}};
  sim::SimNet server_net{fabric, server};
  sim::SimNet node_net{fabric, node};
  sim::SimNet other_net{fabric, outsider};
  dhcp6::test::Machines machines;
  Dhcp6ServiceConfig config;
  std::unique_ptr<Dhcp6Service> service;
  Client client;
  Client other;
  std::unique_ptr<net::DatagramSocket> socket;
  std::unique_ptr<net::DatagramSocket> other_socket;
  std::vector<Outcome> outcomes;
};

TEST_F(Dhcp6ServiceTest, AdvertisesTheMachinesAddressToItsLinkLocalOne) {
  send(*socket, solicit(), "[ff02::1:2]:547");
  ASSERT_EQ(client.got.size(), 1U);
  const auto view = MessageView::parse(client.got[0]);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type, MessageType::advertise);
  EXPECT_NE(client.got[0].find(std::string(dhcp6::test::ip("fd77::113").view())),
            std::string::npos);
  EXPECT_EQ(client.from.port, 547);
  EXPECT_EQ(outcomes, std::vector{Outcome::reserved});
  EXPECT_EQ(service->stats().replied, 1U);
}

TEST_F(Dhcp6ServiceTest, KnowsClientsByTheInterfaceTheyComeInBy) {
  send(*other_socket, solicit(), "[ff02::1:2]:547");
  EXPECT_TRUE(other.got.empty());
  EXPECT_EQ(outcomes, std::vector{Outcome::no_subnet});
  config.interfaces = {"eth0"};
  ASSERT_TRUE(service->reconfigure(config));
  send(*other_socket, solicit(), "[ff02::1:2]:547");
  EXPECT_EQ(outcomes.size(), 1U) << "eth1 is not served at all";
  send(*socket, solicit(), "[ff02::1:2]:547");
  EXPECT_EQ(client.got.size(), 1U);
}

TEST_F(Dhcp6ServiceTest, AnswersRelaysWhereTheyAre) {
  fabric.datagrams().attach("r", "office", {0x52, 0x54, 0, 0x77, 0, 3}, "fd99::9/64");
  sim::SimProcess relay(world, {.name = "relay", .host = "r"});
  sim::SimNet relay_net(fabric, relay);
  Client seen;
  net::DatagramOptions options;
  options.at = at("[::]:547");
  const auto by = relay_net.open_datagrams(options, seen).value();
  send(*by, dhcp6::test::relayed(solicit(), "fd77::ff", "fe80::5054:ff:fe77:1"), "[fd99::1]:547");
  ASSERT_EQ(seen.got.size(), 1U);
  EXPECT_EQ(static_cast<MessageType>(seen.got[0][0]), MessageType::relay_reply);
}

TEST_F(Dhcp6ServiceTest, GarbageAndFloodsAreCutOff) {
  send(*socket, "", "[ff02::1:2]:547");
  send(*socket, std::string(200, '\xff'), "[ff02::1:2]:547");
  send(*socket, std::string(net::kMaxDatagram + 1, '\1'), "[ff02::1:2]:547");
  EXPECT_TRUE(client.got.empty());
  EXPECT_EQ(service->stats().unusable, 1U);
  const std::string message = solicit();
  const net::OutgoingDatagram out{.head = message, .to = at("[ff02::1:2]:547"), .interface = 2};
  for (int i = 0; i < 500; ++i) socket->send({&out, 1});
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_LE(client.got.size(), 80U);
  EXPECT_GT(service->stats().limited, 400U);
}

TEST_F(Dhcp6ServiceTest, FindsInterfacesThatComeLater) {
  fabric.datagrams().attach("b", "late", {0x52, 0x54, 0, 0x77, 1, 2}, "fd77::2/64");
  fabric.datagrams().attach("l", "late", {0x52, 0x54, 0, 0x77, 0, 4}, "fe80::5054:ff:fe77:4/64");
  sim::SimProcess late(world, {.name = "late", .host = "l"});
  sim::SimNet late_net(fabric, late);
  Client seen;
  net::DatagramOptions options;
  options.at = at("[::]:546");
  const auto by = late_net.open_datagrams(options, seen).value();
  send(*by, solicit(), "[ff02::1:2]:547");
  EXPECT_TRUE(seen.got.empty());
  ASSERT_TRUE(world.run_for(seconds(31)));
  send(*by, solicit(), "[ff02::1:2]:547");
  EXPECT_EQ(seen.got.size(), 1U);
}

TEST_F(Dhcp6ServiceTest, MayBeStoppedInItsCallback) {
  service->on_event([this](const Dhcp6Event&) { service->stop(); });
  send(*socket, solicit(), "[ff02::1:2]:547");
  EXPECT_TRUE(client.got.empty());
  service->on_event({});
  ASSERT_TRUE(service->start());
  send(*socket, solicit(), "[ff02::1:2]:547");
  EXPECT_EQ(client.got.size(), 1U);
}

}  // namespace
}  // namespace drover::boot::io

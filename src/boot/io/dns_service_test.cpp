// The name service in the simulator: UDP, TCP, addresses that come and go, limits.
#include "boot/io/dns_service.hpp"

#include "boot/dns/test_messages.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

namespace drover::boot::io {
namespace {

using dns::test::query;
using dns::test::Response;
using std::chrono::seconds;

net::InetAddress at(std::string_view text) {
  return *net::InetAddress::parse(text);
}

class Resolver final : public net::DatagramHandler, public net::StreamHandler {
 public:
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) {
      got.emplace_back(it.bytes);
      from = it.from;
    }
  }
  void on_data(std::string_view bytes) override { stream += bytes; }
  void on_closed(const Error& /*why*/) override { closed = true; }
  std::vector<std::string> got;
  net::InetAddress from;
  std::string stream;
  bool closed = false;
};

class DnsServiceTest : public testing::Test {
 protected:
  DnsServiceTest() {
    fabric.datagrams().attach("b", "boot", {2, 0, 0, 0, 0, 1}, "10.77.0.1/24");
    fabric.datagrams().attach("n", "boot", {2, 0, 0, 0, 0, 2}, "10.77.0.11/24");
    dns::Zone zone;
    zone.apex = dns::test::name("cluster.test");
    zone.soa.primary = dns::test::name("boot.cluster.test");
    zone.soa.mailbox = dns::test::name("root.cluster.test");
    zone.servers = {dns::test::name("boot.cluster.test")};
    config.zones = {zone};
    table.add_host(dns::test::name("n1.cluster.test"), {*Ipv4::parse("10.77.0.11")});
    std::vector<Ipv4> many;
    for (uint32_t i = 0; i < 200; ++i) many.push_back({0x0a4d0100 + i});
    table.add_host(dns::test::name("all.cluster.test"), many);
    net::DatagramOptions options;
    options.at = at("0.0.0.0:0");
    socket = node_net.open_datagrams(options, resolver).value();
  }
  void start() {
    service =
        std::make_unique<DnsService>(server.executor(), server_net, server.log(), config, table);
    const Status started = service->start();
    ASSERT_TRUE(started) << started.error().text();
  }
  std::string ask(const std::string& message) {
    const size_t before = resolver.got.size();
    const net::OutgoingDatagram out{.head = message, .to = at("10.77.0.1:53")};
    socket->send({&out, 1});
    EXPECT_TRUE(world.run_for(seconds(1)));
    return resolver.got.size() > before ? resolver.got.back() : "";
  }
  std::unique_ptr<net::Stream> connect() {
    std::unique_ptr<net::Stream> made;
    fabric.add_address("b", "10.77.0.1");
    connecting = node_net.connect({"10.77.0.1", 53, {}}, nullptr, seconds(5),
                                  [&](Result<std::unique_ptr<net::Stream>> it) {
                                    ASSERT_TRUE(it) << it.error().text();
                                    made = *std::move(it);
                                  });
    EXPECT_TRUE(world.run_until([&] { return made != nullptr; }, seconds(5)));
    made->set_handler(&resolver);
    return made;
  }
  static std::string framed(const std::string& message) {
    return dns::test::number16(static_cast<uint16_t>(message.size())) + message;
  }

  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimProcess server{world, {.name = "boot", .host = "b"}};
  sim::SimProcess node{world, {.name = "node", .host = "n"}};
  sim::SimNet server_net{fabric, server};
  sim::SimNet node_net{fabric, node};
  DnsServiceConfig config;
  dns::HostTable table;
  std::unique_ptr<DnsService> service;
  Resolver resolver;
  std::unique_ptr<net::DatagramSocket> socket;
  std::unique_ptr<net::Connecting> connecting;
};

TEST_F(DnsServiceTest, AnswersByUdpFromTheAddressThatWasAsked) {
  start();
  const Response answer(ask(query("n1.cluster.test", dns::kA)));
  EXPECT_EQ(answer.id, 0x1234);
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(answer.records[0].data, "10.77.0.11");
  EXPECT_EQ(resolver.from, at("10.77.0.1:53"));
  EXPECT_EQ(Response(ask(query("absent.cluster.test", dns::kA))).flags & 15, 3) << "NXDOMAIN";
  EXPECT_EQ(Response(ask(query("example.org", dns::kA))).flags & 15, 5) << "REFUSED";
  EXPECT_EQ(ask("x"), "") << "garbage";
  EXPECT_EQ(service->stats().outside, 1U);
  EXPECT_EQ(service->stats().queries, 4U);
  EXPECT_EQ(service->stats().malformed, 1U);
}

TEST_F(DnsServiceTest, WhatDoesNotFitIsAskedForByTcp) {
  start();
  const Response cut(ask(query("all.cluster.test", dns::kA)));
  EXPECT_NE(cut.flags & 0x0200, 0) << "truncated";
  const auto stream = connect();
  // Two queries in pieces of one byte, then both answers in their order.
  const std::string both =
      framed(query("all.cluster.test", dns::kA)) + framed(query("n1.cluster.test", dns::kA));
  for (const char c : both) stream->write({&c, 1});
  ASSERT_TRUE(world.run_for(seconds(1)));
  ASSERT_GT(resolver.stream.size(), 2U);
  Reader reader(resolver.stream);
  const Response all(reader.take(reader.u16()));
  EXPECT_EQ(all.records.size(), 200U);
  const Response one(reader.take(reader.u16()));
  EXPECT_EQ(one.records.size(), 1U);
  EXPECT_TRUE(reader.ok() && reader.empty());
  EXPECT_FALSE(resolver.closed);
  ASSERT_TRUE(world.run_for(seconds(15)));
  EXPECT_TRUE(resolver.closed) << "idle connections are closed";
}

TEST_F(DnsServiceTest, GarbageByTcpEndsTheConnectionAlone) {
  start();
  const auto bad = connect();
  bad->write(framed("x"));
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_TRUE(resolver.closed);
  EXPECT_NE(ask(query("n1.cluster.test", dns::kA)), "");
}

TEST_F(DnsServiceTest, ServesAtTheAddressesItIsTold) {
  start();
  EXPECT_EQ(service->bound(), std::vector{at("10.77.0.1:53")}) << "not loopback's";
  fabric.datagrams().attach("b", "other", {2, 0, 0, 0, 0, 3}, "10.78.0.1/24");
  config.interfaces = {"eth1"};
  ASSERT_TRUE(service->reconfigure(config));
  EXPECT_EQ(service->bound(), std::vector{at("10.78.0.1:53")});
  config.addresses = {at("127.0.0.1")};
  ASSERT_TRUE(service->reconfigure(config));
  EXPECT_EQ(service->bound(), std::vector{at("127.0.0.1:53")});
}

TEST_F(DnsServiceTest, SaysWhyItCannotServe) {
  config.interfaces = {"none"};
  service =
      std::make_unique<DnsService>(server.executor(), server_net, server.log(), config, table);
  EXPECT_FALSE(service->start());
  config.interfaces.clear();
  start();
  DnsService second(server.executor(), server_net, server.log(), config, table);
  const Status started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::already_exists);
}

TEST_F(DnsServiceTest, AFloodIsLimited) {
  config.rate = {10, 20};
  start();
  const std::string message = query("n1.cluster.test", dns::kA);
  const net::OutgoingDatagram out{.head = message, .to = at("10.77.0.1:53")};
  for (int i = 0; i < 500; ++i) socket->send({&out, 1});
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(resolver.got.size(), 20U);
  EXPECT_EQ(service->stats().limited, 480U);
}

}  // namespace
}  // namespace drover::boot::io

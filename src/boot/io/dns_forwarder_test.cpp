// Names of others in the simulator: a client, this server, two servers behind it that answer, lie,
// fail or are silent.
#include "boot/io/dns_forwarder.hpp"

#include "boot/dns/test_messages.hpp"
#include "boot/io/dns_service.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

#include <functional>
#include <set>

namespace drover::boot::io {
namespace {

using dns::test::number16;
using dns::test::query;
using dns::test::Response;
using std::chrono::milliseconds;
using std::chrono::seconds;

net::InetAddress at(std::string_view text) {
  return *net::InetAddress::parse(text);
}

/// Answers `query` with one address; `flags` of the header.
std::string address_answer(std::string_view message, uint16_t flags = 0x8180,
                           uint32_t value = 0x01020304) {
  const auto asked = dns::read_query(message);
  const std::string record = number16(0xc00c) + number16(dns::kA) + number16(1) + number16(0) +
                             number16(300) + number16(4) +
                             number16(static_cast<uint16_t>(value >> 16)) +
                             number16(static_cast<uint16_t>(value));
  return std::string(message.substr(0, 2)) + number16(flags) + number16(1) + number16(1) +
         number16(0) + number16(0) + std::string(asked->name.wire()) + number16(asked->type) +
         number16(asked->klass) + record;
}

/// A name server elsewhere.
class Upstream final : public net::DatagramHandler, public net::StreamHandler {
 public:
  using Answer = std::function<std::string(std::string_view)>;
  Upstream(sim::World& world, sim::Fabric& fabric, const std::string& host,
           const std::string& address)
      : process(world, {.name = host, .host = host}), net(fabric, process) {
    fabric.add_address(host, address);
    net::DatagramOptions options;
    options.at = at(address + ":53");
    socket = net.open_datagrams(options, *this).value();
    listener = net.listen(
                      {address, 53, {}}, [] { return std::shared_ptr<net::Security>(); },
                      [this](tl::expected<std::unique_ptr<net::Stream>, net::AcceptFailure> it) {
                        if (!it) return;
                        stream = *std::move(it);
                        stream->set_handler(this);
                      })
                   .value();
  }
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) {
      asked.emplace_back(it.bytes);
      ports.insert(it.from.port);
      client = it.from;
      say(by_udp ? by_udp(it.bytes) : "");
    }
  }
  void say(const std::string& answer) {
    if (answer.empty()) return;
    const net::OutgoingDatagram out{.head = answer, .to = client};
    socket->send({&out, 1});
  }
  void on_data(std::string_view bytes) override {
    const auto frame = dns::tcp_frame(bytes);
    if (!frame) return;
    ++tcp_asked;
    const std::string answer = by_tcp ? by_tcp(frame->message) : "";
    stream->write(number16(static_cast<uint16_t>(answer.size())) + answer);
  }
  void on_closed(const Error& /*why*/) override { stream.reset(); }

  sim::SimProcess process;
  sim::SimNet net;
  std::unique_ptr<net::DatagramSocket> socket;
  std::unique_ptr<net::Listener> listener;
  std::unique_ptr<net::Stream> stream;
  Answer by_udp = [](std::string_view message) { return address_answer(message); };
  Answer by_tcp = by_udp;
  std::vector<std::string> asked;
  std::set<uint16_t> ports;
  net::InetAddress client;
  int tcp_asked = 0;
};

class Resolver final : public net::DatagramHandler, public net::StreamHandler {
 public:
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) got.emplace_back(it.bytes);
  }
  void on_data(std::string_view bytes) override { stream += bytes; }
  void on_closed(const Error& /*why*/) override {}
  std::vector<std::string> got;
  std::string stream;
};

class DnsForwarderTest : public testing::Test {
 protected:
  DnsForwarderTest() {
    auto& links = fabric.datagrams();
    links.attach("b", "boot", {2, 0, 0, 0, 0, 1}, "10.77.0.1/24");
    links.attach("10.77.0.11", "boot", {2, 0, 0, 0, 0, 2}, "10.77.0.11/24");
    links.attach("b", "up", {2, 0, 0, 0, 0, 3}, "10.88.0.1/24");
    links.attach("u1", "up", {2, 0, 0, 0, 0, 4}, "10.88.0.2/24");
    links.attach("u2", "up", {2, 0, 0, 0, 0, 5}, "10.88.0.3/24");
    fabric.add_address("b", "10.77.0.1");
    first = std::make_unique<Upstream>(world, fabric, "u1", "10.88.0.2");
    second = std::make_unique<Upstream>(world, fabric, "u2", "10.88.0.3");
    config.interfaces = {"eth0"};
    config.clients4 = {*Prefix4::parse("10.77.0.0/24")};
    dns::Zone zone;
    zone.apex = dns::test::name("cluster.test");
    config.zones = {zone};
    forwarder.use({at("10.88.0.2:53"), at("10.88.0.3:53")});
    service.emplace(server.executor(), server_net, server.log(), config, table);
    service->forward_by(&forwarder);
    EXPECT_TRUE(service->start());
    net::DatagramOptions options;
    options.at = at("0.0.0.0:0");
    socket = node_net.open_datagrams(options, resolver).value();
  }
  std::string ask(const std::string& message, Duration wait = seconds(6)) {
    const size_t before = resolver.got.size();
    const net::OutgoingDatagram out{.head = message, .to = at("10.77.0.1:53")};
    socket->send({&out, 1});
    (void)world.run_until([&] { return resolver.got.size() > before; }, wait);
    return resolver.got.size() > before ? resolver.got.back() : "";
  }

  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimProcess server{world, {.name = "boot", .host = "b"}};
  sim::SimProcess node{world, {.name = "node", .host = "10.77.0.11"}};
  sim::SimNet server_net{fabric, server};
  sim::SimNet node_net{fabric, node};
  std::unique_ptr<Upstream> first;
  std::unique_ptr<Upstream> second;
  DnsServiceConfig config;
  dns::HostTable table;
  DnsForwarder forwarder{server.executor(), server_net, server.random(), server.log()};
  std::optional<DnsService> service;
  Resolver resolver;
  std::unique_ptr<net::DatagramSocket> socket;
};

TEST_F(DnsForwarderTest, AsksOnceAndRemembersForAsLongAsItMay) {
  const Response answer(ask(query("www.example.org", dns::kA)));
  EXPECT_EQ(answer.flags, 0x8180);
  EXPECT_EQ(answer.question, "www.example.org") << "as the client wrote it";
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(answer.records[0].data, "1.2.3.4");
  ASSERT_TRUE(world.run_for(seconds(100)));
  const Response again(ask(query("WWW.example.org", dns::kA)));
  ASSERT_EQ(again.records.size(), 1U);
  EXPECT_NEAR(again.records[0].ttl, 200, 1);
  EXPECT_EQ(first->asked.size(), 1U);
  ASSERT_TRUE(world.run_for(seconds(250)));
  EXPECT_EQ(Response(ask(query("www.example.org", dns::kA))).records.size(), 1U);
  EXPECT_EQ(first->asked.size(), 2U);
}

TEST_F(DnsForwarderTest, EveryQuestionHasItsOwnPortIdAndCase) {
  std::set<std::string> ids;
  std::set<std::string> cases;
  for (int i = 0; i < 40; ++i) {
    ASSERT_NE(
        ask(query("host" + std::to_string(i) + ".a-long-name-of-letters.example.org", dns::kA)),
        "");
    ids.insert(first->asked.back().substr(0, 2));
    cases.insert(first->asked.back().substr(20));
  }
  EXPECT_GT(ids.size(), 38U);
  EXPECT_GT(cases.size(), 38U);
  EXPECT_GT(first->ports.size(), 30U);
  EXPECT_TRUE(second->asked.empty());
}

TEST_F(DnsForwarderTest, IsOpenToNoOtherNetworkAndForNoOtherQuestion) {
  service->forward_by(&forwarder);
  config.clients4 = {*Prefix4::parse("10.99.0.0/24")};
  ASSERT_TRUE(service->reconfigure(config));
  EXPECT_EQ(Response(ask(query("example.org", dns::kA))).rcode(), 5) << "another network: REFUSED";
  config.clients4 = {*Prefix4::parse("10.77.0.0/24")};
  ASSERT_TRUE(service->reconfigure(config));
  dns::test::Asked alone;
  alone.flags = 0;
  EXPECT_EQ(Response(ask(query("example.org", dns::kA, alone))).rcode(), 5) << "not recursive";
  EXPECT_EQ(Response(ask(query("absent.cluster.test", dns::kA))).rcode(), 3) << "ours is ours";
  EXPECT_TRUE(first->asked.empty());
  forwarder.use({});
  EXPECT_EQ(Response(ask(query("example.org", dns::kA))).rcode(), 5) << "nobody to ask";
}

TEST_F(DnsForwarderTest, ASilentServerIsLeftForTheNextWhichIsThenAskedFirst) {
  first->by_udp = nullptr;
  EXPECT_EQ(Response(ask(query("a.example.org", dns::kA))).records.size(), 1U);
  EXPECT_EQ(first->asked.size(), 1U);
  EXPECT_EQ(Response(ask(query("b.example.org", dns::kA), milliseconds(100))).records.size(), 1U);
  EXPECT_EQ(first->asked.size(), 1U);
  second->by_udp = nullptr;
  first->by_udp = [](std::string_view message) { return address_answer(message, 0x8182); };
  const Response failed(ask(query("c.example.org", dns::kA)));
  EXPECT_EQ(failed.rcode(), 2) << "SERVFAIL of the one and silence of the other";
  EXPECT_EQ(failed.question, "c.example.org");
}

TEST_F(DnsForwarderTest, ForgedAnswersAreNotBelieved) {
  // All that a forger sees not: id, port and case. He sends from the right address at that.
  first->by_udp = [&](std::string_view message) {
    std::string forged = address_answer(message, 0x8180, 0x06060606);
    forged[0] = static_cast<char>(forged[0] ^ 1);
    first->say(forged);
    return address_answer(message);
  };
  const Response answer(ask(query("bank.example.org", dns::kA)));
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(answer.records[0].data, "1.2.3.4");
  EXPECT_EQ(forwarder.stats().foreign, 1U);
  // The right id from another address.
  first->by_udp = [&](std::string_view message) {
    second->client = first->client;
    second->say(address_answer(message, 0x8180, 0x06060606));
    return std::string();
  };
  second->by_udp = [](std::string_view message) { return address_answer(message); };
  const Response other(ask(query("bank2.example.org", dns::kA)));
  ASSERT_EQ(other.records.size(), 1U);
  EXPECT_EQ(other.records[0].data, "1.2.3.4");
  // The case not guessed: TCP is asked, where nobody can answer in another's name.
  first->by_udp = second->by_udp = [](std::string_view message) {
    std::string forged = address_answer(message, 0x8180, 0x06060606);
    for (size_t i = 13; i < 20; ++i) forged[i] = static_cast<char>(forged[i] ^ 0x20);
    return forged;
  };
  const Response third(ask(query("bankingname.example.org", dns::kA)));
  ASSERT_EQ(third.records.size(), 1U);
  EXPECT_EQ(third.records[0].data, "1.2.3.4");
  EXPECT_EQ(forwarder.stats().by_tcp, 1U);
}

TEST_F(DnsForwarderTest, WhatIsCutByUdpIsAskedByTcp) {
  first->by_udp = [](std::string_view message) {
    return address_answer(message, 0x8380).substr(0, 40);
  };
  const Response cut(ask(query("long.example.org", dns::kA)));
  EXPECT_TRUE(cut.truncated());
  std::unique_ptr<net::Stream> stream;
  const auto connecting = node_net.connect({"10.77.0.1", 53, {}}, nullptr, seconds(5),
                                           [&](Result<std::unique_ptr<net::Stream>> it) {
                                             ASSERT_TRUE(it);
                                             stream = *std::move(it);
                                           });
  ASSERT_TRUE(world.run_until([&] { return stream != nullptr; }, seconds(5)));
  stream->set_handler(&resolver);
  const std::string message = query("long.example.org", dns::kA);
  stream->write(number16(static_cast<uint16_t>(message.size())) + message);
  ASSERT_TRUE(world.run_until([&] { return resolver.stream.size() > 2; }, seconds(5)));
  const Response whole(std::string_view(resolver.stream).substr(2));
  EXPECT_FALSE(whole.truncated());
  EXPECT_EQ(whole.records.size(), 1U);
  EXPECT_EQ(first->tcp_asked, 1);
}

TEST_F(DnsForwarderTest, ManyWhoAskTheSameAreOneQuestion) {
  first->by_udp = nullptr;
  const std::string message = query("same.example.org", dns::kA);
  const net::OutgoingDatagram out{.head = message, .to = at("10.77.0.1:53")};
  for (int i = 0; i < 50; ++i) socket->send({&out, 1});
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  EXPECT_EQ(first->asked.size(), 1U);
  first->say(address_answer(first->asked.front()));
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  EXPECT_EQ(resolver.got.size(), 50U);
}

TEST_F(DnsForwarderTest, OtherServersAndAnEndLeaveNothingBehind) {
  first->by_udp = nullptr;
  const std::string message = query("x.example.org", dns::kA);
  const net::OutgoingDatagram out{.head = message, .to = at("10.77.0.1:53")};
  socket->send({&out, 1});
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  forwarder.use({at("10.88.0.3:53")});
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  ASSERT_EQ(resolver.got.size(), 1U);
  EXPECT_EQ(Response(resolver.got[0]).rcode(), 2) << "what was under way failed";
  EXPECT_EQ(Response(ask(query("x.example.org", dns::kA))).records.size(), 1U);
  second->by_udp = nullptr;
  socket->send({&out, 1});
  service.reset();
  first->say(address_answer(message));
  EXPECT_TRUE(world.run_for(seconds(10)));
}

}  // namespace
}  // namespace drover::boot::io

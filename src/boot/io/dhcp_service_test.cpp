// The DHCP service in the simulator: clients on a link, a disk that loses power, limits, conflicts.
#include "boot/io/dhcp_service.hpp"

#include "boot/dhcp/test_server.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

#include <deque>
#include <map>
#include <set>

namespace drover::boot::io {
namespace {

using dhcp::MessageType;
using dhcp::Outcome;
using dhcp::test::ip;
using dhcp::test::Message;
using std::chrono::milliseconds;
using std::chrono::seconds;

net::InetAddress at(std::string_view text) {
  return *net::InetAddress::parse(text);
}

/// A machine on the link, which remembers what it was told.
class Client final : public net::DatagramHandler {
 public:
  Client(sim::World& world, sim::Fabric& fabric, const std::string& name, net::MacAddress mac,
         const std::string& address = {})
      : process(world, {.name = name, .host = name}),
        net(fabric, process),
        hardware(
            HardwareAddress::from(1, {reinterpret_cast<const char*>(mac.data()), mac.size()})) {
    fabric.datagrams().attach(name, "boot", mac, address);
    net::DatagramOptions options;
    options.at = at("0.0.0.0:68");
    socket = net.open_datagrams(options, *this).value();
  }
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) {
      got.emplace_back(std::string(it.bytes));
      from = it.from;
      to = it.to;
    }
  }
  Message message(MessageType type) { return Message(type, hardware.text()); }
  void send(const Message& message, std::string_view where = "255.255.255.255:67") {
    const std::string bytes = message.bytes();
    socket->send(std::vector<net::OutgoingDatagram>{
        {.head = bytes, .to = at(where), .from = at("0.0.0.0:68"), .interface = 2}});
  }
  [[nodiscard]] Ipv4 given(size_t i) const { return got.at(i).view->yiaddr(); }
  [[nodiscard]] MessageType type(size_t i) const {
    return static_cast<MessageType>(*got.at(i).view->option_u8(dhcp::kMessageType));
  }

  sim::SimProcess process;
  sim::SimNet net;
  HardwareAddress hardware;
  std::unique_ptr<net::DatagramSocket> socket;
  std::deque<dhcp::test::Read> got;
  net::InetAddress from;
  net::InetAddress to;
};

class DhcpServiceTest : public testing::Test {
 protected:
  DhcpServiceTest() {
    fabric.datagrams().attach("b", "boot", {0x52, 0x54, 0, 0x77, 1, 0}, "10.77.0.1/24");
    machines.hardware["52:54:00:77:00:01"] = node("n1", "10.77.0.11");
    dhcp::Subnet subnet;
    subnet.prefix = *Prefix4::parse("10.77.0.0/24");
    subnet.pool = 0;
    subnet.unknown_lease = std::chrono::minutes(5);
    config.server.subnets = {subnet};
    config.pools = {{ip("10.77.0.200"), ip("10.77.0.209")}};
  }
  void SetUp() override { start(); }
  void TearDown() override {
    service.reset();
    journal.reset();
  }
  static dhcp::Reservation node(std::string name, std::string_view address) {
    dhcp::Reservation made;
    made.name = std::move(name);
    made.addresses = {ip(address)};
    return made;
  }
  void start() {
    process = std::make_unique<sim::SimProcess>(
        world, sim::ProcessOptions{.name = "boot", .host = "b", .disk = &disk});
    server_net = std::make_unique<sim::SimNet>(fabric, *process);
    journal = DiskLeaseJournal::open(process->executor(), disk, "/state", process->log()).value();
    service = std::make_unique<DhcpService>(process->executor(), *server_net, process->log(),
                                            config, machines, *journal);
    service->on_event([this](const DhcpEvent& event) {
      outcomes.push_back(event.decision.outcome);
      if (event.conflict) ++conflicts;
    });
    const Status started = service->start();
    ASSERT_TRUE(started) << started.error().text();
  }
  /// kill -9, or with lots the power fails; then it starts again.
  void crash(Random* lots) {
    process->kill();
    service.reset();
    journal.reset();
    server_net.reset();
    if (lots != nullptr) {
      disk.crash(*lots);
    } else {
      disk.detach();
    }
    start();
  }
  Client& client(uint8_t last, const std::string& address = {}) {
    clients.push_back(std::make_unique<Client>(world, fabric, "c" + std::to_string(last),
                                               net::MacAddress{0x52, 0x54, 0, 0x77, 0, last},
                                               address));
    return *clients.back();
  }
  bool answers(const Client& of, size_t count) {
    return world.run_until([&] { return of.got.size() >= count; }, seconds(5)).has_value();
  }
  /// Discover, offer, request, ack; the address.
  Ipv4 boot(Client& it) {
    const size_t before = it.got.size();
    it.send(it.message(MessageType::discover));
    if (!answers(it, before + 1)) return {};
    const Ipv4 offered = it.given(before);
    it.send(request(it, offered));
    if (!answers(it, before + 2)) return {};
    EXPECT_EQ(it.type(before), MessageType::offer);
    EXPECT_EQ(it.type(before + 1), MessageType::ack);
    EXPECT_EQ(it.given(before + 1), offered);
    return offered;
  }
  static Message request(Client& it, Ipv4 address) {
    return it.message(MessageType::request)
        .with(dhcp::kRequestedAddress, address)
        .with(dhcp::kServerId, ip("10.77.0.1"));
  }

  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimDisk disk;
  dhcp::test::Machines machines;
  DhcpServiceConfig config;
  std::unique_ptr<sim::SimProcess> process;
  std::unique_ptr<sim::SimNet> server_net;
  std::unique_ptr<DiskLeaseJournal> journal;
  std::unique_ptr<DhcpService> service;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Outcome> outcomes;
  int conflicts = 0;
};

TEST_F(DhcpServiceTest, AKnownMachineGetsItsAddressByTheFrame) {
  Client& n1 = client(1);
  const Duration began = world.now();
  EXPECT_EQ(boot(n1), ip("10.77.0.11"));
  EXPECT_LT(world.now() - began, milliseconds(10)) << "no probe, no disk";
  EXPECT_EQ(n1.to, at("10.77.0.11:68"));
  EXPECT_EQ(n1.from, at("10.77.0.1:67"));
  EXPECT_EQ(outcomes, (std::vector{Outcome::reserved, Outcome::reserved}));
  EXPECT_EQ(service->stats().replied, 2U);
  EXPECT_EQ(journal->appended(), 0U);
}

TEST_F(DhcpServiceTest, AClientThatWantsBroadcastsGetsThem) {
  Client& n1 = client(1);
  Message discover = n1.message(MessageType::discover);
  discover.header.flags = 0x8000;
  n1.send(discover);
  ASSERT_TRUE(answers(n1, 1));
  EXPECT_EQ(n1.to, at("255.255.255.255:68"));
}

TEST_F(DhcpServiceTest, AStrangersLeaseIsSafeBeforeItIsTold) {
  Client& stranger = client(50);
  stranger.send(stranger.message(MessageType::discover));
  ASSERT_TRUE(answers(stranger, 1));
  const Ipv4 offered = stranger.given(0);
  EXPECT_EQ(offered, ip("10.77.0.200"));
  EXPECT_EQ(journal->appended(), 0U) << "an offer needs no record";
  process->set_worker_delay(seconds(2), seconds(2));
  stranger.send(request(stranger, offered));
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(stranger.got.size(), 1U) << "an ACK before its record was safe";
  EXPECT_EQ(journal->appended(), 1U);
  ASSERT_TRUE(answers(stranger, 2));
  EXPECT_EQ(stranger.type(1), MessageType::ack);
  EXPECT_EQ(journal->safe(), 1U);
}

TEST_F(DhcpServiceTest, LeasesSurviveKillAndPowerCut) {
  std::map<uint8_t, Ipv4> had;
  for (uint8_t i = 50; i < 55; ++i) had[i] = boot(client(i));
  crash(nullptr);
  for (const auto& it : clients) {
    EXPECT_EQ(boot(*it), had[it->hardware.octets[5]]);
  }
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    sim::SimRandom lots(seed, "power");
    crash(&lots);
    ASSERT_EQ(service->leases().snapshot().size(), 5U);
    for (const auto& it : clients) {
      const dhcp::Lease* lease = service->leases().find(had[it->hardware.octets[5]]);
      ASSERT_NE(lease, nullptr);
      EXPECT_EQ(lease->state, dhcp::LeaseState::leased);
    }
    EXPECT_EQ(boot(*clients[seed % 5]), had[clients[seed % 5]->hardware.octets[5]]);
  }
}

TEST_F(DhcpServiceTest, AFailingDiskKeepsStrangersOutButNotMachines) {
  Client& stranger = client(50);
  Client& n1 = client(1);
  disk.set_fault_hook([](const sim::DiskOperation& operation) {
    return operation.kind == sim::DiskOperation::Kind::sync ? sim::DiskFault::io_error
                                                            : sim::DiskFault::none;
  });
  stranger.send(stranger.message(MessageType::discover));
  ASSERT_TRUE(answers(stranger, 1));
  stranger.send(request(stranger, stranger.given(0)));
  ASSERT_TRUE(world.run_for(seconds(5)));
  EXPECT_EQ(stranger.got.size(), 1U);
  EXPECT_EQ(boot(n1), ip("10.77.0.11"));
  disk.set_fault_hook({});
  ASSERT_TRUE(answers(stranger, 2)) << "what waited goes out once the record is safe";
}

TEST_F(DhcpServiceTest, AnAddressThatSomebodyUsesIsNotOffered) {
  client(90, "10.77.0.200/24");
  client(91, "10.77.0.201/24");
  Client& stranger = client(50);
  EXPECT_EQ(boot(stranger), ip("10.77.0.202"));
  EXPECT_EQ(conflicts, 2);
  EXPECT_EQ(service->stats().conflicts, 2U);
  EXPECT_EQ(service->leases().find(ip("10.77.0.200"))->state, dhcp::LeaseState::quarantined);
  const Duration began = world.now();
  EXPECT_EQ(boot(stranger), ip("10.77.0.202"));
  EXPECT_LT(world.now() - began, milliseconds(50)) << "asked for once, not at every stage";
}

TEST_F(DhcpServiceTest, AClientThatAsksAgainWhileItsAddressIsProbedGetsOneAnswerToTheLatest) {
  Client& stranger = client(50);
  Message first = stranger.message(MessageType::discover);
  stranger.send(first);
  ASSERT_TRUE(world.run_for(milliseconds(50)));
  first.header.xid = 99;
  stranger.send(first);
  ASSERT_TRUE(world.run_for(seconds(1)));
  ASSERT_EQ(stranger.got.size(), 1U);
  EXPECT_EQ(stranger.got[0].view->xid(), 99U);
}

TEST_F(DhcpServiceTest, AFloodOfOneMachineDoesNotHoldUpOthers) {
  Client& flood = client(50);
  for (int i = 0; i < 5000; ++i) flood.send(flood.message(MessageType::discover));
  Client& n1 = client(1);
  EXPECT_EQ(boot(n1), ip("10.77.0.11"));
  EXPECT_GT(service->stats().limited, 500U);
  EXPECT_LE(flood.got.size(), config.rate.burst + 1);
}

TEST_F(DhcpServiceTest, GarbageIsCountedAndAnsweredBySilence) {
  Client& n1 = client(1);
  const std::string garbage(300, '\xff');
  const std::string huge(net::kMaxDatagram + 1, 'x');
  n1.socket->send(std::vector<net::OutgoingDatagram>{
      {.head = garbage, .to = at("255.255.255.255:67"), .interface = 2},
      {.head = {}, .to = at("255.255.255.255:67"), .interface = 2},
      {.head = huge, .to = at("255.255.255.255:67"), .interface = 2}});
  EXPECT_EQ(boot(n1), ip("10.77.0.11"));
  EXPECT_EQ(n1.got.size(), 2U);
  EXPECT_EQ(service->stats().unusable, 1U);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), Outcome::malformed), 2);
}

TEST_F(DhcpServiceTest, NothingIsGivenOnALinkThatThisHostHasNoAddressOn) {
  fabric.datagrams().attach("b", "other", {0x52, 0x54, 0, 0x77, 1, 1});
  fabric.datagrams().attach("x", "other", {0x52, 0x54, 0, 0x77, 0, 1});
  Client& n1 = client(1);
  sim::SimProcess elsewhere(world, {.name = "x", .host = "x"});
  sim::SimNet elsewhere_net(fabric, elsewhere);
  net::DatagramOptions options;
  options.at = at("0.0.0.0:68");
  const auto socket = elsewhere_net.open_datagrams(options, n1).value();
  const std::string discover = n1.message(MessageType::discover).bytes();
  const net::OutgoingDatagram out{
      .head = discover, .to = at("255.255.255.255:67"), .from = at("0.0.0.0:68"), .interface = 2};
  socket->send({&out, 1});
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_TRUE(n1.got.empty()) << "an address of one network on another";
  EXPECT_EQ(service->stats().unusable, 1U);
  // Once it has one, the machine is told that its address does not belong there: by silence, as
  // nobody has set that network up.
  fabric.datagrams().attach("b", "third", {0x52, 0x54, 0, 0x77, 1, 2}, "10.99.0.1/24");
  fabric.datagrams().attach("y", "third", {0x52, 0x54, 0, 0x77, 0, 1});
  sim::SimProcess third(world, {.name = "y", .host = "y"});
  sim::SimNet third_net(fabric, third);
  const auto third_socket = third_net.open_datagrams(options, n1).value();
  third_socket->send({&out, 1});
  ASSERT_TRUE(world.run_for(seconds(2)));
  EXPECT_EQ(outcomes, std::vector{Outcome::no_subnet}) << "an interface that came up just now";
}

TEST_F(DhcpServiceTest, ThePxePortAnswersFromItself) {
  Client& n1 = client(1, "10.77.0.11/24");
  Message message = n1.message(MessageType::request);
  message.header.ciaddr = ip("10.77.0.11");
  message.with(dhcp::kVendorClass, "PXEClient:Arch:00000:UNDI:002001")
      .with(dhcp::kArchitecture, std::string(2, '\0'));
  const std::string bytes = message.bytes();
  n1.socket->send(std::vector<net::OutgoingDatagram>{{.head = bytes, .to = at("10.77.0.1:4011")}});
  ASSERT_TRUE(answers(n1, 1));
  EXPECT_EQ(n1.from, at("10.77.0.1:4011"));
  EXPECT_EQ(outcomes, std::vector{Outcome::boot_file});
}

TEST_F(DhcpServiceTest, TakesAnotherConfigurationWhileItServes) {
  Client& stranger = client(50);
  const Ipv4 had = boot(stranger);
  config.pools = {{ip("10.77.0.200"), ip("10.77.0.200")}, {ip("10.77.0.220"), ip("10.77.0.229")}};
  ASSERT_TRUE(service->reconfigure(config));
  EXPECT_EQ(boot(stranger), had) << "its lease lies in the new pools too";
  config.reserved = {had};
  ASSERT_TRUE(service->reconfigure(config));
  config.server.subnets[0].pool = 1;
  ASSERT_TRUE(service->reconfigure(config));
  EXPECT_EQ(boot(stranger), ip("10.77.0.220"));
  config.port = 1067;
  ASSERT_TRUE(service->reconfigure(config));
  EXPECT_EQ(service->bound()[0], at("0.0.0.0:1067"));
  service->stop();
  EXPECT_TRUE(service->bound().empty());
  ASSERT_TRUE(service->start());
}

TEST_F(DhcpServiceTest, SaysWhoHasThePort) {
  dhcp::test::Machines none;
  DhcpService second(process->executor(), *server_net, process->log(), config, none, *journal);
  const Status started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::already_exists);
  EXPECT_TRUE(second.bound().empty());
  // The journal answers the first one again.
  journal->set_snapshot([this] { return service->leases().snapshot(); });
}

TEST_F(DhcpServiceTest, ManyClientsOnALinkThatLosesPackets) {
  fabric.datagrams().set_duplication(0.1);
  config.pools = {{ip("10.77.0.200"), ip("10.77.0.250")}};
  config.probe = Duration::zero();
  ASSERT_TRUE(service->reconfigure(config));
  std::set<Ipv4> given;
  for (uint8_t i = 100; i < 140; ++i) {
    Client& it = client(i);
    fabric.set_loss(it.process.host(), "b", 0.3);
    fabric.set_loss("b", it.process.host(), 0.3);
    Ipv4 address;
    for (int tries = 0; tries < 60 && address.is_zero(); ++tries) {
      it.got.clear();
      it.send(it.message(MessageType::discover));
      if (!answers(it, 1)) continue;
      it.send(request(it, it.given(0)));
      world.run_until(
          [&] { return !it.got.empty() && it.type(it.got.size() - 1) == MessageType::ack; },
          seconds(5));
      if (it.type(it.got.size() - 1) == MessageType::ack) address = it.given(it.got.size() - 1);
    }
    EXPECT_FALSE(address.is_zero());
    EXPECT_TRUE(given.insert(address).second) << "two clients with " << address.text();
  }
}

TEST(RateLimiterTest, AllowsABurstThenTheRate) {
  RateLimiter limiter({10, 5});
  MonoTime now{seconds(100)};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.allow("a", now)) << i;
  EXPECT_FALSE(limiter.allow("a", now));
  EXPECT_TRUE(limiter.allow("b", now)) << "another sender";
  now += milliseconds(100);
  EXPECT_TRUE(limiter.allow("a", now));
  EXPECT_FALSE(limiter.allow("a", now));
  now += seconds(10);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.allow("a", now)) << i;
  EXPECT_FALSE(limiter.allow("a", now));
  limiter.set({0, 0});
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.allow("a", now));
}

TEST(RateLimiterTest, SendersBeyondTheTableDoNotLockOutNewOnes) {
  RateLimiter limiter({10, 1});
  const MonoTime now{seconds(100)};
  for (int i = 0; i < 200'000; ++i) {
    EXPECT_TRUE(limiter.allow("sender " + std::to_string(i), now));
  }
}

}  // namespace
}  // namespace drover::boot::io

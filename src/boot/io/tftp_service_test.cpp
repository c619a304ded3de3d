// The TFTP service: clients in the simulator, on links that lose, delay and double packets; limits;
// and a system that takes packets only slowly.
#include "boot/io/tftp_service.hpp"

#include "boot/wire/bytes.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

namespace drover::boot::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

net::InetAddress at(std::string_view text) {
  return *net::InetAddress::parse(text);
}
std::string u16(size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string rrq(std::string_view file, std::string_view options = {}) {
  using namespace std::string_view_literals;
  return u16(1) + std::string(file) + std::string("\0octet\0"sv) + std::string(options);
}

struct MemoryFiles final : tftp::Files {
  [[nodiscard]] std::optional<tftp::File> find(std::string_view path) const override {
    const auto found = all.find(std::string(path));
    if (found == all.end()) return {};
    return tftp::File{found->second, nullptr};
  }
  std::map<std::string, std::string> all;
};

/// A client that acknowledges what comes in order, once per window.
class Client final : public net::DatagramHandler {
 public:
  Client(sim::World& world, sim::Fabric& fabric, const std::string& name, uint8_t last)
      : process(world, {.name = name, .host = name}), net(fabric, process) {
    fabric.datagrams().attach(name, "boot", {0x52, 0x54, 0, 0x77, 0, last},
                              "10.77.0." + std::to_string(last) + "/24");
  }
  void ask(std::string request, size_t window = 1, uint16_t port = 0) {
    net::DatagramOptions options;
    options.at = net::InetAddress::v4(0, port);
    socket.reset();
    socket = net.open_datagrams(options, *this).value();
    request_ = std::move(request);
    window_ = window;
    next_ = 1;
    got.clear();
    errors.clear();
    oacks = 0;
    done = false;
    server.reset();
    retry();
  }
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& it : batch) take(it);
  }
  void take(const net::Datagram& it) {
    if (it.bytes.size() < 4) return;
    if (!server) server = it.from;
    const auto code = static_cast<uint8_t>(it.bytes[1]);
    if (code == 5) return errors.emplace_back(it.bytes.substr(4)).clear();
    if (*server != it.from) return;
    if (code == 6) {
      ++oacks;
      if (!mute) acknowledge(0);
      return;
    }
    const size_t number =
        static_cast<uint8_t>(it.bytes[2]) * size_t{256} + static_cast<uint8_t>(it.bytes[3]);
    if (number != next_ % 65536) return acknowledge(next_ - 1);
    got += it.bytes.substr(4);
    ++next_;
    done = it.bytes.size() - 4 < block;
    if (done || (next_ - 1) % window_ == 0) acknowledge(next_ - 1);
  }
  void acknowledge(size_t number) { send(u16(4) + u16(number % 65536), *server); }
  void send(const std::string& bytes, const net::InetAddress& to) {
    const net::OutgoingDatagram out{.head = bytes, .to = to};
    socket->send({&out, 1});
  }
  void retry() {
    if (server || socket == nullptr) return;
    send(request_, at("10.77.0.1:69"));
    again_.after(process.executor(), seconds(2), [this] { retry(); });
  }

  sim::SimProcess process;
  sim::SimNet net;
  std::unique_ptr<net::DatagramSocket> socket;
  std::string got;
  std::vector<std::string> errors;
  std::optional<net::InetAddress> server;
  int oacks = 0;
  size_t block = 512;
  bool done = false;
  bool mute = false;  ///< does not answer an OACK

 private:
  std::string request_;
  size_t window_ = 1;
  size_t next_ = 1;
  Timer again_;
};

class TftpServiceTest : public testing::Test {
 protected:
  TftpServiceTest() {
    fabric.datagrams().attach("b", "boot", {0x52, 0x54, 0, 0x77, 1, 0}, "10.77.0.1/24");
    std::string text;
    for (int i = 0; i < 60'000; ++i) text += std::to_string(i);
    files.all["undionly.kpxe"] = text.substr(0, 70'000);
    files.all["even"] = text.substr(0, 1024);
    files.all["empty"] = "";
    files.all["large"] = text;
  }
  void SetUp() override { start(); }
  void start() {
    service =
        std::make_unique<TftpService>(process.executor(), server_net, process.log(), config, files);
    service->on_event([this](const TftpEvent& event) {
      events.push_back(event);
      paths.emplace_back(event.path);
      if (on_event) on_event();
    });
    const Status started = service->start();
    ASSERT_TRUE(started) << started.error().text();
  }
  Client& client(uint8_t last) {
    clients.push_back(std::make_unique<Client>(world, fabric, "c" + std::to_string(last), last));
    return *clients.back();
  }
  bool settle() {
    return world.run_until([this] { return service->running().empty(); }, seconds(300)).has_value();
  }
  bool finished(const Client& it) {
    return world.run_until([&] { return it.done; }, seconds(300)).has_value();
  }

  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimProcess process{world, {.name = "boot", .host = "b"}};
  sim::SimNet server_net{fabric, process};
  MemoryFiles files;
  TftpServiceConfig config;
  std::unique_ptr<TftpService> service;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<TftpEvent> events;
  std::vector<std::string> paths;
  Callback<void()> on_event;
};

TEST_F(TftpServiceTest, GivesFilesOfEveryLength) {
  Client& it = client(2);
  for (const auto& [name, bytes] : files.all) {
    it.ask(rrq(name));
    ASSERT_TRUE(finished(it)) << name;
    EXPECT_EQ(it.got, bytes) << name;
    EXPECT_NE(it.server->port, 69) << "a transfer has a port of its own";
    EXPECT_EQ(it.server->with_port(0), at("10.77.0.1"));
  }
  ASSERT_TRUE(settle());
  EXPECT_EQ(service->stats().complete, 4U);
  EXPECT_EQ(events.size(), 8U);
  EXPECT_EQ(events[1].kind, TftpEvent::Kind::ended);
  EXPECT_EQ(events[1].progress, tftp::Progress::complete);
  EXPECT_EQ(paths[1], "empty");
}

TEST_F(TftpServiceTest, WindowsSurviveLossDelayAndDuplicates) {
  using namespace std::string_view_literals;
  fabric.datagrams().set_duplication(0.02);
  for (uint8_t i = 2; i < 12; ++i) {
    Client& it = client(i);
    fabric.set_loss("b", it.process.host(), 0.05);
    fabric.set_loss(it.process.host(), "b", 0.05);
    fabric.set_extra_delay("b", it.process.host(), {}, milliseconds(1));
    it.block = 1428;
    it.ask(rrq("large", "blksize\0001428\0windowsize\00016\0tsize\0000\0"sv), 16);
  }
  for (const auto& it : clients) {
    ASSERT_TRUE(finished(*it));
    EXPECT_EQ(it->got, files.all["large"]);
    EXPECT_GE(it->oacks, 1);
  }
  ASSERT_TRUE(settle());
  EXPECT_GT(std::count_if(events.begin(), events.end(),
                          [](const TftpEvent& it) { return it.resent > 0; }),
            5);
}

TEST_F(TftpServiceTest, RefusesWhatIsNotThereAndWhatLeadsOutside) {
  Client& it = client(2);
  for (const char* file : {"absent", "../etc/passwd", "/../../etc/passwd", "a\\..\\..\\b"}) {
    it.ask(rrq(file));
    ASSERT_TRUE(world.run_until([&] { return !it.errors.empty(); }, seconds(5)).has_value());
  }
  EXPECT_EQ(service->stats().refused, 4U);
  EXPECT_EQ(events[0].refusal, tftp::Refusal::not_found);
  EXPECT_EQ(events[1].refusal, tftp::Refusal::bad_path);
  // A write is refused, garbage gets silence.
  it.ask(u16(2) + std::string("f\0octet\0", 8));
  ASSERT_TRUE(world.run_until([&] { return !it.errors.empty(); }, seconds(5)).has_value());
  it.ask("garbage");
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_TRUE(it.errors.empty());
  EXPECT_TRUE(service->running().empty());
}

TEST_F(TftpServiceTest, AProbeForTheSizeIsNoFailure) {
  using namespace std::string_view_literals;
  Client& it = client(2);
  it.mute = true;
  it.ask(rrq("even", "tsize\0000\0"sv));
  ASSERT_TRUE(world.run_until([&] { return it.oacks > 0; }, seconds(5)).has_value());
  it.send(u16(5) + u16(8) + std::string("no thanks\0", 10), *it.server);
  ASSERT_TRUE(settle());
  EXPECT_EQ(events.back().progress, tftp::Progress::probed);
  EXPECT_EQ(service->stats().failed, 0U);
}

TEST_F(TftpServiceTest, ARepeatedRequestIsTheSameTransfer) {
  Client& it = client(2);
  fabric.block("b", it.process.host());
  it.ask(rrq("large"));
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  it.send(rrq("large"), at("10.77.0.1:69"));
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  EXPECT_EQ(service->stats().started, 1U);
  it.send(rrq("even"), at("10.77.0.1:69"));
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  EXPECT_EQ(service->stats().started, 2U) << "another file: the client has begun anew";
  ASSERT_EQ(service->running().size(), 1U);
  EXPECT_EQ(service->running()[0].path, "even");
}

TEST_F(TftpServiceTest, ALatePacketOfTheLastTransferDoesNotTouchTheNext) {
  Client& it = client(2);
  it.ask(rrq("even"), 1, 2070);
  ASSERT_TRUE(finished(it));
  const net::InetAddress before = *it.server;
  fabric.block("b", it.process.host());
  it.ask(rrq("large"), 1, 2070);
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  it.send(u16(4) + u16(1), before);
  ASSERT_TRUE(world.run_for(milliseconds(100)));
  ASSERT_EQ(service->running().size(), 1U);
  EXPECT_EQ(service->running()[0].bytes, 0U);
  EXPECT_EQ(service->stats().strays, 1U);
}

TEST_F(TftpServiceTest, GivesSilentClientsUpAndLimitsEachAddress) {
  config.most_per_client = 3;
  config.most_transfers = 5;
  ASSERT_TRUE(service->reconfigure(config));
  Client& greedy = client(2);
  fabric.block("b", greedy.process.host());
  for (uint16_t port = 3000; port < 3010; ++port) {
    greedy.ask(rrq("large"), 1, port);
    ASSERT_TRUE(world.run_for(milliseconds(1)));
  }
  EXPECT_EQ(service->running().size(), 3U);
  EXPECT_EQ(service->stats().limited, 7U);
  Client& other = client(3);
  other.ask(rrq("even"));
  ASSERT_TRUE(finished(other));
  greedy.socket.reset();
  ASSERT_TRUE(world.run_for(seconds(120)));
  EXPECT_TRUE(service->running().empty());
  EXPECT_EQ(events.back().progress, tftp::Progress::silent);
}

TEST_F(TftpServiceTest, MayBeStoppedInItsCallback) {
  Client& it = client(2);
  on_event = [this] { service->stop(); };
  it.ask(rrq("even"));
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_TRUE(service->bound().empty());
  on_event = {};
  ASSERT_TRUE(service->start());
  it.ask(rrq("even"));
  EXPECT_TRUE(finished(it));
}

/// A system that takes a few packets at a time.
class SlowNet final : public net::Net {
 public:
  class Socket final : public net::DatagramSocket {
   public:
    Socket(SlowNet& net, net::DatagramHandler& handler) : handler(handler), net_(net) {
      net_.sockets.push_back(this);
    }
    ~Socket() override { std::erase(net_.sockets, this); }
    size_t send(std::span<const net::OutgoingDatagram> batch) override {
      size_t taken = 0;
      for (; taken < batch.size() && room > 0; ++taken, --room) {
        net_.sent[batch[taken].to].push_back(std::string(batch[taken].head) +
                                             std::string(batch[taken].body));
      }
      return taken;
    }
    [[nodiscard]] net::InetAddress bound() const override { return {}; }
    Status join(const net::InetAddress& /*group*/, uint32_t /*interface*/) override { return {}; }
    [[nodiscard]] net::DatagramStats stats() const override { return {}; }
    net::DatagramHandler& handler;
    size_t room = 0;

   private:
    SlowNet& net_;
  };
  Result<std::shared_ptr<net::Security>> make_security(const net::SecurityConfig&) override {
    return fail(Code::unsupported, "datagrams alone");
  }
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint&,
                                                Callback<std::shared_ptr<net::Security>()>,
                                                net::AcceptCallback) override {
    return fail(Code::unsupported, "datagrams alone");
  }
  std::unique_ptr<net::Connecting> connect(const net::Endpoint&, std::shared_ptr<net::Security>,
                                           Duration, net::ConnectCallback) override {
    return nullptr;
  }
  Result<std::unique_ptr<net::DatagramSocket>> open_datagrams(
      const net::DatagramOptions&, net::DatagramHandler& handler) override {
    return std::unique_ptr<net::DatagramSocket>(std::make_unique<Socket>(*this, handler));
  }
  std::vector<Socket*> sockets;
  std::map<net::InetAddress, std::vector<std::string>> sent;
};

TEST_F(TftpServiceTest, WaitsForTheSystemWithoutLosingOrMixingPackets) {
  using namespace std::string_view_literals;
  config.v6 = false;
  SlowNet slow;
  TftpService over(process.executor(), slow, process.log(), config, files);
  ASSERT_TRUE(over.start());
  const std::string request = rrq("large", std::string("blksize\000512\0windowsize\00032\0", 27));
  // Eight clients share each socket; one of them gives up while its packets wait.
  std::vector<net::Datagram> asked(20);
  for (size_t i = 0; i < asked.size(); ++i) {
    asked[i].bytes = request;
    asked[i].from = net::InetAddress::v4(0x0a4d0002, static_cast<uint16_t>(4000 + i));
  }
  config.requests = {};
  slow.sockets[0]->handler.on_datagrams({asked.data(), 16});
  slow.sockets[0]->handler.on_datagrams({asked.data() + 16, 0});
  const auto writable = [&] {
    for (SlowNet::Socket* it : slow.sockets) {
      it->room = 3;
      it->handler.on_writable();
      it->room = 0;
    }
  };
  for (int i = 0; i < 10; ++i) writable();
  ASSERT_EQ(over.running().size(), 16U);
  EXPECT_EQ(slow.sent.size(), 16U) << "each got its OACK";
  // All acknowledge the OACK; a window of 32 waits for each.
  for (size_t i = 0; i < 16; ++i) {
    net::Datagram ack = asked[i];
    const std::string bytes = u16(4) + u16(0);
    ack.bytes = bytes;
    slow.sockets[1 + i % 2]->handler.on_datagrams({&ack, 1});
  }
  writable();
  net::Datagram error = asked[0];
  const std::string bytes = u16(5) + u16(0) + std::string("bye\0", 4);
  error.bytes = bytes;
  slow.sockets[1]->handler.on_datagrams({&error, 1});
  EXPECT_EQ(over.running().size(), 15U);
  const size_t before = slow.sent[asked[0].from].size();
  for (int i = 0; i < 200; ++i) writable();
  EXPECT_EQ(slow.sent[asked[0].from].size(), before) << "nothing more to one that gave up";
  for (size_t i = 1; i < 16; ++i) {
    const std::vector<std::string>& got = slow.sent[asked[i].from];
    ASSERT_EQ(got.size(), 33U) << i;
    for (size_t block = 1; block <= 32; ++block) {
      EXPECT_EQ(got[block],
                u16(3) + u16(block) + files.all["large"].substr((block - 1) * 512, 512));
    }
  }
}

}  // namespace
}  // namespace drover::boot::io

// Simulated datagrams: the contract, links, machines without addresses, and what faults do.
#include "sim/datagram_contract.hpp"
#include "sim/sim_net.hpp"

#include <algorithm>

namespace drover::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

net::MacAddress mac(uint8_t last) {
  return {0x52, 0x54, 0, 0x77, 0, last};
}
net::InetAddress at(std::string_view text) {
  return *net::InetAddress::parse(text);
}

/// A server and a client on one link.
class SimRig final : public DatagramRig {
 public:
  SimRig(uint64_t seed, bool v6, std::string client_address) : world(seed), fabric(world), v6_(v6) {
    fabric.datagrams().attach("s", "spare", mac(9));
    fabric.datagrams().attach("s", "boot", mac(1), v6 ? "fd77::1/64" : "10.77.0.1/24");
    fabric.datagrams().attach("c", "boot", mac(2), client_address);
  }
  net::Net& client_net() override { return client_net_; }
  net::Net& server_net() override { return server_net_; }
  bool run_until(Callback<bool()> done, Duration limit) override {
    return world.run_until(std::move(done), limit).has_value();
  }
  net::InetAddress any() override { return at(v6_ ? "::" : "0.0.0.0"); }
  net::InetAddress server() override { return at(v6_ ? "fd77::1" : "10.77.0.1"); }
  net::InetAddress group() override { return at(v6_ ? "ff02::1:2" : "10.77.0.255"); }
  uint32_t client_interface() override { return 2; }
  uint32_t server_interface() override { return 3; }

  World world;
  Fabric fabric;
  SimProcess server_process{world, {.name = "server", .host = "s"}};
  SimProcess client_process{world, {.name = "client", .host = "c"}};

 private:
  bool v6_;
  SimNet server_net_{fabric, server_process};
  SimNet client_net_{fabric, client_process};
};

INSTANTIATE_TEST_SUITE_P(
    Sim, DatagramContract,
    testing::Values(
        DatagramRigFactory{
            "udp4",
            [] { return std::unique_ptr<DatagramRig>(new SimRig(1, false, "10.77.0.2/24")); }},
        DatagramRigFactory{
            "udp6",
            [] { return std::unique_ptr<DatagramRig>(new SimRig(1, true, "fd77::2/64")); }}),
    DatagramRigFactory::name_of);

class SimDatagramTest : public testing::Test {
 protected:
  void start(uint64_t seed, const std::string& client_address = {}) {
    rig_ = std::make_unique<SimRig>(seed, false, client_address);
    server_ = open(rig_->server_net(), "0.0.0.0:67", at_server_);
    client_ = open(rig_->client_net(), "0.0.0.0:68", at_client_);
  }
  static std::unique_ptr<net::DatagramSocket> open(net::Net& net, std::string_view where,
                                                   net::DatagramHandler& handler) {
    net::DatagramOptions options;
    options.at = at(where);
    return net.open_datagrams(options, handler).value();
  }
  /// What came when `count` numbered datagrams were sent one after the other.
  std::vector<std::string> send_many(size_t count) {
    at_server_.seen.clear();
    for (size_t i = 0; i < count; ++i) {
      const std::string text = std::to_string(i);
      client_->send(std::vector<net::OutgoingDatagram>{
          {.head = text, .to = at("10.77.0.1:67"), .interface = 2}});
      EXPECT_TRUE(rig_->world.run_for(std::chrono::microseconds(10)));
    }
    EXPECT_TRUE(rig_->world.run_for(seconds(1)));
    std::vector<std::string> out;
    for (const auto& it : at_server_.seen) out.push_back(it.bytes);
    return out;
  }

  std::unique_ptr<SimRig> rig_;
  RecordingDatagrams at_server_;
  RecordingDatagrams at_client_;
  std::unique_ptr<net::DatagramSocket> server_;
  std::unique_ptr<net::DatagramSocket> client_;
};

TEST_F(SimDatagramTest, AMachineWithoutAnAddressIsReachedByItsHardwareAddress) {
  start(1);
  client_->send(std::vector<net::OutgoingDatagram>{{.head = "discover",
                                                    .to = at("255.255.255.255:67"),
                                                    .from = at("0.0.0.0:68"),
                                                    .interface = 2}});
  ASSERT_TRUE(rig_->run_until([this] { return !at_server_.seen.empty(); }, seconds(1)));
  const net::Datagram& asked = at_server_.seen[0].about;
  EXPECT_EQ(asked.from, at("0.0.0.0:68"));
  EXPECT_EQ(asked.local, at("10.77.0.1:67"));
  EXPECT_EQ(asked.interface, 3U);
  const net::OutgoingDatagram offer{.head = "offer",
                                    .to = at("10.77.0.11:68"),
                                    .from = asked.local,
                                    .interface = asked.interface,
                                    .hardware = mac(2)};
  net::OutgoingDatagram elsewhere = offer;
  elsewhere.hardware = mac(3);
  net::OutgoingDatagram other_link = offer;
  other_link.interface = 2;
  server_->send(std::vector<net::OutgoingDatagram>{offer, elsewhere, other_link});
  ASSERT_TRUE(rig_->world.run_for(seconds(1)));
  ASSERT_EQ(at_client_.seen.size(), 1U);
  EXPECT_EQ(at_client_.seen[0].bytes, "offer");
  EXPECT_EQ(at_client_.seen[0].about.to, at("10.77.0.11:68"));
}

TEST_F(SimDatagramTest, LossTakesSomeAndNobodySendsThemAgain) {
  start(7, "10.77.0.2/24");
  rig_->fabric.set_loss("c", "s", 0.3);
  const auto got = send_many(1000);
  EXPECT_GT(got.size(), 600U);
  EXPECT_LT(got.size(), 800U);
  EXPECT_EQ(rig_->fabric.datagrams().lost(), 1000 - got.size());
}

TEST_F(SimDatagramTest, DelayReordersAndDuplicationDoubles) {
  start(7, "10.77.0.2/24");
  auto got = send_many(300);
  EXPECT_EQ(got.size(), 300U);
  rig_->fabric.set_extra_delay("c", "s", Duration{}, milliseconds(1));
  got = send_many(300);
  EXPECT_EQ(got.size(), 300U);
  std::vector<int> numbers;
  for (const std::string& text : got) numbers.push_back(std::stoi(text));
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  rig_->fabric.datagrams().set_duplication(1);
  EXPECT_EQ(send_many(100).size(), 200U);
}

TEST_F(SimDatagramTest, TheSameSeedGivesTheSameRun) {
  const auto run = [this](uint64_t seed) {
    server_.reset();
    client_.reset();
    start(seed, "10.77.0.2/24");
    rig_->fabric.set_loss("c", "s", 0.3);
    rig_->fabric.set_extra_delay("c", "s", Duration{}, milliseconds(1));
    return send_many(200);
  };
  const auto first = run(5);
  EXPECT_EQ(run(5), first);
  EXPECT_NE(run(6), first);
}

TEST_F(SimDatagramTest, BlockedPathsDeadProcessesAndHostsWithoutPowerGetNothing) {
  start(1, "10.77.0.2/24");
  rig_->fabric.block("c", "s");
  EXPECT_TRUE(send_many(3).empty());
  rig_->fabric.unblock("c", "s");
  EXPECT_EQ(send_many(3).size(), 3U);
  rig_->fabric.set_host_down("s", true);
  EXPECT_TRUE(send_many(3).empty());
  rig_->fabric.set_host_down("s", false);
  rig_->server_process.pause();
  EXPECT_TRUE(send_many(3).empty());
  rig_->server_process.resume();
  ASSERT_TRUE(rig_->world.run_for(seconds(1)));
  EXPECT_EQ(at_server_.seen.size(), 3U) << "they waited in the socket's buffer";
  rig_->server_process.kill();
  EXPECT_TRUE(send_many(3).empty());
}

TEST_F(SimDatagramTest, ProbesFindWhoUsesAnAddress) {
  start(1, "10.77.0.2/24");
  std::vector<std::optional<net::MacAddress>> answers;
  const auto probe = [&](std::string_view address) {
    auto made = rig_->server_net().probe_address(
        3, at(address), milliseconds(200),
        [&](std::optional<net::MacAddress> owner) { answers.push_back(owner); });
    EXPECT_TRUE(made) << made.error().text();
    return *std::move(made);
  };
  const auto used = probe("10.77.0.2");
  const auto unused = probe("10.77.0.3");
  probe("10.77.0.2").reset();
  EXPECT_TRUE(answers.empty()) << "an answer inside the call";
  ASSERT_TRUE(rig_->world.run_for(seconds(1)));
  EXPECT_EQ(answers, (std::vector<std::optional<net::MacAddress>>{mac(2), {}}));
  EXPECT_FALSE(rig_->server_net().probe_address(1, at("10.77.0.2"), milliseconds(1), {}));
}

}  // namespace
}  // namespace drover::sim

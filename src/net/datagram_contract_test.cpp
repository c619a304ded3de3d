// The contract of datagrams over real sockets, and what only real ones have.
#include "sim/datagram_contract.hpp"

#include "net/real_net.hpp"
#include "net/real_probe.hpp"
#include "net/udp_frame.hpp"

#include <algorithm>

namespace drover::sim {
namespace {

class RealRig final : public DatagramRig {
 public:
  explicit RealRig(bool v6) : v6_(v6) {}
  net::Net& client_net() override { return net_; }
  net::Net& server_net() override { return net_; }
  bool run_until(Callback<bool()> done, Duration limit) override {
    return loop_->run_until(std::move(done), limit);
  }
  net::InetAddress any() override { return *net::InetAddress::parse(v6_ ? "::" : "0.0.0.0"); }
  net::InetAddress server() override { return *net::InetAddress::parse(v6_ ? "::1" : "127.0.0.1"); }
  // Loopback has a broadcast address, but takes no IPv6 groups.
  net::InetAddress group() override {
    return v6_ ? net::InetAddress{} : *net::InetAddress::parse("127.255.255.255");
  }
  uint32_t client_interface() override { return server_interface(); }
  uint32_t server_interface() override {
    const auto all = net_.interfaces().value();
    return std::find_if(all.begin(), all.end(), [](const auto& it) { return it.loopback; })->index;
  }

 private:
  bool v6_;
  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  net::RealNet net_{*loop_};
};

INSTANTIATE_TEST_SUITE_P(
    Real, DatagramContract,
    testing::Values(
        DatagramRigFactory{"udp4", [] { return std::unique_ptr<DatagramRig>(new RealRig(false)); }},
        DatagramRigFactory{"udp6", [] { return std::unique_ptr<DatagramRig>(new RealRig(true)); }}),
    DatagramRigFactory::name_of);

TEST(InetAddressTest, ReadsAndWritesText) {
  using net::InetAddress;
  for (const char* text : {"10.0.0.1:67", "0.0.0.0:0", "[fe80::1]:547", "[::]:65535"}) {
    const auto parsed = InetAddress::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), text);
  }
  EXPECT_EQ(InetAddress::parse("10.0.0.1")->v4_value(), 0x0a000001U);
  EXPECT_EQ(InetAddress::parse("fe80::1")->host_text(), "fe80::1");
  EXPECT_TRUE(InetAddress::parse("fe80::1")->is_link_local());
  EXPECT_FALSE(InetAddress::parse("fec0::1")->is_link_local());
  EXPECT_TRUE(InetAddress::parse("255.255.255.255")->is_group());
  EXPECT_TRUE(InetAddress::parse("239.1.1.1")->is_group());
  EXPECT_TRUE(InetAddress::parse("ff02::1")->is_group());
  EXPECT_FALSE(InetAddress::parse("10.0.0.255")->is_group());
  for (const char* text : {"", ":67", "10.0.0.1:", "10.0.0.1:65536", "10.0.0:1", "[10.0.0.1]:1",
                           "[fe80::1]", "[fe80::1]:x", "name:1", "10.0.0.1:-1"}) {
    EXPECT_FALSE(InetAddress::parse(text)) << text;
  }
  EXPECT_FALSE(InetAddress::parse(std::string(5000, '1')));
}

uint32_t sum(std::string_view bytes) {
  uint32_t total = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto value = static_cast<uint8_t>(bytes[i]);
    total += i % 2 == 0 ? static_cast<uint32_t>(value) << 8 : value;
  }
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return total;
}

// A receiver adds all up, checksum included, and must get 0xffff (RFC 1071 section 1).
TEST(UdpFrameTest, ChecksumsAddUp) {
  const auto from = *net::InetAddress::parse("10.77.0.1:67");
  const auto to = *net::InetAddress::parse("10.77.0.11:68");
  for (const std::string& head : {std::string("abc"), std::string("even"), std::string()}) {
    const std::string body = "the rest of it";
    const auto header = net::udp_frame_header(from, to, head, body);
    const std::string packet = std::string(header.data(), header.size()) + head + body;
    EXPECT_EQ(sum(packet.substr(0, 20)), 0xffffU);
    const auto udp_length = static_cast<char>(8 + head.size() + body.size());
    const std::string pseudo =
        packet.substr(12, 8) + std::string({'\0', '\x11', '\0', udp_length}) + packet.substr(20);
    EXPECT_EQ(sum(pseudo), 0xffffU) << head;
    EXPECT_EQ(packet.substr(20, 4), std::string("\0\x43\0\x44", 4));
  }
}

TEST(ArpProbeTest, AsksWithoutAnAddressAndKnowsWhoOwnsOne) {
  const net::MacAddress mac{0x52, 0x54, 0, 0x77, 0, 1};
  const auto target = *net::InetAddress::parse("10.77.0.200");
  const auto probe = net::arp_probe(mac, target);
  std::string packet(probe.data(), probe.size());
  EXPECT_EQ(packet.substr(8, 6), std::string("\x52\x54\0\x77\0\1", 6));
  EXPECT_EQ(packet.substr(14, 4), std::string(4, '\0')) << "no sender's address";
  EXPECT_EQ(packet.substr(24, 4), std::string("\x0a\x4d\0\xc8", 4));
  EXPECT_FALSE(net::arp_owner(packet, target)) << "a question of somebody who probes as well";
  packet.replace(14, 4, "\x0a\x4d\0\xc8", 4);
  EXPECT_EQ(net::arp_owner(packet, target), mac);
  packet[7] = 2;
  EXPECT_EQ(net::arp_owner(packet, target), mac);
  EXPECT_FALSE(net::arp_owner(packet, *net::InetAddress::parse("10.77.0.201")));
  for (size_t size = 0; size < packet.size(); ++size) {
    EXPECT_FALSE(net::arp_owner(packet.substr(0, size), target));
  }
  packet[7] = 3;
  EXPECT_FALSE(net::arp_owner(packet, target)) << "a reverse request";
}

TEST(ArpProbeTest, CannotBeAskedOnLoopback) {
  const auto loop = net::Loop::make().value();
  net::RealNet real(*loop);
  EXPECT_FALSE(real.probe_address(1, *net::InetAddress::parse("127.0.0.1"),
                                  std::chrono::milliseconds(1), {}));
}

}  // namespace
}  // namespace drover::sim

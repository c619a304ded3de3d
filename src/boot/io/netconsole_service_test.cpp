// Kernel lines by UDP: plain and extended, several in a packet, hostile ones.
#include "boot/io/netconsole_service.hpp"

#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace drover::boot::io {
namespace {

struct Seen {
  std::string text;
  std::optional<uint32_t> priority;
  std::optional<uint64_t> sequence;
  std::optional<uint64_t> uptime_us;
  bool continues = false;
};

std::vector<Seen> read(std::string_view packet) {
  std::vector<Seen> out;
  Callback<void(const NetconsoleLine&)> told = [&](const NetconsoleLine& it) {
    out.push_back({std::string(it.text), it.priority, it.sequence, it.uptime_us, it.continues});
  };
  read_netconsole(packet, {}, told);
  return out;
}

TEST(NetconsoleTest, ReadsPlainLines) {
  const auto lines = read("[    1.0] one\r\n\n[    2.0] two");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "[    1.0] one");
  EXPECT_FALSE(lines[0].priority);
  EXPECT_FALSE(lines[0].continues);
  EXPECT_EQ(lines[1].text, "[    2.0] two");
  EXPECT_TRUE(lines[1].continues);
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("\n\n\r\n").empty());
}

TEST(NetconsoleTest, ReadsExtendedLinesWithoutTheirProperties) {
  const auto lines = read(
      "6,339,5140900,-;NET: Registered; family\n SUBSYSTEM=net\n DEVICE=n1\n"
      "4,416,6339000,c,ncfrag=0/33;first part");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "NET: Registered; family");
  EXPECT_EQ(lines[0].priority, 6U);
  EXPECT_EQ(lines[0].sequence, 339U);
  EXPECT_EQ(lines[0].uptime_us, 5140900U);
  EXPECT_EQ(lines[1].text, "first part");
  EXPECT_EQ(lines[1].priority, 4U);
}

TEST(NetconsoleTest, TakesWhatOnlyLooksExtendedAsText) {
  for (const char* text : {"a;b", "6,339;x", "6,339,x,-;y", "192,1,1,-;y", "-6,1,1,-;y",
                           "99999999999999999999,1,1,-;y", ",,,;y", "6,1,1;y"}) {
    const auto lines = read(text);
    ASSERT_EQ(lines.size(), 1U) << text;
    EXPECT_EQ(lines[0].text, text);
    EXPECT_FALSE(lines[0].priority);
  }
}

TEST(NetconsoleTest, HostileBytesStayText) {
  const auto lines = read(std::string("6,1,1,-;\x1b[2J\x9bowned\0after\rend\xff", 27));
  ASSERT_EQ(lines.size(), 1U);
  for (const char c : lines[0].text) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  EXPECT_EQ(lines[0].text.find('\x1b'), std::string::npos);
  EXPECT_NE(lines[0].text.find("owned"), std::string::npos);
}

struct Mute final : net::DatagramHandler {
  void on_datagrams(std::span<const net::Datagram>) override {}
};

TEST(NetconsoleServiceTest, SaysWhoSentEachLine) {
  sim::World world(1);
  sim::Fabric fabric(world);
  fabric.datagrams().attach("b", "boot", {2, 0, 0, 0, 0, 1}, "10.77.0.1/24");
  fabric.datagrams().attach("n", "boot", {2, 0, 0, 0, 0, 2}, "10.77.0.11/24");
  sim::SimProcess server(world, {.name = "boot", .host = "b"});
  sim::SimProcess node(world, {.name = "node", .host = "n"});
  sim::SimNet server_net(fabric, server);
  sim::SimNet node_net(fabric, node);
  NetconsoleService service(server.executor(), server_net, server.log(), {});
  std::vector<std::string> seen;
  service.on_line([&](const NetconsoleLine& it) {
    seen.push_back(it.from.host_text() + " " + std::string(it.text));
    if (it.text == "stop") service.stop();
  });
  ASSERT_TRUE(service.start());
  ASSERT_TRUE(service.start()) << "again is fine";
  Mute handler;
  net::DatagramOptions options;
  options.at = *net::InetAddress::parse("0.0.0.0:0");
  const auto socket = node_net.open_datagrams(options, handler).value();
  const auto send = [&](std::string_view text) {
    const net::OutgoingDatagram out{.head = text, .to = *net::InetAddress::parse("10.77.0.1:6666")};
    socket->send({&out, 1});
    EXPECT_TRUE(world.run_for(std::chrono::seconds(1)));
  };
  send("one\ntwo\n");
  EXPECT_EQ(seen, (std::vector<std::string>{"10.77.0.11 one", "10.77.0.11 two"}));
  send("stop\n");
  EXPECT_TRUE(service.bound().empty());
  send("three\n");
  EXPECT_EQ(seen.size(), 3U);
}

}  // namespace
}  // namespace drover::boot::io

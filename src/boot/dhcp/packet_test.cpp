// The DHCPv4 codec: RFC 2131 section 2, 2132 (overload), 3396 (long options), and bad packets.
#include "boot/dhcp/packet.hpp"

#include "boot/dhcp/test_packets.hpp"

namespace drover::boot::dhcp {
namespace {

using test::Message;
using test::Read;
using namespace std::string_literals;

TEST(DhcpPacketTest, ReadsWhatEdk2Sends) {
  const Read read(boot::test::corpus("dhcp", "edk2_pxe_discover"));
  ASSERT_TRUE(read.view);
  const PacketView& view = *read.view;
  EXPECT_EQ(view.op(), 1);
  EXPECT_EQ(view.xid(), 0x7d208f7eU);
  EXPECT_TRUE(view.wants_broadcast());
  EXPECT_EQ(view.hardware().type, 1);
  EXPECT_EQ(view.hardware().text(), "52:54:00:77:00:12");
  EXPECT_TRUE(view.giaddr().is_zero());
  EXPECT_EQ(view.option_u8(kMessageType), 1);
  EXPECT_EQ(view.option_u16(kMaxMessageSize), 0x05c0);
  EXPECT_EQ(view.option_u16(kArchitecture), 7);
  EXPECT_EQ(view.option(kVendorClass), "PXEClient:Arch:00007:UNDI:003000");
  EXPECT_EQ(view.option(kMachineId)->size(), 17U);
  EXPECT_FALSE(view.option(kClientId));
  EXPECT_FALSE(view.option_u8(kMaxMessageSize)) << "a number of another length is none";
}

TEST(DhcpPacketTest, RefusesBytesThatAreNoMessage) {
  const std::string good = Message(MessageType::discover).bytes();
  const auto why = [](std::string bytes) { return Read(std::move(bytes)).why; };
  EXPECT_EQ(why(""), Malformed::too_short);
  EXPECT_EQ(why(good.substr(0, kHeaderSize - 1)), Malformed::too_short);
  EXPECT_EQ(why(good + std::string(kMaxMessage, '\0')), Malformed::too_long);
  std::string bad = good;
  bad[kHeaderSize - 1] = 0;
  EXPECT_EQ(why(bad), Malformed::no_cookie);
  bad = good;
  bad[2] = 17;
  EXPECT_EQ(why(bad), Malformed::bad_hardware_length);
  EXPECT_EQ(why(good.substr(0, kHeaderSize) + "\x35"), Malformed::option_cut_off);
  EXPECT_EQ(why(good.substr(0, kHeaderSize) + "\x35\x02\x01"), Malformed::option_cut_off);
  EXPECT_EQ(why(good.substr(0, kHeaderSize) + "\x34\x01\x04\xff"), Malformed::bad_overload);
  EXPECT_EQ(why(good.substr(0, kHeaderSize) + "\x34\x02\x01\x01\xff"), Malformed::bad_overload);
  for (int why_number = 0; why_number <= static_cast<int>(Malformed::no_join_space); ++why_number) {
    EXPECT_NE(text(static_cast<Malformed>(why_number)), "malformed");
  }
}

TEST(DhcpPacketTest, TakesAMissingEndAndIgnoresWhatFollowsOne) {
  const std::string head = Message(MessageType::discover).bytes().substr(0, kHeaderSize);
  EXPECT_TRUE(Read(head).view) << "no options at all";
  EXPECT_EQ(Read(head + "\x35\x01\x01"s).view->option_u8(kMessageType), 1);
  const Read junk(head + "\x00\x00\x35\x01\x01\xff\x0c\xff"s);
  EXPECT_EQ(junk.view->option_u8(kMessageType), 1);
  EXPECT_FALSE(junk.view->has(kHostName));
}

TEST(DhcpPacketTest, JoinsOptionsThatCameInPieces) {  // RFC 3396
  const std::string head = Message(MessageType::discover).bytes().substr(0, kHeaderSize);
  const Read read(head +
                  "\x0c\x02no\x35\x01\x01\x0c\x00\x0c\x03"
                  "de1\x3d\x01Z\xff"s);
  ASSERT_TRUE(read.view);
  EXPECT_EQ(read.view->option(kHostName), "node1");
  EXPECT_EQ(read.view->option_u8(kMessageType), 1);
  EXPECT_EQ(read.view->option(kClientId), "Z");

  const std::string twice = head +
                            "\x0c\x02no\x0c\x02"
                            "de\xff"s;
  std::array<char, 3> small{};
  EXPECT_EQ(PacketView::parse(twice, small).error(), Malformed::no_join_space);
}

TEST(DhcpPacketTest, ReadsOptionsOfOverloadedFieldsInTheirOrder) {  // RFC 2131 4.1, RFC 3396 5
  std::string bytes = Message(MessageType::discover).bytes().substr(0, kHeaderSize);
  bytes +=
      "\x34\x01\x03\x0c\x01"
      "a\xff"s;
  const std::string file =
      "\x0c\x01"
      "b\x0f\x02"
      "ex\xff"s;
  const std::string server_name =
      "\x0c\x01"
      "c\xff"s;
  bytes.replace(108, file.size(), file);
  bytes.replace(44, server_name.size(), server_name);
  const Read read(bytes);
  ASSERT_TRUE(read.view);
  EXPECT_EQ(read.view->option(kHostName), "abc") << "options, then file, then sname";
  EXPECT_EQ(read.view->option(kDomainName), "ex");
  EXPECT_EQ(read.view->file(), "") << "it holds options, not a name";
  EXPECT_EQ(read.view->server_name(), "");
}

TEST(DhcpPacketTest, WritesLongValuesInPieces) {
  Message message(MessageType::offer);
  const std::string value(600, 'x');
  message.with(kClasslessRoutes, value).with(kHostName, "n1");
  const Read read(message.bytes());
  ASSERT_TRUE(read.view);
  EXPECT_EQ(read.view->option(kClasslessRoutes), value);
  EXPECT_EQ(read.view->option(kHostName), "n1");
  EXPECT_EQ(test::codes(*read.view), (std::vector<int>{53, 121, 121, 121, 12}));
}

TEST(DhcpPacketTest, WritesIntoFileAndServerNameWhenTheRestIsFull) {
  std::array<char, kMaxMessage> space{};
  Header header;
  PacketWriter out(header, space, 300, "\x01\x02p1");
  EXPECT_TRUE(out.option_u8(kMessageType, 2));
  EXPECT_TRUE(out.option(kHostName, std::string(30, 'h')));
  EXPECT_TRUE(out.option(kDomainName, std::string(100, 'd'))) << "goes into file";
  EXPECT_TRUE(out.option(kRootPath, std::string(60, 'r'))) << "goes into sname";
  EXPECT_FALSE(out.option(kDomainSearch, std::string(80, 's'))) << "fits nowhere";
  const std::string bytes(space.data(), out.finish());
  EXPECT_LE(bytes.size(), 300U);
  const Read read(bytes);
  ASSERT_TRUE(read.view);
  EXPECT_EQ(read.view->option_u8(kOverload), 3);
  EXPECT_EQ(read.view->option(kDomainName), std::string(100, 'd'));
  EXPECT_EQ(read.view->option(kRootPath), std::string(60, 'r'));
  EXPECT_FALSE(read.view->has(kDomainSearch));
  OptionCursor cursor(read.view->fields()[0]);
  uint8_t last = 0;
  while (cursor.next()) last = cursor.code();
  EXPECT_EQ(last, kRelayAgent) << "RFC 3046 2.2: the relay's option is the last";
}

TEST(DhcpPacketTest, KeepsFileAndServerNameThatAreInUse) {
  std::array<char, kMaxMessage> space{};
  Header header;
  header.file = "undionly.kpxe";
  header.server_name = "boot";
  PacketWriter out(header, space, 300);
  EXPECT_TRUE(out.option(kHostName, std::string(40, 'h')));
  EXPECT_FALSE(out.option(kDomainName, std::string(40, 'd')));
  const Read read(std::string(space.data(), out.finish()));
  EXPECT_EQ(read.view->file(), "undionly.kpxe");
  EXPECT_EQ(read.view->server_name(), "boot");
  EXPECT_FALSE(read.view->has(kOverload));

  Header too_long;
  const std::string name(128, 'f');
  too_long.file = name;
  PacketWriter cut(too_long, space, space.size());
  EXPECT_EQ(Read(std::string(space.data(), cut.finish())).view->file(), "")
      << "half a name would be another file";
}

TEST(DhcpPacketTest, PadsToTheSizeOldRomsWantAndFailsWithoutRoom) {
  std::array<char, kMaxMessage> space{};
  space.fill('!');
  PacketWriter out({}, space, space.size());
  EXPECT_EQ(out.finish(), kMinMessage);
  EXPECT_EQ(std::string_view(space.data() + kHeaderSize + 1, kMinMessage - kHeaderSize - 1),
            std::string(kMinMessage - kHeaderSize - 1, '\0'));
  EXPECT_EQ(out.finish(), 0U) << "once";
  std::array<char, kHeaderSize> small{};
  EXPECT_EQ(PacketWriter({}, small, small.size()).finish(), 0U);
  EXPECT_EQ(PacketWriter({}, space, 260,
                         "\x01\x0e"
                         "0123456789abcd")
                .finish(),
            0U)
      << "without its own option a relay cannot pass it on";
}

TEST(DhcpPacketTest, SubOptionsHaveNoPaddingInRelayInformation) {
  EXPECT_EQ(sub_option("\x01\x02p1\x02\x01r", 2, false), "r");
  EXPECT_FALSE(sub_option("\x01\x02p1\x02\x05r", 2, false)) << "cut off";
  EXPECT_EQ(sub_option("\x00\x01z\x06\x01\x08\xff"s, 6, true), std::nullopt)
      << "pad, then option 1 of length 'z'";
  EXPECT_EQ(sub_option("\x00\x06\x01\x08\xff"s, 6, true), "\x08");
  EXPECT_EQ(sub_option("\xb0\x01\x01", kIpxeNoProxy, false), "\x01");
}

/// Real packets come out of the writer as they went in, padding aside.
TEST(DhcpPacketTest, WritesRealPacketsAsTheyWere) {
  for (const auto& [name, bytes] : boot::test::corpus("dhcp")) {
    if (name.starts_with("bad_")) continue;
    const Read read(bytes);
    ASSERT_TRUE(read.view) << name;
    const PacketView& view = *read.view;
    Header header{view.op(),     view.hops(),     view.xid(),         view.seconds(),
                  view.flags(),  view.ciaddr(),   view.yiaddr(),      view.siaddr(),
                  view.giaddr(), view.hardware(), view.server_name(), view.file()};
    std::array<char, kMaxMessage> space{};
    PacketWriter out(header, space, space.size());
    OptionCursor cursor(view.fields()[0]);
    while (cursor.next()) ASSERT_TRUE(out.option(cursor.code(), cursor.value()));
    std::string again(space.data(), out.finish());
    std::string padded = bytes;
    const size_t size = std::max(again.size(), bytes.size());
    again.resize(size);
    padded.resize(size);
    EXPECT_EQ(boot::test::hex(again), boot::test::hex(padded)) << name;
  }
}

}  // namespace
}  // namespace drover::boot::dhcp

// Addresses and byte order.
#include "boot/wire/address.hpp"
#include "boot/wire/bytes.hpp"

#include <array>

#include <gtest/gtest.h>

namespace drover::boot {
namespace {

using namespace std::string_view_literals;

TEST(BytesTest, ReadsPastTheEndGiveNothingAndStay) {
  Reader reader("\x01\x02\x03\x04\x05"sv);
  EXPECT_EQ(reader.u16(), 0x0102);
  EXPECT_EQ(reader.u8(), 3);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0) << "what was left is not read after a failure";
}

TEST(BytesTest, WritesWhatFitsWholeOrNotAtAll) {
  std::array<char, 5> space{};
  Writer writer(space);
  writer.u32(0x01020304);
  writer.u16(0x0506);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.written(), "\x01\x02\x03\x04"sv);
  writer.u8(7);
  EXPECT_EQ(writer.size(), 4U) << "nothing follows a hole";
  writer.rewind(2);
  writer.u8(9);
  EXPECT_TRUE(writer.ok());
  writer.patch_u16(0, 0x0a0b);
  writer.patch_u16(2, 0x0c0d);
  EXPECT_EQ(writer.written(), "\x0a\x0b\x09"sv) << "a patch past the end is none";
}

TEST(AddressTest, FourReadsItsTextAlone) {
  EXPECT_EQ(Ipv4::parse("10.77.0.1"), Ipv4{0x0a4d0001});
  EXPECT_EQ(Ipv4{0xffffffff}.text(), "255.255.255.255");
  for (const auto* bad : {"", "10.0.0", "10.0.0.1.2", "10.0.0.256", "10.0.0.01", "10.0.0.-1",
                          "10.0.0.1 ", ".1.2.3", "10..0.1", "10.0.0."}) {
    EXPECT_FALSE(Ipv4::parse(bad)) << bad;
  }
}

TEST(AddressTest, SixReadsAnyFormAndWritesTheCanonicalOne) {
  const std::pair<const char*, const char*> cases[] = {
      {"::", "::"},
      {"::1", "::1"},
      {"fd77::1", "fd77::1"},
      {"FD77:0:0:0:0:0:0:1", "fd77::1"},
      {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
      {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::ffff:10.0.0.1", "::ffff:a00:1"},
      {"1:2:3:4:5:6:10.0.0.1", "1:2:3:4:5:6:a00:1"},
      {"fe80::", "fe80::"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto address = Ipv6::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), canonical);
    EXPECT_EQ(Ipv6::parse(address->text()), address);
  }
  for (const auto* bad : {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
                          "g::", "12345::", "1:2:3:4:5:6:7:8::", "::1%eth0", "10.0.0.1",
                          "10.0.0.1::", "1:", ":1", "::1:", "1:2:3:4:5:6:7:10.0.0.1"}) {
    EXPECT_FALSE(Ipv6::parse(bad)) << bad;
  }
}

TEST(AddressTest, PrefixesHoldTheirOwn) {
  const auto four = Prefix4::parse("10.77.5.9/20");
  ASSERT_TRUE(four);
  EXPECT_EQ(four->network.text(), "10.77.0.0");
  EXPECT_EQ(four->broadcast().text(), "10.77.15.255");
  EXPECT_TRUE(four->contains(*Ipv4::parse("10.77.15.255")));
  EXPECT_FALSE(four->contains(*Ipv4::parse("10.77.16.0")));
  EXPECT_TRUE(Prefix4::parse("0.0.0.0/0")->contains(kBroadcast4));
  EXPECT_EQ(Prefix4::parse("10.0.0.1/32")->mask(), kBroadcast4);
  EXPECT_FALSE(Prefix4::parse("10.0.0.0/33"));
  EXPECT_FALSE(Prefix4::parse("10.0.0.0"));

  const auto six = Prefix6::parse("fd77:0:0:8fff::1/51");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->network.text(), "fd77:0:0:8000::");
  EXPECT_TRUE(six->contains(*Ipv6::parse("fd77:0:0:9fff::5")));
  EXPECT_FALSE(six->contains(*Ipv6::parse("fd77:0:0:a000::5")));
  EXPECT_TRUE(Prefix6::parse("::/0")->contains(*Ipv6::parse("ff02::1")));
  EXPECT_FALSE(Prefix6::parse("::/129"));
}

TEST(AddressTest, HardwareAddressesThatNobodyHas) {
  EXPECT_EQ(HardwareAddress::parse("52:54:00:77:00:01")->text(), "52:54:00:77:00:01");
  EXPECT_FALSE(HardwareAddress::parse("52:54:0:77:00:01"));
  EXPECT_FALSE(HardwareAddress::parse("52:54:00:77:00:"));
  EXPECT_FALSE(HardwareAddress::parse("52-54-00-77-00-01"));
  EXPECT_FALSE(HardwareAddress::parse("52:54:00:77:00:01")->is_nobody());
  EXPECT_TRUE(HardwareAddress::parse("00:00:00:00:00:00")->is_nobody());
  EXPECT_TRUE(HardwareAddress::parse("ff:ff:ff:ff:ff:ff")->is_nobody());
  EXPECT_TRUE(HardwareAddress::parse("01:00:5e:00:00:01")->is_nobody());
  EXPECT_TRUE(HardwareAddress{}.is_nobody());
}

}  // namespace
}  // namespace drover::boot

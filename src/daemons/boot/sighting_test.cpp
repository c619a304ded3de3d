#include "daemons/boot/sighting.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using boot::dhcp::ClientKind;
using boot::dhcp::Decision;
using boot::dhcp::MessageType;
using boot::dhcp::Outcome;

Decision decision() {
  Decision out;
  out.request = MessageType::discover;
  out.hardware = boot::HardwareAddress::parse("52:54:00:77:00:01").value();
  out.kind = ClientKind::pxe;
  out.network = "boot";
  return out;
}

TEST(SightingOf, AStrangerIsSeenWithAllThatItAndItsSwitchSay) {
  Decision stranger = decision();
  stranger.architecture = 7;
  stranger.circuit_id.keep("Gi1/0/7");
  stranger.remote_id.keep("sw\x01");
  stranger.machine_id.keep(
      std::string_view("\0\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99"
                       "\xaa\xbb\xcc\xdd\xee\xff",
                       17));
  const auto seen = sighting_of(stranger).value();
  EXPECT_EQ(seen.mac, "52:54:00:77:00:01");
  EXPECT_EQ(seen.network, "boot");
  EXPECT_EQ(seen.port, "sw\\x01/Gi1/0/7");
  EXPECT_EQ(seen.client, "pxe");
  EXPECT_EQ(seen.arch, "x64 UEFI");
  EXPECT_EQ(seen.uuid, "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(SightingOf, WhatIsNoStrangerIsNotSeen) {
  const boot::dhcp::Reservation known;
  Decision node = decision();
  node.machine = &known;
  EXPECT_FALSE(sighting_of(node));
  Decision spoofed = decision();
  spoofed.outcome = Outcome::spoofed;
  EXPECT_FALSE(sighting_of(spoofed));
  Decision elsewhere = decision();
  elsewhere.network = {};
  EXPECT_FALSE(sighting_of(elsewhere));
  Decision infiniband = decision();
  infiniband.hardware.type = 32;
  EXPECT_FALSE(sighting_of(infiniband));
}

TEST(SightingOf, WhatIsNoUuidAndNoArchitecture) {
  EXPECT_EQ(uuid_text("short"), "");
  EXPECT_EQ(uuid_text(std::string(17, '\1')), "");
  EXPECT_EQ(architecture_name(boot::dhcp::kNoArchitecture), "");
  EXPECT_EQ(architecture_name(999), "type 999");
}

}  // namespace
}  // namespace drover::daemons

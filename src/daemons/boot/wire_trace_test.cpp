#include "daemons/boot/wire_trace.hpp"

#include "sim/world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using boot::dhcp::ClientKind;
using boot::dhcp::Decision;
using boot::dhcp::MessageType;
using boot::dhcp::Outcome;

class WireTraces : public ::testing::Test {
 protected:
  static Decision decision() {
    Decision out;
    out.request = MessageType::discover;
    out.hardware = boot::HardwareAddress::parse("52:54:00:77:00:01").value();
    out.kind = ClientKind::pxe;
    out.network = "boot";
    return out;
  }
  std::string last(const Decision& decision) {
    trace_dhcp(book_, {decision, {}, 1, 67, {}, {}});
    const auto events = book_.find("", "52:54:00:77:00:01", 1);
    if (events.empty()) return "none";
    return fmt::format("{}{} -> {}", events[0].ok ? "" : "!", events[0].what, events[0].outcome);
  }

  sim::World world_{1};
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot"}};
  TraceBook book_{process_.executor()};
};

TEST_F(WireTraces, DhcpSaysWhatWasAskedAndAnswered) {
  Decision offer = decision();
  offer.reply = MessageType::offer;
  offer.outcome = Outcome::dynamic;
  offer.address = boot::Ipv4::parse("10.77.0.200").value();
  EXPECT_EQ(last(offer),
            fmt::format("DHCP DISCOVER (pxe) -> OFFER 10.77.0.200: {}", text(Outcome::dynamic)));
  EXPECT_EQ(book_.mac_at("10.77.0.200"), "") << "offered is not given";
  offer.request = MessageType::request;
  offer.reply = MessageType::ack;
  (void)last(offer);
  EXPECT_EQ(book_.mac_at("10.77.0.200"), "52:54:00:77:00:01");
  Decision silent = decision();
  silent.outcome = Outcome::wrong_port;
  EXPECT_EQ(last(silent),
            fmt::format("!DHCP DISCOVER (pxe) -> not answered: {}", text(Outcome::wrong_port)));
}

TEST_F(WireTraces, TokensAreInNoTrace) {
  boot::HttpBootEvent event;
  event.client = "10.77.0.9";
  event.name = "/boot/blobs/abc?t=secret";
  event.why = "the boot token is unknown";
  trace_http(book_, event, "n9");
  const auto events = book_.find("n9", "", 9);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].what, "HTTP /boot/blobs/abc");
  EXPECT_EQ(events[0].outcome, "refused: the boot token is unknown");
  EXPECT_FALSE(events[0].ok);
}

TEST_F(WireTraces, AStrangerIsSeenWithAllThatItAndItsSwitchSay) {
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

TEST_F(WireTraces, WhatIsNoStrangerIsNotSeen) {
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

TEST_F(WireTraces, WhatIsNoUuidAndNoArchitecture) {
  EXPECT_EQ(uuid_text("short"), "");
  EXPECT_EQ(uuid_text(std::string(17, '\1')), "");
  EXPECT_EQ(architecture_name(boot::dhcp::kNoArchitecture), "");
  EXPECT_EQ(architecture_name(999), "type 999");
}

}  // namespace
}  // namespace drover::daemons

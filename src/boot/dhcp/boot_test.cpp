// What real firmware is told to boot: requests as they were caught on the wire, answers beside
// those of the servers that booted these machines then.
#include "boot/dhcp/server.hpp"
#include "boot/dhcp/test_server.hpp"

namespace drover::boot::dhcp {
namespace {

using namespace std::string_literals;
using test::ip;
using test::Message;
using test::Read;
using DhcpBootTest = test::ServerTest;

TEST_F(DhcpBootTest, IpxeRomGetsItsScriptAndDoesNotWaitForAProxy) {
  const auto& offer = captured("ipxe_bios_discover");
  EXPECT_EQ(offer.decision.kind, ClientKind::ipxe);
  EXPECT_EQ(offer.decision.architecture, 0);
  EXPECT_EQ(offer.yiaddr(), ip("10.77.0.113"));
  const std::string script = "http://10.77.0.1/boot/v1/bootscript?mac=${net0/mac}";
  EXPECT_EQ(offer.reply->option(kBootFileName), script);
  EXPECT_EQ(offer.reply->file(), script) << "it fits the fixed field too";
  EXPECT_EQ(sub_option(*offer.reply->option(kIpxe), kIpxeNoProxy, false), "\x01");
  EXPECT_FALSE(offer.reply->has(kVendorClass));
  EXPECT_EQ(offer.decision.to, (Destination{ip("10.77.0.113"), kClientPort, true}));
  EXPECT_EQ(*captured("ipxe_bios_request").decision.reply, MessageType::ack);
  EXPECT_EQ(answer->yiaddr(), ip("10.77.0.113"));
}

TEST_F(DhcpBootTest, AMachinesOwnScriptAndLoaderGoFirst) {
  Reservation& machine = machines.hardware["52:54:00:77:00:12"];
  machine.script = "http://{server}:8080/n18.ipxe";
  machine.loader = "debug/ipxe.efi";
  EXPECT_EQ(captured("ipxe_efi_discover").reply->option(kBootFileName),
            "http://10.77.0.1:8080/n18.ipxe");
  EXPECT_EQ(captured("edk2_pxe_discover").reply->option(kBootFileName), "debug/ipxe.efi");
  EXPECT_EQ(captured("edk2_http_discover").reply->option(kBootFileName),
            "http://10.77.0.1/boot/debug/ipxe.efi");
  machine.loader = "https://images.test/shim.efi";
  EXPECT_EQ(captured("edk2_http_discover").reply->option(kBootFileName), machine.loader);
  machine.boots = false;
  EXPECT_FALSE(captured("edk2_pxe_discover").reply->has(kBootFileName));
  EXPECT_EQ(answer->yiaddr(), ip("10.77.0.130")) << "an address all the same";
  EXPECT_FALSE(captured("ipxe_efi_discover").reply->has(kIpxe)) << "it may wait for a proxy";
}

TEST_F(DhcpBootTest, UefiPxeGetsALoaderAndUndionlyEndsTheChain) {
  const auto& offer = captured("edk2_pxe_discover");
  EXPECT_EQ(offer.decision.kind, ClientKind::pxe);
  EXPECT_TRUE(offer.decision.gave_boot_file);
  EXPECT_EQ(offer.reply->option(kBootFileName), "snponly-x64.efi");
  EXPECT_EQ(offer.reply->file(), "snponly-x64.efi");
  EXPECT_EQ(offer.reply->siaddr(), ip("10.77.0.1"));
  EXPECT_EQ(offer.reply->option(kTftpServerName), "10.77.0.1");
  EXPECT_EQ(offer.decision.to, (Destination{kBroadcast4, kClientPort})) << "it set the flag";
  const Read asked(boot::test::corpus("dhcp", "edk2_pxe_discover"));
  EXPECT_EQ(offer.reply->option(kMachineId), asked.view->option(kMachineId));
  EXPECT_EQ(*captured("edk2_pxe_request").decision.reply, MessageType::ack)
      << "its maximum message size is 0xff00";
  const auto& chained = captured("undionly_discover");
  EXPECT_EQ(chained.decision.kind, ClientKind::ipxe) << "the loader, not the firmware again";
  EXPECT_TRUE(chained.reply->option(kBootFileName)->starts_with("http://"));
}

TEST_F(DhcpBootTest, UefiHttpGetsAUrlAndItsClassBack) {
  const auto& offer = captured("edk2_http_discover");
  EXPECT_EQ(offer.decision.kind, ClientKind::http);
  EXPECT_EQ(offer.decision.architecture, 16);
  EXPECT_EQ(offer.reply->option(kVendorClass), "HTTPClient");
  EXPECT_EQ(offer.reply->option(kBootFileName), "http://10.77.0.1/boot/snponly-x64.efi");
  EXPECT_EQ(*captured("edk2_http_request").decision.reply, MessageType::ack);
  EXPECT_EQ(answer->reply->option(kVendorClass), "HTTPClient");
}

/// The address, the lease and the class that the server of the capture gave, ours gives as well.
TEST_F(DhcpBootTest, GivesWhatTheServersOfTheCapturesGave) {
  const std::pair<const char*, const char*> pairs[] = {
      {"ipxe_bios_discover", "ipxe_bios_offer"}, {"ipxe_bios_request", "ipxe_bios_ack"},
      {"edk2_pxe_discover", "edk2_pxe_offer"},   {"edk2_pxe_request", "edk2_pxe_ack"},
      {"edk2_http_discover", "edk2_http_offer"}, {"edk2_http_request", "edk2_http_ack"},
      {"udhcpc_request", "udhcpc_ack"},
  };
  for (const auto& [asked, told] : pairs) {
    SCOPED_TRACE(asked);
    const auto& ours = captured(asked);
    const Read theirs(boot::test::corpus("dhcp", told));
    ASSERT_TRUE(ours.reply && theirs.view);
    EXPECT_EQ(ours.reply->yiaddr(), theirs.view->yiaddr());
    EXPECT_EQ(ours.reply->xid(), theirs.view->xid());
    EXPECT_EQ(ours.reply->flags(), theirs.view->flags());
    for (const uint8_t code :
         {kMessageType, kServerId, kLeaseTime, kRenewalTime, kSubnetMask, kVendorClass}) {
      EXPECT_EQ(ours.reply->option(code), theirs.view->option(code)) << int{code};
    }
    EXPECT_EQ(ours.reply->has(kBootFileName), theirs.view->has(kBootFileName));
  }
}

TEST_F(DhcpBootTest, SystemsOfManyMakesGetAnAddress) {
  EXPECT_EQ(captured("udhcpc_discover").decision.kind, ClientKind::plain);
  EXPECT_EQ(answer->yiaddr(), ip("10.77.0.113"));
  EXPECT_EQ(captured("dhclient_discover").decision.outcome, Outcome::dynamic);
  EXPECT_EQ(captured("udhcpc_id_discover").decision.outcome, Outcome::dynamic);
}

TEST_F(DhcpBootTest, RelayedLoadGeneratorsAreServed) {
  Subnet far;
  far.prefix = *Prefix4::parse("10.79.0.0/16");
  config.subnets = {far};
  restart();
  arrival = {ip("10.79.0.1"), ip("10.79.255.254"), kServerPort, kServerPort, test::kNow};
  const auto known = [&](const char* file, const char* address) {
    const Read read(boot::test::corpus("dhcp", file));
    machines.hardware[read.view->hardware().text()] = node("load", address);
  };
  known("perfdhcp_discover", "10.79.1.0");
  EXPECT_EQ(captured("perfdhcp_discover").yiaddr(), ip("10.79.1.0"));
  const Read kea(boot::test::corpus("dhcp", "kea_relayed_offer"));
  EXPECT_EQ(answer->reply->giaddr(), kea.view->giaddr());
  EXPECT_EQ(answer->reply->option(kServerId), kea.view->option(kServerId));
  EXPECT_EQ(answer->decision.to, (Destination{ip("10.79.255.254"), kServerPort}));
  EXPECT_EQ(*captured("perfdhcp_request").decision.reply, MessageType::ack);
  known("perfdhcp_renew", "10.79.1.2");
  EXPECT_EQ(*captured("perfdhcp_renew").decision.reply, MessageType::ack);
  EXPECT_EQ(answer->yiaddr(), ip("10.79.1.2"));
}

TEST_F(DhcpBootTest, ProxyGivesBootFilesAndNoAddresses) {  // PXE 2.1 section 2.2
  config.subnets[0].mode = SubnetMode::proxy;
  restart();
  const auto& offer = captured("edk2_pxe_discover");
  EXPECT_EQ(offer.decision.outcome, Outcome::boot_file);
  EXPECT_EQ(*offer.decision.reply, MessageType::offer);
  EXPECT_TRUE(offer.yiaddr().is_zero());
  EXPECT_FALSE(offer.reply->has(kLeaseTime));
  EXPECT_EQ(offer.reply->option(kVendorClass), "PXEClient");
  EXPECT_EQ(offer.reply->option(kBootFileName), "snponly-x64.efi");
  EXPECT_EQ(sub_option(*offer.reply->option(kVendorOptions), kPxeDiscoveryControl, true), "\x08");
  EXPECT_EQ(offer.decision.to, (Destination{kBroadcast4, kClientPort}));
  const Read asked(boot::test::corpus("dhcp", "edk2_pxe_discover"));
  const Read theirs(boot::test::corpus("dhcp", "proxy_offer"));
  EXPECT_EQ(offer.reply->option(kMachineId), theirs.view->option(kMachineId));
  EXPECT_EQ(captured("edk2_pxe_request").decision.outcome, Outcome::other_server)
      << "that is for the server with the addresses";
  EXPECT_EQ(captured("ipxe_bios_discover").reply->option(kVendorClass), "PXEClient");
  EXPECT_TRUE(answer->reply->file().starts_with("http://"));
  EXPECT_EQ(captured("edk2_http_discover").reply->option(kVendorClass), "HTTPClient");
  EXPECT_FALSE(answer->reply->has(kVendorOptions));
  EXPECT_EQ(captured("dhclient_discover").decision.outcome, Outcome::not_booting);
  EXPECT_TRUE(journal.records.empty());
}

TEST_F(DhcpBootTest, Port4011AnswersWhereItWasAsked) {
  arrival.port = kProxyPort;
  arrival.source = ip("10.77.0.130");
  arrival.source_port = kProxyPort;
  const auto& ack = captured("edk2_port_4011_request");
  EXPECT_EQ(*ack.decision.reply, MessageType::ack);
  EXPECT_EQ(ack.decision.to, (Destination{ip("10.77.0.130"), kProxyPort}));
  EXPECT_EQ(ack.reply->ciaddr(), ip("10.77.0.130"));
  EXPECT_EQ(ack.reply->file(), "snponly-x64.efi");
  const Read theirs(boot::test::corpus("dhcp", "port_4011_ack"));
  EXPECT_EQ(ack.reply->option(kVendorClass), theirs.view->option(kVendorClass));
  EXPECT_EQ(ack.reply->option(kMachineId), theirs.view->option(kMachineId));
  EXPECT_EQ(ack.reply->ciaddr(), theirs.view->ciaddr());
  EXPECT_EQ(captured("edk2_pxe_discover").decision.outcome, Outcome::not_booting);
  EXPECT_EQ(captured("udhcpc_request").decision.outcome, Outcome::not_booting);
}

TEST_F(DhcpBootTest, EveryArchitectureHasItsLoader) {
  const std::pair<int, const char*> cases[] = {
      {0, "undionly.kpxe"},        {6, "snponly-i386.efi"},    {7, "snponly-x64.efi"},
      {9, "snponly-x64.efi"},      {10, "snponly-arm32.efi"},  {11, "snponly-arm64.efi"},
      {27, "snponly-riscv64.efi"}, {39, "snponly-loong64.efi"}};
  for (const auto& [code, file] : cases) {
    Message message(MessageType::discover);
    message.with(kVendorClass, "PXEClient").with(kArchitecture, "\x00"s + static_cast<char>(code));
    EXPECT_EQ(decide(message.bytes()).reply->option(kBootFileName), file) << code;
  }
  Message strange(MessageType::discover);
  strange.with(kVendorClass, "PXEClient").with(kArchitecture, "\x12\x34");
  EXPECT_FALSE(decide(strange.bytes()).reply->has(kBootFileName));
  EXPECT_FALSE(answer->decision.gave_boot_file);
  EXPECT_EQ(answer->yiaddr(), ip("10.77.0.113")) << "an address without a boot file";
  config.subnets[0].mode = SubnetMode::proxy;
  restart();
  EXPECT_EQ(outcome(strange), Outcome::no_boot_file);
}

TEST_F(DhcpBootTest, OldRomsStateTheirArchitectureInTheClass) {
  const auto architecture = [&](const char* vendor_class) {
    return decide(Message(MessageType::discover).with(kVendorClass, vendor_class).bytes())
        .decision.architecture;
  };
  EXPECT_EQ(architecture("PXEClient:Arch:00007:UNDI:003000"), 7);
  EXPECT_EQ(architecture("PXEClient:Arch:00000"), 0);
  EXPECT_EQ(architecture("PXEClient:Arch:7"), kNoArchitecture);
  EXPECT_EQ(architecture("PXEClient:Arch:99999:UNDI"), kNoArchitecture);
  EXPECT_EQ(architecture("PXEClient:Arch:0000x"), kNoArchitecture);
  EXPECT_EQ(architecture("PXEClient"), kNoArchitecture);
}

TEST_F(DhcpBootTest, StrangersBootTheDiscoveryScriptOrNothing) {
  config.unknown_script = "http://{server}/unknown.ipxe";
  restart();
  Message ipxe(MessageType::discover, "52:54:00:aa:aa:01");
  ipxe.with(kUserClass, "iPXE");
  EXPECT_EQ(decide(ipxe.bytes()).reply->option(kBootFileName), "http://10.77.0.1/unknown.ipxe");
  config.unknown_script.clear();
  restart();
  EXPECT_FALSE(decide(ipxe.bytes()).reply->has(kBootFileName));
}

TEST(DhcpUserClassTest, BareTextAndPieces) {  // RFC 3004 and what iPXE does
  EXPECT_TRUE(user_class_has("iPXE", "iPXE"));
  EXPECT_TRUE(user_class_has("\x04iPXE", "iPXE"));
  EXPECT_TRUE(
      user_class_has("\x03"
                     "abc\x04iPXE",
                     "iPXE"));
  EXPECT_FALSE(user_class_has("iPXE2", "iPXE"));
  EXPECT_FALSE(user_class_has("\x05iPXE", "iPXE"));
  EXPECT_FALSE(user_class_has("", "iPXE"));
}

}  // namespace
}  // namespace drover::boot::dhcp

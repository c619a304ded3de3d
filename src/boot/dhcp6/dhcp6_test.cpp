// DHCPv6 by the sections of RFC 8415, and boot options (RFC 5970).
#include "boot/dhcp6/test_messages.hpp"

namespace drover::boot::dhcp6 {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of messages
using Dhcp6Test = test::ServerTest;
using Texts = std::vector<std::string>;

std::string solicit(const std::string& duid, const std::string& more = {}) {
  return message(MessageType::solicit, option(kClientId, duid) + association(1) + more);
}
std::string to_server(MessageType type, const std::string& duid, const std::string& more) {
  return message(type, option(kClientId, duid) + option(kServerId, kServer) + more);
}

TEST(DuidTest, Kinds) {  // 11
  EXPECT_EQ(read_duid(kDuidLl)->hardware->text(), "52:54:00:77:00:01");
  EXPECT_EQ(read_duid(kDuidLlt)->hardware->text(), "52:54:00:77:00:01");
  EXPECT_EQ(read_duid(kDuidUuid)->uuid.size(), 16U);
  EXPECT_EQ(read_duid(unhex("0002 00000009 0102"))->kind, 2);
  EXPECT_EQ(read_duid(unhex("00ff 01"))->kind, 255);
  for (const char* bad : {"", "00", "0001", "0003 0001", "0001 0001 29aabbcc", "0004 0011"}) {
    EXPECT_FALSE(read_duid(unhex(bad))) << bad;
  }
  EXPECT_FALSE(read_duid(unhex("0002") + std::string(129, 'x')));
  EXPECT_EQ(hardware_of(ip("fe80::5054:ff:fe77:1"))->text(), "52:54:00:77:00:01");
  EXPECT_FALSE(hardware_of(ip("fe80::1")));
}

TEST(SipHashTest, PublishedVectors) {
  const std::array<uint64_t, 2> key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  EXPECT_EQ(sip_hash(key, ""), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(sip_hash(key, unhex("000102030405060708090a0b0c0d0e")), 0xa129ca6149be45e5U);
  EXPECT_EQ(sip_hash(key, unhex("0001020304050607")), 0x93f5f5799a932462U);
}

TEST_F(Dhcp6Test, SolicitIsAdvertised) {  // 18.3.9
  EXPECT_EQ(outcome(solicit(kDuidLlt)), Outcome::reserved);
  EXPECT_EQ(*decision.reply, MessageType::advertise);
  EXPECT_EQ(decision.machine->name, "n1");
  EXPECT_EQ(decision.to, (Destination{arrival.source, kClientPort}));
  EXPECT_EQ(reply.option(kClientId), kDuidLlt);
  EXPECT_EQ(reply.option(kPreference), "\xff");
  EXPECT_EQ(given(), Texts{"fd77::113"});
  EXPECT_FALSE(reply.option(kBootFileUrl));
  EXPECT_FALSE(reply.option(kNameServers)) << "only what is asked for";
  Reader association(*reply.option(kIaNa));
  EXPECT_EQ(association.u32(), 1U);
  EXPECT_EQ(association.u32(), 1800U) << "T1";
  EXPECT_EQ(association.u32(), 2880U) << "T2";
}

TEST_F(Dhcp6Test, SolicitWithRapidCommitIsReplied) {  // 18.3.1
  EXPECT_EQ(outcome(solicit(kDuidLl, option(kRapidCommit, ""))), Outcome::reserved);
  EXPECT_EQ(*decision.reply, MessageType::reply);
  EXPECT_TRUE(reply.option(kRapidCommit));
  config.rapid_commit = false;
  restart();
  EXPECT_EQ(*decide(solicit(kDuidLl, option(kRapidCommit, ""))).reply, MessageType::advertise);
}

TEST_F(Dhcp6Test, RequestRenewRebind) {  // 18.3.2, 18.3.4, 18.3.5
  EXPECT_EQ(outcome(to_server(MessageType::request, kDuidLl, association(1))), Outcome::reserved);
  EXPECT_EQ(given(), Texts{"fd77::113"});
  EXPECT_EQ(outcome(to_server(MessageType::renew, kDuidLl, association(1, {"fd77::99"}))),
            Outcome::reserved);
  EXPECT_EQ(given(), (Texts{"fd77::113", "fd77::99 gone"})) << "the old address is taken away";
  EXPECT_EQ(outcome(message(MessageType::rebind,
                            option(kClientId, kDuidLl) + association(1, {"fd77::113"}))),
            Outcome::reserved);
  EXPECT_EQ(given(), Texts{"fd77::113"});
  EXPECT_EQ(outcome(to_server(MessageType::request, kDuidLl, association(1) + association(2))),
            Outcome::reserved);
  EXPECT_EQ(given(), (Texts{"fd77::113", "status 2"})) << "one interface, one address";
  EXPECT_EQ(outcome(to_server(MessageType::renew, kDuidLl, association(1) + association(2))),
            Outcome::reserved);
  EXPECT_EQ(given(), (Texts{"fd77::113", "status 3"}));
}

TEST_F(Dhcp6Test, WithoutAnAddressItSaysSoOrIsSilent) {
  config.subnets[0].derive = false;
  restart();
  arrival.source = ip("fe80::1");
  EXPECT_EQ(outcome(solicit(kStranger)), Outcome::no_address);
  EXPECT_EQ(given(), Texts{"status 2"});
  EXPECT_EQ(outcome(message(MessageType::rebind, option(kClientId, kStranger) + association(1))),
            Outcome::no_record);
  EXPECT_FALSE(decision.reply);
  config.subnets[0].discovers = false;
  restart();
  EXPECT_EQ(outcome(solicit(kStranger)), Outcome::unknown_machine) << "by the network's policy";
  EXPECT_NE(outcome(solicit(kDuidLl)), Outcome::unknown_machine);
  config.subnets[0].discovers = true;
  config.discover_unknown = false;
  restart();
  EXPECT_EQ(outcome(solicit(kStranger)), Outcome::unknown_machine);
  machines.all["hardware 52:54:00:77:00:01"].ignored = true;
  EXPECT_EQ(outcome(solicit(kDuidLl)), Outcome::ignored_machine);
}

TEST_F(Dhcp6Test, DerivedAddressesAreTheSameForEver) {
  EXPECT_EQ(outcome(solicit(kStranger)), Outcome::derived);
  const Ipv6 address = decision.address;
  EXPECT_TRUE(config.subnets[0].prefix.contains(address));
  EXPECT_NE(address.bytes[8] & 0x80, 0) << "away from addresses that people give";
  restart();
  EXPECT_EQ(decide(solicit(unhex("0002 00000009 0102"))).address, address)
      << "another DUID from the same hardware";
  arrival.source = ip("fe80::5054:ff:fe99:2");
  EXPECT_NE(decide(solicit(kStranger)).address, address) << "other hardware";
  arrival.source = ip("fe80::5054:ff:fe99:1");
  config.key = {3, 4};
  restart();
  EXPECT_NE(decide(solicit(kStranger)).address, address) << "another cluster";
  EXPECT_EQ(given().size(), 1U);
  (void)decide(message(MessageType::solicit,
                       option(kClientId, kStranger) + association(1) + association(2)));
  ASSERT_EQ(given().size(), 2U);
  EXPECT_NE(given()[0], given()[1]);
  config.subnets[0].prefix = *Prefix6::parse("fd77::/80");
  restart();
  EXPECT_EQ(outcome(solicit(kStranger)), Outcome::no_address) << "no room for 64 bits";
}

TEST_F(Dhcp6Test, DeclinedAddressesAreNotGivenAgain) {  // 18.3.8
  const Ipv6 address = decide(solicit(kStranger)).address;
  EXPECT_EQ(outcome(to_server(MessageType::decline, kStranger, association(1, {address.text()}))),
            Outcome::declined);
  EXPECT_EQ(status(), 0);
  EXPECT_EQ(decision.address, address);
  EXPECT_NE(decide(solicit(kStranger)).address, address);
  EXPECT_EQ(outcome(to_server(MessageType::decline, kDuidLl, association(1, {"fd77::113"}))),
            Outcome::declined);
  arrival.source = ip("fe80::5054:ff:fe77:1");
  EXPECT_EQ(outcome(solicit(kDuidLl)), Outcome::reserved) << "its own it keeps, people must look";
}

TEST_F(Dhcp6Test, ConfirmLooksAtTheNetworkAlone) {  // 18.3.3
  const auto confirm = [&](const std::vector<std::string>& addresses) {
    return outcome(
        message(MessageType::confirm, option(kClientId, kStranger) + association(1, addresses)));
  };
  EXPECT_EQ(confirm({"fd77::5"}), Outcome::confirmed);
  EXPECT_EQ(status(), 0);
  EXPECT_EQ(confirm({"fd77::5", "fd99::5"}), Outcome::not_on_link);
  EXPECT_EQ(status(), 4);
  EXPECT_EQ(confirm({}), Outcome::not_request);
}

TEST_F(Dhcp6Test, ReleaseAndInformation) {  // 18.3.7, 18.3.6
  EXPECT_EQ(outcome(to_server(MessageType::release, kDuidLl, association(1, {"fd77::113"}))),
            Outcome::released);
  EXPECT_EQ(decision.address, ip("fd77::113"));
  EXPECT_EQ(status(), 0);
  EXPECT_EQ(
      outcome(message(MessageType::information_request,
                      option(kOptionRequest, number16(kNameServers) + number16(kDomainSearch)))),
      Outcome::options_alone);
  EXPECT_EQ(hex(*reply.option(kNameServers)), "fd770000000000000000000000000001");
  EXPECT_EQ(hex(*reply.option(kDomainSearch)), "07636c7573746572047465737400");
  EXPECT_FALSE(reply.option(kClientId));
}

TEST_F(Dhcp6Test, MessagesMustHaveWhatTheirKindNeeds) {  // 16
  const std::string client = option(kClientId, kDuidLl);
  const std::string server_id = option(kServerId, kServer);
  for (const auto type : {MessageType::solicit, MessageType::confirm, MessageType::rebind}) {
    EXPECT_EQ(outcome(message(type, association(1))), Outcome::not_request) << name(type);
    EXPECT_EQ(outcome(message(type, client + server_id)), Outcome::not_request) << name(type);
  }
  for (const auto type :
       {MessageType::request, MessageType::renew, MessageType::release, MessageType::decline}) {
    EXPECT_EQ(outcome(message(type, client)), Outcome::not_request) << name(type);
    EXPECT_EQ(outcome(message(type, server_id)), Outcome::not_request) << name(type);
    EXPECT_EQ(outcome(message(type, client + option(kServerId, kDuidUuid) + association(1))),
              Outcome::other_server)
        << name(type);
  }
  EXPECT_EQ(outcome(message(MessageType::information_request, association(1))),
            Outcome::not_request);
  for (const auto type : {MessageType::advertise, MessageType::reply, MessageType::reconfigure,
                          MessageType::relay_reply, static_cast<MessageType>(77)}) {
    EXPECT_EQ(outcome(message(type, client + server_id)), Outcome::not_request);
  }
  EXPECT_EQ(outcome(solicit("x")), Outcome::not_request) << "no DUID is so short";
  EXPECT_EQ(outcome(solicit(std::string(131, 'x'))), Outcome::not_request);
}

TEST_F(Dhcp6Test, UnicastIsTurnedAway) {  // 18.4
  arrival.multicast = false;
  EXPECT_EQ(outcome(solicit(kDuidLl)), Outcome::not_request);
  EXPECT_EQ(outcome(to_server(MessageType::renew, kDuidLl, association(1))),
            Outcome::use_multicast);
  EXPECT_EQ(status(), 5);
  EXPECT_EQ(given(), Texts{});
}

TEST_F(Dhcp6Test, RelaysAreWrappedAroundTheReply) {  // 19.3
  arrival.source = ip("fd78::9");
  arrival.multicast = false;
  const std::string inner =
      relayed(solicit(kStranger), "::", "fe80::5054:ff:fe77:1", option(kInterfaceId, "ge-1"));
  EXPECT_EQ(outcome(relayed(inner, "fd78::1", "fd78::2", option(kInterfaceId, "up"), 1)),
            Outcome::derived)
      << "known, but without an address of its own there";
  EXPECT_EQ(decision.machine->name, "n1") << "by the hardware that the relay saw";
  EXPECT_TRUE(config.subnets[1].prefix.contains(decision.address));
  EXPECT_EQ(decision.to, (Destination{arrival.source, kServerPort}));
  ASSERT_EQ(unwrapped.size(), 2U);
  EXPECT_EQ(interface_ids, (Texts{"up", "ge-1"}));
  EXPECT_EQ(static_cast<int>(unwrapped[0][1]), 1) << "hop count";
  EXPECT_EQ(unwrapped[0].substr(2, 16), ip("fd78::1").view());
  EXPECT_EQ(unwrapped[1].substr(18, 16), ip("fe80::5054:ff:fe77:1").view());
}

TEST_F(Dhcp6Test, RelaysTellWhoAndWhere) {
  arrival.multicast = false;
  const std::string hardware = option(kLinkLayerAddress, unhex("0001 525400770001"));
  EXPECT_EQ(outcome(relayed(solicit(kStranger), "fd77::9", "fe80::1", hardware)), Outcome::reserved)
      << "RFC 6939 before the DUID";
  machines.all["port ge-7/sw1"] = node("n9", "fd77::9");
  const std::string port =
      option(kInterfaceId, "ge-7") + option(kRemoteId, number32(9) + std::string("sw1"));
  EXPECT_EQ(outcome(relayed(solicit(kStranger), "fd77::9", "fe80::1", port)), Outcome::reserved);
  EXPECT_EQ(given(), Texts{"fd77::9"});
  EXPECT_EQ(outcome(relayed(solicit(kStranger), "fd99::9", "fe80::1")), Outcome::no_subnet);
  machines.all["duid " + hex(unhex("0002 00000009 07"))] = node("n7", "fd77::7");
  EXPECT_EQ(outcome(relayed(solicit(unhex("0002 00000009 07")), "fd77::9", "fe80::1")),
            Outcome::reserved);
}

TEST_F(Dhcp6Test, FirmwareAndLoaderGetTheirUrls) {  // RFC 5970
  const std::string x64 = option(kArchitecture, number16(7));
  EXPECT_EQ(outcome(solicit(kDuidUuid, x64 + vendor_class("PXEClient:Arch:00007:UNDI:003000"))),
            Outcome::reserved);
  EXPECT_EQ(decision.machine->name, "n18") << "UEFI goes by UUID";
  EXPECT_EQ(reply.option(kBootFileUrl), "tftp://[fd77::1]/snponly-x64.efi");
  EXPECT_FALSE(reply.option(kVendorClass));

  const std::string http =
      option(kArchitecture, number16(16)) + vendor_class("HTTPClient:Arch:00016:UNDI:003000");
  EXPECT_EQ(decide(solicit(kDuidUuid, http)).kind, ClientKind::http);
  EXPECT_EQ(reply.option(kBootFileUrl), "http://[fd77::1]/boot/snponly-x64.efi");
  EXPECT_EQ(hex(*reply.option(kVendorClass)), "00000157000a48545450436c69656e74");

  const std::string ipxe = option(kUserClass, number16(4) + std::string("iPXE")) + x64;
  EXPECT_EQ(decide(solicit(kDuidUuid, ipxe)).kind, ClientKind::ipxe);
  EXPECT_EQ(reply.option(kBootFileUrl), "http://[fd77::1]/boot/v1/bootscript?mac=${net0/mac}");

  Reservation& machine = machines.all["uuid 00111111222233334444000000000012"];
  machine.script = "https://boot.test/n18";
  machine.loader = "http://[{server}]:81/shim.efi";
  (void)decide(solicit(kDuidUuid, ipxe));
  EXPECT_EQ(reply.option(kBootFileUrl), "https://boot.test/n18");
  (void)decide(solicit(kDuidUuid, http));
  EXPECT_EQ(reply.option(kBootFileUrl), "http://[fd77::1]:81/shim.efi");
  machine.boots = false;
  (void)decide(solicit(kDuidUuid, ipxe));
  EXPECT_FALSE(reply.option(kBootFileUrl));
  config.unknown_script.clear();
  restart();
  (void)decide(solicit(kStranger, ipxe));
  EXPECT_FALSE(reply.option(kBootFileUrl));
  (void)decide(solicit(kDuidLl, option(kArchitecture, number16(999)) + vendor_class("PXEClient")));
  EXPECT_FALSE(reply.option(kBootFileUrl)) << "no loader for that";
  EXPECT_EQ(given(), Texts{"fd77::113"});
}

TEST_F(Dhcp6Test, BadPackets) {
  EXPECT_EQ(outcome(""), Outcome::malformed);
  EXPECT_EQ(outcome("\x01\x02\x03"), Outcome::malformed);
  const std::string good = solicit(kDuidLl);
  EXPECT_EQ(outcome(good.substr(0, good.size() - 1)), Outcome::malformed);
  EXPECT_EQ(decision.detail, text(Malformed::option_cut_off));
  EXPECT_EQ(outcome(good + std::string(kMaxMessage, '\0')), Outcome::malformed);
  std::string deep = good;
  for (int i = 0; i < 9; ++i) deep = relayed(deep, "fd77::1", "fe80::1");
  EXPECT_EQ(outcome(deep), Outcome::malformed);
  EXPECT_EQ(decision.detail, text(Malformed::too_many_relays));
  EXPECT_EQ(outcome(relayed("", "fd77::1", "fe80::1").substr(0, 34)), Outcome::malformed);
  EXPECT_EQ(decision.detail, text(Malformed::no_relayed_message));
  EXPECT_EQ(outcome(relayed("", "fd77::1", "fe80::1").substr(0, 30)), Outcome::malformed);
  EXPECT_EQ(
      outcome(message(MessageType::solicit, option(kClientId, kDuidLl) + option(kIaNa, "short"))),
      Outcome::no_address)
      << "an association that is none is not answered";
  std::array<char, 40> small{};
  EXPECT_EQ(server->decide(good, arrival, small).outcome, Outcome::reply_too_long);
}

TEST_F(Dhcp6Test, ManyAssociationsAreBounded) {
  std::string many;
  for (uint32_t i = 0; i < 60; ++i) many += association(i);
  EXPECT_EQ(outcome(message(MessageType::solicit, option(kClientId, kStranger) + many)),
            Outcome::derived);
  EXPECT_EQ(given().size(), 16U);
}

TEST(Dhcp6NamesTest, EveryOutcomeSaysSomethingOfItsOwn) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Outcome::reply_too_long); ++i) {
    EXPECT_TRUE(seen.insert(text(static_cast<Outcome>(i))).second) << i;
  }
  EXPECT_EQ(name(MessageType::information_request), "INFORMATION-REQUEST");
  EXPECT_EQ(name(static_cast<MessageType>(99)), "?");
}

}  // namespace
}  // namespace drover::boot::dhcp6

// The DHCPv4 server by the sections of RFC 2131: who gets which address, and where replies go.
#include "boot/dhcp/server.hpp"

#include "boot/dhcp/test_server.hpp"

#include <set>

namespace drover::boot::dhcp {
namespace {

using namespace std::string_literals;
using test::ip;
using test::Message;
using DhcpServerTest = test::ServerTest;
constexpr const char* kStranger = "52:54:00:aa:aa:01";

TEST_F(DhcpServerTest, OffersAReservedMachineItsAddress) {  // 4.3.1
  const auto& answer = decide(Message(MessageType::discover).with(kClientId, "\x01me").bytes());
  const auto& reply = answer.reply;
  ASSERT_TRUE(reply);
  EXPECT_EQ(answer.decision.outcome, Outcome::reserved);
  EXPECT_EQ(answer.decision.machine->name, "n1");
  EXPECT_EQ(*answer.decision.reply, MessageType::offer);
  EXPECT_EQ(answer.decision.after_record, 0U);
  EXPECT_EQ(reply->yiaddr(), ip("10.77.0.113"));
  EXPECT_EQ(reply->option_address(kServerId), ip("10.77.0.1"));
  EXPECT_EQ(reply->option_u32(kLeaseTime), 3600U);
  EXPECT_EQ(reply->option_u32(kRenewalTime), 1800U);
  EXPECT_EQ(reply->option_u32(kRebindingTime), 3150U);
  EXPECT_EQ(reply->option_address(kSubnetMask), ip("255.255.255.0"));
  EXPECT_EQ(reply->option_address(kRouters), ip("10.77.0.254"));
  EXPECT_EQ(boot::test::hex(*reply->option(kNameServers)), "0a4d00010a4d0002");
  EXPECT_EQ(reply->option(kHostName), "n1");
  EXPECT_EQ(reply->option(kDomainName), "cluster.test");
  EXPECT_EQ(reply->option(kClientId), "\x01me") << "RFC 6842";
  EXPECT_FALSE(reply->has(kBootFileName)) << "it did not ask to boot";
  EXPECT_TRUE(journal.records.empty()) << "reservations need no record";
}

TEST_F(DhcpServerTest, TellsWhatIsAskedForAndWhatMustBe) {
  const auto& answer =
      decide(Message(MessageType::discover).with(kParameterList, "\x06\x79").bytes());
  EXPECT_TRUE(answer.reply->has(kNameServers));
  EXPECT_TRUE(answer.reply->has(kSubnetMask));
  EXPECT_FALSE(answer.reply->has(kRouters));
  EXPECT_FALSE(answer.reply->has(kHostName));
}

TEST_F(DhcpServerTest, FirmwareLoaderAndSystemGetOneAddress) {
  const auto offered = decide(Message(MessageType::discover, kStranger).bytes()).yiaddr();
  (void)decide(Message(MessageType::discover, kStranger)
                   .with(kClientId,
                         "\xff"
                         "duid")
                   .bytes());
  ASSERT_FALSE(offered.is_zero());
  EXPECT_EQ(answer->yiaddr(), offered);
}

TEST_F(DhcpServerTest, StrangersGetAShortLeaseOfThePool) {
  const auto& offer = decide(Message(MessageType::discover, kStranger).bytes());
  EXPECT_EQ(offer.decision.outcome, Outcome::dynamic);
  EXPECT_EQ(offer.decision.machine, nullptr);
  EXPECT_EQ(offer.yiaddr(), ip("10.77.0.200"));
  EXPECT_EQ(offer.reply->option_u32(kLeaseTime), 300U);
  const auto& ack = decide(test::ServerTest::request(ip("10.77.0.200"), ip("10.77.0.1"), kStranger)
                               .with(kHostName, "fresh")
                               .bytes());
  EXPECT_EQ(*ack.decision.reply, MessageType::ack);
  EXPECT_EQ(ack.decision.after_record, 1U) << "not to be sent before it is safe";
  ASSERT_EQ(journal.records.size(), 1U);
  EXPECT_EQ(journal.records[0].name, "fresh");
  EXPECT_EQ(journal.records[0].until, test::kNow + std::chrono::minutes(5));
}

TEST_F(DhcpServerTest, PolicyAndPoolDecideOnStrangers) {
  EXPECT_EQ(outcome(Message(MessageType::discover, "52:54:00:aa:aa:01")), Outcome::dynamic);
  EXPECT_EQ(outcome(Message(MessageType::discover, "52:54:00:aa:aa:02")), Outcome::dynamic);
  EXPECT_EQ(outcome(Message(MessageType::discover, "52:54:00:aa:aa:03")), Outcome::pool_exhausted);
  config.subnets[0].pool.reset();
  restart();
  EXPECT_EQ(outcome(Message(MessageType::discover, kStranger)), Outcome::no_pool);
  config.discover_unknown = false;
  restart();
  EXPECT_EQ(outcome(Message(MessageType::discover, kStranger)), Outcome::unknown_machine);
  EXPECT_EQ(outcome(Message(MessageType::discover)), Outcome::reserved);
  machines.hardware["52:54:00:77:00:01"].ignored = true;
  EXPECT_EQ(outcome(Message(MessageType::discover)), Outcome::ignored_machine);
}

TEST_F(DhcpServerTest, RequestSelecting) {  // 4.3.2
  EXPECT_EQ(outcome(request(ip("10.77.0.113"), ip("10.77.0.1"))), Outcome::reserved);
  EXPECT_EQ(*answer->decision.reply, MessageType::ack);
  EXPECT_EQ(outcome(request(ip("10.77.0.113"), ip("10.99.0.1"))), Outcome::reserved)
      << "another address of ours";
  EXPECT_EQ(outcome(request(ip("10.77.0.113"), ip("10.77.0.9"))), Outcome::other_server);
  EXPECT_FALSE(answer->decision.reply);
  EXPECT_EQ(outcome(request(ip("10.77.0.99"), ip("10.77.0.1"))), Outcome::wrong_address);
  EXPECT_EQ(*answer->decision.reply, MessageType::nak);
  EXPECT_EQ(outcome(request(ip("10.55.0.1"), ip("10.77.0.1"))), Outcome::wrong_network);
  Message nothing(MessageType::request);
  nothing.with(kServerId, ip("10.77.0.1"));
  EXPECT_EQ(outcome(nothing), Outcome::wrong_network) << "without option 50";
  EXPECT_EQ(outcome(request(ip("10.77.0.150"), ip("10.77.0.1"), kStranger)), Outcome::wrong_address)
      << "in the subnet, not in the pool";
}

TEST_F(DhcpServerTest, AnotherServersChoiceFreesTheOffer) {
  ASSERT_EQ(outcome(Message(MessageType::discover, kStranger)), Outcome::dynamic);
  ASSERT_EQ(book.in_use(), 1U);
  EXPECT_EQ(outcome(request(ip("10.77.0.77"), ip("10.77.0.9"), kStranger)), Outcome::other_server);
  EXPECT_EQ(book.in_use(), 0U);
  ASSERT_TRUE(book.grant(client_key(test::mac(kStranger), ""), ip("10.77.0.200"), "",
                         std::chrono::minutes(5), test::kNow));
  EXPECT_EQ(outcome(request(ip("10.77.0.77"), ip("10.77.0.9"), kStranger)), Outcome::other_server);
  EXPECT_EQ(book.in_use(), 1U) << "a lease it holds is not touched";
}

TEST_F(DhcpServerTest, RequestInitReboot) {  // 4.3.2
  const auto reboot = [&](Ipv4 wanted, std::string_view hardware) {
    return outcome(Message(MessageType::request, hardware).with(kRequestedAddress, wanted));
  };
  EXPECT_EQ(reboot(ip("10.77.0.113"), "52:54:00:77:00:01"), Outcome::reserved);
  EXPECT_EQ(reboot(ip("10.77.0.200"), "52:54:00:77:00:01"), Outcome::wrong_address)
      << "got its own address since";
  EXPECT_EQ(*answer->decision.reply, MessageType::nak);
  EXPECT_EQ(answer->decision.to, (Destination{kBroadcast4, kClientPort}));
  EXPECT_EQ(reboot(ip("192.168.1.5"), "52:54:00:77:00:01"), Outcome::wrong_network);
  EXPECT_EQ(reboot(ip("10.77.0.200"), kStranger), Outcome::no_record);
  EXPECT_FALSE(answer->decision.reply) << "MUST remain silent";
  EXPECT_EQ(reboot(ip("192.168.1.5"), kStranger), Outcome::no_record);
  ASSERT_TRUE(book.grant(client_key(test::mac(kStranger), ""), ip("10.77.0.200"), "",
                         std::chrono::minutes(5), test::kNow));
  EXPECT_EQ(reboot(ip("10.77.0.200"), kStranger), Outcome::dynamic);
  EXPECT_EQ(reboot(ip("10.77.0.200"), "52:54:00:aa:aa:02"), Outcome::wrong_address);
  config.subnets[0].authoritative = true;
  restart();
  EXPECT_EQ(reboot(ip("10.77.0.201"), kStranger), Outcome::wrong_address);
  EXPECT_EQ(reboot(ip("192.168.1.5"), kStranger), Outcome::wrong_network);
}

TEST_F(DhcpServerTest, RequestRenewingAndRebinding) {  // 4.3.2
  const auto renew = [&](Ipv4 own, std::string_view hardware, Ipv4 source) {
    Message message(MessageType::request, hardware);
    message.header.ciaddr = own;
    Arrival how = arrival;
    how.source = source;
    return decide(message.bytes(), how).decision.outcome;
  };
  const Ipv4 own = ip("10.77.0.113");
  EXPECT_EQ(renew(own, "52:54:00:77:00:01", own), Outcome::reserved);
  EXPECT_EQ(answer->yiaddr(), own);
  EXPECT_EQ(answer->reply->ciaddr(), own);
  EXPECT_EQ(answer->decision.to, (Destination{own, kClientPort}));
  EXPECT_EQ(renew(own, "52:54:00:77:00:01", {}), Outcome::reserved) << "rebinding, no source yet";
  EXPECT_EQ(renew(own, "52:54:00:77:00:01", ip("10.77.0.66")), Outcome::spoofed);
  EXPECT_EQ(renew(ip("224.0.0.1"), "52:54:00:77:00:01", ip("224.0.0.1")), Outcome::spoofed);
  EXPECT_EQ(renew(ip("10.77.0.200"), kStranger, ip("10.77.0.200")), Outcome::no_record);
  EXPECT_EQ(renew(ip("10.78.3.3"), "52:54:00:77:00:01", ip("10.78.3.3")), Outcome::no_record)
      << "a subnet where this machine has no address of its own";
}

TEST_F(DhcpServerTest, AMachineThatWasApprovedLeavesItsDiscoveryLease) {
  ASSERT_EQ(outcome(Message(MessageType::discover, kStranger)), Outcome::dynamic);
  ASSERT_EQ(outcome(request(ip("10.77.0.200"), ip("10.77.0.1"), kStranger)), Outcome::dynamic);
  machines.hardware[kStranger] = node("n7", "10.77.0.7");
  Message renew(MessageType::request, kStranger);
  renew.header.ciaddr = ip("10.77.0.200");
  EXPECT_EQ(outcome(renew), Outcome::wrong_address);
  EXPECT_EQ(*answer->decision.reply, MessageType::nak);
  EXPECT_EQ(decide(Message(MessageType::discover, kStranger).bytes()).yiaddr(), ip("10.77.0.7"));
}

TEST_F(DhcpServerTest, DeclineAndRelease) {  // 4.3.3, 4.3.4
  ASSERT_EQ(outcome(Message(MessageType::discover, kStranger)), Outcome::dynamic);
  ASSERT_EQ(outcome(request(ip("10.77.0.200"), ip("10.77.0.1"), kStranger)), Outcome::dynamic);
  Message decline(MessageType::decline, kStranger);
  decline.with(kRequestedAddress, ip("10.77.0.200")).with(kServerId, ip("10.77.0.1"));
  EXPECT_EQ(outcome(decline), Outcome::declined);
  EXPECT_FALSE(answer->decision.reply);
  EXPECT_EQ(answer->decision.after_record, 2U);
  EXPECT_EQ(book.find(ip("10.77.0.200"))->state, LeaseState::quarantined);
  EXPECT_EQ(decide(Message(MessageType::discover, kStranger).bytes()).yiaddr(), ip("10.77.0.201"));
  EXPECT_EQ(outcome(request(ip("10.77.0.201"), ip("10.77.0.1"), kStranger)), Outcome::dynamic);

  Message release(MessageType::release, kStranger);
  release.with(kServerId, ip("10.77.0.1"));
  release.header.ciaddr = ip("10.77.0.201");
  EXPECT_EQ(outcome(release), Outcome::released);
  EXPECT_EQ(book.find(ip("10.77.0.201"))->state, LeaseState::free);
  EXPECT_EQ(outcome(release), Outcome::no_record) << "a second time";

  Message own(MessageType::decline);
  own.with(kRequestedAddress, ip("10.77.0.113"));
  EXPECT_EQ(outcome(own), Outcome::declined) << "somebody uses a reserved address: worth telling";
  EXPECT_EQ(outcome(Message(MessageType::decline)), Outcome::no_record);
  Message others(MessageType::decline);
  others.with(kRequestedAddress, ip("10.77.0.113")).with(kServerId, ip("10.77.0.9"));
  EXPECT_EQ(outcome(others), Outcome::other_server);
}

TEST_F(DhcpServerTest, InformGetsOptionsAndNoAddress) {  // 4.3.5
  Message inform(MessageType::inform);
  inform.header.ciaddr = ip("10.77.0.50");
  EXPECT_EQ(outcome(inform), Outcome::options_alone);
  EXPECT_EQ(*answer->decision.reply, MessageType::ack);
  EXPECT_TRUE(answer->yiaddr().is_zero());
  EXPECT_FALSE(answer->reply->has(kLeaseTime));
  EXPECT_TRUE(answer->reply->has(kRouters));
  EXPECT_EQ(answer->decision.to, (Destination{ip("10.77.0.50"), kClientPort}));
}

TEST_F(DhcpServerTest, RepliesGoWhereTheClientCanHear) {  // 4.1
  Message plain(MessageType::discover);
  (void)outcome(plain);
  EXPECT_EQ(answer->decision.to, (Destination{ip("10.77.0.113"), kClientPort, true}));
  plain.header.flags = 0x8000;
  (void)outcome(plain);
  EXPECT_EQ(answer->decision.to, (Destination{kBroadcast4, kClientPort}));
  plain.header.giaddr = ip("10.77.0.3");
  (void)outcome(plain);
  EXPECT_EQ(answer->decision.to, (Destination{ip("10.77.0.3"), kServerPort}));
  EXPECT_EQ(answer->reply->giaddr(), ip("10.77.0.3"));
  EXPECT_EQ(answer->reply->flags(), 0x8000);
}

TEST_F(DhcpServerTest, RelaysChooseTheSubnet) {
  Arrival how = arrival;
  how.source = ip("10.78.0.1");
  how.source_port = kServerPort;
  Message relayed(MessageType::discover, kStranger);
  relayed.header.giaddr = ip("10.78.0.1");
  relayed.with(kRelayAgent,
               "\x01\x04"
               "ge-1\x02\x02sw"s);
  EXPECT_EQ(decide(relayed.bytes(), how).yiaddr(), ip("10.78.1.0"));
  EXPECT_EQ(answer->reply->option(kRelayAgent),
            "\x01\x04"
            "ge-1\x02\x02sw"s)
      << "RFC 3046 2.2";
  EXPECT_EQ(test::codes(*answer->reply).back(), kRelayAgent);

  Message link = relayed;  // RFC 3527, 5107, 8357
  link.options.back().second = "\x05\x04\x0a\x4d\x00\x00\x0b\x04\x0a\x4d\x00\xfe\x13\x00"s;
  how.source_port = 6067;
  EXPECT_EQ(decide(link.bytes(), how).yiaddr(), ip("10.77.0.200"));
  EXPECT_EQ(answer->reply->option_address(kServerId), ip("10.77.0.254"));
  EXPECT_EQ(answer->decision.to, (Destination{ip("10.78.0.1"), 6067}));

  Message direct(MessageType::discover, kStranger);
  direct.with(kRelayAgent, "\x05\x04\x0a\x4e\x00\x00"s);
  EXPECT_EQ(decide(direct.bytes()).yiaddr(), ip("10.77.0.200"))
      << "a client cannot choose a subnet for itself";
  relayed.header.giaddr = ip("172.16.0.1");
  EXPECT_EQ(outcome(relayed), Outcome::no_subnet);
  relayed.header.giaddr = ip("255.255.255.255");
  EXPECT_EQ(outcome(relayed), Outcome::spoofed);
}

TEST_F(DhcpServerTest, ARelaysNakIsForEverybodyBehindIt) {  // 4.3.2
  Message message = request(ip("10.78.0.9"), ip("10.77.0.1"), kStranger);
  message.header.giaddr = ip("10.78.0.1");
  EXPECT_EQ(outcome(message), Outcome::wrong_address);
  EXPECT_EQ(answer->reply->flags(), 0x8000);
  EXPECT_EQ(answer->decision.to, (Destination{ip("10.78.0.1"), kServerPort}));
}

TEST_F(DhcpServerTest, MachinesAreKnownByIdentifierAndBySwitchPort) {
  machines.client_ids
      ["\xff"
       "guid"] = node("ib1", "10.77.0.31");
  Message infiniband(MessageType::discover);
  infiniband.header.hardware = HardwareAddress{32, 0, {}};
  EXPECT_EQ(outcome(infiniband), Outcome::not_request) << "nothing tells who it is";
  infiniband.with(kClientId,
                  "\xff"
                  "guid");
  EXPECT_EQ(decide(infiniband.bytes()).yiaddr(), ip("10.77.0.31"));
  EXPECT_EQ(answer->decision.to, (Destination{kBroadcast4, kClientPort})) << "RFC 4390 2.1";

  machines.ports["ge-7/sw1"] = node("n9", "10.77.0.9");
  Message port(MessageType::discover, kStranger);
  port.with(kRelayAgent, "\x01\x04ge-7\x02\x03sw1"s);
  EXPECT_EQ(decide(port.bytes()).yiaddr(), ip("10.77.0.9"));

  Reservation& n1 = machines.hardware["52:54:00:77:00:01"];
  machines.ports["ge-1/"] = n1;
  n1.at_port = true;
  Message moved(MessageType::discover);
  EXPECT_EQ(outcome(moved), Outcome::reserved) << "no port was told";
  moved.with(kRelayAgent, "\x01\x04ge-7"s);
  EXPECT_EQ(outcome(moved), Outcome::wrong_port) << "somebody with another's address";
  Message home(MessageType::discover);
  home.with(kRelayAgent, "\x01\x04ge-1"s);
  EXPECT_EQ(outcome(home), Outcome::reserved);
  n1.at_port = false;
  EXPECT_EQ(outcome(moved), Outcome::reserved) << "nobody has said where it is";
  machines.ports["ge-7/"] = node("n9", "10.77.0.9");
  EXPECT_EQ(outcome(moved), Outcome::wrong_port) << "that is n9's port";
  n1.boots = false;
  EXPECT_EQ(outcome(moved), Outcome::reserved) << "a BMC shares its node's port";
}

TEST_F(DhcpServerTest, RefusesWhatIsNoRequest) {
  EXPECT_EQ(decide("").decision.outcome, Outcome::malformed);
  EXPECT_EQ(answer->decision.detail, text(Malformed::too_short));
  Message reply(MessageType::discover);
  reply.header.op = 2;
  EXPECT_EQ(outcome(reply), Outcome::not_request);
  EXPECT_EQ(outcome(Message(MessageType::offer)), Outcome::not_request);
  EXPECT_EQ(outcome(Message(MessageType::nak)), Outcome::not_request);
  Message untyped(MessageType::discover);
  untyped.options.clear();
  EXPECT_EQ(outcome(untyped), Outcome::not_request) << "BOOTP";
  untyped.with(kMessageType, "\x01\x01");
  EXPECT_EQ(outcome(untyped), Outcome::not_request);
  Message everybody(MessageType::discover, "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(outcome(everybody), Outcome::not_request);
  for (const uint8_t code : {kRequestedAddress, kServerId, kMaxMessageSize}) {
    EXPECT_EQ(outcome(Message(MessageType::request).with(code, "xyz")), Outcome::not_request);
  }
  Arrival elsewhere = arrival;
  elsewhere.local = ip("192.168.0.1");
  EXPECT_EQ(decide(Message(MessageType::discover).bytes(), elsewhere).decision.outcome,
            Outcome::no_subnet);
  config.subnets[0].mode = SubnetMode::off;
  restart();
  EXPECT_EQ(outcome(Message(MessageType::discover)), Outcome::subnet_off);
}

TEST_F(DhcpServerTest, RepliesFitWhatTheClientTakes) {
  for (int i = 0; i < 60; ++i) config.subnets[0].name_servers.push_back({0x0a000000U + i});
  config.subnets[0].domain = std::string(200, 'd');
  config.subnets[0].search = {"a.test", "b.test", "not..a.name"};
  restart();
  EXPECT_EQ(outcome(Message(MessageType::discover)), Outcome::reserved);
  EXPECT_LE(answer->decision.size, 548U) << "576 without its headers";
  EXPECT_TRUE(answer->reply->has(kNameServers));
  EXPECT_TRUE(answer->reply->has(kDomainSearch)) << "what is short still finds a place";
  EXPECT_EQ(outcome(Message(MessageType::discover).with(kMaxMessageSize, "\xff\xff")),
            Outcome::reserved);
  EXPECT_LE(answer->decision.size, kMaxMessage);
  EXPECT_EQ(boot::test::hex(*answer->reply->option(kDomainSearch)),
            "01610474657374000162047465737400");
  std::array<char, 200> small{};
  EXPECT_EQ(server->decide(Message(MessageType::discover).bytes(), arrival, small).outcome,
            Outcome::reply_too_long);
}

TEST_F(DhcpServerTest, RoutesTakeTheDefaultAlong) {  // RFC 3442
  config.subnets[0].routes = {{*Prefix4::parse("10.17.0.0/16"), ip("10.77.0.9")}};
  config.subnets[0].mtu = 9000;
  config.subnets[0].time_servers = {ip("10.77.0.5")};
  restart();
  EXPECT_EQ(outcome(Message(MessageType::discover)), Outcome::reserved);
  EXPECT_EQ(boot::test::hex(*answer->reply->option(kClasslessRoutes)), "100a110a4d0009000a4d00fe");
  EXPECT_EQ(answer->reply->option_u16(kInterfaceMtu), 9000);
  EXPECT_EQ(answer->reply->option_address(kTimeServers), ip("10.77.0.5"));
}

TEST(DhcpNamesTest, EveryOutcomeSaysSomethingOfItsOwn) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Outcome::reply_too_long); ++i) {
    EXPECT_TRUE(seen.insert(text(static_cast<Outcome>(i))).second) << i;
  }
  for (int i = 0; i <= static_cast<int>(NotRequest::impossible_type); ++i) {
    EXPECT_TRUE(seen.insert(text(static_cast<NotRequest>(i))).second) << i;
  }
  EXPECT_EQ(name(MessageType::inform), "INFORM");
  EXPECT_EQ(name(static_cast<MessageType>(99)), "?");
  EXPECT_EQ(architecture_name(11), "ARM 64-bit UEFI");
  EXPECT_EQ(architecture_name(999), "unknown");
}

}  // namespace
}  // namespace drover::boot::dhcp

// DNS by RFC: names (1035, 4343), authority (1034, 2308, 8020), EDNS0 (6891), truncation, bad
// input.
#include "boot/dns/server.hpp"
#include "boot/dns/test_messages.hpp"

namespace drover::boot::dns {
namespace {

using namespace std::string_literals;
using test::Asked;
using test::name;
using test::query;
using test::Response;
using Lines = std::vector<std::string>;

TEST(DnsNameTest, ReadsAndWritesText) {
  EXPECT_EQ(name("N1.Cluster.test").text(), "N1.Cluster.test");
  EXPECT_EQ(name("n1.cluster.test.").wire(), "\2n1\7cluster\4test\0"s);
  EXPECT_EQ(name(".").text(), ".");
  EXPECT_EQ(name("").wire(), "\0"s);
  EXPECT_EQ(name("a b.c\x7f").text(), "a\\032b.c\\127");
  EXPECT_EQ(name("a.b.c").labels(), 3U);
  EXPECT_EQ(name("a.b.c").parent().text(), "b.c");
  EXPECT_EQ(name("a").parent().parent().text(), ".");
  EXPECT_TRUE(Name::parse(std::string(63, 'x')));
  for (const std::string& bad : {std::string(64, 'x'), "a..b"s, ".a"s, "a.."s}) {
    EXPECT_FALSE(Name::parse(bad)) << bad;
  }
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  EXPECT_EQ(name(longest).wire().size(), 255U);
  EXPECT_FALSE(Name::parse(longest + "a"));
}

TEST(DnsNameTest, CaseDoesNotMatterAndIsKept) {  // RFC 4343
  EXPECT_TRUE(name("N1.cLuster.Test").same_as(name("n1.cluster.test")));
  EXPECT_FALSE(name("n1.cluster.test").same_as(name("n2.cluster.test")));
  EXPECT_EQ(name("N1.x").lowered().text(), "n1.x");
  EXPECT_TRUE(name("a.B.c").is_in(name("b.C")));
  EXPECT_TRUE(name("b.c").is_in(name("b.c")));
  EXPECT_TRUE(name("b.c").is_in(Name{}));
  EXPECT_FALSE(name("ab.c").is_in(name("b.c"))) << "labels, not bytes";
  EXPECT_FALSE(name("c").is_in(name("b.c")));
}

TEST(DnsNameTest, FollowsPointersBackwardsAlone) {
  const std::string message = "\4test\0\2n1\xc0\0\xc0\6"s;
  size_t at = 6;
  EXPECT_EQ(Name::read(message, at)->text(), "n1.test");
  EXPECT_EQ(at, 11U);
  EXPECT_EQ(Name::read(message, at)->text(), "n1.test") << "a pointer to a pointer";
  EXPECT_EQ(at, 13U);
  const std::pair<std::string, size_t> bad[] = {
      {"\xc0\0"s, 0},        // itself
      {"\xc0\2\xc0\0"s, 0},  // forwards
      {"\xc0\2\xc0\0"s, 2},  // back, then forwards
      {"\1a\xc0\0"s, 0},     // into its own labels: would never end
      {"\1a\xc0\0"s, 2},     // to labels that run into the pointer again
      {"\xc0"s, 0},          // half
      {"\3ab"s, 0},          // cut off
      {"\1a"s, 0},           // no end
      {""s, 0},
      {"\x40"
       "a\0"s,
       0},  // reserved label types
      {"\x80"
       "a\0"s,
       0},
  };
  for (const auto& [bytes, start] : bad) {
    size_t place = start;
    EXPECT_FALSE(Name::read(bytes, place)) << boot::test::hex(bytes) << " at " << start;
  }
  std::string long_name;
  for (int i = 0; i < 5; ++i) long_name += '\x3f' + std::string(63, 'x');
  size_t place = 0;
  EXPECT_FALSE(Name::read(long_name + '\0', place)) << "over 255 bytes";
}

struct DnsServerTest : testing::Test {
  DnsServerTest() {
    table.add_host(name("n1.cluster.test"), {*Ipv4::parse("10.77.0.113")},
                   {*Ipv6::parse("fd77::113")});
    table.add_host(name("bmc-n1.mgmt.cluster.test"), {*Ipv4::parse("10.77.5.113")});
    table.add_host(name("ns1.cluster.test"), {*Ipv4::parse("10.77.0.1")});
    EXPECT_TRUE(table.add_alias(name("x0c0s1b0n0.cluster.test"), name("n1.cluster.test")));
    EXPECT_TRUE(table.add_alias(name("www.cluster.test"), name("web.example.com")));
    Zone zone;
    zone.apex = name("cluster.test");
    zone.soa.primary = name("ns1.cluster.test");
    zone.soa.mailbox = name("hostmaster.cluster.test");
    zone.soa.serial = 7;
    zone.servers = {name("ns1.cluster.test"), name("ns2.cluster.test")};
    zones.push_back(zone);
    zone.apex = name("77.10.in-addr.arpa");
    zones.push_back(zone);
    zone.apex = name("7.7.d.f.ip6.arpa");
    zones.push_back(zone);
  }

  Response ask(const std::string& message, Transport transport = Transport::udp) {
    const Server server(zones, table);
    answer = server.answer(message, transport, out);
    Response response({out.data(), answer.size});
    EXPECT_TRUE(response.good);
    return response;
  }

  HostTable table;
  std::vector<Zone> zones;
  std::array<char, 65'535> out{};
  Answer answer;
};

TEST_F(DnsServerTest, AddressesBothWays) {
  const Response four = ask(query("n1.cluster.test", kA));
  EXPECT_EQ(four.id, 0x1234);
  EXPECT_EQ(four.flags, 0x8500) << "QR, AA, RD as it was asked; no RA";
  EXPECT_EQ(four.lines(), Lines{"answer n1.cluster.test 1 10.77.0.113"});
  EXPECT_EQ(four.records[0].ttl, 60U);
  EXPECT_EQ(ask(query("n1.cluster.test", kAaaa)).lines(),
            Lines{"answer n1.cluster.test 28 fd77::113"});
  EXPECT_EQ(ask(query("113.0.77.10.in-addr.arpa", kPtr)).lines(),
            Lines{"answer 113.0.77.10.in-addr.arpa 12 n1.cluster.test"});
  const std::string six = reverse_name(*Ipv6::parse("fd77::113")).text();
  EXPECT_EQ(six, "3.1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa");
  EXPECT_EQ(ask(query(six, kPtr)).lines(), Lines{"answer " + six + " 12 n1.cluster.test"});
  EXPECT_EQ(answer.outcome, Outcome::answered);
}

TEST_F(DnsServerTest, TheCaseOfTheQuestionComesBack) {  // draft-vixie-dnsext-dns0x20
  const Response response = ask(query("N1.cLuSTer.tESt", kA));
  EXPECT_EQ(response.question, "N1.cLuSTer.tESt");
  EXPECT_EQ(response.lines(), Lines{"answer N1.cLuSTer.tESt 1 10.77.0.113"});
}

TEST_F(DnsServerTest, NoDataIsNotNoName) {  // RFC 2308
  const Response no_data = ask(query("bmc-n1.mgmt.cluster.test", kAaaa));
  EXPECT_EQ(no_data.rcode(), 0);
  EXPECT_EQ(no_data.lines(), Lines{"authority cluster.test 6 ns1.cluster.test"});
  EXPECT_EQ(answer.outcome, Outcome::no_data);
  const Response no_name = ask(query("n2.cluster.test", kA));
  EXPECT_EQ(no_name.rcode(), 3);
  EXPECT_TRUE(no_name.authoritative());
  EXPECT_EQ(no_name.lines(), Lines{"authority cluster.test 6 ns1.cluster.test"});
  EXPECT_EQ(ask(query("mgmt.cluster.test", kA)).rcode(), 0)
      << "nothing there, but something below (RFC 8020)";
  EXPECT_EQ(ask(query("0.77.10.in-addr.arpa", kPtr)).rcode(), 0);
  EXPECT_EQ(ask(query("9.0.77.10.in-addr.arpa", kPtr)).rcode(), 3);
}

TEST_F(DnsServerTest, TheApexHasItsOwn) {
  EXPECT_EQ(ask(query("cluster.test", kSoa)).lines(),
            Lines{"answer cluster.test 6 ns1.cluster.test"});
  EXPECT_EQ(
      ask(query("cluster.test", kNs)).lines(),
      (Lines{"answer cluster.test 2 ns1.cluster.test", "answer cluster.test 2 ns2.cluster.test",
             "additional ns1.cluster.test 1 10.77.0.1"}));
  EXPECT_EQ(ask(query("cluster.test", kA)).rcode(), 0);
  EXPECT_EQ(answer.outcome, Outcome::no_data);
  EXPECT_EQ(ask(query("cluster.test", kAny)).records.size(), 4U);
}

TEST_F(DnsServerTest, AddressesOfNameServersAreAFavour) {  // RFC 2181 section 9
  const Server server(zones, table);
  const std::string asked = query("cluster.test", kNs);
  const size_t whole = server.answer(asked, Transport::udp, out).size;
  answer = server.answer(asked, Transport::udp, std::span(out).first(whole - 1));
  EXPECT_FALSE(answer.truncated);
  EXPECT_EQ(Response({out.data(), answer.size}).records.size(), 2U);
  answer = server.answer(asked, Transport::udp, std::span(out).first(whole - 20));
  EXPECT_TRUE(answer.truncated) << "but the servers themselves are not";
}

TEST_F(DnsServerTest, AliasesLeadToTheirHost) {
  EXPECT_EQ(ask(query("x0c0s1b0n0.cluster.test", kA)).lines(),
            (Lines{"answer x0c0s1b0n0.cluster.test 5 n1.cluster.test",
                   "answer n1.cluster.test 1 10.77.0.113"}));
  EXPECT_EQ(ask(query("x0c0s1b0n0.cluster.test", kCname)).records.size(), 1U);
  EXPECT_EQ(ask(query("www.cluster.test", kA)).lines(),
            Lines{"answer www.cluster.test 5 web.example.com"});
}

TEST_F(DnsServerTest, OutsideAndUnwantedAreRefused) {
  EXPECT_EQ(ask(query("example.com", kA)).rcode(), 5);
  EXPECT_EQ(answer.outcome, Outcome::outside);
  EXPECT_EQ(ask(query("xcluster.test", kA)).rcode(), 5);
  EXPECT_EQ(ask(query("cluster.test", kAxfr)).rcode(), 5);
  Asked chaos;
  chaos.klass = 3;
  EXPECT_EQ(ask(query("version.bind", kTxt, chaos)).rcode(), 5);
  EXPECT_EQ(answer.outcome, Outcome::refused);
}

TEST_F(DnsServerTest, LongAnswersAreCutAndSaySo) {
  std::vector<Ipv4> many;
  for (uint32_t i = 0; i < 60; ++i) many.push_back({0x0a4d0a00 + i});
  table.add_host(name("many.cluster.test"), many);
  const Response plain = ask(query("many.cluster.test", kA));
  EXPECT_TRUE(plain.truncated());
  EXPECT_LE(answer.size, 512U);
  EXPECT_GT(plain.records.size(), 20U) << "what fits is there";
  const Response wide = ask(query("many.cluster.test", kA, test::edns(4096)));
  EXPECT_FALSE(wide.truncated());
  EXPECT_EQ(wide.records.size(), 60U);
  EXPECT_EQ(wide.opt_size, kUdpSize);
  EXPECT_LE(answer.size, kUdpSize);
  EXPECT_TRUE(ask(query("many.cluster.test", kA, test::edns(100))).truncated())
      << "less than 512 means 512";
  EXPECT_EQ(ask(query("many.cluster.test", kA), Transport::tcp).records.size(), 60U);
  EXPECT_FALSE(answer.truncated);
  for (uint32_t i = 0; i < 200; ++i) {
    table.add_host(name("many.cluster.test"), {{0x0a4d0b00 + i}});
  }
  EXPECT_TRUE(ask(query("many.cluster.test", kA, test::edns(65535))).truncated());
}

TEST_F(DnsServerTest, Edns) {  // RFC 6891
  const Response response = ask(query("n1.cluster.test", kA, test::edns(1400, 0, true)));
  EXPECT_EQ(response.opt_size, kUdpSize);
  EXPECT_EQ(response.rcode(), 0);
  EXPECT_EQ(ask(query("n1.cluster.test", kA)).opt_size, 0) << "only to who has it";
  const Response newer = ask(query("n1.cluster.test", kA, test::edns(1400, 1)));
  EXPECT_EQ(newer.rcode(), 16);
  EXPECT_TRUE(newer.records.empty());
  Asked twice = test::edns(1400);
  twice.additional += twice.additional;
  twice.additional_count = 2;
  EXPECT_EQ(ask(query("n1.cluster.test", kA, twice)).rcode(), 1);
}

TEST_F(DnsServerTest, BadMessages) {
  const auto size = [&](const std::string& message) {
    return Server(zones, table).answer(message, Transport::udp, out).size;
  };
  EXPECT_EQ(size(""), 0U);
  EXPECT_EQ(size(std::string(11, 'x')), 0U);
  Asked response;
  response.flags = 0x8180;
  EXPECT_EQ(size(query("n1.cluster.test", kA, response)), 0U) << "never answer an answer";
  Asked update;
  update.flags = 5 << 11;
  EXPECT_EQ(ask(query("n1.cluster.test", kA, update)).rcode(), 4);
  EXPECT_EQ(ask(query("n1.cluster.test", kA)).id, 0x1234);
  const std::string good = query("n1.cluster.test", kA);
  EXPECT_EQ(ask(good.substr(0, good.size() - 1)).rcode(), 1);
  EXPECT_EQ(ask(good.substr(0, 12)).rcode(), 1);
  std::string two = good;
  two[5] = 2;
  EXPECT_EQ(ask(two).rcode(), 1);
  std::string loop = good.substr(0, 12) + "\xc0\x0c\0\1\0\1"s;
  EXPECT_EQ(ask(loop).rcode(), 1);
  std::string missing = good;
  missing[11] = 1;
  EXPECT_EQ(ask(missing).rcode(), 1) << "an additional record that is not there";
  EXPECT_EQ(answer.outcome, Outcome::malformed);
}

TEST_F(DnsServerTest, OutOfSpaceIsSilence) {
  std::array<char, 20> small{};
  EXPECT_EQ(Server(zones, table).answer(query("n1.cluster.test", kA), Transport::udp, small).size,
            0U);
  std::array<char, 5> tiny{};
  EXPECT_EQ(Server(zones, table)
                .answer(query("n1.cluster.test", kA, test::edns(512)), Transport::udp, tiny)
                .size,
            0U);
}

TEST(DnsTableTest, HostsGoWithAllTheirNames) {
  HostTable table;
  const Name host = name("N1.cluster.test");
  table.add_host(host, {*Ipv4::parse("10.77.0.1"), *Ipv4::parse("10.77.0.2")});
  table.add_host(name("n2.cluster.test"), {*Ipv4::parse("10.77.0.2")});
  table.add_host(host, {*Ipv4::parse("10.77.0.1")});
  EXPECT_EQ(table.find(host.lowered())->addresses4.size(), 2U) << "said twice, known once";
  EXPECT_FALSE(table.add_alias(name("n1.CLUSTER.test"), name("n2.cluster.test")));
  EXPECT_EQ(table.find(reverse_name(*Ipv4::parse("10.77.0.2")))->hosts.size(), 2U);
  EXPECT_TRUE(table.has_below(name("cluster.test")));
  EXPECT_TRUE(table.remove(name("n1.cluster.test")));
  EXPECT_FALSE(table.remove(name("n1.cluster.test")));
  EXPECT_EQ(table.find(reverse_name(*Ipv4::parse("10.77.0.1"))), nullptr);
  EXPECT_EQ(table.find(reverse_name(*Ipv4::parse("10.77.0.2")))->hosts.size(), 1U);
  EXPECT_TRUE(table.remove(name("n2.cluster.test")));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_FALSE(table.has_below(name("cluster.test")));
  EXPECT_FALSE(table.has_below(name("in-addr.arpa")));
}

TEST(DnsTcpTest, FramesComeWhole) {  // RFC 1035 section 4.2.2
  EXPECT_FALSE(tcp_frame(""));
  EXPECT_FALSE(tcp_frame("\0"s));
  EXPECT_FALSE(tcp_frame("\0\3ab"s));
  const auto frame = tcp_frame("\0\2abrest"s);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->used, 4U);
  EXPECT_EQ(frame->message.size(), 2U);
  EXPECT_EQ(tcp_frame("\0\0"s)->used, 2U);
}

}  // namespace
}  // namespace drover::boot::dns

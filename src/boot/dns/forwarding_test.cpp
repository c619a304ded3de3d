// What another server says, taken and refused; and the memory of its answers.
#include "boot/dns/forwarding.hpp"

#include "boot/dns/answer_cache.hpp"
#include "boot/dns/test_messages.hpp"

namespace drover::boot::dns {
namespace {

using std::chrono::seconds;
using test::number16;
using test::Response;

std::string number32(uint32_t value) {
  return number16(static_cast<uint16_t>(value >> 16)) + number16(static_cast<uint16_t>(value));
}

/// An answer to `message`, with records that are given behind it.
std::string answer_to(const std::string& message, uint16_t answers, uint16_t authorities,
                      const std::string& records, uint16_t flags = 0x8180) {
  const auto asked = read_query(message);
  EXPECT_TRUE(asked);
  return message.substr(0, 2) + number16(flags) + number16(1) + number16(answers) +
         number16(authorities) + number16(0) + std::string(asked->name.wire()) +
         number16(asked->type) + number16(asked->klass) + records;
}
std::string address(uint32_t ttl, uint32_t value) {
  return number16(0xc00c) + number16(kA) + number16(kIn) + number32(ttl) + number16(4) +
         number32(value);
}
std::string soa(uint32_t ttl, uint32_t minimum) {
  const std::string data = std::string(2, '\0') + number32(1) + number32(2) + number32(3) +
                           number32(4) + number32(minimum);
  return number16(0xc00c) + number16(kSoa) + number16(kIn) + number32(ttl) +
         number16(static_cast<uint16_t>(data.size())) + data;
}

Query sent_for(std::string_view name, uint16_t type = kA) {
  Query out = *read_query(test::query(name, type));
  out.id = 0x9abc;
  out.name = with_case(out.name, CaseBits{0x55, 0x55, 0x55, 0x55});
  return out;
}

TEST(DnsForwarding, TheQuestionCarriesItsOwnIdAndCaseAndNothingOfTheClients) {
  Query client = *read_query(test::query("Www.Example.Org", kAaaa, test::edns(4096, 0, true)));
  client.id = 0x9abc;
  client.name = with_case(client.name, CaseBits{0x02, 0x40});
  const std::string message = upstream_query(client);
  const auto read = read_query(message);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, 0x9abc);
  EXPECT_TRUE(read->wants_recursion);
  EXPECT_TRUE(read->name.same_as(*Name::parse("www.example.org")));
  ASSERT_TRUE(read->edns);
  EXPECT_EQ(read->edns->udp_size, kUdpSize);
  EXPECT_TRUE(read->edns->dnssec_ok);
  const std::string wire(read->name.wire());
  EXPECT_EQ(wire, std::string("\3Www\7example\3oRg\0", 17));
  EXPECT_EQ(question_key(*read), question_key(client));
  EXPECT_NE(question_key(*read), question_key(*read_query(test::query("www.example.org", kAaaa))));
}

TEST(DnsForwarding, BelievesOnlyTheAnswerToItsOwnQuestion) {
  const Query sent = sent_for("example.org");
  const std::string good = answer_to(upstream_query(sent), 1, 0, address(300, 0x01020304));
  AnswerFacts facts;
  ASSERT_EQ(judge_answer(good, sent, facts), Belief::answer);
  EXPECT_EQ(facts.ttl, 300U);
  const auto other = [&](auto change) {
    std::string bytes = good;
    change(bytes);
    return judge_answer(bytes, sent, facts);
  };
  EXPECT_EQ(other([](std::string& it) { it[0] = 0; }), Belief::foreign) << "id";
  EXPECT_EQ(other([](std::string& it) { it[2] = 0x01; }), Belief::foreign) << "a query";
  EXPECT_EQ(other([](std::string& it) { it[5] = 2; }), Belief::foreign) << "two questions";
  EXPECT_EQ(other([](std::string& it) { it[13] = 'x'; }), Belief::foreign) << "another name";
  EXPECT_EQ(other([](std::string& it) { it[14] ^= 0x20; }), Belief::other_case);
  EXPECT_EQ(other([](std::string& it) { it[26] = 28; }), Belief::foreign) << "another type";
  EXPECT_EQ(other([](std::string& it) { it.pop_back(); }), Belief::foreign) << "cut";
  EXPECT_EQ(other([](std::string& it) { it += "x"; }), Belief::foreign) << "more behind it";
  EXPECT_EQ(other([](std::string& it) { it.resize(5); }), Belief::foreign);
  std::string lower = good;
  lower[14] = static_cast<char>(lower[14] ^ 0x20);
  EXPECT_EQ(judge_answer(lower, sent, facts, true), Belief::answer) << "by TCP";
}

TEST(DnsForwarding, WhatMayBeRememberedAndHowLong) {
  const Query sent = sent_for("example.org");
  const std::string asked = upstream_query(sent);
  const auto ttl = [&](const std::string& message) {
    AnswerFacts facts;
    EXPECT_EQ(judge_answer(message, sent, facts), Belief::answer);
    return facts.ttl;
  };
  EXPECT_EQ(ttl(answer_to(asked, 2, 0, address(300, 1) + address(20, 2))), 20U) << "the least";
  EXPECT_EQ(ttl(answer_to(asked, 1, 0, address(9'999'999, 1))), 86'400U) << "a day at most";
  EXPECT_EQ(ttl(answer_to(asked, 1, 0, address(0, 1))), 0U);
  EXPECT_EQ(ttl(answer_to(asked, 0, 1, soa(600, 60), 0x8183)), 60U) << "NXDOMAIN, RFC 2308";
  EXPECT_EQ(ttl(answer_to(asked, 0, 1, soa(30, 60))), 30U) << "no data";
  EXPECT_EQ(ttl(answer_to(asked, 0, 0, "", 0x8183)), 0U) << "NXDOMAIN without SOA";
  EXPECT_EQ(ttl(answer_to(asked, 0, 0, "", 0x8182)), 0U) << "SERVFAIL";
  EXPECT_EQ(ttl(answer_to(asked, 1, 0, address(300, 1), 0x8380)), 0U) << "truncated";
}

TEST(DnsForwarding, PassesOnWithTheClientsIdCaseAndTheTimeThatIsLeft) {
  const Query sent = sent_for("example.org");
  const std::string message =
      answer_to(upstream_query(sent), 1, 0, address(300, 0x01020304), 0x85a0);
  AnswerFacts facts;
  ASSERT_EQ(judge_answer(message, sent, facts), Belief::answer);
  const Query client = *read_query(test::query("EXAMPLE.org", kA));
  std::array<char, 600> out{};
  const size_t size = pass_on(message, facts, client, 100, 512, out);
  const Response answer(std::string_view(out.data(), size));
  EXPECT_TRUE(answer.good);
  EXPECT_EQ(answer.id, 0x1234);
  EXPECT_EQ(answer.question, "EXAMPLE.org");
  EXPECT_EQ(answer.flags, 0x8180) << "not authoritative, not authentic";
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(answer.records[0].ttl, 200U);
  EXPECT_EQ(answer.records[0].owner, "EXAMPLE.org");
  const Response cut(std::string_view(out.data(), pass_on(message, facts, client, 0, 40, out)));
  EXPECT_TRUE(cut.good && cut.truncated());
  EXPECT_TRUE(cut.records.empty());
}

TEST(DnsAnswerCache, KeepsWhatIsUsedWithinItsBoundAndItsTime) {
  AnswerCache cache(4000);
  AnswerFacts facts;
  facts.ttl = 10;
  const MonoTime start{};
  for (int i = 0; i < 100; ++i) {
    cache.put("name" + std::to_string(i), std::string(200, 'x'), facts, start);
    EXPECT_LE(cache.bytes(), 4000U);
    if (i > 0) EXPECT_NE(cache.find("name0", start), nullptr) << "used ones stay";
  }
  EXPECT_EQ(cache.find("name1", start), nullptr) << "unused ones go";
  EXPECT_NE(cache.find("name99", start + seconds(9)), nullptr);
  EXPECT_EQ(cache.find("name99", start + seconds(9))->age(start + seconds(9)), 9U);
  EXPECT_EQ(cache.find("name99", start + seconds(10)), nullptr) << "its time is over";
  facts.ttl = 0;
  cache.put("name0", "new", facts, start);
  EXPECT_EQ(cache.find("name0", start), nullptr) << "what must not be kept takes the old along";
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace drover::boot::dns

// DNS from anybody on the wire: names never loop and are what they were once written again, and the
// response to any bytes is a response to them within its bounds.
#include "boot/dns/forwarding.hpp"
#include "boot/dns/server.hpp"
#include "fuzz.hpp"

#include <string>
#include <vector>

namespace {

using namespace drover::boot;       // NOLINT(google-build-using-namespace): one program
using namespace drover::boot::dns;  // NOLINT(google-build-using-namespace)
using drover::fuzz::require;

struct Ground {
  Ground() {
    table.add_host(*Name::parse("n1.test"), {{0x0a4d0001}, {0x0a4d0002}},
                   {*Ipv6::parse("fd77::1")});
    (void)table.add_alias(*Name::parse("a.test"), *Name::parse("n1.test"));
    for (uint32_t i = 0; i < 90; ++i) table.add_host(*Name::parse("m.test"), {{i + 1}});
  }
  static std::vector<Zone> zones() {
    Zone zone;
    zone.apex = *Name::parse("test");
    zone.soa.primary = *Name::parse("n1.test");
    zone.soa.mailbox = *Name::parse("hostmaster.test");
    zone.servers = {*Name::parse("n1.test")};
    Zone reverse = zone;
    reverse.apex = *Name::parse("10.in-addr.arpa");
    return {zone, reverse};
  }
  HostTable table;
  Server server{zones(), table};
};

/// Every name and length of a response leads to its end.
void walk(std::string_view response) {
  Reader header(response);
  (void)header.u32();
  size_t questions = header.u16();
  size_t records = header.u16();
  records += header.u16();
  records += header.u16();
  size_t at = kHeaderSize;
  for (; questions > 0; --questions) {
    require(Name::read(response, at).has_value(), "the question has a name");
    at += 4;
  }
  for (; records > 0; --records) {
    require(Name::read(response, at).has_value(), "a record has a name");
    Reader record(response.substr(at));
    (void)record.take(8);
    (void)record.take(record.u16());
    require(record.ok(), "and is whole");
    at = response.size() - record.size();
  }
  require(at == response.size(), "nothing follows");
}

/// What another server says, to a question that is the nearest to what it answers.
void forward(std::string_view input) {
  if (input.size() < kHeaderSize) return;
  size_t at = kHeaderSize;
  const auto name = Name::read(input, at);
  if (!name || input.size() < at + 4) return;
  Reader head(input);
  Query sent;
  sent.id = head.u16();
  sent.name = *name;
  Reader tail(input.substr(at));
  sent.type = tail.u16();
  sent.klass = tail.u16();
  AnswerFacts facts;
  if (judge_answer(input, sent, facts) != Belief::answer) return;
  Query client = sent;
  client.id = 0x4711;
  client.name = with_case(sent.name, CaseBits{0xff, 0xff, 0xff});
  std::vector<char> out(65'535);
  const size_t size = pass_on(input, facts, client, 10, out.size(), out);
  require(size > 0 && size <= input.size() + 32, "what is believed is passed on");
  walk({out.data(), size});
  require(pass_on(input, facts, client, 10, kPlainUdpSize, out) <= kPlainUdpSize, "and fits");
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  static const Ground ground;
  size_t at = 0;
  if (const auto name = Name::read(input, at)) {
    require(at <= input.size() && name->wire().size() <= kMaxName, "names are bounded");
    size_t again = 0;
    require(Name::read(name->wire(), again)->wire() == name->wire(), "names read back");
    require(name->is_in(*name) && name->is_in(name->parent()), "names are in their own zones");
  }
  forward(input);
  if (const auto parsed = Name::parse(input)) (void)parsed->text();
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    std::array<char, 4096> out{};
    const Answer answer = ground.server.answer(input, transport, out);
    if (answer.size == 0) continue;
    require(transport == Transport::tcp || answer.size <= kUdpSize, "within what UDP carries");
    require(std::string_view(out.data(), 2) == input.substr(0, 2), "to this very query");
    walk({out.data(), answer.size});
  }
  if (const auto frame = tcp_frame(input)) {
    require(frame->used <= input.size() && frame->message.size() + 2 == frame->used, "frames fit");
  }
}

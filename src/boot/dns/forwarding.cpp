#include "boot/dns/forwarding.hpp"

#include <algorithm>

namespace drover::boot::dns {
namespace {

constexpr uint16_t kResponse = 0x8000;
constexpr uint16_t kTruncated = 0x0200;
constexpr uint16_t kRecursionDesired = 0x0100;
constexpr uint16_t kRecursionAvailable = 0x0080;
constexpr uint16_t kCheckingDisabled = 0x0010;
constexpr uint16_t kOpcode = 0x7800;
/// RFC 2308 section 5, RFC 8767 section 4: nobody is remembered longer, whatever he says.
constexpr uint32_t kLongest = 86'400;
constexpr uint32_t kLongestNegative = 3'600;
/// Of the question: type and class.
constexpr size_t kQuestionTail = 4;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

uint16_t u16_at(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

void put_u32(std::span<char> out, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

uint32_t u32_at(std::string_view bytes, size_t at) {
  return uint32_t{u16_at(bytes, at)} << 16 | u16_at(bytes, at + 2);
}

/// One record of an answer; `at` is moved behind it.
struct Record {
  uint16_t type = 0;
  uint32_t ttl = 0;
  size_t ttl_at = 0;
  std::string_view data;
};
std::optional<Record> read_record(std::string_view message, size_t& at) {
  if (!Name::read(message, at)) return {};
  Reader reader(message.substr(at));
  Record out;
  out.type = reader.u16();
  (void)reader.u16();
  out.ttl_at = at + 4;
  out.ttl = reader.u32();
  out.data = reader.take(reader.u16());
  if (!reader.ok() || out.ttl_at > UINT16_MAX) return {};
  at = message.size() - reader.size();
  return out;
}

/// The last of the five numbers that end a SOA record.
uint32_t minimum_of(const Record& soa) {
  constexpr size_t kNumbers = 20;
  return soa.data.size() < kNumbers ? 0 : u32_at(soa.data, soa.data.size() - 4);
}

/// Reads all records of an answer; false when they are not whole.
bool read_records(std::string_view message, size_t at, AnswerFacts& facts) {
  const uint16_t answers = u16_at(message, 6);
  const uint16_t authorities = u16_at(message, 8);
  const uint32_t all = uint32_t{answers} + authorities + u16_at(message, 10);
  uint32_t least = kLongest;
  std::optional<uint32_t> negative;
  for (uint32_t i = 0; i < all; ++i) {
    const auto record = read_record(message, at);
    if (!record) return false;
    if (record->type == kOpt) continue;  // its "time" is flags
    facts.ttls.push_back(static_cast<uint16_t>(record->ttl_at));
    least = std::min(least, record->ttl);
    if (i >= answers && i < uint32_t{answers} + authorities && record->type == kSoa) {
      negative = std::min({record->ttl, minimum_of(*record), kLongestNegative});
    }
  }
  const bool lasts = facts.rcode == 0 || facts.rcode == static_cast<uint8_t>(Rcode::no_such_name);
  if (!lasts || facts.truncated) return at == message.size();
  const bool is_positive = facts.rcode == 0 && answers > 0;
  facts.ttl = is_positive ? least : std::min(negative.value_or(0), least);
  return at == message.size();
}

}  // namespace

Name with_case(const Name& name, const CaseBits& bits) {
  std::string wire(name.wire());
  size_t label = 0;
  while (label < wire.size() && wire[label] != 0) {
    const size_t end = label + 1 + static_cast<uint8_t>(wire[label]);
    for (size_t i = label + 1; i < end && i < wire.size(); ++i) {
      if (!is_letter(wire[i])) continue;
      const bool upper = (bits[i / 8 % bits.size()] >> (i % 8) & 1) != 0;
      wire[i] = static_cast<char>(upper ? wire[i] & ~0x20 : wire[i] | 0x20);
    }
    label = end;
  }
  size_t at = 0;
  return Name::read(wire, at).value_or(name);
}

std::string upstream_query(const Query& sent) {
  std::array<char, kMaxName + 64> space{};
  Writer out(space);
  out.u16(sent.id);
  out.u16(kRecursionDesired | (sent.checking_disabled ? kCheckingDisabled : 0));
  out.u16(1);
  out.zeros(4);
  out.u16(sent.edns ? 1 : 0);
  out.bytes(sent.name.wire());
  out.u16(sent.type);
  out.u16(sent.klass);
  if (sent.edns) {
    out.u8(0);
    out.u16(kOpt);
    out.u16(kUdpSize);
    out.u16(0);
    out.u16(sent.edns->dnssec_ok ? 0x8000 : 0);
    out.u16(0);
  }
  return std::string(out.written());
}

std::string question_key(const Query& query) {
  std::string out(query.name.lowered().wire());
  for (const uint16_t number : {query.type, query.klass}) {
    out.push_back(static_cast<char>(number >> 8));
    out.push_back(static_cast<char>(number));
  }
  out.push_back(static_cast<char>((query.checking_disabled ? 1 : 0) | (query.edns ? 2 : 0) |
                                  (query.edns && query.edns->dnssec_ok ? 4 : 0)));
  return out;
}

Belief judge_answer(std::string_view message, const Query& sent, AnswerFacts& facts,
                    bool any_case) {
  facts = {};
  const size_t question = kHeaderSize + sent.name.wire().size();
  if (message.size() < question + kQuestionTail || u16_at(message, 0) != sent.id) {
    return Belief::foreign;
  }
  const uint16_t flags = u16_at(message, 2);
  const bool is_answer =
      (flags & kResponse) != 0 && (flags & kOpcode) == 0 && u16_at(message, 4) == 1;
  size_t at = kHeaderSize;
  const auto name = Name::read(message, at);
  // The name is written out where it comes first; a pointer there is not what we asked.
  if (!is_answer || !name || at != question || !name->same_as(sent.name) ||
      u16_at(message, at) != sent.type || u16_at(message, at + 2) != sent.klass) {
    return Belief::foreign;
  }
  if (!any_case && name->wire() != sent.name.wire()) return Belief::other_case;
  facts.rcode = static_cast<uint8_t>(flags & 15);
  facts.truncated = (flags & kTruncated) != 0;
  // What is cut off may end anywhere; it is asked for again, not read.
  if (!read_records(message, at + kQuestionTail, facts) && !facts.truncated) return Belief::foreign;
  return Belief::answer;
}

size_t udp_limit(const Query& query) {
  return query.edns ? std::clamp(query.edns->udp_size, kPlainUdpSize, kUdpSize) : kPlainUdpSize;
}

size_t answer_without(const Query& client, Rcode rcode, bool truncated, std::span<char> out) {
  ResponseWriter writer(client, rcode, false, out, out.size());
  const size_t size = writer.finish();
  if (size == 0) return 0;
  if (truncated) out[2] = static_cast<char>(out[2] | (kTruncated >> 8));
  out[3] = static_cast<char>(static_cast<uint8_t>(out[3]) | kRecursionAvailable);
  return size;
}

size_t pass_on(std::string_view message, const AnswerFacts& facts, const Query& client,
               uint32_t age, size_t limit, std::span<char> out) {
  if (facts.truncated || message.size() > limit) {
    return answer_without(client, static_cast<Rcode>(facts.rcode), true, out);
  }
  if (message.size() > out.size()) return 0;
  std::ranges::copy(message, out.begin());
  const uint16_t flags = static_cast<uint16_t>(
      kResponse | kRecursionAvailable | (client.wants_recursion ? kRecursionDesired : 0) |
      (client.checking_disabled ? kCheckingDisabled : 0) | facts.rcode);
  Writer header(out);
  header.u16(client.id);
  header.u16(flags);
  // Other names of the answer may point into the question: its case is the client's from now on.
  std::ranges::copy(client.name.wire(), out.begin() + kHeaderSize);
  for (const uint16_t at : facts.ttls) {
    const uint32_t ttl = u32_at(message, at);
    put_u32(out, at, ttl > age ? ttl - age : 0);
  }
  return message.size();
}

}  // namespace drover::boot::dns

// Queries in, responses out.
#include "boot/dns/message.hpp"

namespace drover::boot::dns {

namespace {

constexpr uint16_t kResponse = 0x8000;
constexpr uint16_t kAuthoritative = 0x0400;
constexpr uint16_t kTruncated = 0x0200;
constexpr uint16_t kRecursionDesired = 0x0100;
constexpr uint16_t kCheckingDisabled = 0x0010;
constexpr size_t kOptSize = 11;
constexpr uint16_t kDnssecOk = 0x8000;

/// Reads the OPT record, the only thing that may follow the question.
bool read_additional(std::string_view message, size_t at, uint16_t count, Query& query) {
  for (uint16_t i = 0; i < count; ++i) {
    const auto owner = Name::read(message, at);
    if (!owner) return false;
    Reader reader(message.substr(at));
    const uint16_t type = reader.u16();
    const uint16_t klass = reader.u16();
    const uint32_t ttl = reader.u32();
    const uint16_t length = reader.u16();
    (void)reader.take(length);
    if (!reader.ok()) return false;
    at = message.size() - reader.size();
    if (type != kOpt) continue;  // signatures (TSIG, SIG(0)) are not checked, so not believed
    if (query.edns || owner->labels() != 0) return false;
    query.edns = Query::Edns{std::max(klass, kPlainUdpSize), static_cast<uint8_t>(ttl >> 16),
                             (ttl & kDnssecOk) != 0};
  }
  return true;
}

/// Whether the name at `at` of what we wrote ourselves is `wire`, byte for byte: a pointer must not
/// change the case of what was asked. Pointers lead backwards, so this ends.
bool is_at(std::string_view written, size_t at, std::string_view wire) {
  while (at < written.size()) {
    const auto length = static_cast<uint8_t>(written[at]);
    if (length >= 0xc0) {
      if (at + 1 >= written.size()) return false;
      at = static_cast<size_t>(length & 0x3f) << 8 | static_cast<uint8_t>(written[at + 1]);
      continue;
    }
    const size_t size = 1 + size_t{length};
    if (written.substr(at, size) != wire.substr(0, size)) return false;
    if (length == 0) return true;
    at += size;
    wire.remove_prefix(size);
  }
  return false;
}

}  // namespace

tl::expected<Query, NotQuery> read_query(std::string_view message) {
  NotQuery bad;
  if (message.size() < kHeaderSize) {
    bad.why = "shorter than a header";
    return tl::unexpected(bad);
  }
  Reader reader(message);
  Query query;
  query.id = bad.id = reader.u16();
  const uint16_t flags = reader.u16();
  query.opcode = bad.opcode = static_cast<uint8_t>(flags >> 11 & 15);
  query.wants_recursion = bad.wants_recursion = (flags & kRecursionDesired) != 0;
  query.checking_disabled = (flags & kCheckingDisabled) != 0;
  if ((flags & kResponse) != 0) {
    bad.why = "a response";
    return tl::unexpected(bad);
  }
  bad.answer = Rcode::not_implemented;
  bad.why = "not a standard query";
  if (query.opcode != 0) return tl::unexpected(bad);
  bad.answer = Rcode::format_error;
  bad.why = "not one question alone";
  const uint16_t questions = reader.u16();
  const uint16_t answers = reader.u16();
  const uint16_t authorities = reader.u16();
  const uint16_t additional = reader.u16();
  if (questions != 1 || answers != 0 || authorities != 0) return tl::unexpected(bad);
  bad.why = "malformed question";
  size_t at = kHeaderSize;
  const auto name = Name::read(message, at);
  if (!name) return tl::unexpected(bad);
  query.name = *name;
  Reader question(message.substr(at));
  query.type = question.u16();
  query.klass = question.u16();
  if (!question.ok()) return tl::unexpected(bad);
  bad.why = "malformed additional section";
  if (!read_additional(message, at + 4, additional, query)) return tl::unexpected(bad);
  return query;
}

ResponseWriter::ResponseWriter(const Query& query, Rcode rcode, bool authoritative,
                               std::span<char> out, size_t limit)
    : query_(query),
      rcode_(rcode),
      authoritative_(authoritative),
      out_(out),
      // The OPT record comes last and must always fit.
      writer_(out.first(std::min(out.size(), limit) -
                        (query.edns ? std::min({kOptSize, out.size(), limit}) : 0))) {
  writer_.zeros(kHeaderSize);
  name(query.name);
  writer_.u16(query.type);
  writer_.u16(query.klass);
}

void ResponseWriter::name(const Name& name) {
  // Suffixes that were written before are pointed to, each label's place remembered.
  std::string_view rest = name.wire();
  while (rest.size() > 1) {
    for (size_t i = 0; i < place_count_; ++i) {
      if (is_at(writer_.written(), places_[i], rest)) {
        writer_.u16(static_cast<uint16_t>(0xc000 | places_[i]));
        return;
      }
    }
    if (place_count_ < places_.size() && writer_.size() < 0x4000) {
      places_[place_count_++] = static_cast<uint16_t>(writer_.size());
    }
    const size_t length = 1 + static_cast<uint8_t>(rest[0]);
    writer_.bytes(rest.substr(0, length));
    if (!writer_.ok()) return;
    rest.remove_prefix(length);
  }
  writer_.u8(0);
}

bool ResponseWriter::begin(const Name& owner, uint16_t type, uint32_t ttl) {
  if (truncated_ || !writer_.ok()) return false;
  record_ = writer_.size();
  name(owner);
  writer_.u16(type);
  writer_.u16(kIn);
  writer_.u32(ttl);
  length_at_ = writer_.size();
  writer_.u16(0);
  return true;
}

void ResponseWriter::end(Section section) {
  if (writer_.ok()) {
    writer_.patch_u16(length_at_, static_cast<uint16_t>(writer_.size() - length_at_ - 2));
    ++counts_[static_cast<size_t>(section)];
    return;
  }
  // A record is there whole or not at all. Additional ones are a favour and may be missing.
  writer_.rewind(record_);
  while (place_count_ > 0 && places_[place_count_ - 1] >= record_) --place_count_;
  truncated_ = section != Section::additional;
}

void ResponseWriter::add_address(Section section, const Name& owner, uint32_t ttl, Ipv4 address) {
  if (!begin(owner, kA, ttl)) return;
  writer_.u32(address.value);
  end(section);
}

void ResponseWriter::add_address(Section section, const Name& owner, uint32_t ttl,
                                 const Ipv6& address) {
  if (!begin(owner, kAaaa, ttl)) return;
  writer_.bytes(address.view());
  end(section);
}

void ResponseWriter::add_name(Section section, const Name& owner, uint16_t type, uint32_t ttl,
                              const Name& target) {
  if (!begin(owner, type, ttl)) return;
  name(target);
  end(section);
}

void ResponseWriter::add_soa(Section section, const Name& owner, uint32_t ttl, const Soa& soa) {
  if (!begin(owner, kSoa, ttl)) return;
  name(soa.primary);
  name(soa.mailbox);
  for (const uint32_t value : {soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum}) {
    writer_.u32(value);
  }
  end(section);
}

size_t ResponseWriter::finish() {
  if (!writer_.ok()) return 0;
  const size_t size = writer_.size();
  if (query_.edns) {
    Writer opt(out_.subspan(size));
    opt.u8(0);
    opt.u16(kOpt);
    opt.u16(kUdpSize);
    opt.u8(static_cast<uint8_t>(static_cast<uint8_t>(rcode_) >> 4));
    opt.u8(0);
    opt.u16(query_.edns->dnssec_ok ? kDnssecOk : 0);
    opt.u16(0);
    if (!opt.ok()) return 0;
    ++counts_[static_cast<size_t>(Section::additional)];
  }
  Writer header(out_);
  header.u16(query_.id);
  header.u16(static_cast<uint16_t>(
      kResponse | (authoritative_ ? kAuthoritative : 0) | (truncated_ ? kTruncated : 0) |
      (query_.wants_recursion ? kRecursionDesired : 0) |
      (query_.checking_disabled ? kCheckingDisabled : 0) | (static_cast<uint8_t>(rcode_) & 15)));
  header.u16(1);
  for (const uint16_t count : counts_) header.u16(count);
  return size + (query_.edns ? kOptSize : 0);
}

size_t write_error(const NotQuery& what, std::span<char> out) {
  if (!what.answer) return 0;
  Writer writer(out);
  writer.u16(what.id);
  writer.u16(static_cast<uint16_t>(kResponse | what.opcode << 11 |
                                   (what.wants_recursion ? kRecursionDesired : 0) |
                                   static_cast<uint8_t>(*what.answer)));
  writer.zeros(8);
  return writer.ok() ? writer.size() : 0;
}

std::optional<TcpFrame> tcp_frame(std::string_view buffer) {
  Reader reader(buffer);
  const uint16_t length = reader.u16();
  const std::string_view message = reader.take(length);
  if (!reader.ok()) return {};
  return TcpFrame{message, size_t{length} + 2};
}

}  // namespace drover::boot::dns

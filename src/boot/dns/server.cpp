// What an authoritative server says (RFC 1034 section 4.3.2, RFC 2308, RFC 8482).
#include "boot/dns/server.hpp"

namespace drover::boot::dns {

namespace {

bool wants(uint16_t asked, uint16_t type) {
  return asked == type || asked == kAny;
}

void add_addresses(ResponseWriter& out, Section section, const Name& owner, uint16_t type,
                   uint32_t ttl, const Records& records) {
  if (wants(type, kA)) {
    for (const Ipv4 address : records.addresses4) out.add_address(section, owner, ttl, address);
  }
  if (wants(type, kAaaa)) {
    for (const Ipv6& address : records.addresses6) out.add_address(section, owner, ttl, address);
  }
}

/// Whether there is anything of `type`. Asked for all, a name shows what it has: they are few.
bool has(const Records& records, uint16_t type) {
  return (wants(type, kA) && !records.addresses4.empty()) ||
         (wants(type, kAaaa) && !records.addresses6.empty()) ||
         (wants(type, kPtr) && !records.hosts.empty());
}

Answer finish(Outcome outcome, ResponseWriter& writer) {
  Answer answer;
  answer.outcome = outcome;
  answer.truncated = writer.truncated();
  answer.size = writer.finish();
  return answer;
}

}  // namespace

std::string_view text(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
      return "answered";
    case Outcome::no_data:
      return "no such record";
    case Outcome::no_name:
      return "no such name";
    case Outcome::outside:
      return "not one of this server's zones";
    case Outcome::refused:
      return "refused";
    case Outcome::malformed:
      return "malformed";
  }
  return "malformed";
}

const Zone* Server::zone_of(const Name& name) const {
  const Zone* best = nullptr;
  for (const Zone& zone : zones_) {
    const bool deeper = best == nullptr || zone.apex.labels() > best->apex.labels();
    if (deeper && name.is_in(zone.apex)) best = &zone;
  }
  return best;
}

Answer Server::answer(std::string_view message, Transport transport, std::span<char> out) const {
  const auto query = read_query(message);
  if (!query) {
    Answer refusal;
    refusal.size = write_error(query.error(), out);
    return refusal;
  }
  const size_t udp = query->edns ? std::min(query->edns->udp_size, kUdpSize) : kPlainUdpSize;
  const size_t limit = transport == Transport::udp ? udp : size_t{65'535};
  const auto without_answer = [&](Outcome outcome, Rcode rcode) {
    ResponseWriter writer(*query, rcode, false, out, limit);
    return finish(outcome, writer);
  };
  if (query->edns && query->edns->version != 0) {
    return without_answer(Outcome::malformed, Rcode::bad_version);
  }
  if (query->klass != kIn && query->klass != kAnyClass) {
    return without_answer(Outcome::refused, Rcode::refused);
  }
  if (query->type == kAxfr || query->type == kIxfr) {
    return without_answer(Outcome::refused, Rcode::refused);
  }
  const Zone* zone = zone_of(query->name);
  if (zone == nullptr) return without_answer(Outcome::outside, Rcode::refused);

  const Name name = query->name.lowered();
  const Records* records = table_.find(name);
  const bool exists = records != nullptr || name.same_as(zone->apex) || table_.has_below(name);
  ResponseWriter writer(*query, exists ? Rcode::ok : Rcode::no_such_name, true, out, limit);
  const Outcome outcome = exists ? collect(*query, *zone, records, writer) : Outcome::no_name;
  if (outcome != Outcome::answered) {
    writer.add_soa(Section::authority, zone->apex, std::min(zone->ttl, zone->soa.minimum),
                   zone->soa);
  }
  return finish(outcome, writer);
}

Outcome Server::collect(const Query& query, const Zone& zone, const Records* records,
                        ResponseWriter& out) const {
  const bool is_apex = query.name.same_as(zone.apex);
  if (is_apex && wants(query.type, kSoa)) {
    out.add_soa(Section::answer, query.name, zone.ttl, zone.soa);
  }
  if (is_apex && wants(query.type, kNs)) {
    for (const Name& server : zone.servers) {
      out.add_name(Section::answer, query.name, kNs, zone.ttl, server);
    }
    for (const Name& server : zone.servers) {
      const Records* addresses = table_.find(server.lowered());
      if (addresses != nullptr) {
        add_addresses(out, Section::additional, server, kAny, zone.ttl, *addresses);
      }
    }
  }
  const bool apex_answers =
      is_apex && (wants(query.type, kSoa) || (wants(query.type, kNs) && !zone.servers.empty()));
  if (records == nullptr) return apex_answers ? Outcome::answered : Outcome::no_data;
  if (records->alias) {
    out.add_name(Section::answer, query.name, kCname, zone.ttl, *records->alias);
    // The host behind it, if it is ours: one step, as an alias never names an alias.
    const Records* host = query.type == kCname ? nullptr : table_.find(records->alias->lowered());
    if (host != nullptr) {
      add_addresses(out, Section::answer, *records->alias, query.type, zone.ttl, *host);
    }
    return Outcome::answered;
  }
  add_addresses(out, Section::answer, query.name, query.type, zone.ttl, *records);
  if (wants(query.type, kPtr)) {
    for (const Name& host : records->hosts) {
      out.add_name(Section::answer, query.name, kPtr, zone.ttl, host);
    }
  }
  return has(*records, query.type) || apex_answers ? Outcome::answered : Outcome::no_data;
}

}  // namespace drover::boot::dns

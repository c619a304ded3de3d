// The decision on one DHCPv6 packet: who asks and from where, then the rules of RFC 8415 section
// 18.3 for each kind of message.
#include "boot/dhcp6/server.hpp"

#include "boot/dhcp/option_values.hpp"
#include "boot/wire/url.hpp"

#include <algorithm>

namespace drover::boot::dhcp6 {

/// One packet being decided on.
struct Exchange {
  const MessageView& view;
  const Arrival& arrival;
  const Subnet& subnet;
  Ipv6 server;
  std::span<char> out;
  Decision& decision;

  [[nodiscard]] bool wants(uint16_t code) const {
    Reader asked(view.option(kOptionRequest).value_or(""));
    while (asked.size() >= 2) {
      if (asked.u16() == code) return true;
    }
    return false;
  }
};

namespace {

constexpr size_t kMostAssociations = 16;
constexpr size_t kMostAvoided = 4096;
constexpr uint32_t kMostAttempts = 8;
constexpr std::string_view kHttpClient = "HTTPClient";

/// True when the pieces of a user class or vendor class begin with or are `word`.
bool has_piece(std::string_view pieces, std::string_view word) {
  Reader reader(pieces);
  while (!reader.empty()) {
    const std::string_view piece = reader.take(reader.u16());
    if (!reader.ok()) return false;
    if (piece.starts_with(word)) return true;
  }
  return false;
}

ClientKind kind_of(const MessageView& view) {
  if (has_piece(view.option(kUserClass).value_or(""), "iPXE")) return ClientKind::ipxe;
  Reader vendor(view.option(kVendorClass).value_or(""));
  (void)vendor.u32();
  if (has_piece(vendor.rest(), kHttpClient)) return ClientKind::http;
  if (has_piece(vendor.rest(), "PXEClient")) return ClientKind::pxe;
  return ClientKind::plain;
}

uint32_t seconds(Duration time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(whole, 1, 0xfffffffe));
}

/// Calls `each` with every IA_NA that makes sense, until it has had enough of them.
template <typename Each>
void for_associations(const MessageView& view, Each&& each) {
  OptionCursor cursor(view.options);
  size_t count = 0;
  while (count < kMostAssociations && cursor.next()) {
    if (cursor.code() != kIaNa) continue;
    const auto association = read_association(cursor.value());
    if (association) each(*association, count++ == 0);
  }
}

/// Calls `each` with every address of an association.
template <typename Each>
void for_addresses(const Association& association, Each&& each) {
  OptionCursor cursor(association.options);
  while (cursor.next()) {
    if (cursor.code() != kIaAddress) continue;
    if (const auto address = Ipv6::from(cursor.value().substr(0, 16))) each(*address);
  }
}

/// Whether a message has what its kind must have, and not what it must not (RFC 8415 section 16).
bool is_request(const MessageView& view) {
  const auto client_id = view.option(kClientId);
  // A DUID has a kind and up to 128 bytes more.
  if (client_id && (client_id->size() < 3 || client_id->size() > 130)) return false;
  const bool client = client_id.has_value();
  const bool server = view.option(kServerId).has_value();
  switch (view.type) {
    case MessageType::solicit:
    case MessageType::confirm:
    case MessageType::rebind:
      return client && !server;
    case MessageType::request:
    case MessageType::renew:
    case MessageType::release:
    case MessageType::decline:
      return client && server;
    case MessageType::information_request:
      return !view.option(kIaNa);
    default:
      return false;
  }
}

bool needs_multicast(MessageType type) {
  return type == MessageType::solicit || type == MessageType::confirm ||
         type == MessageType::rebind || type == MessageType::information_request;
}

}  // namespace

std::string_view text(Outcome outcome) {
  switch (outcome) {
    case Outcome::reserved:
      return "its own address";
    case Outcome::derived:
      return "an address made for it";
    case Outcome::options_alone:
      return "options";
    case Outcome::no_address:
      return "no address for it in this subnet";
    case Outcome::confirmed:
      return "may keep its addresses";
    case Outcome::not_on_link:
      return "told that its addresses do not belong to this network";
    case Outcome::released:
      return "gave its address back";
    case Outcome::declined:
      return "found its address in use by another machine";
    case Outcome::use_multicast:
      return "told to ask by multicast";
    case Outcome::malformed:
      return "malformed";
    case Outcome::not_request:
      return "not a client's request";
    case Outcome::other_server:
      return "meant for another server";
    case Outcome::no_subnet:
      return "from a network that is not configured";
    case Outcome::ignored_machine:
      return "the machine is set to be ignored";
    case Outcome::unknown_machine:
      return "unknown machine, and these are not answered";
    case Outcome::no_record:
      return "asks to keep addresses that this server did not give";
    case Outcome::reply_too_long:
      return "the reply does not fit";
  }
  return "malformed";
}

const Subnet* Server::subnet_of(const MessageView& view, const Arrival& arrival) const {
  Ipv6 at = arrival.local;
  // The relay nearest to the client that says where it is; switches may leave that out (RFC 6221).
  for (size_t i = 0; i < view.relay_count; ++i) {
    if (!view.relays[i].link.is_zero()) at = view.relays[i].link;
  }
  const auto found = std::find_if(config_.subnets.begin(), config_.subnets.end(),
                                  [&](const Subnet& subnet) { return subnet.prefix.contains(at); });
  return found == config_.subnets.end() ? nullptr : &*found;
}

/// Finds the machine. What the network says of the client goes before what it says of itself: a
/// DUID may be made of any of its interfaces, or be another's copied with a disk.
void Server::identify(const MessageView& view, const Arrival& arrival, Decision& decision) const {
  const Relay* nearest = view.relay_count == 0 ? nullptr : &view.relays[view.relay_count - 1];
  decision.client_id = view.option(kClientId).value_or("");
  const auto duid = read_duid(decision.client_id);
  if (nearest != nullptr) decision.hardware = nearest->hardware;
  if (!decision.hardware) {
    decision.hardware = hardware_of(nearest != nullptr ? nearest->peer : arrival.source);
  }
  const auto take = [&](const Reservation* found) {
    if (decision.machine == nullptr) decision.machine = found;
  };
  if (decision.hardware) take(machines_.by_hardware(*decision.hardware));
  if (duid && !duid->uuid.empty()) take(machines_.by_uuid(duid->uuid));
  if (duid) take(machines_.by_duid(decision.client_id));
  if (duid && duid->hardware) {
    take(machines_.by_hardware(*duid->hardware));
    if (!decision.hardware) decision.hardware = duid->hardware;
  }
  if (nearest != nullptr && !(nearest->interface_id.empty() && nearest->remote_id.empty())) {
    take(machines_.by_port(nearest->interface_id, nearest->remote_id));
  }
}

Decision Server::decide(std::string_view packet, const Arrival& arrival, std::span<char> out) {
  Decision decision;
  const auto view = MessageView::parse(packet);
  if (!view) {
    decision.detail = text(view.error());
    return decision;
  }
  decision.xid = view->xid;
  if (!is_request(*view)) {
    decision.outcome = Outcome::not_request;
    return decision;
  }
  decision.request = view->type;
  decision.kind = kind_of(*view);
  if (const auto codes = view->option(kArchitecture); codes && codes->size() >= 2) {
    decision.architecture = Reader(*codes).u16();
  }
  identify(*view, arrival, decision);
  const Subnet* subnet = subnet_of(*view, arrival);
  if (subnet == nullptr) {
    decision.outcome = Outcome::no_subnet;
    return decision;
  }
  Exchange exchange{*view, arrival, *subnet, subnet->server.value_or(arrival.local), out, decision};
  answer(exchange);
  return decision;
}

void Server::answer(Exchange& exchange) {
  Decision& decision = exchange.decision;
  const MessageView& view = exchange.view;
  const auto silent = [&](Outcome outcome) { decision.outcome = outcome; };
  if (decision.machine != nullptr && decision.machine->ignored) {
    return silent(Outcome::ignored_machine);
  }
  const bool discovers = config_.discover_unknown && exchange.subnet.discovers;
  if (decision.machine == nullptr && !discovers) {
    return silent(Outcome::unknown_machine);
  }
  const auto server_id = view.option(kServerId);
  if (server_id && *server_id != config_.duid) return silent(Outcome::other_server);
  if (view.relay_count == 0 && !exchange.arrival.multicast) {
    if (needs_multicast(view.type)) return silent(Outcome::not_request);
    decision.outcome = Outcome::use_multicast;
    MessageWriter out(view, MessageType::reply, exchange.out);
    write_head(exchange, out);
    out.status(StatusCode::use_multicast, "ask by multicast");
    return finish(exchange, out, MessageType::reply);
  }
  switch (view.type) {
    case MessageType::solicit: {
      const bool at_once = config_.rapid_commit && view.option(kRapidCommit);
      return assign(exchange, at_once ? MessageType::reply : MessageType::advertise);
    }
    case MessageType::confirm:
      return confirm(exchange);
    case MessageType::release:
    case MessageType::decline:
      return give_back(exchange);
    case MessageType::information_request: {
      decision.outcome = Outcome::options_alone;
      MessageWriter out(view, MessageType::reply, exchange.out);
      write_head(exchange, out);
      write_options(exchange, out);
      return finish(exchange, out, MessageType::reply);
    }
    default:
      return assign(exchange, MessageType::reply);
  }
}

std::optional<Ipv6> Server::address_for(const Exchange& exchange, uint32_t association,
                                        bool first) const {
  const Decision& decision = exchange.decision;
  const Prefix6& prefix = exchange.subnet.prefix;
  if (decision.machine != nullptr) {
    for (const Ipv6& address : decision.machine->addresses) {
      if (!prefix.contains(address)) continue;
      // One interface has one address of its own; what it asks for beyond that, it does not get.
      if (first) return address;
      return {};
    }
  }
  if (!exchange.subnet.derive || prefix.bits > 64) return {};
  // Firmware, loader and system have different DUIDs and associations, but one hardware address.
  std::array<char, 192> space{};
  Writer identity(space);
  identity.bytes(prefix.network.view());
  identity.bytes(decision.hardware ? decision.hardware->view() : decision.client_id);
  if (!first) identity.u32(association);
  const size_t fixed = identity.size();
  for (uint32_t attempt = 0; attempt < kMostAttempts; ++attempt) {
    identity.rewind(fixed);
    identity.u32(attempt);
    // The top bit keeps derived addresses away from those that people give.
    const uint64_t host = sip_hash(config_.key, identity.written()) | uint64_t{1} << 63;
    Ipv6 address = prefix.network;
    for (size_t i = 0; i < 8; ++i)
      address.bytes[8 + i] = static_cast<uint8_t>(host >> (56 - 8 * i));
    if (!avoided_.contains(address)) return address;
  }
  return {};
}

/// SOLICIT, REQUEST, RENEW and REBIND: every association gets its address or is told why not.
void Server::assign(Exchange& exchange, MessageType reply) {
  Decision& decision = exchange.decision;
  const MessageView& view = exchange.view;
  size_t given = 0;
  bool own = false;
  for_associations(view, [&](const Association& association, bool first) {
    const auto address = address_for(exchange, association.id, first);
    if (!address) return;
    if (given++ == 0) decision.address = *address;
    own = own || (decision.machine != nullptr &&
                  std::find(decision.machine->addresses.begin(), decision.machine->addresses.end(),
                            *address) != decision.machine->addresses.end());
  });
  if (given == 0 && view.type == MessageType::rebind) {
    decision.outcome = Outcome::no_record;  // another server may know
    return;
  }
  decision.outcome = given == 0 ? Outcome::no_address : own ? Outcome::reserved : Outcome::derived;
  MessageWriter out(view, reply, exchange.out);
  write_head(exchange, out);
  if (reply == MessageType::advertise) out.option_u8(kPreference, config_.preference);
  if (view.type == MessageType::solicit && reply == MessageType::reply) {
    out.option(kRapidCommit, {});
  }
  for_associations(view, [&](const Association& association, bool first) {
    write_association(exchange, out, association, first);
  });
  write_options(exchange, out);
  finish(exchange, out, reply);
}

void Server::write_association(Exchange& exchange, MessageWriter& out,
                               const Association& association, bool first) const {
  const Subnet& subnet = exchange.subnet;
  const MessageType asked = exchange.view.type;
  const auto address = address_for(exchange, association.id, first);
  const uint32_t preferred = seconds(std::min(subnet.preferred, subnet.valid));
  const bool keeps = asked == MessageType::renew || asked == MessageType::rebind;
  if (!address) {
    out.open_association(association.id, 0, 0);
    out.status(keeps ? StatusCode::no_binding : StatusCode::no_addresses,
               keeps ? "not given by this server" : "no address in this subnet");
    return out.close_association();
  }
  out.open_association(association.id, preferred / 2, preferred / 5 * 4);
  out.address(*address, preferred, seconds(subnet.valid));
  if (keeps) {
    // What it has besides is taken away (RFC 8415 section 18.3.4).
    for_addresses(association, [&](const Ipv6& held) {
      if (held != *address) out.address(held, 0, 0);
    });
  }
  out.close_association();
}

void Server::confirm(Exchange& exchange) {
  Decision& decision = exchange.decision;
  size_t count = 0;
  bool here = true;
  for_associations(exchange.view, [&](const Association& association, bool) {
    for_addresses(association, [&](const Ipv6& address) {
      if (count++ == 0) decision.address = address;
      here = here && exchange.subnet.prefix.contains(address);
    });
  });
  if (count == 0) {
    decision.outcome = Outcome::not_request;
    return;
  }
  decision.outcome = here ? Outcome::confirmed : Outcome::not_on_link;
  MessageWriter out(exchange.view, MessageType::reply, exchange.out);
  write_head(exchange, out);
  out.status(here ? StatusCode::success : StatusCode::not_on_link,
             here ? "" : "not an address of this network");
  finish(exchange, out, MessageType::reply);
}

/// RELEASE and DECLINE. A derived address that is in use by another is not given again.
void Server::give_back(Exchange& exchange) {
  Decision& decision = exchange.decision;
  const bool declined = exchange.view.type == MessageType::decline;
  decision.outcome = declined ? Outcome::declined : Outcome::released;
  size_t count = 0;
  for_associations(exchange.view, [&](const Association& association, bool first) {
    const auto own = address_for(exchange, association.id, first);
    for_addresses(association, [&](const Ipv6& address) {
      if (count++ == 0) decision.address = address;
      const bool reserved =
          decision.machine != nullptr &&
          std::find(decision.machine->addresses.begin(), decision.machine->addresses.end(),
                    address) != decision.machine->addresses.end();
      if (declined && !reserved && own == address && avoided_.size() < kMostAvoided) {
        avoided_.insert(address);
      }
    });
  });
  MessageWriter out(exchange.view, MessageType::reply, exchange.out);
  write_head(exchange, out);
  out.status(StatusCode::success, "");
  finish(exchange, out, MessageType::reply);
}

void Server::write_head(const Exchange& exchange, MessageWriter& out) const {
  if (!exchange.decision.client_id.empty()) out.option(kClientId, exchange.decision.client_id);
  out.option(kServerId, config_.duid);
}

void Server::write_options(const Exchange& exchange, MessageWriter& out) const {
  const Subnet& subnet = exchange.subnet;
  write_boot(exchange, out);
  if (exchange.wants(kNameServers) && !subnet.name_servers.empty()) {
    const size_t opened = out.open(kNameServers);
    for (const Ipv6& server : subnet.name_servers) out.bytes(server.view());
    out.close(opened);
  }
  if (exchange.wants(kDomainSearch) && !subnet.search.empty()) {
    out.option(kDomainSearch, dhcp::search_value(subnet.search));
  }
}

void Server::write_boot(const Exchange& exchange, MessageWriter& out) const {
  const Decision& decision = exchange.decision;
  const Reservation* machine = decision.machine;
  if (decision.kind == ClientKind::plain || (machine != nullptr && !machine->boots)) return;
  if (machine == nullptr && config_.unknown_script.empty()) return;
  std::array<char, 1024> space{};
  Writer url(space);
  const std::string server = exchange.server.text();
  if (decision.kind == ClientKind::ipxe) {
    const bool own = machine != nullptr && !machine->script.empty();
    const std::string& known = own ? machine->script : config_.script;
    expand_server(url, machine == nullptr ? config_.unknown_script : known, server);
  } else {
    std::string_view file = machine != nullptr ? std::string_view(machine->loader) : "";
    if (file.empty()) file = dhcp::loader_for(config_.loaders, decision.architecture);
    if (file.empty()) return;
    const bool http = decision.kind == ClientKind::http;
    if (file.find("://") == std::string_view::npos) {
      expand_server(url, http ? config_.http_prefix : config_.tftp_prefix, server);
    }
    expand_server(url, file, server);
    // UEFI HTTP boot takes no offer that does not answer its class.
    if (http) {
      const size_t opened = out.open(kVendorClass);
      out.u32(kPxeEnterprise);
      out.u16(static_cast<uint16_t>(kHttpClient.size()));
      out.bytes(kHttpClient);
      out.close(opened);
    }
  }
  if (!url.ok()) return;
  out.option(kBootFileUrl, url.written());
  exchange.decision.gave_boot_file = true;
}

void Server::finish(Exchange& exchange, MessageWriter& out, MessageType reply) const {
  Decision& decision = exchange.decision;
  decision.size = out.finish();
  if (decision.size == 0) {
    decision.outcome = Outcome::reply_too_long;
    return;
  }
  decision.reply = reply;
  const bool relayed = exchange.view.relay_count != 0;
  decision.to = {exchange.arrival.source, relayed ? kServerPort : kClientPort};
}

}  // namespace drover::boot::dhcp6

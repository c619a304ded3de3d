// The decision on one DHCPv4 packet: who asks, from where, in which state; then the rules of RFC
// 2131 section 4.3 and of PXE.
#include "boot/dhcp/server.hpp"

#include "boot/dhcp/reply.hpp"

#include <algorithm>

namespace drover::boot::dhcp {

namespace {

std::string_view silent_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::malformed:
      return "malformed";
    case Outcome::not_request:
      return "not a client's request";
    case Outcome::no_subnet:
      return "from a network that is not configured";
    case Outcome::subnet_off:
      return "its subnet is switched off";
    case Outcome::ignored_machine:
      return "the machine is set to be ignored";
    case Outcome::unknown_machine:
      return "unknown machine, and these are not answered";
    case Outcome::wrong_port:
      return "the machine is known by another switch port";
    case Outcome::spoofed:
      return "its source is not the address that it speaks for";
    case Outcome::pool_exhausted:
      return "no address of the pool is free";
    case Outcome::no_pool:
      return "no address for it in this subnet";
    case Outcome::no_record:
      return "asks to keep an address that this server did not give";
    case Outcome::not_booting:
      return "does not ask to boot";
    case Outcome::no_boot_file:
      return "no loader for its architecture";
    case Outcome::reply_too_long:
      return "the reply does not fit";
    default:
      return "answered";
  }
}

/// The machine's own address in this subnet; zero when it has none here.
Ipv4 fixed_address(const Exchange& exchange) {
  if (exchange.machine == nullptr) return {};
  for (const Ipv4 address : exchange.machine->addresses) {
    if (exchange.subnet.prefix.contains(address)) return address;
  }
  return {};
}

Duration lease_time(const Exchange& exchange) {
  return exchange.machine == nullptr ? exchange.subnet.unknown_lease : exchange.subnet.lease;
}

std::string key_of(const Exchange& exchange) {
  return client_key(exchange.request.hardware, exchange.request.client_id);
}

/// An address that a client speaks for must be the one it speaks from. Clients that have one send
/// from it, or from none; a relay sends from its own.
bool is_spoofed(const Request& request, const Arrival& arrival) {
  const PacketView& packet = *request.packet;
  if (!packet.giaddr().is_zero()) return packet.giaddr().is_unusable();
  const Ipv4 claimed = packet.ciaddr();
  if (claimed.is_zero()) return false;
  return claimed.is_unusable() || (!arrival.source.is_zero() && arrival.source != claimed);
}

}  // namespace

std::string_view text(Outcome outcome) {
  switch (outcome) {
    case Outcome::reserved:
      return "its own address";
    case Outcome::dynamic:
      return "an address of the pool";
    case Outcome::boot_file:
      return "a boot file";
    case Outcome::options_alone:
      return "options";
    case Outcome::released:
      return "gave its address back";
    case Outcome::declined:
      return "found its address in use by another machine";
    case Outcome::other_server:
      return "took another server";
    case Outcome::wrong_address:
      return "refused: the address is not its own";
    case Outcome::wrong_network:
      return "refused: the address does not belong to this network";
    default:
      return silent_text(outcome);
  }
}

Server::Server(ServerConfig config, const ReservationView& machines, LeaseBook& book)
    : machines_(machines), book_(book) {
  reconfigure(std::move(config));
}

void Server::reconfigure(ServerConfig config) {
  config_ = std::move(config);
  values_.clear();
  values_.reserve(config_.subnets.size());
  for (const Subnet& subnet : config_.subnets) values_.push_back(subnet_values(subnet));
}

std::optional<size_t> Server::subnet_of(const Request& request, const Arrival& arrival) const {
  const auto find = [&](Ipv4 address) -> std::optional<size_t> {
    const auto found =
        std::find_if(config_.subnets.begin(), config_.subnets.end(),
                     [&](const Subnet& subnet) { return subnet.prefix.contains(address); });
    if (found == config_.subnets.end()) return {};
    return static_cast<size_t>(found - config_.subnets.begin());
  };
  const Ipv4 relay = request.packet->giaddr();
  if (!relay.is_zero()) return find(request.relay.link_selection.value_or(relay));
  // A client that renews through a router is where its address says.
  const Ipv4 claimed = request.packet->ciaddr();
  if (!claimed.is_zero() && arrival.source == claimed) {
    if (const auto there = find(claimed)) return there;
  }
  return find(arrival.local);
}

const Reservation* Server::machine_of(const Request& request) const {
  const Reservation* machine = nullptr;
  if (!request.hardware.is_nobody()) machine = machines_.by_hardware(request.hardware);
  if (machine == nullptr && !request.client_id.empty()) {
    machine = machines_.by_client_id(request.client_id);
  }
  const RelayInfo& relay = request.relay;
  if (machine == nullptr && !(relay.circuit_id.empty() && relay.remote_id.empty())) {
    machine = machines_.by_port(relay.circuit_id, relay.remote_id);
  }
  return machine;
}

/// Known by one thing, seen through the switch port of another machine or not through its own. BMCs
/// share the port of their machine.
bool Server::is_elsewhere(const Request& request, const Reservation& machine) const {
  const RelayInfo& relay = request.relay;
  if (!machine.boots || relay.circuit_id.empty()) return false;
  const Reservation* there = machines_.by_port(relay.circuit_id, relay.remote_id);
  return there == nullptr ? machine.at_port : there->name != machine.name;
}

bool Server::is_ours(const Exchange& exchange, Ipv4 server_id) const {
  const auto& own = config_.own_addresses;
  return server_id == exchange.server_id || server_id == exchange.arrival.local ||
         std::find(own.begin(), own.end(), server_id) != own.end();
}

Decision Server::decide(std::string_view packet, const Arrival& arrival, std::span<char> out) {
  Decision decision;
  std::array<char, kMaxMessage> join_space{};
  const auto view = PacketView::parse(packet, join_space);
  if (!view) {
    decision.detail = text(view.error());
    return decision;
  }
  decision.xid = view->xid();
  decision.hardware = view->hardware();
  const auto request = read_request(*view);
  if (!request) {
    decision.outcome = Outcome::not_request;
    decision.detail = text(request.error());
    return decision;
  }
  decision.request = request->type;
  decision.kind = request->kind;
  decision.architecture = request->architecture;
  decision.address = request->wanted;
  decision.circuit_id.keep(request->relay.circuit_id);
  decision.remote_id.keep(request->relay.remote_id);
  decision.machine_id.keep(request->machine_id);
  if (is_spoofed(*request, arrival)) {
    decision.outcome = Outcome::spoofed;
    return decision;
  }
  const auto index = subnet_of(*request, arrival);
  if (!index) {
    decision.outcome = Outcome::no_subnet;
    return decision;
  }
  const Subnet& subnet = config_.subnets[*index];
  decision.network = subnet.name;
  const bool relayed = !view->giaddr().is_zero();
  const Ipv4 own = subnet.server.value_or(arrival.local);
  decision.machine = machine_of(*request);
  Exchange exchange{*request,
                    arrival,
                    subnet,
                    values_[*index],
                    relayed ? request->relay.server_id_override.value_or(own) : own,
                    decision.machine,
                    out,
                    decision};
  answer(exchange);
  return decision;
}

void Server::answer(Exchange& exchange) {
  Decision& decision = exchange.decision;
  const Reservation* machine = exchange.machine;
  const Request& request = exchange.request;
  const auto silent = [&](Outcome outcome) { decision.outcome = outcome; };
  if (exchange.subnet.mode == SubnetMode::off) return silent(Outcome::subnet_off);
  if (machine != nullptr && machine->ignored) return silent(Outcome::ignored_machine);
  if (machine != nullptr && is_elsewhere(request, *machine)) return silent(Outcome::wrong_port);
  if (machine == nullptr && !(config_.discover_unknown && exchange.subnet.discovers)) {
    return silent(Outcome::unknown_machine);
  }
  if (exchange.arrival.port == kProxyPort) {
    if (request.type == MessageType::request || request.type == MessageType::inform) {
      return boot_service(exchange, MessageType::ack);
    }
    return silent(Outcome::not_booting);
  }
  if (exchange.subnet.mode == SubnetMode::proxy) {
    if (request.type == MessageType::discover) return boot_service(exchange, MessageType::offer);
    if (request.type == MessageType::inform) return boot_service(exchange, MessageType::ack);
    return silent(Outcome::other_server);
  }
  switch (request.type) {
    case MessageType::discover:
      return discover(exchange);
    case MessageType::request:
      return this->request(exchange);
    case MessageType::decline:
      return decline(exchange);
    case MessageType::release:
      return release(exchange);
    default:
      decision.outcome = Outcome::options_alone;
      write_reply(config_, exchange, MessageType::ack, Ipv4{}, Duration::zero());
  }
}

void Server::discover(Exchange& exchange) {
  Decision& decision = exchange.decision;
  Ipv4 address = fixed_address(exchange);
  decision.outcome = Outcome::reserved;
  if (address.is_zero()) {
    if (!exchange.subnet.pool) {
      decision.outcome = Outcome::no_pool;
      return;
    }
    const auto offered = book_.offer(*exchange.subnet.pool, key_of(exchange),
                                     exchange.request.wanted, exchange.arrival.now);
    if (!offered) {
      decision.outcome = Outcome::pool_exhausted;
      return;
    }
    address = *offered;
    decision.outcome = Outcome::dynamic;
  }
  decision.address = address;
  write_reply(config_, exchange, MessageType::offer, address, lease_time(exchange));
}

void Server::request(Exchange& exchange) {
  Decision& decision = exchange.decision;
  const Request& request = exchange.request;
  const Ipv4 fixed = fixed_address(exchange);
  if (request.state != RequestState::selecting) return keep(exchange, fixed);
  if (!is_ours(exchange, *request.server_id)) {
    decision.outcome = Outcome::other_server;
    if (exchange.subnet.pool) {
      const std::string key = key_of(exchange);
      const Lease* held = book_.held(*exchange.subnet.pool, key, exchange.arrival.now);
      if (held != nullptr && held->state == LeaseState::offered) {
        book_.release(key, held->address, exchange.arrival.now);
      }
    }
    return;
  }
  if (!exchange.subnet.prefix.contains(request.wanted)) {
    decision.outcome = Outcome::wrong_network;
    return write_nak(exchange, text(decision.outcome));
  }
  if (fixed.is_zero()) return grant(exchange, request.wanted);
  if (fixed != request.wanted) {
    decision.outcome = Outcome::wrong_address;
    return write_nak(exchange, text(decision.outcome));
  }
  decision.outcome = Outcome::reserved;
  write_reply(config_, exchange, MessageType::ack, fixed, lease_time(exchange));
}

/// INIT-REBOOT, RENEWING, REBINDING: the client has an address and asks whether it may keep it.
/// Silence where nothing is known, because another server may know (RFC 2131 section 4.3.2).
void Server::keep(Exchange& exchange, Ipv4 fixed) {
  Decision& decision = exchange.decision;
  const Ipv4 wanted = exchange.request.wanted;
  const bool may_refuse = exchange.machine != nullptr || exchange.subnet.authoritative;
  if (!exchange.subnet.prefix.contains(wanted)) {
    decision.outcome = may_refuse ? Outcome::wrong_network : Outcome::no_record;
    if (may_refuse) write_nak(exchange, text(decision.outcome));
    return;
  }
  if (!fixed.is_zero()) {
    decision.outcome = fixed == wanted ? Outcome::reserved : Outcome::wrong_address;
    if (fixed != wanted) return write_nak(exchange, text(decision.outcome));
    return write_reply(config_, exchange, MessageType::ack, fixed, lease_time(exchange));
  }
  const Lease* lease = book_.find(wanted);
  if (lease != nullptr && lease->client == key_of(exchange)) return grant(exchange, wanted);
  if (lease != nullptr || exchange.subnet.authoritative) {
    decision.outcome = Outcome::wrong_address;
    return write_nak(exchange, text(decision.outcome));
  }
  decision.outcome = Outcome::no_record;
}

/// Gives the client an address of the pool, or refuses it.
void Server::grant(Exchange& exchange, Ipv4 address) {
  Decision& decision = exchange.decision;
  const auto told = exchange.request.packet->option(kHostName).value_or("");
  const std::string_view name = exchange.machine != nullptr ? exchange.machine->name : told;
  if (!exchange.subnet.pool ||
      !book_.grant(key_of(exchange), address, name, lease_time(exchange), exchange.arrival.now)) {
    decision.outcome = Outcome::wrong_address;
    return write_nak(exchange, text(decision.outcome));
  }
  decision.outcome = Outcome::dynamic;
  decision.after_record = book_.records();
  write_reply(config_, exchange, MessageType::ack, address, lease_time(exchange));
}

void Server::decline(Exchange& exchange) {
  Decision& decision = exchange.decision;
  const Request& request = exchange.request;
  if (request.server_id && !is_ours(exchange, *request.server_id)) {
    decision.outcome = Outcome::other_server;
    return;
  }
  const bool own = request.wanted == fixed_address(exchange) && !request.wanted.is_zero();
  const bool dealt = !own && book_.conflict(request.wanted, key_of(exchange), exchange.arrival.now);
  decision.outcome = own || dealt ? Outcome::declined : Outcome::no_record;
  if (dealt) decision.after_record = book_.records();
}

void Server::release(Exchange& exchange) {
  Decision& decision = exchange.decision;
  const Request& request = exchange.request;
  if (request.server_id && !is_ours(exchange, *request.server_id)) {
    decision.outcome = Outcome::other_server;
    return;
  }
  decision.address = request.packet->ciaddr();
  const bool own = decision.address == fixed_address(exchange) && !decision.address.is_zero();
  const bool dealt =
      !own && book_.release(key_of(exchange), decision.address, exchange.arrival.now);
  decision.outcome = own || dealt ? Outcome::released : Outcome::no_record;
  if (dealt) decision.after_record = book_.records();
}

/// A proxy's offer, or the boot server's answer on port 4011: a boot file and no address.
void Server::boot_service(Exchange& exchange, MessageType reply) {
  Decision& decision = exchange.decision;
  if (exchange.request.kind == ClientKind::plain) {
    decision.outcome = Outcome::not_booting;
    return;
  }
  BootFileSpace space{};
  const std::string_view file = boot_file(config_, exchange, space);
  if (file.empty()) {
    decision.outcome = Outcome::no_boot_file;
    return;
  }
  decision.outcome = Outcome::boot_file;
  write_boot_reply(exchange, reply, file);
}

}  // namespace drover::boot::dhcp

// Replies. Which options go to which kind of client is what real firmware was seen to want.
#include "boot/dhcp/reply.hpp"

#include "boot/wire/url.hpp"

#include <algorithm>

namespace drover::boot::dhcp {

namespace {

constexpr std::string_view kHttpClient = "HTTPClient";
constexpr std::string_view kPxeClient = "PXEClient";
constexpr std::array<char, 4> kUseBootFile = {kPxeDiscoveryControl, 1, kPxeUseBootFile,
                                              static_cast<char>(kEnd)};
constexpr std::array<char, 3> kNoProxy = {static_cast<char>(kIpxeNoProxy), 1, 1};

std::string_view loader(const ServerConfig& config, const Exchange& exchange) {
  if (exchange.machine != nullptr && !exchange.machine->loader.empty()) {
    return exchange.machine->loader;
  }
  return loader_for(config.loaders, exchange.request.architecture);
}

Destination destination(const Exchange& exchange, MessageType type, Ipv4 address) {
  const PacketView& packet = *exchange.request.packet;
  const Arrival& arrival = exchange.arrival;
  if (!packet.giaddr().is_zero()) {
    const bool same_port = exchange.request.relay.answers_to_source_port;
    return {packet.giaddr(), same_port ? arrival.source_port : kServerPort};
  }
  if (type == MessageType::nak) return {kBroadcast4, kClientPort};
  const Ipv4 own = packet.ciaddr().is_zero() ? arrival.source : packet.ciaddr();
  if (arrival.port == kProxyPort && !own.is_zero()) return {own, arrival.source_port};
  if (exchange.request.type == MessageType::inform && !own.is_zero()) return {own, kClientPort};
  if (!packet.ciaddr().is_zero()) return {packet.ciaddr(), kClientPort};
  if (packet.wants_broadcast() || address.is_zero() || exchange.request.hardware.length == 0) {
    return {kBroadcast4, kClientPort};
  }
  return {address, kClientPort, true};
}

Header header_of(const Exchange& exchange, std::string_view file) {
  const PacketView& packet = *exchange.request.packet;
  Header header;
  header.xid = packet.xid();
  header.flags = packet.flags();
  header.giaddr = packet.giaddr();
  header.hardware = exchange.request.hardware;
  header.file = file;
  if (!file.empty()) header.siaddr = exchange.server_id;
  return header;
}

PacketWriter writer_of(const Exchange& exchange, const Header& header) {
  return {header, exchange.out, exchange.request.most_bytes, exchange.request.relay.whole};
}

void seconds(PacketWriter& out, uint8_t code, Duration time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  out.option_u32(code, static_cast<uint32_t>(std::clamp<int64_t>(whole, 1, 0xfffffffe)));
}

/// What says which server answers whom: the type, the server, and what the client shall recognise
/// itself by (RFC 6842, RFC 4578 section 2.3).
void identify(PacketWriter& out, const Exchange& exchange, MessageType type) {
  out.option_u8(kMessageType, static_cast<uint8_t>(type));
  out.option_address(kServerId, exchange.server_id);
  if (!exchange.request.client_id.empty()) out.option(kClientId, exchange.request.client_id);
  if (!exchange.request.machine_id.empty() && exchange.request.kind != ClientKind::plain) {
    out.option(kMachineId, exchange.request.machine_id);
  }
}

void boot_options(PacketWriter& out, const Exchange& exchange, std::string_view file) {
  const Request& request = exchange.request;
  // UEFI HTTP boot takes no offer that does not answer its class.
  if (request.kind == ClientKind::http && !file.empty()) out.option(kVendorClass, kHttpClient);
  // Some firmware reads only the fixed field, some only the option: it gets both.
  if (!file.empty()) out.option(kBootFileName, file);
  if (!file.empty() && request.kind == ClientKind::pxe && request.wants(kTftpServerName)) {
    out.option(kTftpServerName, exchange.server_id.text());
  }
  // Only with a script of our own: without one it may well be a proxy that has it.
  if (!file.empty() && request.kind == ClientKind::ipxe) {
    out.option(kIpxe, {kNoProxy.data(), kNoProxy.size()});
  }
}

void network_options(PacketWriter& out, const Exchange& exchange) {
  const Request& request = exchange.request;
  const Subnet& subnet = exchange.subnet;
  const auto list = [&](uint8_t code, std::string_view value) {
    if (!value.empty() && request.wants(code)) out.option(code, value);
  };
  out.option_address(kSubnetMask, subnet.prefix.mask());
  // Before the routers, which a client that takes these ignores (RFC 3442).
  list(kClasslessRoutes, exchange.values.routes);
  list(kRouters, exchange.values.routers);
  list(kNameServers, exchange.values.name_servers);
  if (exchange.machine != nullptr) list(kHostName, exchange.machine->name);
  list(kDomainName, subnet.domain);
  if (request.wants(kBroadcastAddress)) {
    out.option_address(kBroadcastAddress, subnet.prefix.broadcast());
  }
  list(kTimeServers, exchange.values.time_servers);
  if (subnet.mtu != 0 && request.wants(kInterfaceMtu)) out.option_u16(kInterfaceMtu, subnet.mtu);
  list(kDomainSearch, exchange.values.search);
}

void finish(Exchange& exchange, PacketWriter& out, MessageType type, Ipv4 address) {
  Decision& decision = exchange.decision;
  decision.size = out.finish();
  if (decision.size == 0) {
    decision.outcome = Outcome::reply_too_long;
    return;
  }
  decision.reply = type;
  decision.to = destination(exchange, type, address);
}

}  // namespace

std::string_view boot_file(const ServerConfig& config, const Exchange& exchange,
                           BootFileSpace& space) {
  const ClientKind kind = exchange.request.kind;
  const Reservation* machine = exchange.machine;
  if (kind == ClientKind::plain || (machine != nullptr && !machine->boots)) return {};
  if (machine == nullptr &&
      (!config.discover_unknown || !exchange.subnet.discovers || config.unknown_script.empty()))
    return {};
  Writer out(space);
  const std::string server = exchange.server_id.text();
  if (kind == ClientKind::ipxe) {
    const std::string_view known =
        machine != nullptr && !machine->script.empty() ? machine->script : config.script;
    expand_server(out, machine == nullptr ? config.unknown_script : known, server);
  } else {
    const std::string_view file = loader(config, exchange);
    if (file.empty()) return {};
    const bool is_url = file.find("://") != std::string_view::npos;
    if (kind == ClientKind::http && !is_url) expand_server(out, config.http_prefix, server);
    expand_server(out, file, server);
  }
  return out.ok() ? out.written() : std::string_view{};
}

void write_reply(const ServerConfig& config, Exchange& exchange, MessageType type, Ipv4 address,
                 Duration lease) {
  BootFileSpace space{};
  const std::string_view file = boot_file(config, exchange, space);
  Header header = header_of(exchange, file);
  header.yiaddr = address;
  if (type == MessageType::ack) header.ciaddr = exchange.request.packet->ciaddr();
  PacketWriter out = writer_of(exchange, header);
  identify(out, exchange, type);
  if (lease > Duration::zero()) {
    seconds(out, kLeaseTime, lease);
    seconds(out, kRenewalTime, lease / 2);
    seconds(out, kRebindingTime, lease * 7 / 8);
  }
  boot_options(out, exchange, file);
  network_options(out, exchange);
  exchange.decision.gave_boot_file = !file.empty();
  finish(exchange, out, type, address);
}

void write_boot_reply(Exchange& exchange, MessageType type, std::string_view file) {
  Header header = header_of(exchange, file);
  header.ciaddr = exchange.request.packet->ciaddr();
  PacketWriter out = writer_of(exchange, header);
  identify(out, exchange, type);
  const bool http = exchange.request.kind == ClientKind::http;
  out.option(kVendorClass, http ? kHttpClient : kPxeClient);
  out.option(kBootFileName, file);
  // Without this a PXE ROM shows a menu or asks port 4011 again (PXE 2.1 section 2.4).
  if (!http) out.option(kVendorOptions, {kUseBootFile.data(), kUseBootFile.size()});
  exchange.decision.gave_boot_file = true;
  finish(exchange, out, type, Ipv4{});
}

void write_nak(Exchange& exchange, std::string_view why) {
  const PacketView& packet = *exchange.request.packet;
  Header header = header_of(exchange, {});
  // The client has no address that its relay could use (RFC 2131 section 4.3.2).
  if (!packet.giaddr().is_zero()) header.flags |= 0x8000;
  PacketWriter out = writer_of(exchange, header);
  out.option_u8(kMessageType, static_cast<uint8_t>(MessageType::nak));
  out.option_address(kServerId, exchange.server_id);
  if (!exchange.request.client_id.empty()) out.option(kClientId, exchange.request.client_id);
  out.option(kMessageText, why);
  finish(exchange, out, MessageType::nak, Ipv4{});
}

}  // namespace drover::boot::dhcp

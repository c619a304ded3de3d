// From options to meaning. Firmware is taken as it is: what it gets wrong without harm is accepted.
#include "boot/dhcp/request.hpp"

#include <algorithm>

namespace drover::boot::dhcp {

namespace {

ClientKind kind_of(const PacketView& packet) {
  const auto user_class = packet.option(kUserClass);
  if (packet.has(kIpxe) || (user_class && user_class_has(*user_class, "iPXE"))) {
    return ClientKind::ipxe;
  }
  const std::string_view vendor = packet.option(kVendorClass).value_or("");
  if (vendor.starts_with("HTTPClient")) return ClientKind::http;
  if (vendor.starts_with("PXEClient")) return ClientKind::pxe;
  return ClientKind::plain;
}

/// Option 93 is a list of 16-bit codes, the preferred one first; old ROMs state theirs only in the
/// vendor class, "PXEClient:Arch:00007:UNDI:003000".
uint16_t architecture_of(const PacketView& packet) {
  if (const auto list = packet.option(kArchitecture); list && list->size() >= 2) {
    return Reader(*list).u16();
  }
  constexpr std::string_view kMark = ":Arch:";
  const std::string_view vendor = packet.option(kVendorClass).value_or("");
  const size_t at = vendor.find(kMark);
  if (at == std::string_view::npos) return kNoArchitecture;
  const std::string_view digits = vendor.substr(at + kMark.size(), 5);
  uint32_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return kNoArchitecture;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  return digits.size() == 5 && value < kNoArchitecture ? static_cast<uint16_t>(value)
                                                       : kNoArchitecture;
}

std::optional<Ipv4> address_in(std::string_view value) {
  if (value.size() != 4) return {};
  return Ipv4{Reader(value).u32()};
}

RelayInfo relay_of(const PacketView& packet) {
  RelayInfo relay;
  const auto whole = packet.option(kRelayAgent);
  if (!whole) return relay;
  relay.whole = *whole;
  OptionCursor cursor(*whole, false);
  while (cursor.next()) {
    switch (cursor.code()) {
      case kCircuitId:
        relay.circuit_id = cursor.value();
        break;
      case kRemoteId:
        relay.remote_id = cursor.value();
        break;
      case kLinkSelection:
        relay.link_selection = address_in(cursor.value());
        break;
      case kServerIdOverride:
        relay.server_id_override = address_in(cursor.value());
        break;
      case kRelaySourcePort:
        relay.answers_to_source_port = true;
        break;
      default:
        break;
    }
  }
  return relay;
}

size_t most_bytes_of(const PacketView& packet) {
  // Above one frame (EDK2 asks for 0xff00) the reply would be cut into fragments.
  const auto asked = packet.option_u16(kMaxMessageSize).value_or(kLeastMaxSize);
  return std::clamp<size_t>(asked, kLeastMaxSize, kMaxMessage + kIpUdpHeaders) - kIpUdpHeaders;
}

RequestState state_of(const Request& request) {
  if (request.server_id) return RequestState::selecting;
  // EDK2 and iPXE ask a boot server with their address in ciaddr, which reads as bound.
  return request.packet->ciaddr().is_zero() ? RequestState::init_reboot : RequestState::bound;
}

bool has_length(const PacketView& packet, uint8_t code, size_t length) {
  const auto value = packet.option(code);
  return !value || value->size() == length;
}

}  // namespace

std::string_view text(NotRequest why) {
  switch (why) {
    case NotRequest::reply:
      return "a reply of another server";
    case NotRequest::no_type:
      return "no DHCP message type";
    case NotRequest::nobody:
      return "neither a hardware address nor a client identifier";
    case NotRequest::bad_option:
      return "an option of the wrong length";
    case NotRequest::impossible_type:
      return "a message type that only servers send";
  }
  return "not a request";
}

bool user_class_has(std::string_view user_class, std::string_view word) {
  if (user_class == word) return true;
  Reader reader(user_class);
  while (!reader.empty()) {
    const std::string_view piece = reader.take(reader.u8());
    if (!reader.ok()) return false;
    if (piece == word) return true;
  }
  return false;
}

tl::expected<Request, NotRequest> read_request(const PacketView& packet) {
  if (packet.op() != 1) return tl::unexpected(NotRequest::reply);
  const auto type = packet.option_u8(kMessageType);
  if (!type || *type < 1 || *type > 8) return tl::unexpected(NotRequest::no_type);
  if (*type == 2 || *type == 5 || *type == 6) return tl::unexpected(NotRequest::impossible_type);
  if (!has_length(packet, kRequestedAddress, 4) || !has_length(packet, kServerId, 4) ||
      !has_length(packet, kMaxMessageSize, 2)) {
    return tl::unexpected(NotRequest::bad_option);
  }
  Request request;
  request.packet = &packet;
  request.type = static_cast<MessageType>(*type);
  request.hardware = packet.hardware();
  request.client_id = packet.option(kClientId).value_or("");
  // Over InfiniBand the hardware address is empty and the identifier stands for it (RFC 4390).
  if (request.hardware.is_nobody() && (request.hardware.type != 32 || request.client_id.empty())) {
    return tl::unexpected(NotRequest::nobody);
  }
  request.kind = kind_of(packet);
  request.architecture = architecture_of(packet);
  request.machine_id = packet.option(kMachineId).value_or("");
  request.server_id = packet.option_address(kServerId);
  request.wanted = packet.option_address(kRequestedAddress).value_or(packet.ciaddr());
  request.relay = relay_of(packet);
  request.most_bytes = most_bytes_of(packet);
  request.state = state_of(request);
  if (const auto list = packet.option(kParameterList)) {
    request.wants_all = false;
    for (const char code : *list) request.asked.set(static_cast<uint8_t>(code));
  }
  return request;
}

}  // namespace drover::boot::dhcp

// DHCPv6 on the wire.
#include "boot/dhcp6/message.hpp"

namespace drover::boot::dhcp6 {

namespace {

constexpr size_t kRelayHeader = 34;
constexpr size_t kMaxDuid = 130;

std::optional<HardwareAddress> link_layer(uint16_t type, std::string_view octets) {
  if (octets.empty() || octets.size() > 16 || type > 255) return {};
  return HardwareAddress::from(static_cast<uint8_t>(type), octets);
}

/// What a relay says of itself; `inner` becomes the message it passes on.
std::optional<Malformed> read_relay(std::string_view packet, Relay& relay,
                                    std::string_view& inner) {
  Reader reader(packet);
  (void)reader.u8();
  relay.hops = reader.u8();
  const auto link = Ipv6::from(reader.take(16));
  const auto peer = Ipv6::from(reader.take(16));
  if (!reader.ok()) return Malformed::too_short;
  relay.link = *link;
  relay.peer = *peer;
  OptionCursor cursor(reader.rest());
  bool found = false;
  while (cursor.next()) {
    Reader value(cursor.value());
    switch (cursor.code()) {
      case kRelayMessage:
        inner = cursor.value();
        found = true;
        break;
      case kInterfaceId:
        relay.interface_id = cursor.value();
        break;
      case kRemoteId:
        (void)value.u32();
        relay.remote_id = value.rest();
        break;
      case kLinkLayerAddress: {
        const uint16_t type = value.u16();
        relay.hardware = link_layer(type, value.rest());
        break;
      }
      default:
        break;
    }
  }
  if (cursor.cut_off()) return Malformed::option_cut_off;
  if (!found) return Malformed::no_relayed_message;
  return {};
}

}  // namespace

std::string_view name(MessageType type) {
  constexpr std::array<std::string_view, 14> kNames = {
      "?",          "SOLICIT",   "ADVERTISE", "REQUEST", "CONFIRM",     "RENEW",
      "REBIND",     "REPLY",     "RELEASE",   "DECLINE", "RECONFIGURE", "INFORMATION-REQUEST",
      "RELAY-FORW", "RELAY-REPL"};
  const auto at = static_cast<size_t>(type);
  return at < kNames.size() ? kNames[at] : kNames[0];
}

std::string_view text(Malformed why) {
  switch (why) {
    case Malformed::too_short:
      return "shorter than a DHCPv6 message";
    case Malformed::too_long:
      return "longer than an Ethernet frame carries";
    case Malformed::option_cut_off:
      return "an option is longer than its field";
    case Malformed::too_many_relays:
      return "through more than 8 relays";
    case Malformed::no_relayed_message:
      return "a relay passes on nothing";
  }
  return "malformed";
}

bool OptionCursor::next() {
  if (reader_.empty()) return false;
  code_ = reader_.u16();
  const uint16_t length = reader_.u16();
  value_ = reader_.take(length);
  return reader_.ok();
}

std::optional<std::string_view> find_option(std::string_view field, uint16_t code) {
  OptionCursor cursor(field);
  while (cursor.next()) {
    if (cursor.code() == code) return cursor.value();
  }
  return {};
}

tl::expected<MessageView, Malformed> MessageView::parse(std::string_view packet) {
  if (packet.size() > kMaxMessage) return tl::unexpected(Malformed::too_long);
  MessageView view;
  while (!packet.empty() &&
         static_cast<uint8_t>(packet[0]) == static_cast<uint8_t>(MessageType::relay_forward)) {
    if (view.relay_count == kMaxHops) return tl::unexpected(Malformed::too_many_relays);
    if (packet.size() < kRelayHeader) return tl::unexpected(Malformed::too_short);
    std::string_view inner;
    if (const auto why = read_relay(packet, view.relays[view.relay_count], inner)) {
      return tl::unexpected(*why);
    }
    ++view.relay_count;
    packet = inner;
  }
  Reader reader(packet);
  const uint32_t head = reader.u32();
  if (!reader.ok()) return tl::unexpected(Malformed::too_short);
  view.type = static_cast<MessageType>(head >> 24);
  view.xid = head & 0xffffff;
  view.options = reader.rest();
  OptionCursor cursor(view.options);
  while (cursor.next()) continue;
  if (cursor.cut_off()) return tl::unexpected(Malformed::option_cut_off);
  return view;
}

std::optional<Duid> read_duid(std::string_view bytes) {
  if (bytes.size() > kMaxDuid) return {};
  Reader reader(bytes);
  Duid duid;
  duid.kind = reader.u16();
  if (!reader.ok() || reader.empty()) return {};
  if (duid.kind == 1 || duid.kind == 3) {
    const uint16_t type = reader.u16();
    if (duid.kind == 1) (void)reader.u32();
    duid.hardware = link_layer(type, reader.rest());
    if (!duid.hardware) return {};
  } else if (duid.kind == 4) {
    duid.uuid = reader.rest();
    if (duid.uuid.size() != 16) return {};
  }
  return duid;
}

std::optional<HardwareAddress> hardware_of(const Ipv6& address) {
  const auto& bytes = address.bytes;
  if (bytes[11] != 0xff || bytes[12] != 0xfe) return {};
  HardwareAddress hardware;
  hardware.length = 6;
  hardware.octets = {
      static_cast<uint8_t>(bytes[8] ^ 2), bytes[9], bytes[10], bytes[13], bytes[14], bytes[15]};
  if (hardware.is_nobody()) return {};
  return hardware;
}

std::optional<Association> read_association(std::string_view value) {
  Reader reader(value);
  Association association;
  association.id = reader.u32();
  (void)reader.take(8);
  if (!reader.ok()) return {};
  association.options = reader.rest();
  OptionCursor cursor(association.options);
  while (cursor.next()) continue;
  if (cursor.cut_off()) return {};
  return association;
}

MessageWriter::MessageWriter(const MessageView& request, MessageType type, std::span<char> out)
    : writer_(out.first(std::min(out.size(), kMaxMessage))) {
  for (size_t i = 0; i < request.relay_count; ++i) {
    const Relay& relay = request.relays[i];
    writer_.u8(static_cast<uint8_t>(MessageType::relay_reply));
    writer_.u8(relay.hops);
    writer_.bytes(relay.link.view());
    writer_.bytes(relay.peer.view());
    if (!relay.interface_id.empty()) option(kInterfaceId, relay.interface_id);
    wrapped_[wrap_count_++] = open(kRelayMessage);
  }
  writer_.u32(static_cast<uint32_t>(type) << 24 | request.xid);
}

void MessageWriter::option(uint16_t code, std::string_view value) {
  writer_.u16(code);
  writer_.u16(static_cast<uint16_t>(value.size()));
  writer_.bytes(value);
}

void MessageWriter::option_u8(uint16_t code, uint8_t value) {
  option(code, {reinterpret_cast<const char*>(&value), 1});
}

size_t MessageWriter::open(uint16_t code) {
  writer_.u16(code);
  writer_.u16(0);
  return writer_.size();
}

void MessageWriter::close(size_t opened) {
  writer_.patch_u16(opened - 2, static_cast<uint16_t>(writer_.size() - opened));
}

void MessageWriter::status(StatusCode code, std::string_view message) {
  const size_t opened = open(kStatusCode);
  writer_.u16(static_cast<uint16_t>(code));
  writer_.bytes(message);
  close(opened);
}

void MessageWriter::open_association(uint32_t id, uint32_t renew, uint32_t rebind) {
  association_ = open(kIaNa);
  writer_.u32(id);
  writer_.u32(renew);
  writer_.u32(rebind);
}

void MessageWriter::address(const Ipv6& address, uint32_t preferred, uint32_t valid) {
  const size_t opened = open(kIaAddress);
  writer_.bytes(address.view());
  writer_.u32(preferred);
  writer_.u32(valid);
  close(opened);
}

size_t MessageWriter::finish() {
  while (wrap_count_ > 0) close(wrapped_[--wrap_count_]);
  return writer_.ok() ? writer_.size() : 0;
}

}  // namespace drover::boot::dhcp6

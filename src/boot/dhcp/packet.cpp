// Reading DHCPv4 messages: one pass over the options, a second only where some came in pieces.
#include "boot/dhcp/packet.hpp"

namespace drover::boot::dhcp {

namespace {

constexpr uint32_t kCookie = 0x63825363;
constexpr size_t kServerNameAt = 44;
constexpr size_t kServerNameSize = 64;
constexpr size_t kFileAt = 108;
constexpr size_t kFileSize = 128;
constexpr size_t kMaxHardware = 16;

std::string_view up_to_zero(std::string_view field) {
  return field.substr(0, field.find('\0'));
}

}  // namespace

std::string_view text(Malformed why) {
  switch (why) {
    case Malformed::too_short:
      return "shorter than a DHCP message";
    case Malformed::too_long:
      return "longer than an Ethernet frame carries";
    case Malformed::no_cookie:
      return "no DHCP cookie: plain BOOTP or something else";
    case Malformed::bad_hardware_length:
      return "a hardware address of more than 16 octets";
    case Malformed::option_cut_off:
      return "an option is longer than its field";
    case Malformed::bad_overload:
      return "option 52 names no field";
    case Malformed::no_join_space:
      return "split options are too long together";
  }
  return "malformed";
}

bool OptionCursor::next() {
  while (!reader_.empty()) {
    code_ = reader_.u8();
    if (padded_ && code_ == kPad) continue;
    if (padded_ && code_ == kEnd) return false;
    const uint8_t length = reader_.u8();
    value_ = reader_.take(length);
    return reader_.ok();
  }
  return false;
}

std::optional<std::string_view> sub_option(std::string_view field, uint8_t code, bool padded) {
  OptionCursor cursor(field, padded);
  while (cursor.next()) {
    if (cursor.code() == code) return cursor.value();
  }
  return {};
}

tl::expected<PacketView, Malformed> PacketView::parse(std::string_view packet,
                                                      std::span<char> join_space) {
  if (packet.size() < kHeaderSize) return tl::unexpected(Malformed::too_short);
  if (packet.size() > kMaxMessage) return tl::unexpected(Malformed::too_long);
  PacketView view;
  view.packet_ = packet;
  if (view.u32(kHeaderSize - 4) != kCookie) return tl::unexpected(Malformed::no_cookie);
  if (view.u8(2) > kMaxHardware) return tl::unexpected(Malformed::bad_hardware_length);
  // Overload is looked for first: it says which other fields hold options.
  OptionCursor cursor(packet.substr(kHeaderSize));
  while (cursor.next()) {
    if (cursor.code() != kOverload) continue;
    if (cursor.value().size() != 1) return tl::unexpected(Malformed::bad_overload);
    view.overload_ = static_cast<uint8_t>(cursor.value()[0]);
    if (view.overload_ < 1 || view.overload_ > 3) return tl::unexpected(Malformed::bad_overload);
  }
  if (const auto why = view.index(join_space)) return tl::unexpected(*why);
  return view;
}

std::optional<Malformed> PacketView::index(std::span<char> join_space) {
  std::bitset<256> split;
  for (const std::string_view field : fields()) {
    OptionCursor cursor(field);
    while (cursor.next()) {
      const uint8_t code = cursor.code();
      Slot& slot = slots_[code];
      if (present_[code]) {
        split.set(code);
        slot.length = static_cast<uint16_t>(slot.length + cursor.value().size());
        continue;
      }
      present_.set(code);
      slot.offset = static_cast<uint16_t>(cursor.value().data() - packet_.data());
      slot.length = static_cast<uint16_t>(cursor.value().size());
    }
    if (cursor.cut_off()) return Malformed::option_cut_off;
  }
  if (split.none()) return {};
  return join(split, join_space);
}

std::optional<Malformed> PacketView::join(const std::bitset<256>& split,
                                          std::span<char> join_space) {
  Writer out(join_space);
  for (size_t code = 0; code < split.size(); ++code) {
    if (!split[code]) continue;
    slots_[code].offset = static_cast<uint16_t>(packet_.size() + out.size());
    for (const std::string_view field : fields()) {
      OptionCursor cursor(field);
      while (cursor.next()) {
        if (cursor.code() == code) out.bytes(cursor.value());
      }
    }
  }
  if (!out.ok()) return Malformed::no_join_space;
  joined_ = out.written();
  return {};
}

std::array<std::string_view, 3> PacketView::fields() const {
  return {
      packet_.substr(kHeaderSize),
      (overload_ & 1) != 0 ? packet_.substr(kFileAt, kFileSize) : std::string_view{},
      (overload_ & 2) != 0 ? packet_.substr(kServerNameAt, kServerNameSize) : std::string_view{}};
}

std::string_view PacketView::server_name() const {
  if ((overload_ & 2) != 0) return {};
  return up_to_zero(packet_.substr(kServerNameAt, kServerNameSize));
}

std::string_view PacketView::file() const {
  if ((overload_ & 1) != 0) return {};
  return up_to_zero(packet_.substr(kFileAt, kFileSize));
}

std::optional<std::string_view> PacketView::option(uint8_t code) const {
  if (!present_[code]) return {};
  const Slot slot = slots_[code];
  if (slot.offset < packet_.size() || slot.length == 0) {
    return packet_.substr(std::min<size_t>(slot.offset, packet_.size()), slot.length);
  }
  return joined_.substr(slot.offset - packet_.size(), slot.length);
}

std::optional<uint8_t> PacketView::option_u8(uint8_t code) const {
  const auto value = option(code);
  if (!value || value->size() != 1) return {};
  return static_cast<uint8_t>(value->front());
}

std::optional<uint16_t> PacketView::option_u16(uint8_t code) const {
  const auto value = option(code);
  if (!value || value->size() != 2) return {};
  return Reader(*value).u16();
}

std::optional<uint32_t> PacketView::option_u32(uint8_t code) const {
  const auto value = option(code);
  if (!value || value->size() != 4) return {};
  return Reader(*value).u32();
}

std::optional<Ipv4> PacketView::option_address(uint8_t code) const {
  const auto value = option_u32(code);
  if (!value) return {};
  return Ipv4{*value};
}

uint32_t PacketView::number(size_t at, size_t bytes) const {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | u8(at + i);
  return value;
}

}  // namespace drover::boot::dhcp

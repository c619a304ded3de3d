// Writing DHCPv4 messages: the options field, then `file` and `sname` where these are free.
#include "boot/dhcp/packet.hpp"

namespace drover::boot::dhcp {

namespace {

constexpr size_t kServerNameSize = 64;
constexpr size_t kFileSize = 128;
constexpr size_t kServerNameAt = 44;
constexpr size_t kFileAt = 108;
constexpr size_t kOverloadOption = 3;
constexpr size_t kEndOption = 1;

/// `value` and zeros, at least one; nothing but zeros when it is too long.
void fixed_text(Writer& out, std::string_view value, size_t size) {
  if (value.size() >= size) value = {};
  out.bytes(value);
  out.zeros(size - value.size());
}

/// The part of `out` a field may fill with options; empty when it holds text.
std::span<char> free_field(std::span<char> out, size_t at, size_t size, std::string_view text) {
  if (out.size() < at + size || (!text.empty() && text.size() < size)) return {};
  return out.subspan(at, size);
}

}  // namespace

PacketWriter::PacketWriter(const Header& header, std::span<char> out, size_t limit,
                           std::string_view relay_agent)
    : out_(out.first(std::min(out.size(), limit))),
      relay_agent_(relay_agent),
      main_(out_),
      file_(free_field(out_, kFileAt, kFileSize, header.file)),
      server_name_(free_field(out_, kServerNameAt, kServerNameSize, header.server_name)) {
  main_.u8(header.op);
  main_.u8(header.hardware.type);
  main_.u8(header.hardware.length);
  main_.u8(header.hops);
  main_.u32(header.xid);
  main_.u16(header.seconds);
  main_.u16(header.flags);
  main_.u32(header.ciaddr.value);
  main_.u32(header.yiaddr.value);
  main_.u32(header.siaddr.value);
  main_.u32(header.giaddr.value);
  main_.bytes({reinterpret_cast<const char*>(header.hardware.octets.data()),
               header.hardware.octets.size()});
  fixed_text(main_, header.server_name, kServerNameSize);
  fixed_text(main_, header.file, kFileSize);
  main_.u32(0x63825363);
  size_t kept = kOverloadOption + kEndOption;
  if (!relay_agent_.empty()) kept += option_size(relay_agent_.size());
  ok_ = main_.ok() && main_.room() >= kept;
}

bool PacketWriter::place(Writer& field, size_t room, uint8_t code, std::string_view value) {
  if (room < option_size(value.size())) return false;
  do {
    const std::string_view piece = value.substr(0, 255);
    field.u8(code);
    field.u8(static_cast<uint8_t>(piece.size()));
    field.bytes(piece);
    value.remove_prefix(piece.size());
  } while (!value.empty());
  return true;
}

bool PacketWriter::option(uint8_t code, std::string_view value) {
  if (!ok_) return false;
  size_t kept = kOverloadOption + kEndOption;
  if (!relay_agent_.empty()) kept += option_size(relay_agent_.size());
  const auto left = [](const Writer& field, size_t keep) {
    return field.room() > keep ? field.room() - keep : 0;
  };
  return place(main_, left(main_, kept), code, value) ||
         place(file_, left(file_, kEndOption), code, value) ||
         place(server_name_, left(server_name_, kEndOption), code, value);
}

bool PacketWriter::option_u8(uint8_t code, uint8_t value) {
  const char byte = static_cast<char>(value);
  return option(code, {&byte, 1});
}

bool PacketWriter::option_u16(uint8_t code, uint16_t value) {
  const std::array<char, 2> bytes = {static_cast<char>(value >> 8), static_cast<char>(value)};
  return option(code, {bytes.data(), bytes.size()});
}

bool PacketWriter::option_u32(uint8_t code, uint32_t value) {
  const std::array<char, 4> bytes = {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                                     static_cast<char>(value >> 8), static_cast<char>(value)};
  return option(code, {bytes.data(), bytes.size()});
}

size_t PacketWriter::finish() {
  if (!ok_) return 0;
  const bool in_file = file_.size() != 0;
  const bool in_server_name = server_name_.size() != 0;
  if (in_file) file_.u8(kEnd);
  if (in_server_name) server_name_.u8(kEnd);
  if (in_file || in_server_name) {
    const auto fields = static_cast<uint8_t>((in_file ? 1 : 0) | (in_server_name ? 2 : 0));
    place(main_, main_.room(), kOverload, {reinterpret_cast<const char*>(&fields), 1});
  }
  if (!relay_agent_.empty()) place(main_, main_.room(), kRelayAgent, relay_agent_);
  main_.u8(kEnd);
  ok_ = false;
  if (!main_.ok()) return 0;
  if (main_.size() < kMinMessage) main_.zeros(std::min(kMinMessage - main_.size(), main_.room()));
  return main_.size();
}

}  // namespace drover::boot::dhcp

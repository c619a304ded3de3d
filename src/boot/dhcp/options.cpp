// Names of DHCPv4's numbers.
#include "boot/dhcp/options.hpp"

#include <array>

namespace drover::boot::dhcp {

std::string_view name(MessageType type) {
  constexpr std::array<std::string_view, 9> kNames = {
      "?", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"};
  const auto at = static_cast<size_t>(type);
  return at < kNames.size() ? kNames[at] : kNames[0];
}

std::string_view name(ClientKind kind) {
  switch (kind) {
    case ClientKind::plain:
      return "plain";
    case ClientKind::pxe:
      return "pxe";
    case ClientKind::http:
      return "http";
    case ClientKind::ipxe:
      return "ipxe";
  }
  return "plain";
}

bool is_http_architecture(uint16_t code) {
  switch (code) {
    case 15:
    case 16:
    case 17:
    case 18:
    case 19:
    case 20:
    case 23:
    case 24:
    case 26:
    case 28:
    case 30:
    case 38:
    case 40:
      return true;
    default:
      return false;
  }
}

std::string_view architecture_name(uint16_t code) {
  switch (code) {
    case 0:
      return "x86 BIOS";
    case 6:
      return "x86 UEFI";
    case 7:
      return "x64 UEFI";
    case 9:
      return "x64 UEFI (EBC code)";
    case 10:
      return "ARM 32-bit UEFI";
    case 11:
      return "ARM 64-bit UEFI";
    case 14:
      return "POWER OPAL v3";
    case 15:
      return "x86 UEFI HTTP";
    case 16:
      return "x64 UEFI HTTP";
    case 17:
      return "EBC HTTP";
    case 18:
      return "ARM 32-bit UEFI HTTP";
    case 19:
      return "ARM 64-bit UEFI HTTP";
    case 20:
      return "x86 BIOS HTTP";
    case 25:
      return "RISC-V 32-bit UEFI";
    case 26:
      return "RISC-V 32-bit UEFI HTTP";
    case 27:
      return "RISC-V 64-bit UEFI";
    case 28:
      return "RISC-V 64-bit UEFI HTTP";
    case 37:
      return "LoongArch 32-bit UEFI";
    case 38:
      return "LoongArch 32-bit UEFI HTTP";
    case 39:
      return "LoongArch 64-bit UEFI";
    case 40:
      return "LoongArch 64-bit UEFI HTTP";
    default:
      return "unknown";
  }
}

}  // namespace drover::boot::dhcp

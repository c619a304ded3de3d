// IPv4, IPv6 and hardware addresses as small values: what the boot protocols compute with. Their
// written forms are those of cluster/net_address.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::boot {

/// An IPv4 address as a number: 10.0.0.1 is 0x0a000001 on every machine.
struct Ipv4 {
  uint32_t value = 0;

  /// Four decimal numbers without leading zeros, joined by dots; nothing for any other text.
  static std::optional<Ipv4> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_zero() const { return value == 0; }
  /// 255.255.255.255 or 224.0.0.0/4 or 127.0.0.0/8: no single machine on a network has it.
  [[nodiscard]] bool is_unusable() const {
    return value >= 0xe0000000 || value >> 24 == 127 || value >> 24 == 0;
  }
  auto operator<=>(const Ipv4&) const = default;
};

inline constexpr Ipv4 kBroadcast4{0xffffffff};

/// An IPv6 address in network order.
struct Ipv6 {
  std::array<uint8_t, 16> bytes{};

  /// Any form of RFC 4291 section 2.2 without a zone; nothing for any other text.
  static std::optional<Ipv6> parse(std::string_view text);
  /// From 16 bytes of a packet; nothing for any other number of them.
  static std::optional<Ipv6> from(std::string_view bytes);
  /// The canonical form of RFC 5952.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  [[nodiscard]] bool is_zero() const { return *this == Ipv6{}; }
  auto operator<=>(const Ipv6&) const = default;
};

/// A network of IPv4 addresses; `bits` is 0 to 32.
struct Prefix4 {
  Ipv4 network;
  uint8_t bits = 0;

  /// "10.0.0.0/24"; host bits are cleared.
  static std::optional<Prefix4> parse(std::string_view text);
  [[nodiscard]] Ipv4 mask() const { return {bits == 0 ? 0 : ~uint32_t{0} << (32 - bits)}; }
  [[nodiscard]] Ipv4 broadcast() const { return {network.value | ~mask().value}; }
  [[nodiscard]] bool contains(Ipv4 address) const {
    return (address.value & mask().value) == network.value;
  }
  auto operator<=>(const Prefix4&) const = default;
};

/// A network of IPv6 addresses; `bits` is 0 to 128.
struct Prefix6 {
  Ipv6 network;
  uint8_t bits = 0;

  static std::optional<Prefix6> parse(std::string_view text);
  [[nodiscard]] bool contains(const Ipv6& address) const;
  auto operator<=>(const Prefix6&) const = default;
};

/// A hardware address as DHCP carries it: the type of RFC 1700 (1 Ethernet, 32 InfiniBand) and up
/// to 16 octets. Empty (length 0) on InfiniBand, where the client identifier stands for it.
struct HardwareAddress {
  uint8_t type = 1;
  uint8_t length = 0;
  std::array<uint8_t, 16> octets{};

  static HardwareAddress from(uint8_t type, std::string_view octets);
  /// "52:54:00:77:00:01"; nothing for text that is not hexadecimal pairs joined by colons.
  static std::optional<HardwareAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(octets.data()), length};
  }
  /// No octets, all zero, or an Ethernet group address: no machine sends from it.
  [[nodiscard]] bool is_nobody() const;
  auto operator<=>(const HardwareAddress&) const = default;
};

/// For lookup tables; never for order.
struct HardwareAddressHash {
  size_t operator()(const HardwareAddress& address) const {
    return std::hash<std::string_view>{}(address.view());
  }
};

}  // namespace drover::boot

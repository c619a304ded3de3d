// IP addresses as octets that can be compared, and runs of them: prefixes and pools.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::cluster {

/// An IPv4 or IPv6 address in network order. IPv4 sorts before IPv6.
struct IpAddress {
  uint8_t size = 4;  ///< octets that count: 4 or 16
  std::array<uint8_t, 16> octets{};

  /// The forms of canonical_address() without a prefix; nothing for any other text.
  static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_v4() const { return size == 4; }
  auto operator<=>(const IpAddress&) const = default;
};

/// The addresses from `first` to `last`, both belonging to it and of one family.
struct IpRange {
  IpAddress first;
  IpAddress last;

  /// "10.77.0.0/24" or "fd77::/64"; host bits are cleared.
  static std::optional<IpRange> parse_prefix(std::string_view text);
  /// "10.77.0.200-10.77.0.250"; nothing when it runs backwards or mixes families.
  static std::optional<IpRange> parse_run(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const {
    return first <= address && address <= last;
  }
  [[nodiscard]] bool contains(const IpRange& other) const {
    return contains(other.first) && contains(other.last);
  }
  [[nodiscard]] bool overlaps(const IpRange& other) const {
    return first <= other.last && other.first <= last;
  }
  bool operator==(const IpRange&) const = default;
};

/// "10.77.0.0/24" from "10.77.0.9/24": host bits cleared, canonical. Nothing without a prefix.
std::optional<std::string> canonical_prefix(std::string_view text);

}  // namespace drover::cluster

// The written forms of hardware and IP addresses, made canonical. No sockets: text alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// A hardware address of 6 (Ethernet), 8 (EUI-64, InfiniBand GUID) or 20 (IP over InfiniBand)
/// octets as lower-case hexadecimal joined by colons. Takes upper case, '-' between octets, and
/// Cisco's groups of four joined by dots. Nothing for anything else, for all zeros, and for
/// Ethernet's multicast addresses, which no interface has.
std::optional<std::string> canonical_mac(std::string_view text);

/// An IPv4 or IPv6 address with or without "/prefix" in its canonical form (RFC 5952 for IPv6;
/// IPv4 has four decimal numbers without leading zeros).
std::optional<std::string> canonical_address(std::string_view text);

/// The octets of an address without a prefix, in network order: 4 of IPv4, 16 of IPv6. Nothing for
/// any other text.
std::optional<std::vector<uint8_t>> address_octets(std::string_view text);
/// The canonical text of 4 or 16 octets; empty for any other number of them.
std::string address_text(std::span<const uint8_t> octets);

/// The address alone: "10.0.0.1" of "10.0.0.1/24".
std::string_view without_prefix(std::string_view address);

}  // namespace drover::cluster

// The written forms of hardware and IP addresses, made canonical. No sockets: text alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drover::cluster {

/// A hardware address of 6 (Ethernet), 8 (EUI-64, InfiniBand GUID) or 20 (IP over InfiniBand)
/// octets as lower-case hexadecimal joined by colons. Takes upper case, '-' between octets, and
/// Cisco's groups of four joined by dots. Nothing for anything else, for all zeros, and for
/// Ethernet's multicast addresses, which no interface has.
std::optional<std::string> canonical_mac(std::string_view text);

/// An IPv4 or IPv6 address with or without "/prefix" in its canonical form (RFC 5952 for IPv6;
/// IPv4 has four decimal numbers without leading zeros).
std::optional<std::string> canonical_address(std::string_view text);

/// The address alone: "10.0.0.1" of "10.0.0.1/24".
std::string_view without_prefix(std::string_view address);

}  // namespace drover::cluster

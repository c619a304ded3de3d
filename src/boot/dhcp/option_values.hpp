// Option values that are lists: addresses, search domains, routes. Made once for each subnet.
#pragma once

#include "boot/dhcp/config.hpp"

#include <span>
#include <string>

namespace drover::boot::dhcp {

/// Addresses one after the other (RFC 2132).
std::string addresses_value(std::span<const Ipv4> addresses);
/// Domain names in DNS wire form (RFC 3397), each written out. Names that are none are left out.
std::string search_value(std::span<const std::string> domains);
/// Classless routes (RFC 3442): prefix length, the significant octets, router.
std::string routes_value(std::span<const Route> routes);

/// A subnet's options as they are sent; empty ones are not.
struct SubnetValues {
  std::string routers;
  std::string name_servers;
  std::string time_servers;
  std::string search;
  std::string routes;
};
/// With classless routes a client ignores option 3 (RFC 3442), so its default route is among them.
SubnetValues subnet_values(const Subnet& subnet);

}  // namespace drover::boot::dhcp

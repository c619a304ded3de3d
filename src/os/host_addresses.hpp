// The addresses that others can reach this host by.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover::os {

/// One address of a network interface that is up.
struct HostAddress {
  std::string interface;
  std::string address;  ///< without a scope: "10.0.0.2", "2001:db8::2"
  bool v6 = false;
  bool operator==(const HostAddress&) const = default;
};

/// Addresses of interfaces that are up, without loopback and link-local ones: first those of the
/// interface that the default route leaves by, then the others in the kernel's order.
std::vector<HostAddress> host_addresses();

/// The interface of the default route in the text of /proc/net/route; empty when there is none.
std::string default_interface(std::string_view routes);

}  // namespace drover::os

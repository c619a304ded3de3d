// Gives a network interface its address, routes and size over rtnetlink(7), for a machine that has
// nobody else to do it.
#pragma once

#include "base/result.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::os {

/// 4 or 6 for the text of an IP address, 0 for any other text.
int ip_version(std::string_view text);

/// One rtnetlink request as bytes (linux/rtnetlink.h); pure, for the tests too.
struct LinkMessages {
  /// Sets an interface up; `mtu` 0 leaves its size.
  static std::string up(int index, uint32_t mtu);
  /// invalid_argument when `address` is neither IPv4 nor IPv6 or the prefix is too long for it.
  static Result<std::string> address(int index, std::string_view address, uint8_t prefix);
  /// The default route of the gateway's family.
  static Result<std::string> default_route(int index, std::string_view gateway);
};

/// Any thread, one at a time. Needs CAP_NET_ADMIN.
class LinkSetup {
 public:
  static Result<LinkSetup> open();
  /// Sends a request and waits for the kernel's answer, which comes at once. What is there already
  /// counts as done.
  Status send(const std::string& message, std::string_view what);

 private:
  explicit LinkSetup(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// An interface as /sys/class/net shows it.
struct LinkFacts {
  int index = 0;
  std::string name;
  std::string mac;  ///< lower case with colons; empty where there is none
  bool carrier = false;
};

/// All interfaces, sorted by name. `sys` is where /sys is.
Result<std::vector<LinkFacts>> list_links(const std::string& sys = "/sys");

}  // namespace drover::os

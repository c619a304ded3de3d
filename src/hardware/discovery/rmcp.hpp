// The two questions that IPMI answers before any sign-in, as datagrams: RMCP's presence ping (ASF
// 2.0 section 3.2.4) and Get Channel Authentication Capabilities (IPMI 2.0 section 22.13). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::hardware {

/// `tag` comes back in the answer; 0xff would ask for none.
std::string rmcp_ping(uint8_t tag);
/// Outside any session, for the version of IPMI 2.0. `sequence` (0 to 63) comes back.
std::string rmcp_capabilities(uint8_t sequence);

/// What a datagram from a BMC says.
struct RmcpAnswer {
  bool ipmi = false;      ///< it speaks IPMI
  bool version2 = false;  ///< and sessions of IPMI 2.0
  bool version1 = false;  ///< sessions of IPMI 1.5
  bool operator==(const RmcpAnswer&) const = default;
};
/// Reads a pong or the answer to the capabilities question, whoever asked it; nothing for any other
/// bytes, for wrong checksums and for refusals.
std::optional<RmcpAnswer> parse_rmcp(std::string_view bytes);

}  // namespace drover::hardware

// What a scan for BMCs asks: which addresses, how, and how hard. Pure.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace drover::cluster {

/// Addresses of one scan at most: an IPv4 /16. More is a slip of the pen more often than a wish.
inline constexpr size_t kMostScanned = 65'536;
inline constexpr size_t kMostScanNetworks = 256;
inline constexpr size_t kMostScanPorts = 8;  ///< of each list

/// The body of POST /discover/scan, kept with its operation.
struct ScanRequest {
  static constexpr std::string_view kTypeName = "ScanRequest";
  std::vector<std::string> networks;      ///< "10.1.0.0/24", "10.1.0.9-10.1.0.40", "10.1.0.7"
  std::vector<uint16_t> ports{443};       ///< Redfish by HTTPS, the likeliest first
  std::vector<uint16_t> plain_ports{80};  ///< Redfish by HTTP, where none of those answers
  bool ipmi = true;                       ///< ask for IPMI too
  uint16_t ipmi_port = 623;
  uint32_t at_a_time = 256;     ///< addresses
  uint32_t per_second = 500;    ///< addresses that begin
  uint32_t patience_ms = 3000;  ///< for one address, all questions together
  bool fresh = false;           ///< ask those that are known too
  std::string why;
  bool operator==(const ScanRequest&) const = default;
  void describe(Visitor& v);
};

/// Ok when every number and list is within its bounds: 1 to 512 addresses at a time, 1 to 10,000 a
/// second, 100 to 60,000 ms each; and there is something to ask.
Status check(const ScanRequest& request);

/// Every address of `networks`, canonical, in numeric order, each once; of an IPv4 prefix up to /30
/// without its network and broadcast addresses. invalid_argument for what is no network, run or
/// address and for groups; too_large, saying how many they are, beyond kMostScanned.
Result<std::vector<std::string>> scan_addresses(std::span<const std::string> networks);

/// What a scan would do.
struct ScanPlan {
  static constexpr std::string_view kTypeName = "ScanPlan";
  uint64_t addresses = 0;
  uint64_t known = 0;  ///< that are not asked again
  std::string asks;    ///< folded addresses that would be asked
  std::vector<std::string> questions;
  uint64_t seconds = 0;  ///< at most, about
  void describe(Visitor& v);
};
ScanPlan plan_of(const ScanRequest& request, const std::vector<std::string>& addresses,
                 const std::vector<std::string>& asked);

}  // namespace drover::cluster

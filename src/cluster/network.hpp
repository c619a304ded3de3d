// A network that nodes are on: its addresses, what its machines are told of it, and what the boot
// service does there.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of network objects in the store; their key is the network's name.
inline constexpr std::string_view kNetworkKind = "network";
/// Bounds of a lease, in seconds: below, machines would ask all the time; above, an address that
/// nobody uses is held for more than a year.
inline constexpr uint32_t kLeastLease = 60;
inline constexpr uint32_t kMostLease = 31'536'000;
/// Most entries of each of its lists.
inline constexpr size_t kMaxNetworkEntries = 16;

/// What the boot service does on a network.
enum class NetworkMode : uint8_t {
  full,   ///< addresses and boot files
  proxy,  ///< boot files alone, beside another DHCP server
  off,    ///< nothing
};
std::span<const std::string_view> enum_names(NetworkMode);

/// What machines get that no node is known by.
enum class UnknownMachines : uint8_t {
  discover,  ///< an address of the pool for a while, and they are shown for approval
  ignore,    ///< silence
  number,    ///< the same as discover, and each is given a name out of number_nodes by itself
};
std::span<const std::string_view> enum_names(UnknownMachines);

/// In what order unknown machines are given names.
enum class NumberBy : uint8_t {
  arrival,  ///< the first free name
  port,     ///< the name at the place that the last number of the switch port says, from 1 on
};
std::span<const std::string_view> enum_names(NumberBy);

/// Body of a store object of kind kNetworkKind.
struct Network {
  static constexpr std::string_view kTypeName = "Network";
  std::string name;
  std::string description;
  std::string prefix;   ///< IPv4: "10.77.0.0/24"; empty: none
  std::string prefix6;  ///< IPv6: "fd77::/64"; empty: none
  NetworkMode mode = NetworkMode::full;
  std::string pool;  ///< IPv4: "10.77.0.200-10.77.0.250"; empty: none
  std::string gateway;
  std::vector<std::string> nameservers;
  std::vector<std::string> ntp_servers;
  std::string domain;
  std::vector<std::string> search;
  uint16_t mtu = 0;  ///< bytes; 0: not told
  uint32_t lease_seconds = 3600;
  UnknownMachines unknown = UnknownMachines::discover;
  std::string number_nodes;  ///< names to give, folded: "n[1-64]"; they need not be nodes yet
  NumberBy number_by = NumberBy::arrival;
  bool operator==(const Network&) const = default;
  void describe(Visitor& v);
};

/// Makes the network canonical and checks every field; the error names field, value and rule. That
/// no other network has its addresses is checked in the mutation.
Status normalise(Network& network);

/// Ok when they share no address; `network` is then named by the error. Both are canonical.
Status check_apart(const Network& network, const Network& other);

/// Whether an address (with or without "/prefix") lies in one of its prefixes.
bool holds(const Network& network, std::string_view address);

}  // namespace drover::cluster

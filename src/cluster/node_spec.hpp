// What an administrator says about a node: the part of its record that people write. Beside it
// stands what the cluster finds out by itself (states, inventory).
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Largest node number: what JSON readers keep exactly (RFC 8259 section 6).
inline constexpr uint64_t kMaxNid = (uint64_t{1} << 53) - 1;
inline constexpr size_t kMaxAliases = 64;
inline constexpr size_t kMaxInterfaces = 64;
inline constexpr size_t kMaxAddresses = 16;
/// Longest name of an interface or network.
inline constexpr size_t kMaxInterfaceName = 63;

/// A network interface of the node's own operating system.
struct Interface {
  static constexpr std::string_view kTypeName = "Interface";
  std::string name;                    ///< unique within the node: "eth0"
  std::string mac;                     ///< canonical; empty: not known. May hold formulas.
  std::vector<std::string> addresses;  ///< IP addresses, with or without /prefix; formulas
  std::string network;                 ///< name of the network that it is on; may be empty
  bool operator==(const Interface&) const = default;
  void describe(Visitor& v);
};

enum class BmcProtocol : uint8_t { redfish, ipmi };
std::span<const std::string_view> enum_names(BmcProtocol);

/// The node's baseboard management controller. Its password is a secret and not kept here.
struct Bmc {
  static constexpr std::string_view kTypeName = "Bmc";
  std::string address;  ///< host name or IP address; may hold formulas
  BmcProtocol protocol = BmcProtocol::redfish;
  std::string mac;   ///< canonical; empty: not known. May hold formulas.
  std::string user;  ///< account on it
  bool operator==(const Bmc&) const = default;
  void describe(Visitor& v);
};

/// Body `spec` of a node. A default-made one says nothing and is what nodes have that joined
/// without being defined first.
struct NodeSpec {
  static constexpr std::string_view kTypeName = "NodeSpec";
  uint64_t nid = 0;  ///< node number, unique; 0: none
  std::vector<std::string> aliases;
  std::vector<Interface> interfaces;
  std::optional<Bmc> bmc;
  std::vector<std::string> profiles;  ///< strongest first
  std::map<std::string, std::string> attributes;
  std::string owner = "root";
  std::string group = "root";
  /// rwx of owner, group and others, for people with the role user (auth/node_permission.hpp).
  std::string mode = "0755";
  std::string description;
  bool operator==(const NodeSpec&) const = default;
  void describe(Visitor& v);
};

/// The nine permission bits of a mode's text: three or four octal digits, the fourth 0.
Result<uint16_t> mode_bits(std::string_view text);

/// Makes the spec of the node `name` canonical (MACs, IP addresses, mode) and checks every field;
/// the error names field, value and rule. What other objects must agree to (uniqueness, profiles
/// that exist) is checked in the mutation.
Status normalise(NodeSpec& spec, std::string_view name);
/// The same for what a change made of `before`, which is canonical: members that are as they were
/// are not looked at again.
Status normalise(NodeSpec& spec, std::string_view name, const NodeSpec& before);

}  // namespace drover::cluster

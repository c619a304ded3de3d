// Numbers of DHCPv4: option codes, message types, architectures. From the IANA registries "BOOTP
// and DHCP parameters" and "Processor Architecture Types".
#pragma once

#include <cstdint>
#include <string_view>

namespace drover::boot::dhcp {

/// DHCP options used here (RFC 2132 unless noted).
enum Option : uint8_t {
  kPad = 0,
  kSubnetMask = 1,
  kRouters = 3,
  kNameServers = 6,
  kHostName = 12,
  kDomainName = 15,
  kRootPath = 17,
  kInterfaceMtu = 26,
  kBroadcastAddress = 28,
  kTimeServers = 42,  ///< NTP
  kVendorOptions = 43,
  kRequestedAddress = 50,
  kLeaseTime = 51,
  kOverload = 52,
  kMessageType = 53,
  kServerId = 54,
  kParameterList = 55,
  kMessageText = 56,
  kMaxMessageSize = 57,
  kRenewalTime = 58,
  kRebindingTime = 59,
  kVendorClass = 60,
  kClientId = 61,
  kTftpServerName = 66,
  kBootFileName = 67,
  kUserClass = 77,         ///< RFC 3004
  kRelayAgent = 82,        ///< RFC 3046
  kArchitecture = 93,      ///< RFC 4578
  kNetworkInterface = 94,  ///< RFC 4578: UNDI version
  kMachineId = 97,         ///< RFC 4578: UUID
  kSubnetSelection = 118,  ///< RFC 3011
  kDomainSearch = 119,     ///< RFC 3397
  kClasslessRoutes = 121,  ///< RFC 3442
  kIpxe = 175,             ///< iPXE's own, encapsulated
  kEnd = 255,
};

/// Sub-options of kRelayAgent.
enum RelayOption : uint8_t {
  kCircuitId = 1,
  kRemoteId = 2,
  kLinkSelection = 5,      ///< RFC 3527
  kServerIdOverride = 11,  ///< RFC 5107
  kRelaySourcePort = 19,   ///< RFC 8357
};

/// Sub-option of kIpxe: with value 1 iPXE does not wait for a proxyDHCP server.
inline constexpr uint8_t kIpxeNoProxy = 176;
/// Sub-option of kVendorOptions of a PXE server (PXE 2.1 section 2.4): how to find boot servers.
inline constexpr uint8_t kPxeDiscoveryControl = 6;
/// Its value "take the boot file of this offer, ask nobody else".
inline constexpr uint8_t kPxeUseBootFile = 8;

enum class MessageType : uint8_t {
  discover = 1,
  offer = 2,
  request = 3,
  decline = 4,
  ack = 5,
  nak = 6,
  release = 7,
  inform = 8,
};
/// "DISCOVER"; "?" for a number that is none.
std::string_view name(MessageType type);

/// Who is asking, as far as booting goes.
enum class ClientKind : uint8_t {
  plain,  ///< an operating system, a BMC, a switch: wants an address alone
  pxe,    ///< firmware that loads by TFTP ("PXEClient")
  http,   ///< firmware that loads by HTTP ("HTTPClient")
  ipxe,   ///< iPXE, however it got there
};
std::string_view name(ClientKind kind);

inline constexpr uint16_t kServerPort = 67;
inline constexpr uint16_t kClientPort = 68;
inline constexpr uint16_t kProxyPort = 4011;
/// An architecture that no client stated.
inline constexpr uint16_t kNoArchitecture = 0xffff;

/// True for the codes of firmware that boots by HTTP (15 to 20, 23, 24, 26, 28, 30, 38, 40).
bool is_http_architecture(uint16_t code);
/// "x64 UEFI"; "unknown" for a code that is not in the registry.
std::string_view architecture_name(uint16_t code);

}  // namespace drover::boot::dhcp

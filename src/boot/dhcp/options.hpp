// Numbers of DHCPv4: option codes, message types, architectures. From the IANA registries "BOOTP
// and DHCP parameters" and "Processor Architecture Types".
#pragma once

#include <cstdint>
#include <string_view>

namespace drover::boot::dhcp {

/// DHCP options used here (RFC 2132 unless noted).
inline constexpr uint8_t kPad = 0;
inline constexpr uint8_t kSubnetMask = 1;
inline constexpr uint8_t kRouters = 3;
inline constexpr uint8_t kNameServers = 6;
inline constexpr uint8_t kHostName = 12;
inline constexpr uint8_t kDomainName = 15;
inline constexpr uint8_t kRootPath = 17;
inline constexpr uint8_t kInterfaceMtu = 26;
inline constexpr uint8_t kBroadcastAddress = 28;
inline constexpr uint8_t kTimeServers = 42;  ///< NTP
inline constexpr uint8_t kVendorOptions = 43;
inline constexpr uint8_t kRequestedAddress = 50;
inline constexpr uint8_t kLeaseTime = 51;
inline constexpr uint8_t kOverload = 52;
inline constexpr uint8_t kMessageType = 53;
inline constexpr uint8_t kServerId = 54;
inline constexpr uint8_t kParameterList = 55;
inline constexpr uint8_t kMessageText = 56;
inline constexpr uint8_t kMaxMessageSize = 57;
inline constexpr uint8_t kRenewalTime = 58;
inline constexpr uint8_t kRebindingTime = 59;
inline constexpr uint8_t kVendorClass = 60;
inline constexpr uint8_t kClientId = 61;
inline constexpr uint8_t kTftpServerName = 66;
inline constexpr uint8_t kBootFileName = 67;
inline constexpr uint8_t kUserClass = 77;         ///< RFC 3004
inline constexpr uint8_t kRelayAgent = 82;        ///< RFC 3046
inline constexpr uint8_t kArchitecture = 93;      ///< RFC 4578
inline constexpr uint8_t kNetworkInterface = 94;  ///< RFC 4578: UNDI version
inline constexpr uint8_t kMachineId = 97;         ///< RFC 4578: UUID
inline constexpr uint8_t kDomainSearch = 119;     ///< RFC 3397
inline constexpr uint8_t kClasslessRoutes = 121;  ///< RFC 3442
inline constexpr uint8_t kIpxe = 175;             ///< iPXE's own, encapsulated
inline constexpr uint8_t kEnd = 255;

/// Sub-options of kRelayAgent.
inline constexpr uint8_t kCircuitId = 1;
inline constexpr uint8_t kRemoteId = 2;
inline constexpr uint8_t kLinkSelection = 5;      ///< RFC 3527
inline constexpr uint8_t kServerIdOverride = 11;  ///< RFC 5107
inline constexpr uint8_t kRelaySourcePort = 19;   ///< RFC 8357

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

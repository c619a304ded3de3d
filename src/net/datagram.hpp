// Datagrams of the Net seam: UDP and ICMPv6 in batches, with the interface a packet came in by, and
// frames to machines that have no address yet. Real form: net/real_datagram. Simulated form:
// sim/sim_datagram.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::net {

/// An IPv4 or IPv6 address with a port, as numbers. `none` stands for "not given".
struct InetAddress {
  enum class Family : uint8_t { none, v4, v6 };
  Family family = Family::none;
  std::array<uint8_t, 16> octets{};  ///< network order; of IPv4 the first four
  uint16_t port = 0;

  /// `address` as a number: 10.0.0.1 is 0x0a000001.
  static InetAddress v4(uint32_t address, uint16_t port = 0);
  static InetAddress v6(const std::array<uint8_t, 16>& address, uint16_t port = 0);
  /// "10.0.0.1:67", "[fe80::1]:547", or either without a port; nothing for any other text.
  static std::optional<InetAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return family == Family::v4; }
  [[nodiscard]] bool is_v6() const { return family == Family::v6; }
  [[nodiscard]] bool is_none() const { return family == Family::none; }
  /// Of IPv4, as v4() took it.
  [[nodiscard]] uint32_t v4_value() const;
  /// No address of one machine: 255.255.255.255, 224.0.0.0/4, ff00::/8. Broadcasts of subnets are
  /// not known by themselves.
  [[nodiscard]] bool is_group() const;
  /// 0.0.0.0 or ::
  [[nodiscard]] bool is_any() const;
  /// fe80::/10
  [[nodiscard]] bool is_link_local() const;
  [[nodiscard]] InetAddress with_port(uint16_t other) const;
  /// "10.0.0.1", "fe80::1"
  [[nodiscard]] std::string host_text() const;
  /// "10.0.0.1:67", "[fe80::1]:547"
  [[nodiscard]] std::string text() const;
  auto operator<=>(const InetAddress&) const = default;
};

inline constexpr uint32_t kBroadcastV4 = 0xffffffff;

/// An Ethernet address.
using MacAddress = std::array<uint8_t, 6>;

/// A network interface of this host.
struct NetInterface {
  struct Address {
    InetAddress address;  ///< port 0
    uint8_t prefix_bits = 0;
  };
  uint32_t index = 0;  ///< the kernel's number
  std::string name;
  std::optional<MacAddress> mac;  ///< nothing where it is not Ethernet
  bool up = false;
  bool loopback = false;
  std::vector<Address> addresses;
};

/// The longest datagram that is delivered whole: an Ethernet frame's and some more.
inline constexpr size_t kMaxDatagram = 2048;
/// So many are delivered at once at most.
inline constexpr size_t kDatagramBatch = 64;

/// A datagram that came in. `bytes` lives only for the call that delivers it.
struct Datagram {
  std::string_view bytes;  ///< UDP payload, or ICMPv6 message
  InetAddress from;
  InetAddress to;          ///< what it was sent to: ours, a broadcast or a group; the socket's port
  InetAddress local;       ///< an address of ours to answer from; none when there is no fit one
  uint32_t interface = 0;  ///< that it came in by
  bool truncated = false;  ///< it was longer than kMaxDatagram: `bytes` is its front
};

/// A datagram to send: `head` and `body` one behind the other, so that a file's bytes need no copy.
/// Both must live only until send() returns.
struct OutgoingDatagram {
  std::string_view head;
  std::string_view body = {};
  InetAddress to;
  InetAddress from = {};   ///< none: as the routing table says. The port is always the socket's
  uint32_t interface = 0;  ///< leave by this one; 0: as the routing table says
  /// IPv4 alone: the frame goes to this Ethernet address by `interface`, which must be given, and
  /// nobody asks by ARP. Where the system refuses such frames (it takes CAP_NET_RAW) the datagram
  /// is broadcast instead. `from` must be given too.
  std::optional<MacAddress> hardware = {};
};

/// What a socket has done since it was opened.
struct DatagramStats {
  uint64_t received = 0;
  uint64_t sent = 0;
  uint64_t refused = 0;    ///< not sent: no route, too long, not permitted
  uint64_t broadcast = 0;  ///< broadcast because frames to hardware addresses cannot be sent
};

/// Receives a socket's events, on the executor's thread, never inside a call into the socket.
class DatagramHandler {
 public:
  DatagramHandler() = default;
  DatagramHandler(const DatagramHandler&) = delete;
  DatagramHandler& operator=(const DatagramHandler&) = delete;
  virtual ~DatagramHandler() = default;
  /// 1 to kDatagramBatch datagrams, in the order in which they came. The handler may destroy the
  /// socket in here.
  virtual void on_datagrams(std::span<const Datagram> batch) = 0;
  /// There is room again after a send() that did not take all.
  virtual void on_writable() {}
};

/// An open socket; closes when destroyed, and no event follows. One executor's thread only.
class DatagramSocket {
 public:
  DatagramSocket() = default;
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;
  virtual ~DatagramSocket() = default;

  /// Sends in the order given, by as few system calls as can be; never blocks. Returns how many
  /// were dealt with, sent or refused: fewer than given means that the system's buffer is full, and
  /// on_writable() follows. Allocates nothing.
  virtual size_t send(std::span<const OutgoingDatagram> batch) = 0;
  /// Where it is bound, with the port that was chosen.
  [[nodiscard]] virtual InetAddress bound() const = 0;
  /// Takes part in a multicast group on the interface of that number. Again is fine.
  virtual Status join(const InetAddress& group, uint32_t interface) = 0;
  [[nodiscard]] virtual DatagramStats stats() const = 0;
};

/// How a socket is opened.
struct DatagramOptions {
  enum class Kind : uint8_t {
    udp,
    icmp6,  ///< ICMPv6 messages; checksums are the system's work; hop limits are 255 (RFC 4861)
  };
  Kind kind = Kind::udp;
  InetAddress at;             ///< must be given; port 0 takes any
  bool broadcast = false;     ///< broadcasts may be sent (they are received in any case)
  std::string interface;      ///< send and receive by this one alone, by name; empty: all
  size_t receive_buffer = 0;  ///< bytes that the system shall keep; 0: its default
  size_t send_buffer = 0;
  std::optional<uint8_t> icmp6_type;  ///< the only type to receive; nothing: all
};

/// A question to the link whether somebody uses an address. Destroying it before its callback ran
/// cancels it.
class AddressProbe {
 public:
  AddressProbe() = default;
  AddressProbe(const AddressProbe&) = delete;
  AddressProbe& operator=(const AddressProbe&) = delete;
  virtual ~AddressProbe() = default;
};
/// Who answered first; nothing when nobody did in time.
using ProbeCallback = Callback<void(std::optional<MacAddress>)>;

}  // namespace drover::net

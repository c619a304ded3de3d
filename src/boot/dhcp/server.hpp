// The DHCPv4 server as a decision: a packet and how it came in, a reply and where it goes out. No
// sockets, no waiting, no clock; what is known of machines is asked of the owner.
#pragma once

#include "base/clock.hpp"
#include "boot/dhcp/config.hpp"
#include "boot/dhcp/lease_book.hpp"
#include "boot/dhcp/option_values.hpp"
#include "boot/dhcp/request.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::dhcp {

/// One machine of the model as DHCP needs it.
struct Reservation {
  std::string name;             ///< host name, without a domain
  std::vector<Ipv4> addresses;  ///< the first that lies in the client's subnet is given
  bool ignored = false;         ///< never answered
  bool boots = true;            ///< false: an address alone (a BMC, a switch)
  std::string script;           ///< what iPXE runs, a URL; empty: ServerConfig::script
  std::string loader;           ///< what firmware loads; empty: by architecture
  bool at_port = false;  ///< has switch ports, by_port()'s: through another it is not answered
};

/// What the owner knows of machines. Pointers stay valid until the decision's reply is sent.
class ReservationView {
 public:
  ReservationView() = default;
  ReservationView(const ReservationView&) = delete;
  ReservationView& operator=(const ReservationView&) = delete;
  virtual ~ReservationView() = default;
  [[nodiscard]] virtual const Reservation* by_hardware(const HardwareAddress& address) const = 0;
  [[nodiscard]] virtual const Reservation* by_client_id(std::string_view client_id) const = 0;
  /// By switch port: what relays put into option 82.
  [[nodiscard]] virtual const Reservation* by_port(std::string_view circuit_id,
                                                   std::string_view remote_id) const = 0;
};

/// How a packet came in.
struct Arrival {
  Ipv4 local;   ///< this host's address on the interface it came in by
  Ipv4 source;  ///< of the IP header; zero from a client without an address
  uint16_t source_port = kClientPort;
  uint16_t port = kServerPort;  ///< the port it was sent to: 67 or 4011
  WallTime now;
};

/// Where a reply goes (RFC 2131 section 4.1). It leaves by the interface that the request came in
/// by, from the port that it was sent to.
struct Destination {
  Ipv4 address;
  uint16_t port = kClientPort;
  /// The client has no address yet and answers no ARP: send the frame to its hardware address, or
  /// where that cannot be done, broadcast it.
  bool to_hardware = false;
  bool operator==(const Destination&) const = default;
};

struct Exchange;  // one packet being decided on: dhcp/reply.hpp

/// What came of a packet, for the trace, the counters and the node's phase.
enum class Outcome : uint8_t {
  reserved,       ///< answered with the machine's own address
  dynamic,        ///< answered with an address of the pool
  boot_file,      ///< answered as proxy or boot server
  options_alone,  ///< an INFORM answered
  released,
  declined,       ///< the address is in use by somebody else
  other_server,   ///< the client took another server's offer
  wrong_address,  ///< NAK: it is not the client's
  wrong_network,  ///< NAK: the address does not belong where the client is
  malformed,
  not_request,
  no_subnet,  ///< from a network that is not configured
  subnet_off,
  ignored_machine,
  unknown_machine,  ///< silence by policy
  wrong_port,       ///< it comes through a switch port that is another's: perhaps a forged address
  spoofed,          ///< the packet's source is not the address that it speaks for
  pool_exhausted,
  no_pool,       ///< no address for it here: none of its own, and no pool
  no_record,     ///< a client nobody here knows asks to keep its address; others may know
  not_booting,   ///< to a proxy, from a client that does not boot
  no_boot_file,  ///< to a proxy, from firmware that there is no loader for
  reply_too_long,
};
/// Every outcome in a few words, for people.
std::string_view text(Outcome outcome);

/// The first Most bytes of something that a packet said.
template <size_t Most>
class KeptBytes {
 public:
  void keep(std::string_view bytes) {
    size_ = static_cast<uint8_t>(std::min(bytes.size(), Most));
    std::copy_n(bytes.begin(), size_, bytes_.begin());
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  static_assert(Most < 256);
  std::array<char, Most> bytes_{};
  uint8_t size_ = 0;
};

/// The decision on one packet.
struct Decision {
  Outcome outcome = Outcome::malformed;
  std::string_view detail;           ///< more on a malformed packet; empty otherwise
  std::optional<MessageType> reply;  ///< nothing: silence
  size_t size = 0;                   ///< of the reply, at the front of `out`
  Destination to;
  /// Records of the LeaseBook that must be safe before the reply is sent; 0 when none.
  uint64_t after_record = 0;
  // What the packet was, as far as it could be read.
  uint32_t xid = 0;
  std::optional<MessageType> request;
  HardwareAddress hardware;
  ClientKind kind = ClientKind::plain;
  uint16_t architecture = kNoArchitecture;
  Ipv4 address;                          ///< that the reply gives or the request is about
  const Reservation* machine = nullptr;  ///< nothing for unknown machines
  bool gave_boot_file = false;           ///< false to firmware: nothing for its architecture
  std::string_view network;  ///< Subnet::name, valid as long as that; empty: it is on none
  KeptBytes<48> circuit_id;  ///< what a relay told of the switch port; empty: nothing
  KeptBytes<48> remote_id;
  KeptBytes<17> machine_id;  ///< option 97, type octet included; empty: not given
};

/// Decides. One thread. `machines` and `book` must outlive it.
class Server {
 public:
  Server(ServerConfig config, const ReservationView& machines, LeaseBook& book);

  /// Takes one UDP payload, writes the reply to `out` (kMaxMessage bytes are enough for any).
  Decision decide(std::string_view packet, const Arrival& arrival, std::span<char> out);

  [[nodiscard]] const ServerConfig& config() const { return config_; }
  void reconfigure(ServerConfig config);

 private:
  [[nodiscard]] bool is_elsewhere(const Request& request, const Reservation& machine) const;
  [[nodiscard]] std::optional<size_t> subnet_of(const Request& request,
                                                const Arrival& arrival) const;
  [[nodiscard]] const Reservation* machine_of(const Request& request) const;
  void answer(Exchange& exchange);
  void discover(Exchange& exchange);
  void request(Exchange& exchange);
  void keep(Exchange& exchange, Ipv4 fixed);
  void grant(Exchange& exchange, Ipv4 address);
  void decline(Exchange& exchange);
  void release(Exchange& exchange);
  void boot_service(Exchange& exchange, MessageType reply);
  [[nodiscard]] bool is_ours(const Exchange& exchange, Ipv4 server_id) const;

  ServerConfig config_;
  std::vector<SubnetValues> values_;
  const ReservationView& machines_;
  LeaseBook& book_;
};

}  // namespace drover::boot::dhcp

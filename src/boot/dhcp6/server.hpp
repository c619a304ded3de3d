// The DHCPv6 server as a decision, for booting (RFC 8415, RFC 5970): a packet in, a reply and where
// it goes out. Addresses are a machine's own or derived from who asks, so there are no leases to
// keep: the same client gets the same address from every server with the same key, for ever.
#pragma once

#include "base/clock.hpp"
#include "boot/dhcp/config.hpp"
#include "boot/dhcp6/message.hpp"

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::dhcp6 {

using dhcp::ClientKind;

/// One machine of the model as DHCPv6 needs it.
struct Reservation {
  std::string name;
  std::vector<Ipv6> addresses;  ///< the first that lies in the client's subnet is given
  bool ignored = false;         ///< never answered
  bool boots = true;            ///< false: an address alone
  std::string script;           ///< what iPXE runs, a URL; empty: ServerConfig::script
  std::string loader;           ///< what firmware loads: a name or a URL; empty: by architecture
};

/// What the owner knows of machines. Pointers stay valid until the decision's reply is sent.
class ReservationView {
 public:
  ReservationView() = default;
  ReservationView(const ReservationView&) = delete;
  ReservationView& operator=(const ReservationView&) = delete;
  virtual ~ReservationView() = default;
  [[nodiscard]] virtual const Reservation* by_hardware(const HardwareAddress& address) const = 0;
  /// The machine's UUID in the byte order of its DUID; what UEFI firmware goes by.
  [[nodiscard]] virtual const Reservation* by_uuid(std::string_view uuid) const = 0;
  [[nodiscard]] virtual const Reservation* by_duid(std::string_view duid) const = 0;
  [[nodiscard]] virtual const Reservation* by_port(std::string_view interface_id,
                                                   std::string_view remote_id) const = 0;
};

struct Subnet {
  Prefix6 prefix;
  std::optional<Ipv6> server;  ///< our address as its clients shall see it; else that of arrival
  std::vector<Ipv6> name_servers;
  std::vector<std::string> search;
  Duration preferred = std::chrono::hours(1);
  Duration valid = std::chrono::hours(2);
  /// Machines without an address of their own get a derived one; needs a prefix of at most 64 bits.
  bool derive = false;
  bool discovers = true;  ///< machines that nobody knows are answered
};

/// `{server}` in URLs stands for the server's address as text, which the brackets are around.
struct ServerConfig {
  std::string duid;               ///< of this server, at least 3 bytes; the same for ever
  std::array<uint64_t, 2> key{};  ///< secret of the cluster that derived addresses depend on
  std::vector<Subnet> subnets;
  std::vector<dhcp::Loader> loaders = dhcp::default_loaders();
  std::string tftp_prefix = "tftp://[{server}]/";
  std::string http_prefix = "http://[{server}]/boot/";
  std::string script = "http://[{server}]/boot/v1/bootscript?mac=${net0/mac}";
  std::string unknown_script = "http://[{server}]/boot/v1/bootscript?mac=${net0/mac}";
  bool discover_unknown = true;
  uint8_t preference = 255;  ///< clients take the highest at once (RFC 8415 section 18.2.1)
  bool rapid_commit = true;  ///< answer SOLICIT by REPLY where the client offers it
};

/// How a packet came in.
struct Arrival {
  Ipv6 local;  ///< a global or unique local address of ours on the interface
  Ipv6 source;
  bool multicast = true;  ///< sent to ff02::1:2 or ff05::1:3, not to an address of ours
};

/// To `address` and `port`, by the interface that the request came in by.
struct Destination {
  Ipv6 address;
  uint16_t port = kClientPort;
  bool operator==(const Destination&) const = default;
};

enum class Outcome : uint8_t {
  reserved,       ///< answered with the machine's own address
  derived,        ///< answered with an address made for the client
  options_alone,  ///< answered without addresses
  no_address,     ///< told that there is none for it here
  confirmed,
  not_on_link,  ///< told that its addresses do not belong where it is
  released,
  declined,  ///< its address is in use by somebody else
  use_multicast,
  malformed,
  not_request,   ///< a message that servers send, or without what its kind must have
  other_server,  ///< meant for another server
  no_subnet,
  ignored_machine,
  unknown_machine,  ///< silence by policy
  no_record,        ///< asks to keep addresses that were not given here
  reply_too_long,
};
std::string_view text(Outcome outcome);

/// The decision on one packet.
struct Decision {
  Outcome outcome = Outcome::malformed;
  std::string_view detail;
  std::optional<MessageType> reply;  ///< nothing: silence
  size_t size = 0;
  Destination to;
  uint32_t xid = 0;
  std::optional<MessageType> request;
  std::string_view client_id;               ///< DUID, into the packet
  std::optional<HardwareAddress> hardware;  ///< what is known of it
  ClientKind kind = ClientKind::plain;
  uint16_t architecture = dhcp::kNoArchitecture;
  Ipv6 address;  ///< the first that is given, or is declined or released
  const Reservation* machine = nullptr;
  bool gave_boot_file = false;  ///< false to firmware: nothing for its architecture
};

struct Exchange;  // one packet being decided on: server.cpp

/// Decides. One thread. `machines` must outlive it.
class Server {
 public:
  Server(ServerConfig config, const ReservationView& machines)
      : config_(std::move(config)), machines_(machines) {}

  /// Takes one UDP payload, writes the reply to `out` (kMaxMessage bytes are enough for any).
  Decision decide(std::string_view packet, const Arrival& arrival, std::span<char> out);

  [[nodiscard]] const ServerConfig& config() const { return config_; }
  void reconfigure(ServerConfig config) { config_ = std::move(config); }

 private:
  [[nodiscard]] const Subnet* subnet_of(const MessageView& view, const Arrival& arrival) const;
  void identify(const MessageView& view, const Arrival& arrival, Decision& decision) const;
  [[nodiscard]] std::optional<Ipv6> address_for(const Exchange& exchange, uint32_t association,
                                                bool first) const;
  void answer(Exchange& exchange);
  void assign(Exchange& exchange, MessageType reply);
  void write_association(Exchange& exchange, MessageWriter& out, const Association& association,
                         bool first) const;
  void confirm(Exchange& exchange);
  void give_back(Exchange& exchange);
  void write_head(const Exchange& exchange, MessageWriter& out) const;
  void write_options(const Exchange& exchange, MessageWriter& out) const;
  void write_boot(const Exchange& exchange, MessageWriter& out) const;
  void finish(Exchange& exchange, MessageWriter& out, MessageType reply) const;

  ServerConfig config_;
  const ReservationView& machines_;
  std::set<Ipv6> avoided_;  ///< derived addresses that were declined, bounded
};

/// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that nobody can steer without the key.
uint64_t sip_hash(const std::array<uint64_t, 2>& key, std::string_view bytes);

}  // namespace drover::boot::dhcp6

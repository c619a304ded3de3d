// DHCPv4 on the wire: ports 67 and 4011, the lease book with its journal, limits per machine, and
// the check that nobody uses an address before a stranger is offered it.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "boot/dhcp/server.hpp"
#include "boot/io/lease_journal.hpp"
#include "boot/io/rate_limit.hpp"
#include "net/datagram.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::boot::io {

struct DhcpServiceConfig {
  /// `own_addresses` is filled up with those of this host's interfaces.
  dhcp::ServerConfig server;
  std::vector<dhcp::Pool> pools;
  /// Addresses of machines of the model that lie in pools: never dealt out.
  std::vector<Ipv4> reserved;
  /// Interfaces to serve, by name; empty: all of them.
  std::vector<std::string> interfaces;
  uint16_t port = dhcp::kServerPort;
  uint16_t proxy_port = dhcp::kProxyPort;  ///< 0: not opened
  /// Packets of one hardware address per second, and how many at once. More are not looked at.
  RateLimit rate{20, 60};
  /// How long an answer to "who uses this address?" is waited for before a stranger is offered it;
  /// zero: nobody is asked.
  Duration probe = std::chrono::milliseconds(100);
};

/// One packet that was decided on. Everything in it lives only for the call.
struct DhcpEvent {
  const dhcp::Decision& decision;
  net::InetAddress from;
  uint32_t interface = 0;
  uint16_t port = 0;  ///< that it was sent to: 67 or 4011
  WallTime at;
  /// Another machine answered for the address that was to be offered; it rests now.
  std::optional<net::MacAddress> conflict;
};

struct DhcpStats {
  uint64_t received = 0;
  uint64_t replied = 0;
  uint64_t limited = 0;    ///< dropped by the rate limit
  uint64_t unusable = 0;   ///< too long, or by an interface without an IPv4 address of its own
  uint64_t unsafe = 0;     ///< replies dropped because their lease could not be made safe in time
  uint64_t unsent = 0;     ///< replies that the system did not take
  uint64_t conflicts = 0;  ///< probes that found somebody
};

/// Serves. One executor's thread. In the steady state nothing is allocated per packet, and packets
/// leave in as large batches as they came.
class DhcpService {
 public:
  /// All that is referred to outlives the service; `journal` is its alone.
  DhcpService(Executor& executor, net::Net& net, Log log, DhcpServiceConfig config,
              const dhcp::ReservationView& machines, DiskLeaseJournal& journal);
  DhcpService(const DhcpService&) = delete;
  DhcpService& operator=(const DhcpService&) = delete;
  ~DhcpService();

  /// Opens the ports. Fails when one is taken or may not be bound.
  Status start();
  /// Closes them. Leases stay.
  void stop();
  /// Takes another configuration, without a pause where ports and interfaces stay. Leases outside
  /// the new pools are forgotten. On failure the service is stopped.
  Status reconfigure(DhcpServiceConfig config);
  /// Told of every packet that was decided on, at its decision.
  void on_event(Callback<void(const DhcpEvent&)> callback) { on_event_ = std::move(callback); }

  [[nodiscard]] const DhcpServiceConfig& config() const { return config_; }
  [[nodiscard]] const dhcp::LeaseBook& leases() const { return *book_; }
  /// Ends a lease by hand, so that the address may be dealt out again. False when there was none.
  bool release(Ipv4 address);
  [[nodiscard]] const DhcpStats& stats() const { return stats_; }
  /// The bound addresses, in the order of interfaces, 67 before 4011.
  [[nodiscard]] std::vector<net::InetAddress> bound() const;

 private:
  class Port;
  struct Held;     // a reply that waits for the journal
  struct Probing;  // an offer that waits for an address's owner to answer

  void make_book(const std::vector<dhcp::Lease>& leases);
  void set_reserved(const std::vector<Ipv4>& before);
  void refresh_interfaces();
  [[nodiscard]] std::optional<net::InetAddress> local_for(const net::Datagram& datagram);
  [[nodiscard]] const net::InetAddress* local_of(uint32_t interface) const;
  void tick();
  Status open_port(const std::string& interface, uint16_t port);
  void receive(Port& port, std::span<const net::Datagram> batch);
  void take(Port& port, const net::Datagram& datagram);
  void reply(Port& port, const net::Datagram& datagram, const net::InetAddress& local,
             const dhcp::Decision& decision, std::span<const char> bytes);
  void hold(Port& port, const net::OutgoingDatagram& reply, uint64_t record);
  void release_held(uint64_t safe);
  bool probe(Port& port, const net::Datagram& datagram, const dhcp::Decision& decision,
             const net::OutgoingDatagram& reply);
  void probed(uint32_t address, std::optional<net::MacAddress> owner);
  void decide_again(Probing& probing);
  void send(Port& port);
  void tell(Port& port, const net::InetAddress& from, uint32_t interface,
            const dhcp::Decision& decision, std::optional<net::MacAddress> conflict = {});

  Executor& executor_;
  net::Net& net_;
  Log log_;
  DhcpServiceConfig config_;
  const dhcp::ReservationView& machines_;
  DiskLeaseJournal& journal_;
  std::unique_ptr<dhcp::LeaseBook> book_;
  std::unique_ptr<dhcp::Server> server_;
  Callback<void(const DhcpEvent&)> on_event_;
  bool running_ = false;
  std::vector<std::unique_ptr<Port>> ports_;
  /// Of each interface the address that its clients know us by.
  std::vector<std::pair<uint32_t, net::InetAddress>> locals_;
  MonoTime refreshed_{};
  RateLimiter limiter_;
  Timer timer_;
  DhcpStats stats_;

  /// Replies of the batch in hand.
  std::vector<std::array<char, dhcp::kMaxMessage>> space_;
  std::vector<net::OutgoingDatagram> outgoing_;
  std::deque<std::unique_ptr<Held>> held_;
  std::vector<std::unique_ptr<Held>> spare_;
  std::map<uint32_t, std::unique_ptr<Probing>> probing_;
  /// Addresses that nobody answered for lately, so that firmware, loader and system of one machine
  /// do not wait for the same question.
  std::map<uint32_t, MonoTime> vouched_;
};

}  // namespace drover::boot::io

// DHCPv6 on the wire: port 547, the group of all servers and relays on each interface.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "boot/dhcp6/server.hpp"
#include "boot/io/rate_limit.hpp"
#include "net/datagram.hpp"
#include "net/net.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace drover::boot::io {

struct Dhcp6ServiceConfig {
  dhcp6::ServerConfig server;
  std::vector<std::string> interfaces;  ///< by name; empty: every one that is up, but loopback
  uint16_t port = dhcp6::kServerPort;
  RateLimit rate{20, 60};  ///< packets of one source address
};

/// One packet that was decided on. Everything in it lives only for the call.
struct Dhcp6Event {
  const dhcp6::Decision& decision;
  net::InetAddress from;
  uint32_t interface = 0;
  WallTime at;
};

struct Dhcp6Stats {
  uint64_t received = 0;
  uint64_t replied = 0;
  uint64_t limited = 0;   ///< dropped by the rate limit
  uint64_t unusable = 0;  ///< too long, or by an interface that is not served
};

/// Serves. One executor's thread; allocates nothing per packet. There are no leases to lose: see
/// dhcp6/server.hpp.
class Dhcp6Service {
 public:
  Dhcp6Service(Executor& executor, net::Net& net, Log log, Dhcp6ServiceConfig config,
               const dhcp6::ReservationView& machines);
  Dhcp6Service(const Dhcp6Service&) = delete;
  Dhcp6Service& operator=(const Dhcp6Service&) = delete;
  ~Dhcp6Service();

  /// Fails when the port is taken or the host has no IPv6. Interfaces and addresses that come later
  /// are found within half a minute.
  Status start();
  void stop();
  Status reconfigure(Dhcp6ServiceConfig config);
  void on_event(Callback<void(const Dhcp6Event&)> callback) { on_event_ = std::move(callback); }
  [[nodiscard]] const Dhcp6Stats& stats() const { return stats_; }

 private:
  class Port;
  /// An interface that is served, with the address that clients are told.
  struct Served {
    uint32_t index = 0;
    Ipv6 local;
  };
  void refresh();
  void receive(std::span<const net::Datagram> batch);
  void take(const net::Datagram& datagram);

  Executor& executor_;
  net::Net& net_;
  Log log_;
  Dhcp6ServiceConfig config_;
  dhcp6::Server server_;
  Callback<void(const Dhcp6Event&)> on_event_;
  std::unique_ptr<Port> port_;
  std::vector<Served> served_;
  RateLimiter limiter_;
  Timer timer_;
  std::vector<std::array<char, dhcp6::kMaxMessage>> space_;
  std::vector<net::OutgoingDatagram> outgoing_;
  Dhcp6Stats stats_;
};

}  // namespace drover::boot::io

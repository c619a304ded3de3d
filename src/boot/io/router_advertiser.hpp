// Answers IPv6 router solicitations by "there is nothing here", so that iPXE, which waits 13 s for
// an answer, goes on at once.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "boot/io/rate_limit.hpp"
#include "boot/wire/address.hpp"
#include "net/datagram.hpp"
#include "net/net.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drover::boot::io {

struct RouterAdvertiserConfig {
  bool enabled = true;
  std::vector<std::string> interfaces;  ///< by name; empty: every Ethernet interface that is up
  /// Tell hosts that addresses and options come by DHCPv6 (the M and O flags, RFC 4861 section
  /// 4.2). Set where drover-boot serves DHCPv6.
  bool dhcp6 = false;
  /// Networks whose addresses are reached without a router. An interface tells of those that it has
  /// an address in; machines with an address from DHCPv6 know of no others on their link.
  std::vector<Prefix6> on_link;
};

inline constexpr size_t kMostOnLink = 4;

/// A router advertisement without a router: its lifetime is zero, so nobody takes it for a default
/// route. Prefixes in it are on the link for ever and for nobody to make an address of (flag L
/// without A, RFC 4861 section 4.6.2). With the sender's link address where it is known.
struct RouterAdvertisement {
  std::array<char, 24 + 32 * kMostOnLink> bytes{};
  size_t size = 0;
  [[nodiscard]] std::string_view view() const { return {bytes.data(), size}; }
};
RouterAdvertisement router_advertisement(bool dhcp6, std::optional<net::MacAddress> own,
                                         std::span<const Prefix6> on_link = {});

/// Whether `packet` is a solicitation as RFC 4861 section 6.1.1 demands.
bool is_router_solicitation(std::string_view packet, const net::InetAddress& from);

/// Answers. One executor's thread. Sites with IPv6 routers of their own can leave it on: an
/// advertisement with lifetime zero speaks for its sender alone.
class RouterAdvertiser {
 public:
  RouterAdvertiser(Executor& executor, net::Net& net, Log log, RouterAdvertiserConfig config);
  RouterAdvertiser(const RouterAdvertiser&) = delete;
  RouterAdvertiser& operator=(const RouterAdvertiser&) = delete;
  ~RouterAdvertiser();

  /// Fails where ICMPv6 may not be spoken (CAP_NET_RAW) or the host has no IPv6. Interfaces that
  /// come later are found within half a minute.
  Status start();
  void stop();
  Status reconfigure(RouterAdvertiserConfig config);
  [[nodiscard]] uint64_t answered() const { return answered_; }

 private:
  class Port;
  void join();
  [[nodiscard]] std::vector<Prefix6> on_link_of(const net::NetInterface& interface) const;
  void take(const net::Datagram& datagram);

  Executor& executor_;
  net::Net& net_;
  Log log_;
  RouterAdvertiserConfig config_;
  std::unique_ptr<Port> port_;
  /// An interface that is listened on, with what it tells of.
  struct Joined {
    net::NetInterface interface;
    std::vector<Prefix6> on_link;
  };
  std::vector<Joined> joined_;
  RateLimiter limiter_;
  Timer timer_;
  uint64_t answered_ = 0;
};

}  // namespace drover::boot::io

// The name service on the wire: port 53 by UDP and TCP, answering for the cluster's zones.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "boot/dns/server.hpp"
#include "boot/io/dns_forwarder.hpp"
#include "boot/io/rate_limit.hpp"
#include "net/datagram.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::io {

struct DnsServiceConfig {
  std::vector<dns::Zone> zones;
  uint16_t port = 53;
  /// Addresses to serve at, without a port. Empty: those that this host's interfaces have, without
  /// loopback and link-local ones, so that a resolver of the host's own (systemd-resolved at
  /// 127.0.0.53) keeps its place. Addresses that come later are found within half a minute.
  std::vector<net::InetAddress> addresses;
  std::vector<std::string> interfaces;  ///< with `addresses` empty: only these, by name
  RateLimit rate{500, 2000};            ///< UDP queries of one address
  size_t most_connections = 256;        ///< by TCP
  /// Whose questions about other names may be passed on; nobody else's are.
  std::vector<Prefix4> clients4;
  std::vector<Prefix6> clients6;
};

struct DnsStats {
  uint64_t queries = 0;    ///< by UDP and TCP
  uint64_t answered = 0;   ///< with a response of any kind
  uint64_t outside = 0;    ///< of no zone here: refused, or forwarded
  uint64_t forwarded = 0;  ///< given to the forwarder
  uint64_t malformed = 0;  ///< answered with an error, or not at all
  uint64_t truncated = 0;  ///< told to ask again by TCP
  uint64_t limited = 0;    ///< dropped by the rate limit
};

/// Serves. One executor's thread. In the steady state UDP queries allocate nothing.
class DnsService {
 public:
  /// `table` outlives the service; it may change between events.
  DnsService(Executor& executor, net::Net& net, Log log, DnsServiceConfig config,
             const dns::Table& table);
  DnsService(const DnsService&) = delete;
  DnsService& operator=(const DnsService&) = delete;
  ~DnsService();

  /// Fails when not one address can be served at, with why.
  Status start();
  void stop();
  /// Other zones at once; other addresses after closing the old ones.
  Status reconfigure(DnsServiceConfig config);

  /// Who knows the names of no zone here; nullptr: they are refused. It outlives the service, or is
  /// taken away before.
  void forward_by(DnsForwarder* forwarder) { forwarder_ = forwarder; }

  [[nodiscard]] const DnsStats& stats() const { return stats_; }
  /// The addresses served at, by UDP.
  [[nodiscard]] std::vector<net::InetAddress> bound() const;

 private:
  class Port;
  class Connection;

  Status open(const net::InetAddress& at);
  Status refresh();
  [[nodiscard]] std::vector<net::InetAddress> wanted() const;
  /// How to answer later.
  using Later = Callback<DnsForwarder::Reply()>;
  /// The length of the answer in `out`; 0: none now, and `waits` says whether one comes later.
  size_t answer(std::string_view query, dns::Transport transport, const net::InetAddress& from,
                std::span<char> out, bool& waits, Later later);
  [[nodiscard]] bool may_forward(const net::InetAddress& from) const;
  DnsForwarder::Reply reply_to(const net::InetAddress& port, const net::Datagram& question);
  DnsForwarder::Reply reply_to(uint64_t connection);
  void accept(std::unique_ptr<net::Stream> stream);
  void close(Connection& connection);

  Executor& executor_;
  net::Net& net_;
  Log log_;
  DnsServiceConfig config_;
  const dns::Table& table_;
  std::optional<dns::Server> server_;  ///< made anew for other zones
  std::map<net::InetAddress, std::unique_ptr<Port>> ports_;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  uint64_t next_connection_ = 1;
  RateLimiter limiter_;
  DnsForwarder* forwarder_ = nullptr;
  Timer timer_;
  bool running_ = false;
  std::vector<std::array<char, 4096>> space_;  ///< answers of the batch in hand
  std::vector<net::OutgoingDatagram> outgoing_;
  std::vector<char> tcp_space_;
  DnsStats stats_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::boot::io

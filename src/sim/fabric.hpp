// The simulated network itself: hosts, the paths between them, and what is wrong with each path
// now. Shared by the SimNet of every process. Delays come from streams of lots of each path's own.
#pragma once

#include "base/clock.hpp"
#include "net/net.hpp"
#include "sim/sim_datagram.hpp"
#include "sim/sim_random.hpp"
#include "sim/world.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::sim {

class Connection;
class Handshake;

/// What holds for every path until a fault says otherwise.
struct FabricOptions {
  /// One-way latency between hosts, drawn once per pair.
  Duration latency_least = std::chrono::microseconds(50);
  Duration latency_most = std::chrono::microseconds(500);
  /// Part of the latency that is added at random per message.
  double jitter = 0.25;
  /// Chance that a segment is lost; it then comes a retransmission time-out later.
  double loss = 0;
  /// A path that is blocked this long ends its connections ("connection timed out"), as TCP
  /// keepalive and TCP_USER_TIMEOUT do.
  Duration dead_after = std::chrono::seconds(30);
  /// Bytes under way in one direction of a connection: the two kernels' socket buffers.
  size_t window = size_t{256} << 10;
  /// Chance that a message arrives in two pieces.
  double split = 1.0 / 16;
};

/// One direction between two hosts.
struct Path {
  Path(uint64_t seed, const std::string& from, const std::string& to, const FabricOptions& options);
  Duration latency;
  Duration extra_least{};
  Duration extra_most{};
  double loss;
  uint64_t bandwidth = 0;  ///< bytes per second of one connection; 0: no limit
  uint32_t blocked = 0;    ///< faults that block it now; they nest
  SimRandom random;
};

/// A listening socket as the network knows it.
struct ListenerState {
  SimProcess* process = nullptr;
  net::Endpoint endpoint;
  Callback<std::shared_ptr<net::Security>()> security;
  net::AcceptCallback accepted;
};

class Fabric {
 public:
  explicit Fabric(World& world, FabricOptions options = {});
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;
  ~Fabric();

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] const FabricOptions& options() const { return options_; }

  // Faults. Hosts are named as in ProcessOptions. Block and unblock nest.

  /// Bytes from `from` to `to` are held until unblock(); the other direction is not touched.
  void block(const std::string& from, const std::string& to);
  void unblock(const std::string& from, const std::string& to);
  /// Both directions between every host of `some` and every host of `others`.
  void partition(const std::vector<std::string>& some, const std::vector<std::string>& others);
  void heal(const std::vector<std::string>& some, const std::vector<std::string>& others);
  /// Power: kill the host's processes too. Peers notice only by time-outs, or by a reset once the
  /// host is up again.
  void set_host_down(const std::string& host, bool down);
  [[nodiscard]] bool host_down(const std::string& host) const;
  /// Every segment from `from` to `to` takes that much longer, drawn per segment.
  void set_extra_delay(const std::string& from, const std::string& to, Duration least,
                       Duration most);
  void set_loss(const std::string& from, const std::string& to, double loss);
  void set_bandwidth(const std::string& from, const std::string& to, uint64_t bytes_per_second);

  /// Another name or address of a host, for connect(). A host has its own name from the start.
  void add_address(const std::string& host, const std::string& address);
  void add_host(const std::string& host) { add_address(host, host); }

  /// Links, who is on them, and what flies there as datagrams.
  [[nodiscard]] DatagramHub& datagrams() { return datagrams_; }

  [[nodiscard]] size_t open_connections() const { return connections_.size(); }
  [[nodiscard]] uint64_t bytes_delivered() const { return bytes_delivered_; }

  // For SimNet, Connection and Handshake.

  Path& path(const std::string& from, const std::string& to);
  [[nodiscard]] bool open(const std::string& from, const std::string& to);
  /// Draws how long one message takes on `path`.
  Duration draw_delay(Path& path);
  /// The host behind `address` as seen from `from`; empty when there is none.
  [[nodiscard]] std::string resolve(const std::string& from, const std::string& address) const;
  Result<std::shared_ptr<ListenerState>> add_listener(SimProcess& process, net::Endpoint at);
  std::shared_ptr<ListenerState> find_listener(const std::string& from_host,
                                               const std::string& host, const net::Endpoint& to);
  uint64_t add_connection(Connection* connection);
  void remove_connection(uint64_t id) { connections_.erase(id); }
  void add_handshake(std::shared_ptr<Handshake> handshake);
  void remove_handshake(const Handshake* handshake);
  /// Ends every connection, listener and handshake of a process that has just been killed.
  void process_died(SimProcess& process);
  uint16_t ephemeral_port(const std::string& host);
  void count_delivered(size_t bytes) { bytes_delivered_ += bytes; }

 private:
  using HostPair = std::pair<std::string, std::string>;
  void path_changed(const std::string& from, const std::string& to);

  World& world_;
  FabricOptions options_;
  std::map<HostPair, Path> paths_;
  std::map<std::string, uint32_t> down_;          ///< hosts without power
  std::map<std::string, std::string> addresses_;  ///< address -> host
  std::map<std::string, uint16_t> next_port_;
  std::map<HostPair, std::weak_ptr<ListenerState>> listeners_;  ///< (host, endpoint key)
  std::map<uint64_t, Connection*> connections_;
  std::vector<std::shared_ptr<Handshake>> handshakes_;
  uint64_t next_connection_ = 1;
  uint64_t bytes_delivered_ = 0;
  DatagramHub datagrams_{*this};
};

}  // namespace drover::sim

#include "sim/fabric.hpp"

#include "sim/connection.hpp"
#include "sim/handshake.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::sim {
namespace {

/// First retransmission time-out of TCP (RFC 6298 section 2.4 allows 1 s; Linux uses 200 ms).
constexpr Duration kRetransmit = std::chrono::milliseconds(200);
constexpr int kMostRetransmits = 6;
/// Within one host.
constexpr Duration kLoopbackLatency = std::chrono::microseconds(20);

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

bool is_wildcard(const std::string& address) {
  return address.empty() || address == "0.0.0.0" || address == "::";
}

/// A listener's key within its host.
std::string listener_key(const net::Endpoint& at) {
  return at.unix_path.empty() ? fmt::format("port {}", at.port) : "unix " + at.unix_path;
}

}  // namespace

Path::Path(uint64_t seed, const std::string& from, const std::string& to,
           const FabricOptions& options)
    : latency(kLoopbackLatency),
      loss(from == to ? 0 : options.loss),
      random(seed, fmt::format("path {} {}", from, to)) {
  if (from == to) return;
  // Both directions of a pair have the same latency: that of the pair's own stream.
  SimRandom pair(seed, fmt::format("pair {} {}", std::min(from, to), std::max(from, to)));
  latency = pair.between(options.latency_least, options.latency_most);
}

Fabric::Fabric(World& world, FabricOptions options) : world_(world), options_(options) {}

Fabric::~Fabric() = default;

Path& Fabric::path(const std::string& from, const std::string& to) {
  const auto found = paths_.find({from, to});
  if (found != paths_.end()) return found->second;
  return paths_.try_emplace({from, to}, world_.seed(), from, to, options_).first->second;
}

bool Fabric::open(const std::string& from, const std::string& to) {
  return down_.empty() ? path(from, to).blocked == 0
                       : !host_down(from) && !host_down(to) && path(from, to).blocked == 0;
}

Duration Fabric::draw_delay(Path& path) {
  const auto jitter =
      static_cast<int64_t>(static_cast<double>(path.latency.count()) * options_.jitter);
  Duration delay = path.latency + path.random.between(Duration{}, Duration(jitter));
  if (path.extra_most > Duration{}) delay += path.random.between(path.extra_least, path.extra_most);
  for (int tries = 0; path.loss > 0 && tries < kMostRetransmits; ++tries) {
    if (!path.random.chance(path.loss)) break;
    delay += kRetransmit * (1 << tries);
  }
  return delay;
}

void Fabric::block(const std::string& from, const std::string& to) {
  ++path(from, to).blocked;
  path_changed(from, to);
}

void Fabric::unblock(const std::string& from, const std::string& to) {
  Path& it = path(from, to);
  if (it.blocked > 0) --it.blocked;
  path_changed(from, to);
}

void Fabric::partition(const std::vector<std::string>& some,
                       const std::vector<std::string>& others) {
  for (const std::string& a : some) {
    for (const std::string& b : others) {
      if (a == b) continue;
      block(a, b);
      block(b, a);
    }
  }
}

void Fabric::heal(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  for (const std::string& a : some) {
    for (const std::string& b : others) {
      if (a == b) continue;
      unblock(a, b);
      unblock(b, a);
    }
  }
}

void Fabric::set_host_down(const std::string& host, bool down) {
  world_.note("net", fmt::format("host {} {}", host, down ? "down" : "up"));
  if (down) {
    down_[host] = 1;
  } else {
    down_.erase(host);
  }
  std::vector<Connection*> touched;
  for (const auto& [id, connection] : connections_) {
    if (connection->host(0) == host || connection->host(1) == host) touched.push_back(connection);
  }
  for (Connection* connection : touched) connection->path_changed();
}

bool Fabric::host_down(const std::string& host) const {
  return down_.contains(host);
}

void Fabric::set_extra_delay(const std::string& from, const std::string& to, Duration least,
                             Duration most) {
  Path& it = path(from, to);
  it.extra_least = least;
  it.extra_most = most;
}

void Fabric::set_loss(const std::string& from, const std::string& to, double loss) {
  path(from, to).loss = loss;
}

void Fabric::set_bandwidth(const std::string& from, const std::string& to,
                           uint64_t bytes_per_second) {
  path(from, to).bandwidth = bytes_per_second;
}

void Fabric::path_changed(const std::string& from, const std::string& to) {
  world_.note("net", fmt::format("path {} > {} {}", from, to,
                                 path(from, to).blocked > 0 ? "blocked" : "open"));
  // Connections only arm events here, they never go away, so the map stays as it is.
  for (const auto& [id, connection] : connections_) {
    if (connection->between(from, to)) connection->path_changed();
  }
}

void Fabric::add_address(const std::string& host, const std::string& address) {
  addresses_[address] = host;
}

std::string Fabric::resolve(const std::string& from, const std::string& address) const {
  if (is_loopback(address) || is_wildcard(address)) return from;
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? std::string{} : found->second;
}

uint16_t Fabric::ephemeral_port(const std::string& host) {
  const auto it = next_port_.try_emplace(host, uint16_t{20000}).first;
  return it->second++;
}

Result<std::shared_ptr<ListenerState>> Fabric::add_listener(SimProcess& process, net::Endpoint at) {
  if (at.unix_path.empty() && at.port == 0) at.port = ephemeral_port(process.host());
  auto& slot = listeners_[{process.host(), listener_key(at)}];
  if (const auto held = slot.lock(); held != nullptr && held->process != nullptr) {
    return fail(Code::already_exists,
                fmt::format("listen on {}: address already in use", listener_key(at)));
  }
  auto state = std::make_shared<ListenerState>();
  state->process = &process;
  state->endpoint = std::move(at);
  slot = state;
  return state;
}

std::shared_ptr<ListenerState> Fabric::find_listener(const std::string& from_host,
                                                     const std::string& host,
                                                     const net::Endpoint& to) {
  const auto found = listeners_.find({host, listener_key(to)});
  if (found == listeners_.end()) return nullptr;
  auto state = found->second.lock();
  if (state == nullptr || state->process == nullptr) return nullptr;
  const bool from_elsewhere = from_host != host;
  if (from_elsewhere && is_loopback(state->endpoint.host)) return nullptr;
  return state;
}

uint64_t Fabric::add_connection(Connection* connection) {
  connections_[next_connection_] = connection;
  return next_connection_++;
}

void Fabric::add_handshake(std::shared_ptr<Handshake> handshake) {
  handshakes_.push_back(std::move(handshake));
}

void Fabric::remove_handshake(const Handshake* handshake) {
  const auto found =
      std::find_if(handshakes_.begin(), handshakes_.end(),
                   [&](const std::shared_ptr<Handshake>& it) { return it.get() == handshake; });
  if (found == handshakes_.end()) return;
  // It leaves the list before it is destroyed, since its callbacks may come back here.
  const std::shared_ptr<Handshake> held = std::move(*found);
  handshakes_.erase(found);
}

void Fabric::process_died(SimProcess& process) {
  datagrams_.process_died(process);
  for (auto& [key, weak] : listeners_) {
    const auto state = weak.lock();
    if (state != nullptr && state->process == &process) state->process = nullptr;
  }
  const auto handshakes = handshakes_;
  for (const auto& handshake : handshakes) handshake->process_died(process);
  std::vector<std::shared_ptr<Connection>> connections;
  for (const auto& [id, connection] : connections_) {
    connections.push_back(connection->shared_from_this());
  }
  for (const auto& connection : connections) connection->process_died(process);
}

}  // namespace drover::sim

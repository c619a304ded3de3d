#include "sim/sim_datagram.hpp"

#include "sim/fabric.hpp"
#include "sim/sim_datagram_socket.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::sim {
namespace {

using net::InetAddress;
using net::NetInterface;

constexpr uint32_t kLoopback = 1;

bool same_host(const InetAddress& a, const InetAddress& b) {
  return a.with_port(0) == b.with_port(0);
}

bool is_loopback(const InetAddress& address) {
  if (address.is_v4()) return address.octets[0] == 127;
  std::array<uint8_t, 16> one{};
  one[15] = 1;
  return address.is_v6() && address.octets == one;
}

/// Whether `address` lies in the network of `own`.
bool in_network(const NetInterface::Address& own, const InetAddress& address) {
  if (own.address.family != address.family) return false;
  for (size_t bit = 0; bit < own.prefix_bits; ++bit) {
    const auto mask = static_cast<uint8_t>(0x80 >> (bit % 8));
    if ((own.address.octets[bit / 8] & mask) != (address.octets[bit / 8] & mask)) return false;
  }
  return true;
}

/// The broadcast address of an IPv4 network.
bool is_broadcast_of(const NetInterface::Address& own, const InetAddress& address) {
  if (!own.address.is_v4() || !address.is_v4() || own.prefix_bits >= 31) return false;
  const uint32_t host_bits = 0xffffffffU >> own.prefix_bits;
  return address.v4_value() == (own.address.v4_value() | host_bits);
}

NetInterface loopback() {
  NetInterface out;
  out.index = kLoopback;
  out.name = "lo";
  out.up = true;
  out.loopback = true;
  std::array<uint8_t, 16> one{};
  one[15] = 1;
  out.addresses = {{InetAddress::v4(0x7f000001), 8}, {InetAddress::v6(one), 128}};
  return out;
}

class SimProbe final : public net::AddressProbe {
 public:
  explicit SimProbe(std::shared_ptr<bool> wanted) : wanted_(std::move(wanted)) {}
  ~SimProbe() override { *wanted_ = false; }

 private:
  std::shared_ptr<bool> wanted_;
};

/// How long one packet takes; nothing when it is lost.
std::optional<Duration> draw(Fabric& fabric, const std::string& from, const std::string& to) {
  Path& path = fabric.path(from, to);
  if (!fabric.open(from, to)) return {};
  if (path.loss > 0 && path.random.chance(path.loss)) return {};
  const auto jitter =
      static_cast<int64_t>(static_cast<double>(path.latency.count()) * fabric.options().jitter);
  Duration delay = path.latency + path.random.between(Duration{}, Duration(jitter));
  if (path.extra_most > Duration{}) delay += path.random.between(path.extra_least, path.extra_most);
  return delay;
}

}  // namespace

uint32_t DatagramHub::attach(const std::string& host, const std::string& link, net::MacAddress mac,
                             const std::string& address) {
  std::vector<Attachment>& all = hosts_[host];
  Attachment out;
  out.link = link;
  out.interface.index = static_cast<uint32_t>(all.size()) + kLoopback + 1;
  out.interface.name = fmt::format("eth{}", all.size());
  out.interface.mac = mac;
  out.interface.up = true;
  const size_t slash = address.find('/');
  if (const auto parsed = InetAddress::parse(address.substr(0, slash))) {
    uint8_t bits = parsed->is_v4() ? 32 : 128;
    if (slash != std::string::npos) {
      std::from_chars(address.data() + slash + 1, address.data() + address.size(), bits);
    }
    out.interface.addresses.push_back({*parsed, bits});
  }
  all.push_back(std::move(out));
  return all.back().interface.index;
}

std::vector<NetInterface> DatagramHub::interfaces(const std::string& host) const {
  std::vector<NetInterface> out{loopback()};
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return out;
  for (const Attachment& it : found->second) out.push_back(it.interface);
  return out;
}

const Attachment* DatagramHub::attachment(const std::string& host, uint32_t interface) const {
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || interface <= kLoopback ||
      interface > found->second.size() + kLoopback) {
    return nullptr;
  }
  return &found->second[interface - kLoopback - 1];
}

Result<std::unique_ptr<net::DatagramSocket>> DatagramHub::open(SimProcess& process,
                                                               const net::DatagramOptions& options,
                                                               net::DatagramHandler& handler) {
  if (options.at.is_none()) return fail(Code::invalid_argument, "no address to open a socket at");
  if (!options.interface.empty()) {
    const auto all = interfaces(process.host());
    if (std::none_of(all.begin(), all.end(),
                     [&](const NetInterface& it) { return it.name == options.interface; })) {
      return fail(Code::not_found, "no interface " + options.interface);
    }
  }
  net::DatagramOptions chosen = options;
  const bool icmp6 = options.kind == net::DatagramOptions::Kind::icmp6;
  if (icmp6) {
    chosen.at.port = 0;
  } else if (chosen.at.port == 0) {
    chosen.at.port = fabric_.ephemeral_port(process.host());
  }
  for (const SimDatagramSocket* other : sockets_) {
    if (icmp6 || other->icmp6() || other->process() == nullptr) continue;
    const net::DatagramOptions& held = other->options();
    const bool overlap = held.at == chosen.at ||
                         ((held.at.is_any() || chosen.at.is_any()) &&
                          held.at.port == chosen.at.port && held.at.family == chosen.at.family);
    const bool apart =
        !held.interface.empty() && !chosen.interface.empty() && held.interface != chosen.interface;
    if (other->process()->host() == process.host() && overlap && !apart) {
      return fail(Code::already_exists,
                  fmt::format("UDP {} is taken by another process", chosen.at.text()));
    }
  }
  auto socket = std::make_unique<SimDatagramSocket>(*this, process, chosen, handler);
  sockets_.push_back(socket.get());
  return std::unique_ptr<net::DatagramSocket>(std::move(socket));
}

std::vector<DatagramHub::Receiver> DatagramHub::on_link(
    const std::string& host, uint32_t interface, const net::OutgoingDatagram& datagram) const {
  std::vector<Receiver> out;
  const Attachment* from = attachment(host, interface);
  if (from == nullptr) return out;
  for (const auto& [name, places] : hosts_) {
    for (const Attachment& place : places) {
      if (name == host || place.link != from->link) continue;
      if (datagram.hardware && place.interface.mac != datagram.hardware) continue;
      Receiver to{name, place.interface.index, {}};
      // As Linux does: where the interface has no address, one of another is named.
      for (const Attachment& other : places) {
        for (const NetInterface::Address& own : other.interface.addresses) {
          if (own.address.family == datagram.to.family && own.address.is_v4()) {
            to.local = own.address;
          }
        }
      }
      for (const NetInterface::Address& own : place.interface.addresses) {
        if (own.address.family == datagram.to.family) to.local = own.address;
      }
      out.push_back(to);
    }
  }
  return out;
}

std::vector<DatagramHub::Receiver> DatagramHub::receivers(
    const SimDatagramSocket& from, const net::OutgoingDatagram& datagram) const {
  const std::string& host = from.process()->host();
  if (is_loopback(datagram.to)) return {{host, kLoopback, datagram.to.with_port(0)}};
  uint32_t interface = datagram.interface;
  bool group = datagram.to.is_group() || datagram.hardware.has_value();
  for (const NetInterface& own : interfaces(host)) {
    if (interface == 0 && own.name == from.options().interface) interface = own.index;
    for (const NetInterface::Address& address : own.addresses) {
      if (same_host(address.address, datagram.to)) {
        return {{host, kLoopback, datagram.to.with_port(0)}};
      }
      if (is_broadcast_of(address, datagram.to)) {
        group = true;
        if (interface == 0) interface = own.index;
      }
    }
  }
  // Without a choice a broadcast leaves by the first interface, as by a default route.
  if (group) return on_link(host, interface == 0 ? kLoopback + 1 : interface, datagram);
  for (const auto& [name, places] : hosts_) {
    for (const Attachment& place : places) {
      for (const NetInterface::Address& address : place.interface.addresses) {
        if (!same_host(address.address, datagram.to)) continue;
        const Attachment* near = attachment(host, interface);
        if (datagram.to.is_link_local() && (near == nullptr || near->link != place.link)) continue;
        return {{name, place.interface.index, datagram.to.with_port(0)}};
      }
    }
  }
  return {};
}

InetAddress DatagramHub::source(const SimDatagramSocket& from,
                                const net::OutgoingDatagram& datagram, const Receiver& to) const {
  const uint16_t port = from.bound().port;
  if (!datagram.from.is_none()) return datagram.from.with_port(port);
  if (!from.bound().is_any()) return from.bound();
  if (to.interface == kLoopback) return datagram.to.with_port(port);
  // Of the interface it leaves by, else of the network it goes to, else the first there is.
  InetAddress best = datagram.to.is_v4() ? InetAddress::v4(0, port) : InetAddress::v6({}, port);
  int best_rank = 0;
  for (const NetInterface& own : interfaces(from.process()->host())) {
    if (own.loopback) continue;
    for (const NetInterface::Address& address : own.addresses) {
      if (address.address.family != datagram.to.family) continue;
      const bool leaves = own.index == datagram.interface;
      const int rank = leaves ? 3 : in_network(address, datagram.to) ? 2 : 1;
      if (rank <= best_rank) continue;
      best = address.address.with_port(port);
      best_rank = rank;
    }
  }
  return best;
}

void DatagramHub::send(SimDatagramSocket& from, const net::OutgoingDatagram& datagram) {
  std::string bytes(datagram.head);
  bytes += datagram.body;
  const std::string host = from.process()->host();
  const std::vector<Receiver> all = receivers(from, datagram);
  if (all.empty() && !datagram.to.is_group()) ++lost_;
  for (const Receiver& to : all) {
    const InetAddress sender = source(from, datagram, to);
    Path& path = fabric_.path(host, to.host);
    const bool twice = duplication_ > 0 && path.random.chance(duplication_);
    if (twice) fly(host, to, from.icmp6(), bytes, sender, datagram.to);
    fly(host, to, from.icmp6(), bytes, sender, datagram.to);
  }
}

void DatagramHub::fly(const std::string& from_host, const Receiver& to, bool icmp6,
                      std::string bytes, const InetAddress& source,
                      const InetAddress& destination) {
  const auto delay = draw(fabric_, from_host, to.host);
  if (!delay) {
    ++lost_;
    return;
  }
  fabric_.world().after(*delay, [this, to, icmp6, bytes = std::move(bytes), source, destination] {
    if (!fabric_.host_down(to.host)) deliver(to, icmp6, bytes, source, destination);
  });
}

void DatagramHub::deliver(const Receiver& to, bool icmp6, const std::string& bytes,
                          const InetAddress& source, const InetAddress& destination) {
  std::string interface = "lo";
  if (const Attachment* place = attachment(to.host, to.interface))
    interface = place->interface.name;
  // arrive() calls nobody, so the list stays as it is.
  for (SimDatagramSocket* socket : sockets_) {
    if (socket->process() == nullptr || socket->process()->host() != to.host) continue;
    if (!socket->hears(interface, icmp6, bytes, destination)) continue;
    const bool multicast = destination.is_group() &&
                           !(destination.is_v4() && destination.v4_value() == net::kBroadcastV4);
    if (multicast && !socket->joined(destination, to.interface)) continue;
    net::Datagram about;
    about.from = source;
    about.to = destination;
    about.local = to.local.is_none() ? to.local : to.local.with_port(socket->bound().port);
    about.interface = to.interface;
    socket->arrive(bytes, about);
  }
}

Result<std::unique_ptr<net::AddressProbe>> DatagramHub::probe(SimProcess& process,
                                                              uint32_t interface,
                                                              const InetAddress& address,
                                                              Duration wait,
                                                              net::ProbeCallback answered) {
  const Attachment* from = attachment(process.host(), interface);
  if (from == nullptr || !address.is_v4()) {
    return fail(Code::unsupported, "addresses can be asked for on Ethernet alone");
  }
  std::optional<net::MacAddress> owner;
  Duration after = wait;
  for (const auto& [name, places] : hosts_) {
    for (const Attachment& place : places) {
      if (place.link != from->link || name == process.host()) continue;
      const auto& own = place.interface.addresses;
      const bool has = std::any_of(own.begin(), own.end(), [&](const NetInterface::Address& it) {
        return same_host(it.address, address);
      });
      if (!has) continue;
      const auto there = draw(fabric_, process.host(), name);
      const auto back = draw(fabric_, name, process.host());
      if (!there || !back || *there + *back >= after) continue;
      after = *there + *back;
      owner = place.interface.mac;
    }
  }
  auto wanted = std::make_shared<bool>(true);
  process.after(after, [wanted, owner, answered = std::move(answered)]() mutable {
    if (*wanted) answered(owner);
  });
  return std::unique_ptr<net::AddressProbe>(std::make_unique<SimProbe>(wanted));
}

void DatagramHub::process_died(SimProcess& process) {
  for (SimDatagramSocket* socket : sockets_) {
    if (socket->process() == &process) socket->process_died();
  }
}

}  // namespace drover::sim

#include "boot/io/dhcp6_service.hpp"

#include <algorithm>

namespace drover::boot::io {
namespace {

constexpr Duration kLookAgain = std::chrono::seconds(30);
constexpr size_t kBuffer = size_t{8} << 20;

/// ff02::1:2, all relays and servers of the link; ff05::1:3, all servers of the site (RFC 8415
/// section 7.1).
constexpr std::array<uint8_t, 16> kAllOfLink{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};
constexpr std::array<uint8_t, 16> kAllOfSite{0xff, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3};

Ipv6 ipv6(const net::InetAddress& address) {
  Ipv6 out;
  if (address.is_v6()) out.bytes = address.octets;
  return out;
}

/// What clients are told of the server: an address that holds beyond the link, if there is one.
Ipv6 best_of(const net::NetInterface& interface) {
  Ipv6 best;
  for (const auto& own : interface.addresses) {
    if (!own.address.is_v6()) continue;
    if (best.is_zero() || !own.address.is_link_local()) best = ipv6(own.address);
  }
  return best;
}

}  // namespace

class Dhcp6Service::Port final : public net::DatagramHandler {
 public:
  explicit Port(Dhcp6Service& service) : service_(service) {}
  void on_datagrams(std::span<const net::Datagram> batch) override { service_.receive(batch); }
  std::unique_ptr<net::DatagramSocket> socket;

 private:
  Dhcp6Service& service_;
};

Dhcp6Service::Dhcp6Service(Executor& executor, net::Net& net, Log log, Dhcp6ServiceConfig config,
                           const dhcp6::ReservationView& machines)
    : executor_(executor),
      net_(net),
      log_(log),
      config_(std::move(config)),
      server_(config_.server, machines),
      limiter_(config_.rate),
      space_(net::kDatagramBatch) {
  outgoing_.reserve(net::kDatagramBatch);
}

Dhcp6Service::~Dhcp6Service() {
  stop();
}

Status Dhcp6Service::start() {
  if (port_ != nullptr) return {};
  auto port = std::make_unique<Port>(*this);
  net::DatagramOptions options;
  options.at = net::InetAddress::v6({}, config_.port);
  options.receive_buffer = kBuffer;
  options.send_buffer = kBuffer;
  auto opened = net_.open_datagrams(options, *port);
  if (!opened) return fail_in("opening the DHCPv6 port", std::move(opened).error());
  port->socket = *std::move(opened);
  port_ = std::move(port);
  refresh();
  return {};
}

void Dhcp6Service::stop() {
  timer_.cancel();
  port_.reset();
  served_.clear();
  outgoing_.clear();
}

Status Dhcp6Service::reconfigure(Dhcp6ServiceConfig config) {
  const bool port_stays = config.port == config_.port && config.interfaces == config_.interfaces;
  const bool was_running = port_ != nullptr;
  if (!port_stays) stop();
  config_ = std::move(config);
  server_.reconfigure(config_.server);
  limiter_.set(config_.rate);
  return was_running ? start() : Status{};
}

void Dhcp6Service::refresh() {
  timer_.after(executor_, kLookAgain, [this] { refresh(); });
  const auto all = net_.interfaces();
  if (!all) return;
  served_.clear();
  const auto& chosen = config_.interfaces;
  for (const net::NetInterface& it : *all) {
    const bool named = std::find(chosen.begin(), chosen.end(), it.name) != chosen.end();
    if (!it.up || it.loopback || !(chosen.empty() || named)) continue;
    const Ipv6 local = best_of(it);
    if (local.is_zero()) continue;
    const Status link = port_->socket->join(net::InetAddress::v6(kAllOfLink), it.index);
    const Status site = port_->socket->join(net::InetAddress::v6(kAllOfSite), it.index);
    if (link && site) served_.push_back({it.index, local});
  }
}

void Dhcp6Service::receive(std::span<const net::Datagram> batch) {
  stats_.received += batch.size();
  for (const net::Datagram& datagram : batch) {
    take(datagram);
    if (port_ == nullptr) return;  // the owner stopped it in its callback
  }
  stats_.replied += port_->socket->send(outgoing_);
  outgoing_.clear();
}

void Dhcp6Service::take(const net::Datagram& datagram) {
  const auto served = std::find_if(served_.begin(), served_.end(), [&](const Served& it) {
    return it.index == datagram.interface;
  });
  if (datagram.truncated || served == served_.end()) {
    ++stats_.unusable;
    return;
  }
  const std::string_view source(reinterpret_cast<const char*>(datagram.from.octets.data()),
                                datagram.from.octets.size());
  if (!limiter_.allow(source, executor_.now())) {
    ++stats_.limited;
    return;
  }
  const dhcp6::Arrival arrival{served->local, ipv6(datagram.from), datagram.to.is_group()};
  auto& space = space_[outgoing_.size()];
  const dhcp6::Decision decision = server_.decide(datagram.bytes, arrival, space);
  if (decision.reply) {
    net::OutgoingDatagram out;
    out.head = {space.data(), decision.size};
    out.to = net::InetAddress::v6(decision.to.address.bytes, decision.to.port);
    out.interface = out.to.is_link_local() ? datagram.interface : 0;
    outgoing_.push_back(out);
  }
  if (on_event_) on_event_({decision, datagram.from, datagram.interface, executor_.wall()});
}

}  // namespace drover::boot::io

#include "boot/io/router_advertiser.hpp"

#include <algorithm>

namespace drover::boot::io {
namespace {

constexpr uint8_t kSolicitation = 133;
constexpr uint8_t kAdvertisement = 134;
constexpr uint8_t kManaged = 0x80;
constexpr uint8_t kOther = 0x40;
constexpr uint8_t kOnLink = 0x80;
constexpr Duration kLookAgain = std::chrono::seconds(30);
/// Of one interface: hosts that start together are answered together (RFC 4861 section 6.2.6).
constexpr RateLimit kRate{20, 50};

net::InetAddress group(uint8_t last) {
  std::array<uint8_t, 16> octets{};
  octets[0] = 0xff;
  octets[1] = 0x02;
  octets[15] = last;
  return net::InetAddress::v6(octets);
}

}  // namespace

RouterAdvertisement router_advertisement(bool dhcp6, std::optional<net::MacAddress> own,
                                         std::span<const Prefix6> on_link) {
  RouterAdvertisement out;
  const auto put = [&](uint8_t value) { out.bytes[out.size++] = static_cast<char>(value); };
  put(kAdvertisement);
  put(0);  // code
  put(0);  // checksum: the system's work
  put(0);
  put(64);  // hop limit for hosts
  put(dhcp6 ? kManaged | kOther : 0);
  for (int i = 0; i < 10; ++i) put(0);  // router lifetime, reachable time, retransmission: nothing
  if (own) {
    put(1);  // source link-layer address
    put(1);  // eight octets
    for (const uint8_t octet : *own) put(octet);
  }
  for (const Prefix6& prefix : on_link.first(std::min(on_link.size(), kMostOnLink))) {
    put(3);  // prefix information
    put(4);  // 32 octets
    put(prefix.bits);
    put(kOnLink);
    for (int i = 0; i < 8; ++i) put(0xff);  // for ever: nobody speaks here unasked to renew it
    for (int i = 0; i < 4; ++i) put(0);
    for (const uint8_t octet : prefix.network.bytes) put(octet);
  }
  return out;
}

bool is_router_solicitation(std::string_view packet, const net::InetAddress& from) {
  if (packet.size() < 8 || static_cast<uint8_t>(packet[0]) != kSolicitation || packet[1] != 0) {
    return false;
  }
  bool names_link_address = false;
  std::string_view options = packet.substr(8);
  while (!options.empty()) {
    if (options.size() < 2) return false;
    const size_t length = size_t{8} * static_cast<uint8_t>(options[1]);
    if (length == 0 || length > options.size()) return false;
    names_link_address = names_link_address || options[0] == 1;
    options.remove_prefix(length);
  }
  return !(from.is_any() && names_link_address);
}

class RouterAdvertiser::Port final : public net::DatagramHandler {
 public:
  explicit Port(RouterAdvertiser& service) : service_(service) {}
  void on_datagrams(std::span<const net::Datagram> batch) override {
    for (const net::Datagram& datagram : batch) service_.take(datagram);
  }
  std::unique_ptr<net::DatagramSocket> socket;

 private:
  RouterAdvertiser& service_;
};

RouterAdvertiser::RouterAdvertiser(Executor& executor, net::Net& net, Log log,
                                   RouterAdvertiserConfig config)
    : executor_(executor), net_(net), log_(log), config_(std::move(config)), limiter_(kRate) {}

RouterAdvertiser::~RouterAdvertiser() {
  stop();
}

Status RouterAdvertiser::start() {
  if (!config_.enabled || port_ != nullptr) return {};
  auto port = std::make_unique<Port>(*this);
  net::DatagramOptions options;
  options.kind = net::DatagramOptions::Kind::icmp6;
  options.at = net::InetAddress::v6({});
  options.icmp6_type = kSolicitation;
  auto opened = net_.open_datagrams(options, *port);
  if (!opened) return fail_in("opening ICMPv6", std::move(opened).error());
  port->socket = *std::move(opened);
  port_ = std::move(port);
  join();
  return {};
}

void RouterAdvertiser::stop() {
  timer_.cancel();
  port_.reset();
  joined_.clear();
}

Status RouterAdvertiser::reconfigure(RouterAdvertiserConfig config) {
  const bool was_running = port_ != nullptr || !config_.enabled;
  stop();
  config_ = std::move(config);
  return was_running ? start() : Status{};
}

/// Hears what is sent to all routers on each of the interfaces.
void RouterAdvertiser::join() {
  timer_.after(executor_, kLookAgain, [this] { join(); });
  const auto all = net_.interfaces();
  if (!all) return;
  joined_.clear();
  for (const net::NetInterface& it : *all) {
    const auto& chosen = config_.interfaces;
    const bool wanted = chosen.empty()
                            ? it.mac.has_value()
                            : std::find(chosen.begin(), chosen.end(), it.name) != chosen.end();
    if (!wanted || !it.up || it.loopback) continue;
    if (port_->socket->join(group(2), it.index)) joined_.push_back({it, on_link_of(it)});
  }
}

std::vector<Prefix6> RouterAdvertiser::on_link_of(const net::NetInterface& interface) const {
  std::vector<Prefix6> out;
  for (const Prefix6& prefix : config_.on_link) {
    const bool here = std::ranges::any_of(interface.addresses, [&](const auto& own) {
      return own.address.is_v6() && prefix.contains(Ipv6{own.address.octets});
    });
    if (here) out.push_back(prefix);
  }
  return out;
}

void RouterAdvertiser::take(const net::Datagram& datagram) {
  const auto own = std::ranges::find(joined_, datagram.interface,
                                     [](const Joined& it) { return it.interface.index; });
  if (own == joined_.end() || datagram.truncated ||
      !is_router_solicitation(datagram.bytes, datagram.from) ||
      !limiter_.allow(own->interface.name, executor_.now())) {
    return;
  }
  const RouterAdvertisement message =
      router_advertisement(config_.dhcp6, own->interface.mac, own->on_link);
  // To the host that asked, or to all where it has no address of the link yet. The source must be
  // link-local, which the system picks by itself for such destinations.
  const net::OutgoingDatagram reply{.head = message.view(),
                                    .to = datagram.from.is_link_local() ? datagram.from : group(1),
                                    .interface = datagram.interface};
  answered_ += port_->socket->send({&reply, 1});
}

}  // namespace drover::boot::io

#include "boot/io/dhcp_service.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::boot::io {
namespace {

/// Replies that may wait for the disk; clients beyond ask again.
constexpr size_t kMostHeld = 4096;
constexpr size_t kMostProbes = 256;
constexpr int kMostTries = 3;
constexpr Duration kVouchedFor = std::chrono::minutes(5);
constexpr Duration kTick = std::chrono::seconds(30);
/// How often interfaces are looked at because of a packet by an unknown one.
constexpr Duration kRefreshAgain = std::chrono::seconds(1);
/// The storm of a whole cluster that is switched on fits: 10,000 packets of about 600 bytes.
constexpr size_t kReceiveBuffer = size_t{8} << 20;
/// Where a message has the type, length and octets of its sender's hardware address.
constexpr size_t kHardwareAt = 28;
constexpr size_t kHardwareEnd = kHardwareAt + 16;

Ipv4 ipv4(const net::InetAddress& address) {
  return {address.is_v4() ? address.v4_value() : 0};
}

/// What the rate limit goes by: the client's hardware address, whoever relayed it.
std::string_view sender_of(std::string_view packet) {
  if (packet.size() < kHardwareEnd) return {};
  const auto length = std::min<size_t>(static_cast<uint8_t>(packet[2]), 16);
  return packet.substr(kHardwareAt, length);
}

std::optional<net::MacAddress> ethernet(const HardwareAddress& address) {
  net::MacAddress out{};
  if (address.type != 1 || address.length != out.size()) return {};
  std::copy_n(address.octets.begin(), out.size(), out.begin());
  return out;
}

}  // namespace

/// One open port. Its place in memory is fixed, since the socket keeps it as its handler.
class DhcpService::Port final : public net::DatagramHandler {
 public:
  explicit Port(DhcpService& service) : service_(service) {}
  void on_datagrams(std::span<const net::Datagram> batch) override {
    service_.receive(*this, batch);
  }

  std::unique_ptr<net::DatagramSocket> socket;
  uint16_t number = 0;  ///< 67 or 4011, whatever port tests bind

 private:
  DhcpService& service_;
};

struct DhcpService::Held {
  uint64_t record = 0;
  Port* port = nullptr;
  net::OutgoingDatagram reply;
  std::array<char, dhcp::kMaxMessage> bytes{};
};

struct DhcpService::Probing {
  std::unique_ptr<net::AddressProbe> probe;
  Port* port = nullptr;
  int tries = 0;
  net::Datagram datagram;  ///< its bytes are `request`
  std::string request;
  HardwareAddress client;
  net::OutgoingDatagram reply;  ///< its bytes are `bytes`
  std::array<char, dhcp::kMaxMessage> bytes{};
};

DhcpService::DhcpService(Executor& executor, net::Net& net, Log log, DhcpServiceConfig config,
                         const dhcp::ReservationView& machines, DiskLeaseJournal& journal)
    : executor_(executor),
      net_(net),
      log_(log),
      config_(std::move(config)),
      machines_(machines),
      journal_(journal),
      limiter_(config_.rate),
      space_(net::kDatagramBatch) {
  outgoing_.reserve(net::kDatagramBatch);
  make_book(journal.found().leases);
  journal_.set_snapshot([this] { return book_->snapshot(); });
  journal_.on_safe([this](uint64_t safe) { release_held(safe); });
}

DhcpService::~DhcpService() {
  stop();
}

void DhcpService::make_book(const std::vector<dhcp::Lease>& leases) {
  server_.reset();
  book_ = std::make_unique<dhcp::LeaseBook>(config_.pools, dhcp::LeaseBook::Times{}, journal_);
  for (const dhcp::Lease& lease : leases) book_->restore(lease);
  for (const Ipv4 address : config_.reserved) book_->set_reserved(address, true);
  server_ = std::make_unique<dhcp::Server>(config_.server, machines_, *book_);
}

Status DhcpService::start() {
  if (running_) return {};
  running_ = true;
  std::vector<std::string> interfaces = config_.interfaces;
  if (interfaces.empty()) interfaces.emplace_back();
  for (const std::string& name : interfaces) {
    Status opened = open_port(name, config_.port);
    if (opened && config_.proxy_port != 0) opened = open_port(name, config_.proxy_port);
    if (!opened) {
      stop();
      return fail_in("opening the DHCP ports", std::move(opened).error());
    }
  }
  tick();
  return {};
}

Status DhcpService::open_port(const std::string& interface, uint16_t number) {
  auto port = std::make_unique<Port>(*this);
  net::DatagramOptions options;
  options.at = net::InetAddress::v4(0, number);
  options.broadcast = true;
  options.interface = interface;
  options.receive_buffer = kReceiveBuffer;
  options.send_buffer = kReceiveBuffer;
  DROVER_TRY(port->socket, net_.open_datagrams(options, *port));
  port->number = number == config_.proxy_port ? dhcp::kProxyPort : dhcp::kServerPort;
  ports_.push_back(std::move(port));
  return {};
}

void DhcpService::stop() {
  running_ = false;
  timer_.cancel();
  probing_.clear();
  held_.clear();
  outgoing_.clear();
  ports_.clear();
}

Status DhcpService::reconfigure(DhcpServiceConfig config) {
  const bool ports_stay = config.interfaces == config_.interfaces && config.port == config_.port &&
                          config.proxy_port == config_.proxy_port;
  const bool rate_stays =
      config.rate.per_second == config_.rate.per_second && config.rate.burst == config_.rate.burst;
  const auto same = [](const dhcp::Pool& a, const dhcp::Pool& b) {
    return a.first == b.first && a.last == b.last;
  };
  const bool pools_stay = std::equal(config.pools.begin(), config.pools.end(),
                                     config_.pools.begin(), config_.pools.end(), same);
  const bool was_running = running_;
  if (!ports_stay) stop();
  DhcpServiceConfig before = std::exchange(config_, std::move(config));
  if (!rate_stays) limiter_.set(config_.rate);
  // What is on its way was decided by the old configuration.
  probing_.clear();
  vouched_.clear();
  if (pools_stay) {
    set_reserved(before.reserved);
    server_->reconfigure(config_.server);
  } else {
    make_book(book_->snapshot());
  }
  refresh_interfaces();
  return was_running ? start() : Status{};
}

void DhcpService::set_reserved(const std::vector<Ipv4>& before) {
  std::vector<Ipv4> was = before;
  std::vector<Ipv4> now = config_.reserved;
  std::sort(was.begin(), was.end());
  std::sort(now.begin(), now.end());
  for (const Ipv4 address : was) {
    if (!std::binary_search(now.begin(), now.end(), address)) book_->set_reserved(address, false);
  }
  for (const Ipv4 address : now) {
    if (!std::binary_search(was.begin(), was.end(), address)) book_->set_reserved(address, true);
  }
}

/// A client names its server by any address of ours that it was told of, now or before a change.
void DhcpService::refresh_interfaces() {
  const auto interfaces = net_.interfaces();
  refreshed_ = executor_.now();
  if (!interfaces) return;
  dhcp::ServerConfig server = config_.server;
  const auto served = [&](Ipv4 address) {
    return std::any_of(server.subnets.begin(), server.subnets.end(),
                       [&](const dhcp::Subnet& it) { return it.prefix.contains(address); });
  };
  locals_.clear();
  for (const net::NetInterface& it : *interfaces) {
    std::optional<net::InetAddress> local;
    for (const auto& own : it.addresses) {
      if (!own.address.is_v4()) continue;
      server.own_addresses.push_back(ipv4(own.address));
      // Of several addresses the one whose network boots.
      if (!local || (served(ipv4(own.address)) && !served(ipv4(*local)))) local = own.address;
    }
    if (local) locals_.emplace_back(it.index, *local);
  }
  server_->reconfigure(std::move(server));
}

const net::InetAddress* DhcpService::local_of(uint32_t interface) const {
  const auto found = std::find_if(locals_.begin(), locals_.end(),
                                  [&](const auto& it) { return it.first == interface; });
  return found == locals_.end() ? nullptr : &found->second;
}

/// Our address for a client. For broadcasts the system names one of another interface where this
/// one has none, and answering from that would give addresses of the wrong network.
std::optional<net::InetAddress> DhcpService::local_for(const net::Datagram& datagram) {
  if (!datagram.local.is_v4()) return {};
  if (datagram.to == datagram.local) return datagram.local;
  const net::InetAddress* local = local_of(datagram.interface);
  if (local == nullptr && executor_.now() - refreshed_ > kRefreshAgain) {
    refresh_interfaces();  // it came up a moment ago
    local = local_of(datagram.interface);
  }
  if (local == nullptr) return {};
  return local->with_port(datagram.local.port);
}

void DhcpService::tick() {
  timer_.after(executor_, kTick, [this] { tick(); });
  refresh_interfaces();
  book_->expire(executor_.wall());
  journal_.flush();
  std::erase_if(vouched_, [now = executor_.now()](const auto& it) { return it.second < now; });
}

bool DhcpService::release(Ipv4 address) {
  const dhcp::Lease* lease = book_->find(address);
  if (lease == nullptr || lease->state == dhcp::LeaseState::free) return false;
  const std::string client = lease->client;
  const bool done = book_->release(client, address, executor_.wall());
  journal_.flush();
  return done;
}

std::vector<net::InetAddress> DhcpService::bound() const {
  std::vector<net::InetAddress> out;
  for (const auto& port : ports_) out.push_back(port->socket->bound());
  return out;
}

void DhcpService::receive(Port& port, std::span<const net::Datagram> batch) {
  stats_.received += batch.size();
  for (const net::Datagram& datagram : batch) {
    take(port, datagram);
    if (!running_) return;  // the owner stopped it in its callback
  }
  send(port);
  journal_.flush();
}

void DhcpService::take(Port& port, const net::Datagram& datagram) {
  const std::optional<net::InetAddress> local = local_for(datagram);
  if (datagram.truncated || !local) {
    ++stats_.unusable;
    return;
  }
  const std::string_view sender = sender_of(datagram.bytes);
  if (!sender.empty() && !limiter_.allow(sender, executor_.now())) {
    ++stats_.limited;
    return;
  }
  dhcp::Arrival arrival;
  arrival.local = ipv4(*local);
  arrival.source = ipv4(datagram.from);
  arrival.source_port = datagram.from.port;
  arrival.port = port.number;
  arrival.now = executor_.wall();
  auto& space = space_[outgoing_.size()];
  const dhcp::Decision decision = server_->decide(datagram.bytes, arrival, space);
  if (decision.reply) reply(port, datagram, *local, decision, {space.data(), decision.size});
  tell(port, datagram.from, datagram.interface, decision);
}

void DhcpService::reply(Port& port, const net::Datagram& datagram, const net::InetAddress& local,
                        const dhcp::Decision& decision, std::span<const char> bytes) {
  net::OutgoingDatagram out;
  out.head = {bytes.data(), bytes.size()};
  out.to = net::InetAddress::v4(decision.to.address.value, decision.to.port);
  out.from = local;
  if (decision.to.to_hardware) {
    out.interface = datagram.interface;
    out.hardware = ethernet(decision.hardware);
    if (!out.hardware) out.to = net::InetAddress::v4(net::kBroadcastV4, decision.to.port);
  } else if (out.to.is_group()) {
    out.interface = datagram.interface;
  }
  if (probe(port, datagram, decision, out)) return;
  if (decision.after_record != 0) return hold(port, out, journal_.appended());
  outgoing_.push_back(out);
}

void DhcpService::hold(Port& port, const net::OutgoingDatagram& reply, uint64_t record) {
  if (held_.size() >= kMostHeld) {
    ++stats_.unsafe;
    return;
  }
  if (spare_.empty()) spare_.push_back(std::make_unique<Held>());
  std::unique_ptr<Held> held = std::move(spare_.back());
  spare_.pop_back();
  held->record = record;
  held->port = &port;
  held->reply = reply;
  std::copy(reply.head.begin(), reply.head.end(), held->bytes.begin());
  held->reply.head = {held->bytes.data(), reply.head.size()};
  held_.push_back(std::move(held));
}

void DhcpService::release_held(uint64_t safe) {
  while (!held_.empty() && held_.front()->record <= safe) {
    Port& port = *held_.front()->port;
    size_t count = 0;
    while (count < held_.size() && outgoing_.size() < net::kDatagramBatch &&
           held_[count]->record <= safe && held_[count]->port == &port) {
      outgoing_.push_back(held_[count++]->reply);
    }
    send(port);
    for (; count > 0; --count) {
      spare_.push_back(std::move(held_.front()));
      held_.pop_front();
    }
  }
}

void DhcpService::send(Port& port) {
  if (outgoing_.empty()) return;
  const size_t sent = port.socket->send(outgoing_);
  stats_.replied += sent;
  stats_.unsent += outgoing_.size() - sent;
  outgoing_.clear();
}

void DhcpService::tell(Port& port, const net::InetAddress& from, uint32_t interface,
                       const dhcp::Decision& decision, std::optional<net::MacAddress> conflict) {
  if (!on_event_) return;
  on_event_({decision, from, interface, port.number, executor_.wall(), conflict});
}

/// Whether the offer waits until it is known that nobody uses its address. Only for addresses of
/// the pool, on our own link: those of the model are as the model says.
bool DhcpService::probe(Port& port, const net::Datagram& datagram, const dhcp::Decision& decision,
                        const net::OutgoingDatagram& reply) {
  if (config_.probe == Duration::zero() || decision.outcome != dhcp::Outcome::dynamic ||
      decision.reply != dhcp::MessageType::offer || decision.to.port != dhcp::kClientPort) {
    return false;
  }
  const uint32_t address = decision.address.value;
  const auto vouched = vouched_.find(address);
  if (vouched != vouched_.end() && executor_.now() < vouched->second) return false;
  std::unique_ptr<Probing>& slot = probing_[address];
  if (slot == nullptr) {
    if (probing_.size() <= kMostProbes) {
      auto asked = net_.probe_address(
          datagram.interface, net::InetAddress::v4(address), config_.probe,
          [this, address](std::optional<net::MacAddress> owner) { probed(address, owner); });
      if (asked) {
        slot = std::make_unique<Probing>();
        slot->probe = *std::move(asked);
      }
    }
    if (slot == nullptr) {
      probing_.erase(address);
      return false;
    }
  }
  // Of a client that asks again meanwhile, the latest question is answered.
  Probing& it = *slot;
  it.port = &port;
  it.request = datagram.bytes;
  it.datagram = datagram;
  it.datagram.bytes = it.request;
  it.client = decision.hardware;
  std::copy(reply.head.begin(), reply.head.end(), it.bytes.begin());
  it.reply = reply;
  it.reply.head = {it.bytes.data(), reply.head.size()};
  return true;
}

void DhcpService::probed(uint32_t address, std::optional<net::MacAddress> owner) {
  const auto found = probing_.find(address);
  if (found == probing_.end()) return;
  const std::unique_ptr<Probing> it = std::move(found->second);
  probing_.erase(found);
  // The client itself may answer, where it had the address before.
  if (!owner || owner == ethernet(it->client)) {
    vouched_[address] = executor_.now() + kVouchedFor;
    outgoing_.push_back(it->reply);
    return send(*it->port);
  }
  ++stats_.conflicts;
  log_.warning("somebody else uses an address of the pool; it rests",
               {{"address", Ipv4{address}.text()},
                {"used_by", HardwareAddress::from(
                                1, {reinterpret_cast<const char*>(owner->data()), owner->size()})
                                .text()},
                {"was_for", it->client.text()}});
  book_->conflict(Ipv4{address}, std::nullopt, executor_.wall());
  dhcp::Decision decision;
  decision.outcome = dhcp::Outcome::declined;
  decision.hardware = it->client;
  decision.address = Ipv4{address};
  tell(*it->port, it->datagram.from, it->datagram.interface, decision, owner);
  decide_again(*it);
  journal_.flush();
}

/// The client is offered another address; that one is asked for too, a few times.
void DhcpService::decide_again(Probing& before) {
  if (!running_ || before.tries + 1 >= kMostTries) return;
  const net::Datagram datagram = before.datagram;
  Port& port = *before.port;
  take(port, datagram);
  if (!running_) return;
  for (auto& [address, it] : probing_) {
    if (it->client == before.client) it->tries = before.tries + 1;
  }
  send(port);
}

}  // namespace drover::boot::io

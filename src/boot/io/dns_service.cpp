#include "boot/io/dns_service.hpp"

#include <algorithm>
#include <array>

namespace drover::boot::io {
namespace {

constexpr Duration kLookAgain = std::chrono::seconds(30);
/// RFC 7766 section 6.2.3: a few seconds of idleness.
constexpr Duration kIdle = std::chrono::seconds(10);
constexpr size_t kBuffer = size_t{4} << 20;
constexpr size_t kMostMessage = 65535;
/// Of answers that a client does not read.
constexpr size_t kMostUnsent = size_t{1} << 20;

std::string_view octets_of(const net::InetAddress& address) {
  return {reinterpret_cast<const char*>(address.octets.data()), address.octets.size()};
}

}  // namespace

/// One address: its UDP socket and its TCP listener.
class DnsService::Port final : public net::DatagramHandler {
 public:
  Port(DnsService& service, const net::InetAddress& at) : at(at), service_(service) {}
  void on_datagrams(std::span<const net::Datagram> batch) override;
  const net::InetAddress at;
  std::unique_ptr<net::DatagramSocket> socket;
  std::unique_ptr<net::Listener> listener;

 private:
  DnsService& service_;
};

void DnsService::Port::on_datagrams(std::span<const net::Datagram> batch) {
  DnsService& service = service_;
  const MonoTime now = service.executor_.now();
  for (const net::Datagram& datagram : batch) {
    if (datagram.truncated || !service.limiter_.allow(octets_of(datagram.from), now)) {
      ++service.stats_.limited;
      continue;
    }
    auto& space = service.space_[service.outgoing_.size()];
    bool waits = false;
    const size_t size = service.answer(datagram.bytes, dns::Transport::udp, datagram.from, space,
                                       waits, [&] { return service.reply_to(at, datagram); });
    if (size == 0) continue;
    net::OutgoingDatagram out;
    out.head = {space.data(), size};
    out.to = datagram.from;
    out.from = datagram.local;
    out.interface = datagram.from.is_link_local() ? datagram.interface : 0;
    service.outgoing_.push_back(out);
  }
  socket->send(service.outgoing_);
  service.outgoing_.clear();
}

/// A client by TCP: queries behind their lengths, answered in their order (RFC 7766).
class DnsService::Connection final : public net::StreamHandler {
 public:
  Connection(DnsService& service, uint64_t number, std::unique_ptr<net::Stream> stream)
      : number(number),
        service_(service),
        stream_(std::move(stream)),
        from_(net::InetAddress::parse(stream_->peer().address).value_or(net::InetAddress{})) {
    stream_->set_handler(this);
    wait();
  }
  void on_data(std::string_view bytes) override {
    input_ += bytes;
    std::string_view left = input_;
    while (left.size() >= 2) {
      const size_t length =
          static_cast<uint8_t>(left[0]) * size_t{256} + static_cast<uint8_t>(left[1]);
      if (left.size() - 2 < length) break;
      if (!answer(left.substr(2, length))) return service_.close(*this);
      left.remove_prefix(2 + length);
    }
    input_.erase(0, input_.size() - left.size());
    wait();
  }
  void on_closed(const Error& /*why*/) override { service_.close(*this); }
  /// Sends an answer behind its length.
  void send(std::string_view answer) {
    const std::array<char, 2> length{static_cast<char>(answer.size() >> 8),
                                     static_cast<char>(answer.size())};
    stream_->write({length.data(), length.size()});
    stream_->write(answer);
  }

  const uint64_t number;

 private:
  bool answer(std::string_view query) {
    if (stream_->unsent() > kMostUnsent) return false;
    std::vector<char>& space = service_.tcp_space_;
    bool waits = false;
    const size_t size =
        service_.answer(query, dns::Transport::tcp, from_, {space.data() + 2, kMostMessage}, waits,
                        [this] { return service_.reply_to(number); });
    if (size == 0) return waits;
    space[0] = static_cast<char>(size >> 8);
    space[1] = static_cast<char>(size);
    stream_->write({space.data(), size + 2});
    return true;
  }
  void wait() {
    idle_.after(service_.executor_, kIdle, [this] { service_.close(*this); });
  }

  DnsService& service_;
  std::unique_ptr<net::Stream> stream_;
  net::InetAddress from_;
  std::string input_;
  Timer idle_;
};

DnsService::DnsService(Executor& executor, net::Net& net, Log log, DnsServiceConfig config,
                       const dns::Table& table)
    : executor_(executor),
      net_(net),
      log_(log),
      config_(std::move(config)),
      table_(table),
      server_(std::in_place, config_.zones, table),
      limiter_(config_.rate),
      space_(net::kDatagramBatch),
      tcp_space_(kMostMessage + 2) {
  outgoing_.reserve(net::kDatagramBatch);
}

DnsService::~DnsService() {
  stop();
}

Status DnsService::start() {
  if (running_) return {};
  running_ = true;
  if (Status opened = refresh(); !opened && ports_.empty()) {
    stop();
    return fail_in("opening the name service", std::move(opened).error());
  }
  return {};
}

void DnsService::stop() {
  running_ = false;
  timer_.cancel();
  connections_.clear();
  ports_.clear();
}

Status DnsService::reconfigure(DnsServiceConfig config) {
  const bool ports_stay = config.port == config_.port && config.addresses == config_.addresses &&
                          config.interfaces == config_.interfaces;
  const bool was_running = running_;
  if (!ports_stay) stop();
  config_ = std::move(config);
  server_.emplace(config_.zones, table_);
  limiter_.set(config_.rate);
  return was_running ? start() : Status{};
}

std::vector<net::InetAddress> DnsService::wanted() const {
  std::vector<net::InetAddress> out;
  for (const net::InetAddress& it : config_.addresses) out.push_back(it.with_port(config_.port));
  if (!out.empty()) return out;
  const auto all = net_.interfaces();
  if (!all) return out;
  const auto& chosen = config_.interfaces;
  for (const net::NetInterface& it : *all) {
    const bool named = std::find(chosen.begin(), chosen.end(), it.name) != chosen.end();
    if (!it.up || (chosen.empty() ? it.loopback : !named)) continue;
    for (const auto& own : it.addresses) {
      if (!own.address.is_link_local()) out.push_back(own.address.with_port(config_.port));
    }
  }
  return out;
}

/// Opens what is not open yet, closes what is gone; the first failure.
Status DnsService::refresh() {
  timer_.after(executor_, kLookAgain, [this] { (void)refresh(); });
  Status first;
  const std::vector<net::InetAddress> now = wanted();
  if (now.empty()) first = fail(Code::not_found, "this host has no address to serve at");
  std::erase_if(ports_, [&](const auto& it) {
    return std::find(now.begin(), now.end(), it.first) == now.end();
  });
  for (const net::InetAddress& at : now) {
    if (ports_.contains(at)) continue;
    if (Status opened = open(at); !opened) {
      log_.warning("names are not served at an address",
                   {{"address", at.text()}, {"why", opened.error().text()}});
      if (first) first = std::move(opened);
    }
  }
  return first;
}

Status DnsService::open(const net::InetAddress& at) {
  auto port = std::make_unique<Port>(*this, at);
  net::DatagramOptions options;
  options.at = at;
  options.receive_buffer = kBuffer;
  options.send_buffer = kBuffer;
  DROVER_TRY(port->socket, net_.open_datagrams(options, *port));
  DROVER_TRY(port->listener,
             net_.listen(
                 {at.host_text(), port->socket->bound().port, {}},
                 [] { return std::shared_ptr<net::Security>(); },
                 [this](tl::expected<std::unique_ptr<net::Stream>, net::AcceptFailure> it) {
                   if (it) accept(*std::move(it));
                 }));
  ports_[at] = std::move(port);
  return {};
}

void DnsService::accept(std::unique_ptr<net::Stream> stream) {
  if (connections_.size() >= config_.most_connections) return;  // closes it
  const uint64_t number = next_connection_++;
  connections_[number] = std::make_unique<Connection>(*this, number, std::move(stream));
}

void DnsService::close(Connection& connection) {
  connections_.erase(connection.number);
}

size_t DnsService::answer(std::string_view query, dns::Transport transport,
                          const net::InetAddress& from, std::span<char> out, bool& waits,
                          Later later) {
  const dns::Answer answer = server_->answer(query, transport, out);
  ++stats_.queries;
  if (answer.outcome == dns::Outcome::outside) {
    ++stats_.outside;
    const auto asked = may_forward(from) ? dns::read_query(query) : tl::unexpected(dns::NotQuery{});
    if (asked && asked->wants_recursion) {
      ++stats_.forwarded;
      const size_t size = forwarder_->ask(*asked, transport, out, later());
      waits = size == 0;
      if (size > 0) ++stats_.answered;
      return size;
    }
  }
  if (answer.size > 0) ++stats_.answered;
  if (answer.outcome == dns::Outcome::malformed) ++stats_.malformed;
  if (answer.truncated) ++stats_.truncated;
  return answer.size;
}

bool DnsService::may_forward(const net::InetAddress& from) const {
  if (forwarder_ == nullptr || !forwarder_->is_on() || from.is_none()) return false;
  if (from.is_v4()) {
    return std::ranges::any_of(config_.clients4, [&](const Prefix4& prefix) {
      return prefix.contains(Ipv4{from.v4_value()});
    });
  }
  Ipv6 address;
  address.bytes = from.octets;
  return std::ranges::any_of(config_.clients6,
                             [&](const Prefix6& prefix) { return prefix.contains(address); });
}

DnsForwarder::Reply DnsService::reply_to(const net::InetAddress& port,
                                         const net::Datagram& question) {
  net::OutgoingDatagram out;
  out.to = question.from;
  out.from = question.local;
  out.interface = question.from.is_link_local() ? question.interface : 0;
  return [this, alive = std::weak_ptr(alive_), port, out](std::string_view answer) mutable {
    if (alive.expired()) return;
    const auto it = ports_.find(port);
    if (it == ports_.end() || answer.empty()) return;
    ++stats_.answered;
    out.head = answer;
    it->second->socket->send({&out, 1});
  };
}

DnsForwarder::Reply DnsService::reply_to(uint64_t connection) {
  return [this, alive = std::weak_ptr(alive_), connection](std::string_view answer) {
    if (alive.expired()) return;
    const auto it = connections_.find(connection);
    if (it == connections_.end() || answer.empty()) return;
    ++stats_.answered;
    it->second->send(answer);
  };
}

std::vector<net::InetAddress> DnsService::bound() const {
  std::vector<net::InetAddress> out;
  for (const auto& [at, port] : ports_) out.push_back(port->socket->bound());
  return out;
}

}  // namespace drover::boot::io

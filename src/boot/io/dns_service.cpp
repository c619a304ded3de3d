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
  explicit Port(DnsService& service) : service_(service) {}
  void on_datagrams(std::span<const net::Datagram> batch) override;
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
    const dns::Answer answer = service.answer(datagram.bytes, dns::Transport::udp, space);
    if (answer.size == 0) continue;
    net::OutgoingDatagram out;
    out.head = {space.data(), answer.size};
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
      : number(number), service_(service), stream_(std::move(stream)) {
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

  const uint64_t number;

 private:
  bool answer(std::string_view query) {
    if (stream_->unsent() > kMostUnsent) return false;
    std::vector<char>& space = service_.tcp_space_;
    const dns::Answer answer =
        service_.answer(query, dns::Transport::tcp, {space.data() + 2, kMostMessage});
    if (answer.size == 0) return false;
    space[0] = static_cast<char>(answer.size >> 8);
    space[1] = static_cast<char>(answer.size);
    stream_->write({space.data(), answer.size + 2});
    return true;
  }
  void wait() {
    idle_.after(service_.executor_, kIdle, [this] { service_.close(*this); });
  }

  DnsService& service_;
  std::unique_ptr<net::Stream> stream_;
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
  auto port = std::make_unique<Port>(*this);
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

dns::Answer DnsService::answer(std::string_view query, dns::Transport transport,
                               std::span<char> out) {
  const dns::Answer answer = server_->answer(query, transport, out);
  ++stats_.queries;
  if (answer.size > 0) ++stats_.answered;
  if (answer.outcome == dns::Outcome::outside) ++stats_.outside;
  if (answer.outcome == dns::Outcome::malformed) ++stats_.malformed;
  if (answer.truncated) ++stats_.truncated;
  return answer;
}

std::vector<net::InetAddress> DnsService::bound() const {
  std::vector<net::InetAddress> out;
  for (const auto& [at, port] : ports_) out.push_back(port->socket->bound());
  return out;
}

}  // namespace drover::boot::io

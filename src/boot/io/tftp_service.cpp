#include "boot/io/tftp_service.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::boot::io {
namespace {

constexpr size_t kPortsPerFamily = 2;  // see the header
constexpr Duration kTick = std::chrono::milliseconds(100);
/// Acknowledgements of thousands of clients; windows of some of them.
constexpr size_t kBuffer = size_t{8} << 20;
constexpr size_t kMostError = 128;

}  // namespace

struct TftpService::Entry {
  std::unique_ptr<tftp::Transfer> transfer;
  TransferPort* port = nullptr;
  net::InetAddress client;
  net::InetAddress local;
  uint32_t interface = 0;
  std::string path;
  std::string request;  ///< to know a repeated one
  MonoTime began;
  bool ready = false;  ///< on its port's list of those that may have packets to send
};

class TftpService::RequestPort final : public net::DatagramHandler {
 public:
  explicit RequestPort(TftpService& service) : service_(service) {}
  void on_datagrams(std::span<const net::Datagram> batch) override;
  std::unique_ptr<net::DatagramSocket> socket;

 private:
  TftpService& service_;
};

/// A socket that transfers go through, and the packets of theirs that are on their way into it.
class TftpService::TransferPort final : public net::DatagramHandler {
 public:
  explicit TransferPort(TftpService& service)
      : service_(service), heads_(net::kDatagramBatch), batch_(net::kDatagramBatch) {}
  void on_datagrams(std::span<const net::Datagram> batch) override;
  void on_writable() override { pump(); }

  void make_ready(Entry& entry) {
    if (std::exchange(entry.ready, true)) return;
    ready_.push_back(&entry);
  }
  /// Sends what the ready transfers have, as far as the system takes it.
  void pump();
  /// Takes a transfer's packets back that were not sent yet.
  void forget(const Entry& entry);

  std::unique_ptr<net::DatagramSocket> socket;
  bool v6 = false;

 private:
  bool flush();

  TftpService& service_;
  std::vector<Entry*> ready_;
  std::vector<tftp::Outgoing> heads_;
  std::vector<net::OutgoingDatagram> batch_;
  std::array<const Entry*, net::kDatagramBatch> owners_{};
  size_t count_ = 0;
};

void TftpService::RequestPort::on_datagrams(std::span<const net::Datagram> batch) {
  TftpService& service = service_;
  for (const net::Datagram& datagram : batch) {
    service.take_request(*this, datagram);
    if (!service.running_) return;  // stopped in a callback: this port is gone
  }
  for (const auto& port : service.transfer_ports_) port->pump();
}

void TftpService::TransferPort::on_datagrams(std::span<const net::Datagram> batch) {
  TftpService& service = service_;
  const MonoTime now = service.executor_.now();
  for (const net::Datagram& datagram : batch) {
    const auto found = service.transfers_.find(datagram.from);
    if (found == service.transfers_.end() || found->second->port != this || datagram.truncated) {
      ++service.stats_.strays;
      continue;
    }
    Entry& entry = *found->second;
    entry.transfer->receive(datagram.bytes, now);
    if (entry.transfer->progress() == tftp::Progress::running) {
      make_ready(entry);
    } else {
      service.finish(entry);
      if (!service.running_) return;
    }
  }
  pump();
}

void TftpService::TransferPort::pump() {
  if (count_ > 0 && !flush()) return;  // the system's buffer is full still
  size_t done = 0;
  bool open = true;
  while (open && done < ready_.size()) {
    Entry& entry = *ready_[done];
    tftp::Outgoing& head = heads_[count_];
    if (!entry.transfer->next(head)) {
      entry.ready = false;
      ++done;
      continue;
    }
    owners_[count_] = &entry;
    net::OutgoingDatagram& out = batch_[count_++];
    out.head = head.head_view();
    out.body = head.body;
    out.to = entry.client;
    out.from = entry.local;
    out.interface = entry.interface;
    if (count_ == batch_.size()) open = flush();
  }
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<ptrdiff_t>(done));
  if (open) flush();
}

/// False when not all were taken: the others wait for on_writable().
bool TftpService::TransferPort::flush() {
  const size_t sent = socket->send({batch_.data(), count_});
  for (size_t i = sent; i < count_; ++i) {
    heads_[i - sent] = heads_[i];
    batch_[i - sent] = batch_[i];
    batch_[i - sent].head = heads_[i - sent].head_view();
    owners_[i - sent] = owners_[i];
  }
  count_ -= sent;
  return count_ == 0;
}

void TftpService::TransferPort::forget(const Entry& entry) {
  std::erase(ready_, &entry);
  size_t kept = 0;
  for (size_t i = 0; i < count_; ++i) {
    if (owners_[i] == &entry) continue;
    heads_[kept] = heads_[i];
    batch_[kept] = batch_[i];
    batch_[kept].head = heads_[kept].head_view();
    owners_[kept++] = owners_[i];
  }
  count_ = kept;
}

size_t TftpService::Hash::operator()(const net::InetAddress& address) const {
  const std::string_view octets(reinterpret_cast<const char*>(address.octets.data()),
                                address.octets.size());
  return std::hash<std::string_view>{}(octets) ^ (size_t{address.port} * 0x9e3779b97f4a7c15);
}

TftpService::TftpService(Executor& executor, net::Net& net, Log log, TftpServiceConfig config,
                         const tftp::Files& files)
    : executor_(executor),
      net_(net),
      log_(log),
      config_(std::move(config)),
      files_(files),
      limiter_(config_.requests) {}

TftpService::~TftpService() {
  stop();
}

Status TftpService::start() {
  if (running_) return {};
  running_ = true;
  Status opened = open_family(false);
  if (opened && config_.v6) {
    if (const Status v6 = open_family(true); !v6) {
      // A host without IPv6 serves by IPv4 alone.
      log_.notice("TFTP is not served over IPv6", {{"why", v6.error().text()}});
    }
  }
  if (!opened) {
    stop();
    return fail_in("opening the TFTP port", std::move(opened).error());
  }
  tick();
  return {};
}

Status TftpService::open_family(bool v6) {
  std::vector<std::string> interfaces = config_.interfaces;
  if (interfaces.empty()) interfaces.emplace_back();
  for (const std::string& name : interfaces) DROVER_CHECK_OK(open_request_port(v6, name));
  for (size_t i = 0; i < kPortsPerFamily; ++i) {
    auto port = std::make_unique<TransferPort>(*this);
    net::DatagramOptions options;
    options.at = v6 ? net::InetAddress::v6({}) : net::InetAddress::v4(0);
    options.receive_buffer = kBuffer;
    options.send_buffer = kBuffer;
    DROVER_TRY(port->socket, net_.open_datagrams(options, *port));
    port->v6 = v6;
    transfer_ports_.push_back(std::move(port));
  }
  return {};
}

Status TftpService::open_request_port(bool v6, const std::string& interface) {
  auto port = std::make_unique<RequestPort>(*this);
  net::DatagramOptions options;
  options.at = v6 ? net::InetAddress::v6({}, config_.port) : net::InetAddress::v4(0, config_.port);
  options.interface = interface;
  options.receive_buffer = kBuffer;
  DROVER_TRY(port->socket, net_.open_datagrams(options, *port));
  request_ports_.push_back(std::move(port));
  return {};
}

void TftpService::stop() {
  running_ = false;
  timer_.cancel();
  transfers_.clear();
  per_client_.clear();
  request_ports_.clear();
  transfer_ports_.clear();
}

Status TftpService::reconfigure(TftpServiceConfig config) {
  const bool ports_stay = config.interfaces == config_.interfaces && config.port == config_.port &&
                          config.v6 == config_.v6;
  const bool was_running = running_;
  if (!ports_stay) stop();
  config_ = std::move(config);
  limiter_.set(config_.requests);
  return was_running ? start() : Status{};
}

bool TftpService::is_over_limit(const net::InetAddress& client) {
  const std::string_view octets(reinterpret_cast<const char*>(client.octets.data()),
                                client.octets.size());
  if (!limiter_.allow(octets, executor_.now())) return true;
  if (transfers_.size() >= config_.most_transfers) return true;
  const auto found = per_client_.find(client.with_port(0));
  return found != per_client_.end() && found->second >= config_.most_per_client;
}

void TftpService::take_request(RequestPort& port, const net::Datagram& datagram) {
  if (const auto found = transfers_.find(datagram.from); found != transfers_.end()) {
    Entry& entry = *found->second;
    // The same again: our first packet was lost or late; the transfer's own timer sees to that.
    if (entry.request == datagram.bytes && entry.transfer->acknowledged() == 0) return;
    finish(entry);
    if (!running_) return;
  }
  if (datagram.truncated || is_over_limit(datagram.from)) {
    ++stats_.limited;
    return;
  }
  std::array<char, kMostError> error{};
  tftp::Opening opening = tftp::open(datagram.bytes, files_, config_.limits, executor_.now(), error,
                                     {datagram.from.host_text(), datagram.local.host_text()});
  if (opening.transfer) return begin(datagram, std::move(opening));
  if (opening.error_size > 0) {
    ++stats_.refused;
    const net::OutgoingDatagram reply{
        .head = {error.data(), opening.error_size}, .to = datagram.from, .from = datagram.local};
    port.socket->send({&reply, 1});
  }
  if (!on_event_) return;
  TftpEvent event;
  event.kind = TftpEvent::Kind::refused;
  event.client = datagram.from;
  event.path = opening.path;
  event.refusal = opening.refusal;
  on_event_(event);
}

TftpService::TransferPort& TftpService::next_port(bool v6) {
  for (;;) {
    TransferPort& port = *transfer_ports_[next_port_++ % transfer_ports_.size()];
    if (port.v6 == v6) return port;
  }
}

void TftpService::begin(const net::Datagram& datagram, tftp::Opening opening) {
  auto entry = std::make_unique<Entry>();
  entry->transfer = std::move(opening.transfer);
  entry->port = &next_port(datagram.from.is_v6());
  entry->client = datagram.from;
  entry->local = datagram.local;
  entry->interface = datagram.from.is_link_local() ? datagram.interface : 0;
  entry->path = std::move(opening.path);
  entry->request = datagram.bytes;
  entry->began = executor_.now();
  ++stats_.started;
  ++per_client_[datagram.from.with_port(0)];
  Entry& it = *entry;
  transfers_[datagram.from] = std::move(entry);
  it.port->make_ready(it);
  tell(it, TftpEvent::Kind::started);
}

void TftpService::tell(const Entry& entry, TftpEvent::Kind kind) {
  if (!on_event_) return;
  TftpEvent event;
  event.kind = kind;
  event.client = entry.client;
  event.path = entry.path;
  event.progress = entry.transfer->progress();
  event.message = entry.transfer->message();
  event.bytes = entry.transfer->acknowledged();
  event.size = entry.transfer->size();
  event.resent = entry.transfer->resent();
  event.took = executor_.now() - entry.began;
  on_event_(event);
}

void TftpService::finish(Entry& entry) {
  const tftp::Progress progress = entry.transfer->progress();
  if (progress == tftp::Progress::complete) {
    ++stats_.complete;
  } else if (progress != tftp::Progress::probed) {
    ++stats_.failed;
  }
  stats_.bytes += entry.transfer->acknowledged();
  entry.port->forget(entry);
  const auto of_client = per_client_.find(entry.client.with_port(0));
  if (of_client != per_client_.end() && --of_client->second == 0) per_client_.erase(of_client);
  // The callback may stop the service.
  auto node = transfers_.extract(entry.client);
  tell(entry, TftpEvent::Kind::ended);
}

void TftpService::tick() {
  timer_.after(executor_, kTick, [this] { tick(); });
  const MonoTime now = executor_.now();
  std::vector<net::InetAddress> due;
  for (const auto& [client, entry] : transfers_) {
    if (now >= entry->transfer->deadline()) due.push_back(client);
  }
  std::sort(due.begin(), due.end());
  for (const net::InetAddress& client : due) {
    const auto found = transfers_.find(client);
    if (found == transfers_.end()) continue;
    Entry& entry = *found->second;
    entry.transfer->tick(now);
    if (entry.transfer->progress() == tftp::Progress::running) {
      entry.port->make_ready(entry);
    } else {
      finish(entry);
      if (!running_) return;
    }
  }
  for (const auto& port : transfer_ports_) port->pump();
}

std::vector<TftpService::Running> TftpService::running() const {
  std::vector<Running> out;
  out.reserve(transfers_.size());
  for (const auto& [client, entry] : transfers_) {
    out.push_back({client, entry->path, entry->transfer->acknowledged(), entry->transfer->size()});
  }
  std::sort(out.begin(), out.end(),
            [](const Running& a, const Running& b) { return a.client < b.client; });
  return out;
}

std::vector<net::InetAddress> TftpService::bound() const {
  std::vector<net::InetAddress> out;
  for (const auto& port : request_ports_) out.push_back(port->socket->bound());
  return out;
}

}  // namespace drover::boot::io

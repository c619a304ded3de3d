#include "boot/io/netconsole_service.hpp"

#include "base/text.hpp"

#include <charconv>

namespace drover::boot::io {
namespace {

constexpr size_t kReceiveBuffer = size_t{4} << 20;  // a panic of many nodes at once
/// Syslog's facilities and levels: 24 times 8 (RFC 5424 section 6.2.1).
constexpr uint64_t kMostPriority = 191;

/// The number in front of `mark`, taken off `text`; nothing when there is none.
std::optional<uint64_t> number_before(std::string_view& text, std::string_view marks) {
  const size_t end = text.find_first_of(marks);
  if (end == std::string_view::npos || end == 0) return {};
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + end, value);
  if (error != std::errc{} || stop != text.data() + end) return {};
  text.remove_prefix(end + 1);
  return value;
}

/// Reads "6,339,5140900,-;text" as /dev/kmsg has it; leaves other text as it is.
std::string_view read_head(std::string_view text, NetconsoleLine& line) {
  const size_t end = text.find(';');
  if (end == std::string_view::npos) return text;
  std::string_view head = text.substr(0, end);
  const auto priority = number_before(head, ",");
  const auto sequence = priority ? number_before(head, ",") : std::nullopt;
  const auto uptime = sequence ? number_before(head, ",") : std::nullopt;
  if (!uptime || *priority > kMostPriority) return text;
  line.priority = static_cast<uint32_t>(*priority);
  line.sequence = sequence;
  line.uptime_us = uptime;
  return text.substr(end + 1);
}

}  // namespace

void read_netconsole(std::string_view packet, const NetconsoleLine& about,
                     Callback<void(const NetconsoleLine&)>& told) {
  bool extended = false;
  while (!packet.empty()) {
    const size_t end = packet.find('\n');
    NetconsoleLine line = about;
    line.continues = end == std::string_view::npos;
    const std::string_view raw = packet.substr(0, end);
    packet.remove_prefix(line.continues ? packet.size() : end + 1);
    // Of an extended message the further lines are its device's properties (printk-formats).
    if (extended && raw.starts_with(' ')) continue;
    std::string_view text = read_head(raw, line);
    extended = extended || line.priority.has_value();
    while (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;
    const std::string safe = printable(text);
    line.text = safe;
    told(line);
  }
}

class NetconsoleService::Port final : public net::DatagramHandler {
 public:
  explicit Port(NetconsoleService& service) : service_(service) {}
  void on_datagrams(std::span<const net::Datagram> batch) override {
    NetconsoleService& service = service_;
    for (const net::Datagram& datagram : batch) {
      service.take(datagram);
      if (!service.running_) return;
    }
  }
  std::unique_ptr<net::DatagramSocket> socket;

 private:
  NetconsoleService& service_;
};

NetconsoleService::NetconsoleService(Executor& executor, net::Net& net, Log log,
                                     NetconsoleServiceConfig config)
    : executor_(executor), net_(net), log_(log), config_(std::move(config)) {}

NetconsoleService::~NetconsoleService() {
  stop();
}

Status NetconsoleService::start() {
  if (running_) return {};
  running_ = true;
  std::vector<std::string> interfaces = config_.interfaces;
  if (interfaces.empty()) interfaces.emplace_back();
  for (const std::string& name : interfaces) {
    if (Status opened = open_port(false, name); !opened) {
      stop();
      return fail_in("opening the netconsole port", std::move(opened).error());
    }
    if (!config_.v6) continue;
    if (const Status opened = open_port(true, name); !opened) {
      log_.notice("netconsole is not heard over IPv6", {{"why", opened.error().text()}});
    }
  }
  return {};
}

Status NetconsoleService::open_port(bool v6, const std::string& interface) {
  auto port = std::make_unique<Port>(*this);
  net::DatagramOptions options;
  options.at = v6 ? net::InetAddress::v6({}, config_.port) : net::InetAddress::v4(0, config_.port);
  options.interface = interface;
  options.receive_buffer = kReceiveBuffer;
  DROVER_TRY(port->socket, net_.open_datagrams(options, *port));
  ports_.push_back(std::move(port));
  return {};
}

void NetconsoleService::stop() {
  running_ = false;
  ports_.clear();
}

Status NetconsoleService::reconfigure(NetconsoleServiceConfig config) {
  const bool same = config.port == config_.port && config.interfaces == config_.interfaces &&
                    config.v6 == config_.v6;
  config_ = std::move(config);
  if (same || !running_) return {};
  stop();
  return start();
}

void NetconsoleService::take(const net::Datagram& datagram) {
  ++packets_;
  if (!on_line_) return;
  NetconsoleLine about;
  about.from = datagram.from;
  about.interface = datagram.interface;
  about.at = executor_.wall();
  read_netconsole(datagram.bytes, about, on_line_);
}

std::vector<net::InetAddress> NetconsoleService::bound() const {
  std::vector<net::InetAddress> out;
  for (const auto& port : ports_) out.push_back(port->socket->bound());
  return out;
}

}  // namespace drover::boot::io

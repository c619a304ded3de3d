#include "daemons/boot/wire_services.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

boot::io::TftpServiceConfig tftp_config(const WireServicesConfig& config) {
  boot::io::TftpServiceConfig out;
  out.interfaces = config.interfaces;
  return out;
}

boot::io::DnsServiceConfig dns_config(const WireServicesConfig& config) {
  boot::io::DnsServiceConfig out;
  out.interfaces = config.interfaces;
  return out;
}

boot::io::NetconsoleServiceConfig netconsole_config(const WireServicesConfig& config) {
  boot::io::NetconsoleServiceConfig out;
  out.interfaces = config.interfaces;
  return out;
}

boot::io::RouterAdvertiserConfig advertiser_config(const WireServicesConfig& config) {
  boot::io::RouterAdvertiserConfig out;
  out.enabled = config.advertise;
  out.interfaces = config.interfaces;
  return out;
}

std::string_view first_label(std::string_view host) {
  return host.substr(0, host.find('.'));
}

}  // namespace

WireServices::WireServices(const Seams& seams, const Log& log, WireServicesConfig config,
                           const boot::tftp::Files& files, StageBook& stages, NodeLogs& logs)
    : log_(log),
      config_(std::move(config)),
      stages_(stages),
      logs_(logs),
      tftp_(seams.executor, seams.net, log.with("tftp"), tftp_config(config_), files),
      forwarder_(seams.executor, seams.net, seams.random, log.with("dns")),
      dns_(seams.executor, seams.net, log.with("dns"), dns_config(config_), hosts_),
      netconsole_(seams.executor, seams.net, log.with("netconsole"), netconsole_config(config_)),
      advertiser_(seams.executor, seams.net, log.with("ra"), advertiser_config(config_)) {
  tftp_.on_event([this](const boot::io::TftpEvent& event) { on_tftp(event); });
  netconsole_.on_line([this](const boot::io::NetconsoleLine& line) { on_line(line); });
}

Status WireServices::start() {
  if (config_.tftp) DROVER_CHECK_OK(tftp_.start());
  if (config_.netconsole) warn("kernel messages are not heard by UDP", netconsole_.start());
  warn("IPv6 router solicitations are not answered: iPXE waits 13 s for that", advertiser_.start());
  return {};
}

void WireServices::stop() {
  tftp_.stop();
  dns_.stop();
  forwarder_.stop();
  netconsole_.stop();
  advertiser_.stop();
}

void WireServices::serve(const boot::Site& site, const cluster::Model& model) {
  site_ = &site;
  model_ = &model;
  hosts_.use(site.hosts());
  networks_changed();
}

void WireServices::networks_changed() {
  if (!config_.dns || site_ == nullptr) return;
  boot::io::DnsServiceConfig config = dns_config(config_);
  config.zones = site_->zones();
  for (const auto& [name, defined] : model_->networks()) {
    if (const auto prefix = boot::Prefix4::parse(defined.value.prefix)) {
      config.clients4.push_back(*prefix);
    }
    if (const auto prefix = boot::Prefix6::parse(defined.value.prefix6)) {
      config.clients6.push_back(*prefix);
    }
  }
  Status served = dns_.reconfigure(std::move(config));
  if (served && !dns_started_) {
    served = dns_.start();
    dns_started_ = served.has_value();  // else the next change tries again
  }
  warn("names are not served", served);
}

void WireServices::advertise(boot::io::RouterAdvertiserConfig config) {
  const boot::io::RouterAdvertiserConfig own = advertiser_config(config_);
  config.enabled = own.enabled;
  config.interfaces = own.interfaces;
  warn("IPv6 router solicitations are not answered", advertiser_.reconfigure(std::move(config)));
}

void WireServices::forward_to(const std::vector<std::string>& servers) {
  constexpr uint16_t kPort = 53;
  std::vector<net::InetAddress> out;
  for (const std::string& server : servers) {
    auto address = net::InetAddress::parse(server);
    if (!address || address->is_any() || address->is_group()) {
      log_.warning("a name server cannot be asked", {{"server", server}});
      continue;
    }
    if (address->port == 0) address->port = kPort;
    out.push_back(*address);
  }
  forwarder_.use(std::move(out));
  dns_.forward_by(&forwarder_);
}

/// Who has an address, by the names of the site.
std::optional<std::string> WireServices::node_of(const net::InetAddress& address) const {
  if (site_ == nullptr || address.is_none()) return {};
  boot::Ipv6 v6;
  v6.bytes = address.octets;
  const boot::dns::Name reverse = address.is_v4()
                                      ? boot::dns::reverse_name(boot::Ipv4{address.v4_value()})
                                      : boot::dns::reverse_name(v6);
  const boot::dns::Records* records = site_->hosts().find(reverse);
  if (records == nullptr) return {};
  for (const boot::dns::Name& host : records->hosts) {
    std::string node(first_label(host.text()));
    if (model_->find(node) != nullptr) return node;
  }
  return {};
}

void WireServices::on_tftp(const boot::io::TftpEvent& event) {
  using Kind = boot::io::TftpEvent::Kind;
  const std::string client = event.client.host_text();
  std::string line = fmt::format("TFTP {}", event.path.empty() ? "request" : event.path);
  if (event.kind == Kind::refused) {
    line += fmt::format(": refused, {}", event.refusal ? text(*event.refusal) : "malformed");
  } else if (event.kind == Kind::ended) {
    line += fmt::format(": {}, {} of {} bytes, {} packets again", name(event.progress), event.bytes,
                        event.size, event.resent);
    if (!event.message.empty()) line += fmt::format(", client: {}", event.message);
  } else {
    line += ": begun";
  }
  const std::optional<std::string> node = node_of(event.client);
  if (!node) {
    if (event.kind != Kind::started) log_.info(line, {{"client", client}});
    return;
  }
  logs_.add(*node, LogSource::boot, line);
  if (event.kind == Kind::refused) return;
  const bool is_blob = event.path.starts_with("boot/blobs/");
  const auto phase = is_blob ? cluster::PhaseState::kernel : cluster::PhaseState::loader;
  if (event.kind == Kind::started) stages_.seen(*node, phase, line);
  stages_.progress(*node, is_blob ? "kernel" : "loader", event.bytes, event.size);
}

void WireServices::on_line(const boot::io::NetconsoleLine& line) {
  const std::optional<std::string> node = node_of(line.from);
  if (!node) {
    log_.debug("a kernel message of an unknown machine",
               {{"from", line.from.host_text()}, {"text", std::string(line.text)}});
    return;
  }
  if (!line.priority) return logs_.add(*node, LogSource::kernel, line.text);
  // As /dev/kmsg has it, so that what came by HTTP too is told once.
  logs_.add_kernel(*node, fmt::format("{},{},{},-;{}\n", *line.priority, line.sequence.value_or(0),
                                      line.uptime_us.value_or(0), line.text));
}

void WireServices::warn(std::string_view what, const Status& status) const {
  if (!status) log_.warning(what, {{"why", status.error().text()}});
}

}  // namespace drover::daemons

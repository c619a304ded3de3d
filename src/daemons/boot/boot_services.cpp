#include "daemons/boot/boot_services.hpp"

#include "daemons/boot/server_duid.hpp"
#include "daemons/boot/sighting.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::daemons {
namespace {

/// What a package calls a loader, and what machines are told.
struct LoaderName {
  std::string_view package;
  std::string_view ours;
};
#if defined(__x86_64__)
constexpr std::array<LoaderName, 2> kPlain{
    {{"snponly.efi", "snponly-x64.efi"}, {"ipxe.efi", "ipxe-x64.efi"}}};
constexpr std::array<LoaderName, 3> kSigned{{{"shimx64.efi.signed", "shimx64.efi"},
                                             {"grubnetx64.efi.signed", "grubx64.efi"},
                                             {"grubx64.efi.signed", "grubdiskx64.efi"}}};
#else
constexpr std::array<LoaderName, 2> kPlain{
    {{"snponly.efi", "snponly-arm64.efi"}, {"ipxe.efi", "ipxe-arm64.efi"}}};
constexpr std::array<LoaderName, 3> kSigned{{{"shimaa64.efi.signed", "shimaa64.efi"},
                                             {"grubnetaa64.efi.signed", "grubaa64.efi"},
                                             {"grubaa64.efi.signed", "grubdiskaa64.efi"}}};
#endif

/// Debian's package calls the loaders of its own architecture without naming that; clients are told
/// the names that iPXE's own builds have.
void name_as_ipxe_does(boot::LoaderShelf& loaders) {
  for (const LoaderName& name : kPlain) {
    const boot::LoaderFile* plain = loaders.find(name.package);
    if (plain != nullptr && loaders.find(name.ours) == nullptr) {
      loaders.put(std::string(name.ours), *plain->bytes);
    }
  }
}

/// Of their folders these files alone are read, which hold much else; the names are those by which
/// shim looks for GRUB, and one of ours for the GRUB that reads disks.
void add_signed(boot::LoaderShelf& loaders, Disk& disk, const std::vector<std::string>& folders) {
  for (const LoaderName& name : kSigned) {
    for (const std::string& folder : folders) {
      if (loaders.find(name.ours) != nullptr) break;
      auto bytes = disk.read_all(fmt::format("{}/{}", folder, name.package), boot::kLoaderBytes);
      if (bytes) loaders.put(std::string(name.ours), *std::move(bytes));
    }
  }
}

}  // namespace

BootServices::BootServices(Seams seams, const Log& log, BootServicesConfig config,
                           ModelReplica& replica, StageBook::Report report,
                           SightingBook::Report sighted, BootDesk::Enrol enrol,
                           BootDesk::Secrets secrets)
    : seams_(seams),
      log_(log),
      config_(std::move(config)),
      replica_(replica),
      stages_(seams.executor, std::move(report)),
      logs_(seams.executor, seams.disk, log, config_.state + "/logs", {}),
      sightings_(seams.executor, std::move(sighted)),
      desk_({seams.executor, seams.random, stages_, logs_, std::move(enrol), std::move(secrets)}),
      cloud_init_(desk_.tokens(), logs_, config_.cluster),
      blobs_(seams.executor, seams.disk, seams.random, log,
             {config_.images, config_.state + "/images"}, std::move(config_.get_blob)),
      http_(seams.executor, seams.net, log.with("http"), {config_.http, config_.https}, desk_,
            blobs_, loaders_),
      files_(loaders_, desk_, blobs_),
      wire_(seams, log,
            {config_.interfaces, config_.tftp, config_.dns, config_.netconsole, config_.advertise},
            files_, stages_, logs_) {
  site_options_.ca_sha256 = config_.ca_sha256;
  if (config_.publish_names) {
    names_ = std::make_unique<NameBoard>(seams_.executor, log_, site_options_.domain,
                                         std::move(config_.publish_names));
  }
}

BootServices::~BootServices() = default;

void CurrentMachines::ignore(const cluster::Model& model) {
  ignored_macs_.clear();
  for (const auto& [mac, machine] : model.unknown_machines()) {
    const auto hardware = boot::HardwareAddress::parse(mac);
    if (machine.ignored && hardware) ignored_macs_.insert(*hardware);
  }
}

Status BootServices::start(Callback<std::shared_ptr<net::Security>()> security) {
  if (Status filled = loaders_.fill(seams_.disk, config_.loaders); !filled) {
    return fail_in("reading the boot loaders", filled.error());
  }
  name_as_ipxe_does(loaders_);
  add_signed(loaders_, seams_.disk, config_.signed_loaders);
  if (loaders_.files().empty()) {
    log_.warning("there are no boot loaders",
                 {{"folder", fmt::format("{}", fmt::join(config_.loaders, " "))},
                  {"next", "apt install ipxe"}});
  }
  logs_.on_panic([this](const std::string& node, std::string_view why) { panicked(node, why); });
  http_.on_event([this](const boot::HttpBootEvent& event) { desk_.on_http(event); });
  http_.mount("cloud-init",
              [this](const net::HttpRequest& request, const net::Target& target,
                     const std::shared_ptr<net::HttpExchange>& exchange,
                     bool secure) { cloud_init_.answer(request, target, *exchange, secure); });
  DROVER_CHECK_OK(http_.start(std::move(security)));
  if (!http_.plain().empty()) site_options_.http_port = http_.plain().front().port;
  if (!http_.secure().empty()) site_options_.tls_port = http_.secure().front().port;
  for (const net::Endpoint& at : http_.plain()) {
    log_.notice("machines fetch scripts and kernels", {{"at", "http://" + at.text()}});
  }
  for (const net::Endpoint& at : http_.secure()) {
    log_.notice("booting nodes report and are enrolled", {{"at", "https://" + at.text()}});
  }
  if (config_.dhcp) DROVER_CHECK_OK(start_dhcp());
  DROVER_CHECK_OK(wire_.start());
  replica_.on_news([this](const ModelReplica::News& news) { on_news(news); });
  if (!replica_.is_blank()) serve_anew();
  return {};
}

// Without a model there is no network to serve: the ports are open, and nobody is answered.
Status BootServices::start_dhcp() {
  DROVER_TRY(leases_, boot::io::DiskLeaseJournal::open(seams_.executor, seams_.disk, config_.state,
                                                       log_.with("leases")));
  dhcp_ =
      std::make_unique<boot::io::DhcpService>(seams_.executor, seams_.net, log_.with("dhcp"),
                                              boot::io::DhcpServiceConfig{}, machines_, *leases_);
  dhcp_->on_event([this](const boot::io::DhcpEvent& event) { on_dhcp(event); });
  return dhcp_->start();
}

boot::io::DhcpServiceConfig BootServices::dhcp_config() const {
  boot::io::DhcpServiceConfig out;
  out.server = site_->dhcp_config();
  out.pools = site_->pools();
  out.reserved = site_->reserved();
  out.interfaces = config_.interfaces;
  return out;
}

template <typename Decision>
void BootServices::note(const Decision& decision, std::string_view packet) {
  const bool boots = decision.kind != boot::dhcp::ClientKind::plain;
  const std::string line =
      fmt::format("{} ({}): {}{}", packet, name(decision.kind), text(decision.outcome),
                  decision.address.is_zero() ? "" : " " + decision.address.text());
  if (decision.machine != nullptr && decision.machine->name.empty()) return;  // ignored
  if (decision.machine == nullptr) {
    log_.info("a machine that is not in the model", {{"packet", line}});
    return;
  }
  const std::string& node = decision.machine->name;
  logs_.add(node, LogSource::boot, line);
  if (boots && decision.reply) stages_.seen(node, cluster::PhaseState::dhcp, line);
}

void BootServices::on_dhcp(const boot::io::DhcpEvent& event) {
  const boot::dhcp::Decision& decision = event.decision;
  if (auto sighting = sighting_of(decision)) sightings_.seen(*std::move(sighting));
  note(decision,
       fmt::format("DHCP {} from {}", decision.request ? name(*decision.request) : "packet",
                   decision.hardware.text()));
}

void BootServices::on_dhcp6(const boot::io::Dhcp6Event& event) {
  const boot::dhcp6::Decision& decision = event.decision;
  note(decision,
       fmt::format("DHCPv6 {} from {}", decision.request ? name(*decision.request) : "packet",
                   decision.hardware ? decision.hardware->text() : event.from.host_text()));
}

void BootServices::follow_dhcp6() {
  boot::io::Dhcp6ServiceConfig config;
  config.server = site_->dhcp6_config();
  config.interfaces = config_.interfaces;
  boot::io::RouterAdvertiserConfig advertiser;
  for (const auto& subnet : config.server.subnets) advertiser.on_link.push_back(subnet.prefix);
  if (!config_.dhcp || config.server.subnets.empty()) {
    dhcp6_.reset();
    return wire_.advertise({});
  }
  if (duid_.empty()) {
    auto duid = boot_duid(seams_.disk, seams_.random, config_.state);
    if (!duid) return log_.error("DHCPv6 is not served", {{"why", duid.error().text()}});
    duid_ = *std::move(duid);
  }
  config.server.duid = duid_;
  config.server.key = address_key(config_.ca_sha256);
  Status served;
  if (dhcp6_) {
    served = dhcp6_->reconfigure(std::move(config));
  } else {
    dhcp6_ = std::make_unique<boot::io::Dhcp6Service>(
        seams_.executor, seams_.net, log_.with("dhcp6"), std::move(config), machines6_);
    dhcp6_->on_event([this](const boot::io::Dhcp6Event& event) { on_dhcp6(event); });
    served = dhcp6_->start();
  }
  if (!served) {
    dhcp6_.reset();
    log_.error("DHCPv6 is not served", {{"why", served.error().text()}});
  }
  advertiser.dhcp6 = dhcp6_ != nullptr;
  wire_.advertise(std::move(advertiser));
}

void BootServices::apply(const cluster::Settings& settings) {
  wire_.forward_to(settings.list("dns.upstreams"));
}

void BootServices::stop(Callback<void()> stopped) {
  if (dhcp_) dhcp_->stop();
  if (dhcp6_) dhcp6_->stop();
  wire_.stop();
  replica_.on_news(nullptr);
  blobs_.stop();
  http_.stop(std::chrono::milliseconds(500), std::move(stopped));
}

void BootServices::on_news(const ModelReplica::News& news) {
  if (news.all || site_ == nullptr) return serve_anew();
  follow(news.changes);
}

void BootServices::serve_anew() {
  if (config_.dns) find_own_addresses();
  images_ = std::make_unique<boot::ModelImages>(replica_.model());
  site_ = std::make_unique<boot::Site>(replica_.model(), *images_, site_options_);
  machines_.use(*site_);
  machines_.ignore(replica_.model());
  machines6_.use(site_->reservations6());
  desk_.serve(*site_, replica_.model());
  cloud_init_.serve(*site_, replica_.model());
  wire_.serve(*site_, replica_.model());
  if (names_) names_->use(replica_.model());
  images_changed();
  networks_changed();
}

// Machines are told to ask this daemon for names where their network says nobody; as of when the
// model was heard last, since an address that comes later is no reason to begin anew.
void BootServices::find_own_addresses() {
  site_options_.own_addresses.clear();
  site_options_.own_addresses6.clear();
  const auto interfaces = seams_.net.interfaces();
  if (!interfaces) return;
  const auto& chosen = config_.interfaces;
  for (const net::NetInterface& it : *interfaces) {
    const bool named = std::ranges::find(chosen, it.name) != chosen.end();
    if (!it.up || (chosen.empty() ? it.loopback : !named)) continue;
    for (const auto& own : it.addresses) {
      const net::InetAddress& address = own.address;
      if (address.is_v4()) site_options_.own_addresses.push_back({address.v4_value()});
      if (address.is_v6() && !address.is_link_local()) {
        site_options_.own_addresses6.push_back({address.octets});
      }
    }
  }
}

/// What nodes boot now is fetched before they ask; what they may go back to stays.
void BootServices::images_changed() {
  desk_.images_changed();
  std::set<std::string> wanted;
  std::set<std::string> known;
  for (const auto& [name, image] : replica_.model().images()) {
    const cluster::ImageVersion& current = image.value.current;
    wanted.insert(current.kernel.sha256);
    for (const auto& initrd : current.initrds) wanted.insert(initrd.sha256);
    if (current.root) wanted.insert(current.root->sha256);
    for (std::string& sha256 : cluster::blobs_of(image.value)) known.insert(std::move(sha256));
  }
  blobs_.follow(std::move(wanted), known);
}

// A node that is heard is not taken at the word of a datagram: its silence has to bear that out.
void BootServices::panicked(const std::string& node, std::string_view why) {
  const cluster::NodeEntry* entry = replica_.model().find(node);
  if (entry == nullptr) return;
  const std::string said = fmt::format("its kernel stopped while it was {}: {}",
                                       enum_name(entry->node().phase.state), why);
  panics_[node] = {said, seams_.executor.now()};
  if (stages_.boots(node)) stages_.failed(node, why);
}

void BootServices::fell_silent(const cluster::Node& node) {
  constexpr Duration kRecent = std::chrono::minutes(5);
  const auto said = panics_.find(node.name);
  if (said == panics_.end()) return;
  const bool recent = seams_.executor.now() - said->second.at < kRecent;
  if (recent) stages_.failed(node.name, said->second.why, node.phase.since);
  panics_.erase(said);
}

void BootServices::follow(std::span<const store::Change> changes) {
  const boot::Refreshed refreshed = site_->refresh(changes);
  if (names_) names_->follow(changes);
  bool images = false;
  for (const store::Change& change : changes) {
    images = images || change.kind == cluster::kImageKind;
    if (change.kind == cluster::kUnknownKind) {
      machines_.ignore(replica_.model());
      if (change.operation == store::Operation::erase) sightings_.forget(change.key);
    }
    if (change.kind != cluster::kNodeKind) continue;
    // A node that is up, or is none any more, is waited for no longer.
    const cluster::NodeEntry* entry = replica_.model().find(change.key);
    if (entry == nullptr || entry->node().phase.state == cluster::PhaseState::up) {
      stages_.ended(change.key);
    } else if (entry->node().phase.state == cluster::PhaseState::lost) {
      fell_silent(entry->node());
    }
  }
  if (images) images_changed();
  if (refreshed.networks || !refreshed.reserved.empty() || !refreshed.freed.empty()) {
    networks_changed();
  }
}

void BootServices::networks_changed() {
  for (const std::string& problem : site_->take_problems()) {
    log_.warning("a node cannot be served as it is defined", {{"why", problem}});
  }
  wire_.networks_changed();
  follow_dhcp6();
  if (!dhcp_) return;
  if (const Status taken = dhcp_->reconfigure(dhcp_config()); !taken) {
    log_.error("DHCP cannot serve the networks of the model", {{"why", taken.error().text()}});
  }
}

}  // namespace drover::daemons

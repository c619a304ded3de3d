#include "options/daemon_options.hpp"

#include "net/net.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/core.h>

namespace drover::options {
namespace {

Status check_endpoints(const std::string& text) {
  for (const std::string& part : split_config_list(text)) {
    DROVER_TRY([[maybe_unused]] const auto endpoint, net::Endpoint::parse(part));
  }
  return {};
}

/// An option that stands over the cluster setting of the same key on one host.
ConfigOption override_of(std::string_view key) {
  const cluster::SettingRow* row = cluster::find_setting(key);
  if (row == nullptr) std::abort();
  ConfigOption out = row->option;
  out.help = fmt::format("{} On this host, in place of the cluster's setting [{}]", out.help,
                         out.standard.empty() ? "none" : out.standard);
  out.standard.clear();
  out.live = row->live;
  return out;
}

std::vector<ConfigOption> common_options(std::string_view role) {
  return {
      {.key = "name",
       .help = role == "master" ? "this daemon's name [the host's]"
                                : "this daemon's name; drover join writes it",
       .required = role != "master"},
      {.key = "state",
       .type = ConfigType::path,
       .standard = fmt::format("/var/lib/drover/{}", role),
       .help = "folder for what must survive a restart",
       .required = true},
      {.key = "socket",
       .type = ConfigType::path,
       .standard = fmt::format("/run/drover/{}.sock", role),
       .help = "Unix socket of the local API; empty: none"},
      {.key = "log.format",
       .type = ConfigType::choice,
       .standard = "auto",
       .help = "form of the log; auto: journald under systemd, else text",
       .choices = {"auto", "text", "journald", "json"}},
      override_of("log.level"),
      override_of("log.levels"),
      override_of("tree.heartbeat"),
      override_of("tree.silence"),
  };
}

std::vector<ConfigOption> master_options() {
  return {
      {.key = "cluster",
       .standard = "drover",
       .help = "name of a new cluster, the first part of its id"},
      {.key = "tree.listen",
       .type = ConfigType::list,
       .standard = "0.0.0.0:9815,[::]:9815",
       .help = "endpoints where aggregators and utility daemons dial",
       .rule = check_endpoints},
      {.key = "tree.advertise",
       .type = ConfigType::list,
       .help = "endpoints that joining daemons are told [tree.listen with this host's addresses]",
       .rule = check_endpoints},
      {.key = "http.listen",
       .type = ConfigType::list,
       .standard = "0.0.0.0:9443,[::]:9443",
       .help = "endpoints of the HTTPS API",
       .rule = check_endpoints},
      {.key = "images",
       .type = ConfigType::path,
       .standard = "/var/lib/drover/images",
       .help = "folder of the images' contents, which boot daemons of other hosts fetch from here"},
      {.key = "tls.trust",
       .type = ConfigType::path,
       .standard = "/etc/ssl/certs/ca-certificates.crt",
       .help = "CAs of the servers that issuers' keys are fetched from, PEM"},
      {.key = "hooks",
       .type = ConfigType::path,
       .standard = "/etc/drover/node_up.d",
       .help = "folder of programs NN-NAME that run for each node that is about to be up; empty: "
               "none"},
      {.key = "hooks.timeout",
       .type = ConfigType::duration,
       .standard = "60s",
       .help = "longest time of one of them",
       .least = 100,
       .most = 3'600'000},
      override_of("api.rate"),
      override_of("api.burst"),
      override_of("tree.hold"),
      override_of("tree.grace"),
      override_of("certificate.lifetime"),
  };
}

ConfigOption cluster_option() {
  return {.key = "cluster", .help = "id of the cluster; drover join writes it", .required = true};
}

std::vector<ConfigOption> aggregator_options() {
  return {
      cluster_option(),
      {.key = "listen",
       .type = ConfigType::list,
       .standard = "0.0.0.0:9800,[::]:9800",
       .help = "endpoints where computes dial",
       .rule = check_endpoints},
      {.key = "advertise",
       .type = ConfigType::list,
       .help = "endpoints that computes are told to dial [listen with this host's addresses]",
       .rule = check_endpoints},
      {.key = "masters",
       .type = ConfigType::list,
       .help = "endpoints of the masters; drover join writes them",
       .rule = check_endpoints,
       .required = true},
  };
}

std::vector<ConfigOption> utility_options() {
  return {
      cluster_option(),
      {.key = "masters",
       .type = ConfigType::list,
       .help = "endpoints of the masters: one is used, the others are fallbacks",
       .rule = check_endpoints,
       .required = true},
      override_of("telemetry.interval"),
  };
}

std::vector<ConfigOption> compute_options() {
  return {
      cluster_option(),
      {.key = "aggregators",
       .type = ConfigType::list,
       .help = "endpoints of any aggregators; the master decides which two serve the node",
       .rule = check_endpoints,
       .required = true},
      {.key = "spool",
       .type = ConfigType::boolean,
       .standard = "true",
       .help = "keep unacknowledged records on disk; off on diskless nodes"},
      override_of("telemetry.interval"),
  };
}

std::vector<ConfigOption> boot_options() {
  return {
      cluster_option(),
      {.key = "masters",
       .type = ConfigType::list,
       .help = "endpoints of the masters: one is used, the others are fallbacks",
       .rule = check_endpoints,
       .required = true},
      {.key = "interfaces",
       .type = ConfigType::list,
       .help = "network interfaces that machines boot through [all with an address in a network "
               "of the model]"},
      {.key = "http.listen",
       .type = ConfigType::list,
       .standard = "0.0.0.0:8080,[::]:8080",
       .help = "endpoints where firmware and loaders fetch scripts, kernels and images",
       .rule = check_endpoints},
      {.key = "https.listen",
       .type = ConfigType::list,
       .standard = "0.0.0.0:8443,[::]:8443",
       .help = "endpoints where booting nodes report and are enrolled, TLS",
       .rule = check_endpoints},
      {.key = "dhcp",
       .type = ConfigType::boolean,
       .standard = "true",
       .help =
           "answer DHCP on the networks of the model, and DHCPv6 where they have an IPv6 prefix"},
      {.key = "tftp",
       .type = ConfigType::boolean,
       .standard = "true",
       .help = "serve the loaders by TFTP"},
      {.key = "dns",
       .type = ConfigType::boolean,
       .standard = "true",
       .help = "answer for the names of nodes and BMCs, port 53"},
      {.key = "netconsole",
       .type = ConfigType::boolean,
       .standard = "true",
       .help = "take kernel messages by UDP, port 6666"},
      {.key = "advertise",
       .type = ConfigType::boolean,
       .standard = "true",
       .help = "answer IPv6 router solicitations with \"no router\", which iPXE waits 13 s for"},
      {.key = "loaders",
       .type = ConfigType::path,
       .standard = "/usr/lib/ipxe",
       .help = "folder of the boot loaders: undionly.kpxe, ipxe.efi, snponly.efi"},
      {.key = "signed_loaders",
       .type = ConfigType::list,
       .standard = "/usr/lib/shim,/usr/lib/grub/x86_64-efi-signed,/usr/lib/grub/arm64-efi-signed",
       .help = "folders of shim and GRUB as the distribution signs them, for Secure Boot and for "
               "disks that start by themselves"},
      {.key = "images",
       .type = ConfigType::path,
       .standard = "/var/lib/drover/images",
       .help = "folder of the images' contents"},
  };
}

struct Program {
  std::string_view role;
  std::string_view summary;
  std::vector<ConfigOption> (*own)();
};

constexpr std::array<Program, 5> kPrograms{{
    {"master", "Opens the database, serves the API, decides about paths.", master_options},
    {"aggregator", "Holds the links of its compute nodes: liveness, fan-out and fold, spool.",
     aggregator_options},
    {"utility", "The daemon of a login or launch node: local API, inventory, telemetry.",
     utility_options},
    {"compute", "The agent of a compute node: inventory, heartbeat, telemetry, calls.",
     compute_options},
    {"boot", "Boots nodes over the network: DHCP, TFTP, HTTP, boot scripts, enrolment.",
     boot_options},
}};

constexpr std::array<std::string_view, 5> kRoles{"master", "aggregator", "utility", "compute",
                                                 "boot"};

}  // namespace

std::span<const std::string_view> daemon_roles() {
  return kRoles;
}

const ConfigTable* daemon_table(std::string_view role) {
  static const std::vector<ConfigTable> tables = [] {
    std::vector<ConfigTable> out;
    for (const Program& program : kPrograms) {
      std::vector<ConfigOption> all = common_options(program.role);
      for (ConfigOption& option : program.own()) all.push_back(std::move(option));
      out.emplace_back(fmt::format("drover-{}", program.role), std::string(program.summary),
                       std::move(all));
    }
    return out;
  }();
  const auto it = std::find(kRoles.begin(), kRoles.end(), role);
  return it == kRoles.end() ? nullptr : &tables[static_cast<size_t>(it - kRoles.begin())];
}

std::string standard_file(std::string_view role) {
  return fmt::format("/etc/drover/{}.toml", role);
}

cluster::Settings::Values own_settings(const Config& config) {
  cluster::Settings::Values out;
  for (const ConfigValue& value : config.values()) {
    if (value.origin == ConfigOrigin::standard) continue;
    if (cluster::find_setting(value.key) != nullptr) out[value.key] = value.text;
  }
  return out;
}

}  // namespace drover::options

// What drover-boot serves beside DHCP and HTTP: loaders by TFTP, names, kernel messages, and
// answers to firmware that looks for IPv6 routers.
#pragma once

#include "boot/io/dns_forwarder.hpp"
#include "boot/io/dns_service.hpp"
#include "boot/io/netconsole_service.hpp"
#include "boot/io/router_advertiser.hpp"
#include "boot/io/tftp_service.hpp"
#include "boot/site/site.hpp"
#include "cluster/model.hpp"
#include "daemons/boot/node_logs.hpp"
#include "daemons/boot/stage_book.hpp"
#include "daemons/seams.hpp"

#include <optional>
#include <string>
#include <vector>

namespace drover::daemons {

struct WireServicesConfig {
  std::vector<std::string> interfaces;  ///< empty: all
  bool tftp = true;
  bool dns = true;
  bool netconsole = true;
  bool advertise = true;  ///< answer router solicitations
};

/// The names of a site that may be exchanged for another while it is used.
class CurrentHosts final : public boot::dns::Table {
 public:
  void use(const boot::dns::Table& hosts) { hosts_ = &hosts; }
  [[nodiscard]] const boot::dns::Records* find(const boot::dns::Name& name) const override {
    return hosts_ == nullptr ? nullptr : hosts_->find(name);
  }
  [[nodiscard]] bool has_below(const boot::dns::Name& name) const override {
    return hosts_ != nullptr && hosts_->has_below(name);
  }

 private:
  const boot::dns::Table* hosts_ = nullptr;
};

/// One executor's thread. What is referred to outlives it.
class WireServices {
 public:
  WireServices(const Seams& seams, const Log& log, WireServicesConfig config,
               const boot::tftp::Files& files, StageBook& stages, NodeLogs& logs);

  /// Fails when TFTP cannot be served; of the others, which firmware can do without, it warns.
  Status start();
  void stop();
  /// The site as it is now; both stay until the next call. Names are served from the first on.
  void serve(const boot::Site& site, const cluster::Model& model);
  /// The site's networks are others, and with them the zones.
  void networks_changed();
  /// What routers' solicitations are answered; `interfaces` and `enabled` are this daemon's own.
  void advertise(boot::io::RouterAdvertiserConfig config);
  /// The name servers that are asked what the cluster's zones do not have, "ADDRESS[:PORT]" each.
  void forward_to(const std::vector<std::string>& servers);

 private:
  [[nodiscard]] std::optional<std::string> node_of(const net::InetAddress& address) const;
  void on_tftp(const boot::io::TftpEvent& event);
  void on_line(const boot::io::NetconsoleLine& line);
  void warn(std::string_view what, const Status& status) const;

  Log log_;
  WireServicesConfig config_;
  StageBook& stages_;
  NodeLogs& logs_;
  CurrentHosts hosts_;
  const boot::Site* site_ = nullptr;
  const cluster::Model* model_ = nullptr;
  boot::io::TftpService tftp_;
  boot::io::DnsForwarder forwarder_;
  boot::io::DnsService dns_;
  boot::io::NetconsoleService netconsole_;
  boot::io::RouterAdvertiser advertiser_;
  bool dns_started_ = false;
};

}  // namespace drover::daemons

// All that drover-boot serves to machines, in step with the model: DHCP, TFTP, HTTP, kernel
// messages.
#pragma once

#include "boot/image/blob_store.hpp"
#include "boot/io/dhcp6_service.hpp"
#include "boot/io/dhcp_service.hpp"
#include "boot/io/http_boot_service.hpp"
#include "boot/io/loader_shelf.hpp"
#include "boot/site/site.hpp"
#include "daemons/boot/blob_fetcher.hpp"
#include "daemons/boot/boot_desk.hpp"
#include "daemons/boot/cloud_init_desk.hpp"
#include "daemons/boot/node_logs.hpp"
#include "daemons/boot/sighting_book.hpp"
#include "daemons/boot/stage_book.hpp"
#include "daemons/boot/tftp_files.hpp"
#include "daemons/boot/wire_services.hpp"
#include "daemons/name_board.hpp"
#include "daemons/replica/model_replica.hpp"
#include "daemons/seams.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace drover::daemons {

struct BootServicesConfig {
  std::vector<net::Endpoint> http;
  std::vector<net::Endpoint> https;
  std::vector<std::string> loaders;              ///< folders
  std::vector<std::string> signed_loaders = {};  ///< folders of shim and GRUB
  std::string images;                            ///< folder of the blobs
  std::string state;                             ///< leases and logs
  std::vector<std::string> interfaces;           ///< to serve DHCP on; empty: all
  std::string ca_sha256;
  std::string cluster;  ///< its name, for cloud-init
  bool dhcp = true;
  bool tftp = true;
  bool dns = true;
  bool netconsole = true;
  bool advertise = true;  ///< answer IPv6 router solicitations
  /// Puts the file of the nodes' names in its place; empty: there is none.
  NameBoard::Publish publish_names = nullptr;
  /// Asks a master for files of images.
  BlobFetcher::Get get_blob = nullptr;
};

/// The machines of a site that may be exchanged for another while it is used.
class CurrentMachines final : public boot::dhcp::ReservationView {
 public:
  CurrentMachines() { ignored_.ignored = true; }
  void use(const boot::dhcp::ReservationView& machines) { machines_ = &machines; }
  /// Machines of no node that are answered nothing: those that the model says so of.
  void ignore(const cluster::Model& model);
  [[nodiscard]] const boot::dhcp::Reservation* by_hardware(
      const boot::HardwareAddress& address) const override {
    if (machines_ == nullptr) return nullptr;
    const boot::dhcp::Reservation* known = machines_->by_hardware(address);
    return known == nullptr && ignored_macs_.contains(address) ? &ignored_ : known;
  }
  [[nodiscard]] const boot::dhcp::Reservation* by_client_id(
      std::string_view client_id) const override {
    return machines_ == nullptr ? nullptr : machines_->by_client_id(client_id);
  }
  [[nodiscard]] const boot::dhcp::Reservation* by_port(std::string_view circuit_id,
                                                       std::string_view remote_id) const override {
    return machines_ == nullptr ? nullptr : machines_->by_port(circuit_id, remote_id);
  }

 private:
  const boot::dhcp::ReservationView* machines_ = nullptr;
  boot::dhcp::Reservation ignored_;  ///< without a name
  std::set<boot::HardwareAddress> ignored_macs_;
};

/// The same for DHCPv6.
class CurrentMachines6 final : public boot::dhcp6::ReservationView {
 public:
  void use(const boot::dhcp6::ReservationView& machines) { machines_ = &machines; }
  [[nodiscard]] const boot::dhcp6::Reservation* by_hardware(
      const boot::HardwareAddress& address) const override {
    return machines_ == nullptr ? nullptr : machines_->by_hardware(address);
  }
  [[nodiscard]] const boot::dhcp6::Reservation* by_uuid(std::string_view uuid) const override {
    return machines_ == nullptr ? nullptr : machines_->by_uuid(uuid);
  }
  [[nodiscard]] const boot::dhcp6::Reservation* by_duid(std::string_view duid) const override {
    return machines_ == nullptr ? nullptr : machines_->by_duid(duid);
  }
  [[nodiscard]] const boot::dhcp6::Reservation* by_port(std::string_view interface_id,
                                                        std::string_view remote) const override {
    return machines_ == nullptr ? nullptr : machines_->by_port(interface_id, remote);
  }

 private:
  const boot::dhcp6::ReservationView* machines_ = nullptr;
};

/// One executor's thread. start() once, stop() once.
class BootServices {
 public:
  BootServices(Seams seams, const Log& log, BootServicesConfig config, ModelReplica& replica,
               StageBook::Report report, SightingBook::Report sighted, BootDesk::Enrol enrol,
               BootDesk::Secrets secrets);
  ~BootServices();

  /// Opens every listener; the error names the one that cannot be. `security` is asked for each TLS
  /// connection: the daemon's own certificate, clients without one.
  Status start(Callback<std::shared_ptr<net::Security>()> security);
  void stop(Callback<void()> stopped);

  /// A way to a master is there, or gone.
  void way_up(bool there) { blobs_.way_up(there); }
  /// The cluster's settings are others.
  void apply(const cluster::Settings& settings);

  [[nodiscard]] StageBook& stages() { return stages_; }
  [[nodiscard]] NodeLogs& logs() { return logs_; }
  /// Every dynamic address ever used, by address.
  [[nodiscard]] std::vector<boot::dhcp::Lease> leases() const {
    return dhcp_ == nullptr ? std::vector<boot::dhcp::Lease>() : dhcp_->leases().snapshot();
  }

 private:
  void on_news(const ModelReplica::News& news);
  void serve_anew();
  void find_own_addresses();
  void images_changed();
  void follow(std::span<const store::Change> changes);
  void networks_changed();
  void panicked(const std::string& node, std::string_view why);
  /// The cluster calls a node lost: if its kernel had said why, so says its phase.
  void fell_silent(const cluster::Node& node);
  Status start_dhcp();
  void on_dhcp(const boot::io::DhcpEvent& event);
  [[nodiscard]] boot::io::DhcpServiceConfig dhcp_config() const;
  /// Serves DHCPv6 where a network has an IPv6 prefix; opens the port when there is a first one.
  void follow_dhcp6();
  void on_dhcp6(const boot::io::Dhcp6Event& event);
  template <typename Decision>
  void note(const Decision& decision, std::string_view packet);

  /// Last words of nodes that were on no boot.
  struct Panic {
    std::string why;
    MonoTime at{};
  };

  Seams seams_;
  Log log_;
  BootServicesConfig config_;
  ModelReplica& replica_;
  StageBook stages_;
  NodeLogs logs_;
  SightingBook sightings_;
  std::map<std::string, Panic> panics_;
  BootDesk desk_;
  CloudInitDesk cloud_init_;
  boot::LoaderShelf loaders_;
  BlobFetcher blobs_;
  boot::SiteOptions site_options_;
  std::unique_ptr<boot::ModelImages> images_;
  std::unique_ptr<boot::Site> site_;
  boot::HttpBootService http_;
  CurrentMachines machines_;
  std::unique_ptr<boot::io::DiskLeaseJournal> leases_;
  std::unique_ptr<boot::io::DhcpService> dhcp_;
  std::string duid_;  ///< this server's, from the state folder
  CurrentMachines6 machines6_;
  std::unique_ptr<boot::io::Dhcp6Service> dhcp6_;
  TftpFiles files_;
  WireServices wire_;
  std::unique_ptr<NameBoard> names_;
};

}  // namespace drover::daemons

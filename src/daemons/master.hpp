// drover-master: the only process that opens the database; serves the API and decides.
#pragma once

#include "api/master_api.hpp"
#include "api/power_sight.hpp"
#include "api/services.hpp"
#include "api/smd/notifier.hpp"
#include "auth/access_control.hpp"
#include "auth/assertion.hpp"
#include "auth/audit.hpp"
#include "auth/authenticator.hpp"
#include "auth/enrolment.hpp"
#include "auth/policy.hpp"
#include "cluster/model.hpp"
#include "daemons/blob_door.hpp"
#include "daemons/boot_doors.hpp"
#include "daemons/console_desk.hpp"
#include "daemons/jwks_fetcher.hpp"
#include "daemons/master_tree.hpp"
#include "daemons/name_board.hpp"
#include "daemons/nodeup/node_up_desk.hpp"
#include "daemons/seams.hpp"
#include "daemons/webhook_poster.hpp"
#include "hardware/ipmi/ipmi_tool.hpp"
#include "hardware/redfish/bmc_ground.hpp"
#include "net/http/http_server.hpp"
#include "os/host_addresses.hpp"
#include "store/file_archive.hpp"
#include "store/retention.hpp"
#include "store/store.hpp"
#include "telemetry/latest.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

struct MasterConfig {
  tree::Introduction self;
  std::vector<net::Endpoint> tree_listen;  ///< where aggregators and utilities dial
  std::vector<net::Endpoint>
      tree_advertise;                      ///< what joining daemons are told; empty: the bound ones
  std::vector<os::HostAddress> host;       ///< stand for 0.0.0.0 and [::] among the bound ones
  std::vector<net::Endpoint> http_listen;  ///< HTTPS
  std::string socket;                      ///< local API; empty: none
  bool must_have_socket = true;            ///< false: go without when it cannot be opened
  std::string audit_dir;                   ///< where who changed what is written; empty: nowhere
  std::string state;                       ///< the master's folder, for backups
  std::string images;                      ///< folder of the images' files
  std::string history_dir;                 ///< where old changes go; empty: they are all kept
  std::string trust_path;  ///< CAs of issuers' servers, PEM; used where an issuer names none
  Timing timing;
  SettingsBoard::Values own_settings = {};  ///< settings that were given to this master itself
  api::DaemonControl* control = nullptr;
  const auth::SecretBox* secrets = nullptr;  ///< outlives the master; null: it keeps none
  std::string hooks;                         ///< folder of node_up hooks; empty: there are none
  Duration hook_timeout = std::chrono::seconds(60);
  uint32_t own_uid = 0;
  Callback<std::string(uint32_t uid)> user_name;
  /// Groups of a login name, for the permissions of nodes; empty: none are known.
  api::NodeAuthority::GroupsOf groups_of;
  /// Puts the file of the nodes' names in its place; empty: there is none.
  NameBoard::Publish publish_names = nullptr;
};

/// What the master stands on beside the seams; all outlive it.
struct MasterParts {
  store::Store& store;
  const auth::Authority& authority;
  auth::SigningKeys signing_keys;
  auth::AssertionVerifier& verifier;
  /// For links: peers must show a certificate.
  Callback<std::shared_ptr<net::Security>()> tree_security;
  /// For HTTPS: a client may come without one, to join.
  Callback<std::shared_ptr<net::Security>()> http_security;
  /// By which consoles behind BMCs are reached; null: they are not.
  hardware::ConsolePrograms* console_programs = nullptr;
};

/// One executor's thread. start() once, stop() once.
class Master final : public api::CallService,
                     public api::HealthSource,
                     public api::MetricsSource,
                     public api::LocalSource,
                     public api::AuditSource {
 public:
  Master(Seams seams, MasterConfig config, MasterParts parts);
  ~Master() override;

  Status start();
  void stop(Callback<void()> stopped);

  [[nodiscard]] cluster::Model& model() { return model_; }
  [[nodiscard]] MasterTree& tree() { return *tree_; }
  /// Answers while this process can do work.
  [[nodiscard]] Worker& worker() { return *worker_; }
  [[nodiscard]] auth::Enrolment& enrolment() { return enrolment_; }
  [[nodiscard]] const std::vector<net::Endpoint>& http_endpoints() const { return http_bound_; }
  [[nodiscard]] const std::vector<net::Endpoint>& tree_endpoints() const { return tree_bound_; }

 private:
  Status start(tree::CallSpec spec, Progress progress,
               Callback<void(tree::CallReport)> done) override;
  Status cancel(const std::string& id) override;
  cluster::HealthFacts health_facts() override;
  std::optional<api::NodeMetrics> latest(std::string_view node) override;
  api::LocalView local() override;
  void read_audit(auth::AuditQuery query, Callback<void(Result<auth::AuditPage>)> done) override;

  Status admit(const tree::Introduction& peer, const std::string& key_sha256);
  void on_node(const cluster::Model::NodeEvent& event);
  /// Keeps what joining daemons are told current: aggregators by their hellos, this master by
  /// itself.
  void note_listens(const std::string& role, const std::string& name,
                    std::vector<std::string> listens);
  void serve(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange);
  Status listen_http();
  void start_node_up();
  [[nodiscard]] api::PowerServices power_services();
  void start_power();
  Status start_consoles();
  void start_retention();
  void apply_settings(const cluster::Settings& settings);
  [[nodiscard]] cluster::Settings settings_at_start() const;

  Seams seams_;
  MasterConfig config_;
  MasterParts parts_;
  Log log_;
  std::unique_ptr<Worker> worker_;
  cluster::Model model_;
  store::Subscription feed_;
  auth::Enrolment enrolment_;
  JwksFetcher jwks_;
  WebhookPoster webhooks_;
  auth::AccessControl access_;
  auth::Authenticator authenticator_;
  telemetry::Latest metrics_;
  std::unique_ptr<MasterTree> tree_;
  std::unique_ptr<BootDoors> boot_doors_;
  std::unique_ptr<HookRunner> hooks_;
  std::unique_ptr<OverlayDesk> overlays_;
  std::unique_ptr<NodeUpDesk> node_up_;
  std::unique_ptr<api::smd::ScnNotifier> notifier_;
  std::unique_ptr<Worker> audit_worker_;
  std::unique_ptr<auth::AuditLog> audit_;
  std::unique_ptr<NameBoard> names_;
  BlobDoor blobs_;
  store::HistoryLimits history_;
  std::unique_ptr<store::Retention> retention_;
  std::unique_ptr<hardware::BmcGround> bmcs_;
  std::unique_ptr<hardware::IpmiTool> ipmi_;
  std::unique_ptr<api::PowerSight> sight_;
  std::unique_ptr<ConsoleDesk> consoles_;
  std::unique_ptr<api::MasterApi> api_;
  std::unique_ptr<net::HttpServer> server_;       ///< HTTPS and the local socket
  std::unique_ptr<net::HttpServer> tree_server_;  ///< requests forwarded over the tree
  std::vector<net::Endpoint> tree_bound_;
  std::vector<net::Endpoint> http_bound_;
  WallTime started_{};
};

}  // namespace drover::daemons

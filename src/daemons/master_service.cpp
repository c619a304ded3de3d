// drover-master as a program.
#include "auth/authority.hpp"
#include "auth/identity.hpp"
#include "auth/rotation.hpp"
#include "daemons/master.hpp"
#include "daemons/services.hpp"
#include "daemons/startup.hpp"
#include "options/daemon_options.hpp"
#include "os/boot_id.hpp"
#include "os/user_name.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/core.h>
#include <unistd.h>

namespace drover::daemons {
namespace {

/// The cluster's id: chosen at the first start and kept in "<state>/cluster".
Result<std::string> cluster_id(Program& program) {
  const std::string path = program.config.text("state") + "/cluster";
  if (auto text = program.seams.disk.read_all(path, 256); text) {
    while (!text->empty() && text->back() == '\n') text->pop_back();
    if (text->empty()) return fail(Code::corrupt, path + " is empty", "restore it from a backup");
    return std::move(*text);
  }
  std::string id =
      fmt::format("{}-{}", program.config.text("cluster"), program.seams.random.hex(4));
  DROVER_CHECK_OK(program.seams.disk.write_atomic(path, id + "\n", 0644));
  return id;
}

class MasterService final : public Service {
 public:
  explicit MasterService(Program& program)
      : program_(program),
        log_(program.seams.log, "master"),
        worker_(program.seams.executor.make_worker("identity")),
        console_programs_(program.loop) {}

  Status start() override {
    const Config& config = program_.config;
    const std::string& state = config.text("state");
    DROVER_TRY(const std::string cluster, cluster_id(program_));
    const std::string name = config.text("name").empty() ? os::host_name() : config.text("name");
    DROVER_TRY(store_, store::open_sqlite(program_.seams.executor, program_.seams.disk,
                                          log_.with("store"), state + "/drover.db", {}));
    DROVER_TRY(authority_, auth::CertificateAuthority::open_or_create(
                               program_.seams.disk, program_.seams.random, state + "/ca", cluster,
                               program_.seams.executor.wall()));
    DROVER_CHECK_OK(start_identity(cluster, name));
    DROVER_TRY(auto trust, auth::Trust::from_pem(authority_->ca_pem()));
    DROVER_TRY(auto signing_keys,
               auth::SigningKeys::open_or_create(program_.seams.disk, state + "/signing",
                                                 program_.seams.executor.wall()));
    verifier_ = std::make_unique<auth::CertificateVerifier>(program_.seams.executor,
                                                            std::move(trust), cluster);
    MasterConfig master;
    DROVER_TRY(master.self, introduce(program_.seams, state, cluster, tree::Role::master, name));
    DROVER_TRY(master.tree_listen, endpoints_of(config, "tree.listen"));
    DROVER_TRY(master.tree_advertise, endpoints_of(config, "tree.advertise"));
    master.host = os::host_addresses();
    DROVER_TRY(master.http_listen, endpoints_of(config, "http.listen"));
    const LocalSocket socket = local_socket(config, program_.seams.disk, log_);
    master.socket = socket.path;
    master.must_have_socket = socket.must;
    master.publish_names = names_beside(socket.path, "master");
    master.audit_dir = state + "/audit";
    master.state = state;
    master.images = config.text("images");
    master.history_dir = state + "/history";
    master.own_settings = options::own_settings(config);
    master.control = &program_.control;
    DROVER_TRY(secrets_, auth::SecretBox::open_or_create(program_.seams.disk, program_.seams.random,
                                                         state + "/secrets"));
    master.secrets = &*secrets_;
    master.hooks = config.text("hooks");
    master.hook_timeout = config.duration("hooks.timeout");
    master.trust_path = config.text("tls.trust");
    master.own_uid = getuid();
    master.user_name = [](uint32_t uid) { return os::user_name(uid); };
    master.groups_of = [](const std::string& user, uint32_t gid) {
      return os::group_names(user, gid);
    };
    master_ = std::make_unique<Master>(
        program_.seams, std::move(master),
        MasterParts{*store_, *authority_, std::move(signing_keys), *verifier_,
                    [this] { return tree_security_; }, [this] { return http_security_; },
                    &console_programs_});
    DROVER_CHECK_OK(master_->start());
    master_->tree().settings().on_change([this](const cluster::Settings& settings) {
      master_->enrolment().set_lifetime(settings.duration("certificate.lifetime"));
      program_.logs.configured(settings, options::own_settings(program_.config));
    });
    for (const net::Endpoint& endpoint : master_->http_endpoints()) {
      log_.notice("the API listens", {{"at", "https://" + endpoint.text()}});
    }
    return {};
  }

  void reload() override {
    master_->tree().settings().set_own(options::own_settings(program_.config));
  }

  std::vector<Worker*> workers() override { return {&master_->worker()}; }

  void stop(Callback<void()> stopped) override { master_->stop(std::move(stopped)); }

  [[nodiscard]] std::string status() const override {
    return fmt::format("serving {} nodes", master_->model().nodes().size());
  }

 private:
  Status start_identity(const std::string& cluster, const std::string& name) {
    auth::Rotation::Options options;
    options.dir = program_.config.text("state") + "/identity";
    options.uri = tree::certificate_uri(cluster, "master", name);
    options.name = name;
    rotation_ = std::make_unique<auth::Rotation>(
        program_.seams.executor, *worker_, program_.seams.random, program_.seams.disk, tool_, log_,
        std::move(options), [this, name](const std::string& csr, auto answer) {
          auth::RenewRequest request;
          request.role = "master";
          request.name = name;
          request.csr_pem = csr;
          request.dns_names = {"localhost", name};
          request.ip_addresses = {"127.0.0.1", "::1"};
          master_->enrolment().renew(
              std::move(request),
              [answer = std::move(answer)](const Result<auth::Admission>& admitted) mutable {
                if (!admitted) {
                  answer(tl::unexpected<Error>(admitted.error()));
                } else {
                  answer(auth::Rotation::Renewed{admitted->certificate_pem, admitted->ca_pem});
                }
              });
        });
    if (Status loaded = rotation_->start(); !loaded) {
      if (loaded.error().code != Code::not_found) return loaded;
      DROVER_TRY(const auth::Identity identity, first_identity(cluster, name));
      DROVER_CHECK_OK(rotation_->start_with(identity));
    }
    rotation_->on_change([this](const auth::Identity&, const auth::IdentityFacts&) {
      if (const Status used = use_identity(); !used) {
        log_.error("the new certificate cannot be used", {{"why", used.error().text()}});
      }
    });
    return use_identity();
  }

  /// The first master signs its own certificate: it is the cluster's authority.
  Result<auth::Identity> first_identity(const std::string& cluster, const std::string& name) {
    auth::Identity identity;
    DROVER_TRY(identity.key_pem, tool_.make_key());
    auth::IssueRequest request;
    DROVER_TRY(request.csr_pem, tool_.make_csr(identity.key_pem, name));
    request.cluster = cluster;
    request.role = "master";
    request.name = name;
    request.dns_names = {"localhost", name};
    request.ip_addresses = {"127.0.0.1", "::1"};
    request.serial = auth::draw_serial(program_.seams.random);
    request.now = program_.seams.executor.wall();
    request.lifetime =
        cluster::Settings(options::own_settings(program_.config)).duration("certificate.lifetime");
    DROVER_TRY(auto issued, authority_->issue(request));
    identity.certificate_pem = std::move(issued.certificate_pem);
    identity.ca_pem = authority_->ca_pem();
    return identity;
  }

  Status use_identity() {
    net::SecurityConfig config = rotation_->security();
    DROVER_TRY(tree_security_, program_.seams.net.make_security(config));
    config.verify_peer = false;  // a host that joins has no certificate yet
    config.certificate_pem +=
        config.trust_pem;  // a host that joins knows the CA by its digest alone
    DROVER_TRY(http_security_, program_.seams.net.make_security(config));
    return {};
  }

  Program& program_;
  Log log_;
  std::unique_ptr<Worker> worker_;
  hardware::RealConsolePrograms console_programs_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<auth::CertificateAuthority> authority_;
  std::optional<auth::SecretBox> secrets_;
  auth::OpensslIdentityTool tool_;
  std::unique_ptr<auth::Rotation> rotation_;
  std::shared_ptr<net::Security> tree_security_;
  std::shared_ptr<net::Security> http_security_;
  std::unique_ptr<auth::CertificateVerifier> verifier_;
  std::unique_ptr<Master> master_;
};

}  // namespace

Result<std::unique_ptr<Service>> make_master(Program& program) {
  return std::make_unique<MasterService>(program);
}

}  // namespace drover::daemons

// drover-boot as a program.
#include "auth/certificate.hpp"
#include "daemons/boot/boot.hpp"
#include "daemons/boot/boot_reader.hpp"
#include "daemons/boot/boot_services.hpp"
#include "daemons/member_core.hpp"
#include "daemons/services.hpp"
#include "options/daemon_options.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr Duration kEnrolTimeout = std::chrono::seconds(20);

/// What a master says when it refuses.
struct Refusal {
  static constexpr std::string_view kTypeName = "Problem";
  std::string detail;
  void describe(Visitor& v) { v.field("detail", detail, "", Presence::optional); }
};

template <Described T>
Result<T> read_answer(const Result<net::HttpResponse>& got) {
  if (!got) return tl::unexpected<Error>(got.error());
  if (got->status == 200) return decode_text<T>(got->body, Unknown::ignore);
  const auto refusal = decode_text<Refusal>(got->body, Unknown::ignore);
  const std::string why = refusal ? refusal->detail : fmt::format("status {}", got->status);
  constexpr int kServerError = 500;
  return fail(got->status >= kServerError ? Code::unreachable : Code::denied,
              "a master refused: " + why);
}

class BootService final : public Service {
 public:
  explicit BootService(Program& program) : program_(program), core_(program, tree::Role::boot) {}

  Status start() override {
    DROVER_CHECK_OK(core_.start());
    const std::string& state = program_.config.text("state");
    BootConfig config;
    config.self = core_.self();
    config.own_settings = options::own_settings(program_.config);
    config.spool_dir = state + "/spool";
    config.replica_dir = state + "/model";
    DROVER_TRY(config.masters, endpoints_of(program_.config, "masters"));
    daemon_ =
        std::make_unique<Boot>(program_.seams, std::move(config), core_.security(),
                               [this](const std::string& target, net::HttpStreamEvents events) {
                                 return core_.api().follow(target, std::move(events));
                               });
    DROVER_CHECK_OK(core_.serve([this] { return daemon_->masters().up(); },
                                [this] { return facts(); },
                                [this] { daemon_->masters().refresh(); }));
    daemon_->start();
    core_.follow(daemon_->settings());
    return serve_machines(state);
  }

  void reload() override { daemon_->settings().set_own(options::own_settings(program_.config)); }

  std::vector<Worker*> workers() override { return {&daemon_->worker()}; }

  void stop(Callback<void()> stopped) override {
    if (reader_) reader_->stop();
    services_->stop([this, stopped = std::move(stopped)]() mutable {
      core_.stop();
      daemon_->stop();
      stopping_.after(program_.seams.executor, std::chrono::milliseconds(50), std::move(stopped));
    });
  }

  [[nodiscard]] std::string status() const override {
    const ModelReplica& replica = daemon_->replica();
    if (replica.is_blank()) return "waiting for a master: nothing is known of the cluster yet";
    return fmt::format("{} nodes, {} change {}", replica.model().nodes().size(),
                       replica.is_current() ? "current at" : "cut off since", replica.sequence());
  }

 private:
  Status serve_machines(const std::string& state) {
    const Config& options = program_.config;
    BootServicesConfig config;
    DROVER_TRY(config.http, endpoints_of(options, "http.listen"));
    DROVER_TRY(config.https, endpoints_of(options, "https.listen"));
    config.loaders = {options.text("loaders")};
    config.signed_loaders = options.list("signed_loaders");
    config.images = options.text("images");
    config.state = state;
    config.dhcp = options.flag("dhcp");
    config.tftp = options.flag("tftp");
    config.dns = options.flag("dns");
    config.netconsole = options.flag("netconsole");
    config.advertise = options.flag("advertise");
    config.interfaces = split_config_list(options.text("interfaces"));
    config.get_blob = [this](const std::string& target, net::HttpHeaders headers,
                             net::HttpStreamEvents events) {
      return core_.api().follow(target, std::move(events), std::move(headers));
    };
    config.publish_names = names_beside(options.text("socket"), "boot");
    DROVER_TRY(const auth::Certificate ca, auth::Certificate::from_pem(core_.identity().ca_pem));
    config.ca_sha256 = ca.fingerprint();
    config.cluster = core_.self().cluster;
    services_ = std::make_unique<BootServices>(
        program_.seams, Log(program_.seams.log, "boot"), std::move(config), daemon_->replica(),
        [this](const cluster::BootReport& report) { daemon_->report(report); },
        [this](const cluster::Sighting& sighting) { daemon_->report(sighting); },
        [this](const std::string& node, const auth::EnrolRequest& request,
               Callback<void(Result<auth::EnrolAnswer>)> answer) {
          enrol(node, request, std::move(answer));
        },
        [this](const std::string& node, Callback<void(Result<boot::BootSecrets>)> answer) {
          fetch_secrets(node, std::move(answer));
        });
    DROVER_CHECK_OK(services_->start(core_.open_security()));
    services_->way_up(daemon_->masters().up() != nullptr);
    daemon_->on_way([this](bool there) { services_->way_up(there); });
    daemon_->settings().on_change(
        [this](const cluster::Settings& settings) { services_->apply(settings); });
    reader_ = std::make_unique<BootReader>(
        BootReader::Parts{program_.seams.executor, daemon_->channels(), services_->stages(),
                          services_->logs(), core_.self().name,
                          [this] { return services_->leases(); }},
        Log(program_.seams.log, "boot"));
    return reader_->start();
  }

  /// Asks a master in this daemon's own name: it vouches for the machine.
  void enrol(const std::string& node, const auth::EnrolRequest& asked,
             Callback<void(Result<auth::EnrolAnswer>)> answer) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = fmt::format("/api/v1/nodes/{}/enrol", node);
    request.headers.add("Content-Type", "application/json");
    request.body = encode(asked);
    core_.api().ask(std::move(request), kEnrolTimeout,
                    [answer = std::move(answer)](const Result<net::HttpResponse>& got) mutable {
                      answer(read_answer<auth::EnrolAnswer>(got));
                    });
  }

  /// No boot daemon keeps them: they are asked for when the node that may have them does.
  void fetch_secrets(const std::string& node, Callback<void(Result<boot::BootSecrets>)> answer) {
    net::HttpRequest request;
    request.method = "GET";
    request.target = fmt::format("/api/v1/nodes/{}/secrets", node);
    core_.api().ask(std::move(request), kEnrolTimeout,
                    [answer = std::move(answer)](const Result<net::HttpResponse>& got) mutable {
                      answer(read_answer<boot::BootSecrets>(got));
                    });
  }

  LocalFacts facts() {
    LocalFacts out;
    for (const auto& [peer, status] : daemon_->masters().status()) {
      out.links.push_back({peer, "uplink", status});
    }
    out.spool = daemon_->records();
    return out;
  }

  Program& program_;
  MemberCore core_;
  std::unique_ptr<Boot> daemon_;
  std::unique_ptr<BootServices> services_;
  std::unique_ptr<BootReader> reader_;
  Timer stopping_;
};

}  // namespace

Result<std::unique_ptr<Service>> make_boot(Program& program) {
  return std::make_unique<BootService>(program);
}

}  // namespace drover::daemons

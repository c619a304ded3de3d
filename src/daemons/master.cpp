#include "daemons/master.hpp"

#include "api/cap_operation.hpp"
#include "api/collect_operation.hpp"
#include "api/power_operation.hpp"
#include "api/scan_operation.hpp"
#include "cluster/mutations.hpp"
#include "daemons/advertise.hpp"
#include "daemons/restore_record.hpp"

#include <fmt/ranges.h>

namespace drover::daemons {
namespace {

/// Requests to BMCs at a time, all together: descriptors of a process are finite.
constexpr size_t kBmcRequests = 1000;

std::vector<std::string> texts_of(const std::vector<net::Endpoint>& endpoints) {
  std::vector<std::string> out;
  out.reserve(endpoints.size());
  for (const net::Endpoint& endpoint : endpoints) out.push_back(endpoint.text());
  return out;
}

}  // namespace

Master::Master(Seams seams, MasterConfig config, MasterParts parts)
    : seams_(seams),
      config_(std::move(config)),
      parts_(std::move(parts)),
      log_(seams.log, "master"),
      worker_(seams.executor.make_worker("work")),
      enrolment_(parts_.store, parts_.authority, seams.executor, seams.random,
                 log_.with("enrolment"), {config_.self.cluster}),
      jwks_(seams, config_.trust_path),
      webhooks_(seams, config_.trust_path),
      access_({parts_.store, parts_.authority, parts_.signing_keys, seams.executor, seams.random,
               log_.with("access"), config_.self.cluster,
               [this](const auth::IssuerRecord& issuer, Callback<void(Result<std::string>)> done) {
                 jwks_.fetch(issuer, std::move(done));
               },
               seams.disk, *worker_}),
      authenticator_(
          {config_.self.cluster, tree::Role::master, config_.self.name, config_.own_uid,
           [this](uint32_t uid) { return config_.user_name(uid); },
           [this](const auth::Principal& daemon) {
             return enrolment_.check_daemon(daemon.role, daemon.name,
                                            {daemon.key_sha256, daemon.expires});
           },
           [this](std::string_view bearer, Callback<void(Result<auth::Principal>)> done) {
             access_.authenticate(bearer, std::move(done));
           },
           [this](const auth::Principal& person) {
             return access_.credentials().check_certificate(person);
           }},
          parts_.verifier),
      blobs_(seams.disk, seams.random, config_.images),
      started_(seams.executor.wall()) {}

Master::~Master() = default;

Status Master::start() {
  DROVER_CHECK_OK(check_dialable("tree.advertise", config_.tree_advertise));
  DROVER_CHECK_OK(model_.load(parts_.store));
  feed_ = parts_.store.subscribe([this](std::span<const store::Change> changes) {
    if (const Status applied = model_.apply(changes); !applied) {
      log_.error("a stored change cannot be read", {{"why", applied.error().text()}});
    }
    if (names_) names_->follow(changes);
    if (overlays_) overlays_->follow(changes);
    if (consoles_) consoles_->follow(changes);
  });
  if (config_.publish_names) {
    names_ = std::make_unique<NameBoard>(seams_.executor, log_, boot::SiteOptions{}.domain,
                                         std::move(config_.publish_names));
    names_->use(model_);
  }
  DROVER_TRY(const auto runs, parts_.store.load(cluster::kNodeUpKind));
  DROVER_TRY(const auto applied, parts_.store.load(kAppliedOverlayKind));
  DROVER_CHECK_OK(enrolment_.start());
  DROVER_CHECK_OK(access_.start());
  MasterTreeConfig tree;
  tree.self = config_.self;
  tree.own_settings = config_.own_settings;
  tree.timing = with_settings(config_.timing, settings_at_start());
  tree.paths.hold = config_.timing.hold;
  tree.revocations = [this] {
    return RevocationList{enrolment_.revocation_version(), enrolment_.revocations()};
  };
  tree_ = std::make_unique<MasterTree>(
      seams_, std::move(tree), [this] { return parts_.tree_security(); }, parts_.store, model_,
      [this](const tree::Introduction& peer, const std::string& key) { return admit(peer, key); },
      [this](const std::string& node, std::string_view sample) {
        (void)metrics_.apply_bytes(node, sample, seams_.executor.now());
      });
  boot_doors_ = std::make_unique<BootDoors>(seams_.executor, *tree_, model_);
  start_node_up();
  DROVER_CHECK_OK(node_up_->restore(runs));
  DROVER_CHECK_OK(overlays_->restore(applied));
  tree_->publish(model_.setting_book());
  model_.on_settings([this] { tree_->publish(model_.setting_book()); });
  enrolment_.on_revocation([this] { tree_->revocations_changed(); });
  model_.on_node([this](const cluster::Model::NodeEvent& event) { on_node(event); });
  for (const net::Endpoint& at : config_.tree_listen) {
    DROVER_TRY(auto bound, tree_->listen(at));
    tree_bound_.push_back(std::move(bound));
  }
  Callback<void(const auth::AuditRecord&)> audit;
  if (!config_.audit_dir.empty()) {
    audit_worker_ = seams_.executor.make_worker("audit");
    auth::AuditLog::Options options;
    options.dir = config_.audit_dir;
    audit_ = std::make_unique<auth::AuditLog>(seams_.executor, *audit_worker_, seams_.disk,
                                              log_.with("audit"), std::move(options));
    audit = [this](const auth::AuditRecord& record) { audit_->append(record); };
  }
  bmcs_ = std::make_unique<hardware::BmcGround>(seams_.executor, seams_.net, seams_.random,
                                                kBmcRequests);
  ipmi_ = std::make_unique<hardware::IpmiToolProcesses>(seams_.executor);
  DROVER_CHECK_OK(start_consoles());
  api_ = std::make_unique<api::MasterApi>(
      api::Services{seams_.executor,
                    seams_.random,
                    log_.with("api"),
                    parts_.store,
                    model_,
                    enrolment_,
                    *this,
                    *this,
                    *this,
                    *this,
                    access_,
                    *this,
                    *boot_doors_,
                    {&seams_.disk, config_.state},
                    config_.control,
                    config_.secrets,
                    node_up_.get(),
                    consoles_.get()},
      [this] { return access_.policy(); }, std::move(audit), std::move(config_.groups_of));
  notifier_ = std::make_unique<api::smd::ScnNotifier>(seams_.executor, parts_.store, model_,
                                                      log_.with("notifier"), webhooks_);
  start_power();
  tree_->settings().on_change(
      [this](const cluster::Settings& settings) { apply_settings(settings); });
  if (!config_.state.empty()) {
    record_restore(seams_.disk, config_.state, parts_.store, log_,
                   [this](const auth::RestoreNote& note) {
                     if (audit_) audit_->append(audit_of(note, "master/" + config_.self.name));
                   });
  }
  start_retention();
  DROVER_CHECK_OK(listen_http());
  tree_->start(*worker_);
  if (config_.tree_advertise.empty()) {
    config_.tree_advertise = dialable(tree_bound_, config_.host, log_);
  }
  const std::vector<std::string> listens = texts_of(config_.tree_advertise);
  log_.notice("daemons are told to dial",
              {{"endpoints", fmt::format("{}", fmt::join(listens, " "))}});
  note_listens("master", config_.self.name, listens);
  return {};
}

api::PowerServices Master::power_services() {
  return {seams_.executor, log_.with("power"), parts_.store, model_, config_.secrets,
          *bmcs_,          ipmi_.get(),        sight_.get()};
}

void Master::start_power() {
  sight_ =
      std::make_unique<api::PowerSight>(power_services(), "daemon:master/" + config_.self.name);
  api_->use(*sight_);
  api_->operations().add(api::power_operations(power_services()));
  api_->operations().add(api::collect_operations(power_services()));
  api_->operations().add(api::cap_operations(power_services()));
  api_->operations().add(api::scan_operations(power_services()));
}

Status Master::start_consoles() {
  if (config_.state.empty()) return {};
  consoles_ = std::make_unique<ConsoleDesk>(ConsoleDesk::Parts{
      seams_, power_services(), parts_.console_programs, config_.state + "/consoles",
      "master/" + config_.self.name, [this](const auth::AuditRecord& record) {
        if (audit_) audit_->append(record);
      }});
  return consoles_->start();
}

void Master::start_node_up() {
  const std::string author = "daemon:master/" + config_.self.name;
  hooks_ = std::make_unique<HookRunner>(seams_.executor, log_, config_.hooks, config_.hook_timeout);
  overlays_ = std::make_unique<OverlayDesk>(OverlayDesk::Parts{seams_.executor, seams_.random,
                                                               log_.with("overlay"), parts_.store,
                                                               model_, tree_->calls(), author});
  node_up_ = std::make_unique<NodeUpDesk>(
      NodeUpDesk::Parts{seams_.executor, seams_.random, log_.with("node_up"), parts_.store, model_,
                        tree_->calls(), *hooks_, *overlays_, author, config_.self.cluster,
                        [this](const std::string& node) { tree_->reconsider(node); }});
  tree_->use(*node_up_);
}

void Master::start_retention() {
  if (config_.history_dir.empty()) return;
  const auto archive =
      std::make_shared<store::FileArchive>(seams_.disk, log_.with("history"), config_.history_dir);
  retention_ = std::make_unique<store::Retention>(
      seams_.executor, parts_.store, archive, log_.with("history"), [this] { return history_; });
}

void Master::apply_settings(const cluster::Settings& settings) {
  const auto number = [&](std::string_view key) {
    return static_cast<uint64_t>(settings.integer(key));
  };
  api_->limit_rate({number("api.rate"), number("api.burst")});
  const store::HistoryLimits history{std::chrono::hours(24) * settings.integer("history.keep_days"),
                                     number("history.keep_changes")};
  if (history == history_) return;
  history_ = history;
  if (retention_) retention_->look();
}

// What is in force before the tree is there: some of it counts at the start alone.
cluster::Settings Master::settings_at_start() const {
  SettingsBoard::Values values = model_.settings().values();
  for (const auto& [key, value] : config_.own_settings) values[key] = value;
  return cluster::Settings(std::move(values));
}

Status Master::listen_http() {
  const auto handler = [this](net::HttpRequest request,
                              std::shared_ptr<net::HttpExchange> exchange) {
    serve(std::move(request), std::move(exchange));
  };
  server_ =
      std::make_unique<net::HttpServer>(seams_.executor, seams_.net, log_.with("http"), handler);
  for (const net::Endpoint& at : config_.http_listen) {
    auto bound = server_->listen(at, [this] { return parts_.http_security(); });
    if (!bound) return fail_in("listening for HTTPS on " + at.text(), bound.error());
    http_bound_.push_back(std::move(*bound));
  }
  if (!config_.socket.empty()) {
    const auto bound = server_->listen(net::Endpoint{{}, 0, config_.socket});
    if (!bound && config_.must_have_socket) return tl::unexpected<Error>(bound.error());
    if (!bound) {
      log_.error("no local API", {{"socket", config_.socket},
                                  {"why", bound.error().text()},
                                  {"next", "give --socket PATH, or --socket= for none"}});
    }
  }
  tree_server_ = std::make_unique<net::HttpServer>(seams_.executor, tree_->channels(),
                                                   log_.with("http"), handler);
  DROVER_TRY([[maybe_unused]] auto over_tree, tree_server_->listen(net::Endpoint{"tree", 0, {}}));
  return {};
}

void Master::stop(Callback<void()> stopped) {
  server_->stop(std::chrono::milliseconds(500), [] {});
  tree_server_->stop(Duration::zero(), [] {});
  tree_->stop();
  retention_.reset();
  parts_.store.close([this, stopped = std::move(stopped)](const Status& closed) mutable {
    if (!closed) log_.error("closing the store", {{"why", closed.error().text()}});
    stopped();
  });
}

void Master::serve(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
  const auto held = std::make_shared<net::HttpRequest>(std::move(request));
  authenticator_.identify(*held, [this, held, exchange = std::move(exchange)](
                                     Result<auth::Principal> principal) mutable {
    if (held->target.starts_with(BlobDoor::kPath)) {
      return blobs_.serve(*held, principal, exchange);
    }
    api_->serve(std::move(*held), std::move(principal),
                std::make_unique<api::ExchangeAnswer>(std::move(exchange)));
  });
}

void Master::read_audit(auth::AuditQuery query, Callback<void(Result<auth::AuditPage>)> done) {
  if (audit_) return audit_->read(std::move(query), std::move(done));
  seams_.executor.post([done = std::move(done)]() mutable {
    done(fail(Code::unsupported, "this master keeps no audit"));
  });
}

Status Master::admit(const tree::Introduction& peer, const std::string& key_sha256) {
  DROVER_CHECK_OK(enrolment_.check_link(tree::name(peer.role), peer.name, key_sha256));
  if (peer.role == tree::Role::aggregator) note_listens("aggregator", peer.name, peer.listens);
  return {};
}

void Master::note_listens(const std::string& role, const std::string& name,
                          std::vector<std::string> listens) {
  const auto known = model_.daemons().find(cluster::daemon_key(role, name));
  if (known != model_.daemons().end() && known->second.listens == listens) return;
  cluster::Daemon daemon;
  daemon.role = role;
  daemon.name = name;
  daemon.enrolled =
      known == model_.daemons().end() ? seams_.executor.wall() : known->second.enrolled;
  daemon.listens = std::move(listens);
  parts_.store.write(
      "daemon:master/" + config_.self.name,
      [daemon, fresh_id = seams_.random.hex(16)](store::Transaction& tx) -> Status {
        tx.explain("endpoints of " + daemon.role + " " + daemon.name);
        return cluster::note_daemon(tx, daemon, fresh_id);
      },
      [this](const Result<store::Committed>& done) {
        if (!done) log_.error("endpoints could not be stored", {{"why", done.error().text()}});
      });
}

void Master::on_node(const cluster::Model::NodeEvent& event) {
  if (consoles_) consoles_->node_changed(event);
  if (event.after != nullptr) {
    const bool known = event.before != nullptr && event.before->role == event.after->role;
    const bool same = known && event.before->phase.state == event.after->phase.state;
    if (!same) tree_->node_stored(*event.after, known);
    if (event.after->phase.state == cluster::PhaseState::lost) metrics_.lost(event.name);
  } else {
    tree_->node_removed(event.name);
    node_up_->removed(event.name);
    metrics_.forget(event.name);
  }
}

// --- what the API asks for --------------------------------------------------------------------

Status Master::start(tree::CallSpec spec, Progress progress,
                     Callback<void(tree::CallReport)> done) {
  return tree_->calls().start(std::move(spec), std::move(progress), std::move(done));
}

Status Master::cancel(const std::string& id) {
  return tree_->calls().cancel(id);
}

std::optional<api::NodeMetrics> Master::latest(std::string_view node) {
  const auto found = metrics_.find(node, seams_.executor.now());
  if (!found) return std::nullopt;
  api::NodeMetrics out;
  out.node = found->node;
  out.time = found->time;
  for (const auto& [name, value] : found->values) out.metrics[name] = value;
  return out;
}

api::LocalView Master::local() {
  api::LocalView out;
  out.role = "master";
  out.name = config_.self.name;
  out.version = config_.self.version;
  out.cluster = config_.self.cluster;
  out.started = started_;
  out.starts = config_.self.starts;
  return out;
}

cluster::HealthFacts Master::health_facts() {
  cluster::HealthFacts facts;
  facts.cluster = config_.self.cluster;
  facts.answered_by = {"master", config_.self.name};
  facts.version = config_.self.version;
  cluster::DaemonFacts self;
  self.role = "master";
  self.name = config_.self.name;
  self.state = cluster::DaemonState::up;
  self.since = started_;
  self.version = config_.self.version;
  self.address = tree_bound_.empty() ? "" : tree_bound_.front().text();
  self.starts = config_.self.starts;
  facts.daemons.push_back(std::move(self));
  for (const auto& [key, child] : tree_->children()) {
    cluster::DaemonFacts daemon;
    daemon.role = std::string(tree::name(child.daemon.role));
    daemon.name = child.daemon.name;
    daemon.state = child.linked ? cluster::DaemonState::up : cluster::DaemonState::lost;
    daemon.since = child.since;
    daemon.why = child.why;
    daemon.version = child.daemon.version;
    daemon.address = child.address;
    daemon.starts = child.daemon.starts;
    daemon.links.push_back({config_.self.name, cluster::LinkRole::uplink,
                            child.linked ? cluster::LinkState::up : cluster::LinkState::down,
                            child.since, child.why});
    facts.daemons.push_back(std::move(daemon));
  }
  // Enrolled aggregators that have not been seen since this master started.
  for (const auto& [key, known] : model_.daemons()) {
    if (known.role != "aggregator" || tree_->children().contains(key)) continue;
    cluster::DaemonFacts daemon;
    daemon.role = known.role;
    daemon.name = known.name;
    daemon.state = cluster::DaemonState::unknown;
    daemon.since = started_;
    daemon.why = "not heard of since this master started";
    facts.daemons.push_back(std::move(daemon));
  }
  for (const auto& [key, credential] : enrolment_.credentials()) {
    if (!credential.revoked) facts.certificates.push_back({key, credential.expires});
  }
  const store::StoreStats stats = parts_.store.stats();
  facts.store.failed_commits = stats.failed_commits;
  facts.store.queued = stats.queued;
  facts.spools = tree_->spools();
  return facts;
}

}  // namespace drover::daemons

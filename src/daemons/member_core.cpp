#include "daemons/member_core.hpp"

#include "base/json_values.hpp"
#include "daemons/startup.hpp"
#include "options/daemon_options.hpp"
#include "os/user_name.hpp"

#include <fmt/core.h>
#include <unistd.h>

namespace drover::daemons {
namespace {

constexpr Duration kRenewTimeout = std::chrono::seconds(30);

json::value time_or_null(WallTime time) {
  return time == WallTime{} ? json::value(nullptr) : json::value(to_rfc3339(time));
}

Result<auth::Rotation::Renewed> read_renewed(const Result<net::HttpResponse>& response) {
  if (!response) return tl::unexpected<Error>(response.error());
  DROVER_TRY(const json::value body, parse_json(response->body));
  const json::object* object = body.if_object();
  const auto text = [&](std::string_view name) -> std::string {
    const json::value* value = object == nullptr ? nullptr : object->if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
  };
  if (response->status != 200) {
    return fail(Code::unreachable,
                fmt::format("the master answered {}: {}", response->status, text("detail")));
  }
  return auth::Rotation::Renewed{text("certificate_pem"), text("ca_pem")};
}

}  // namespace

MemberCore::MemberCore(Program& program, tree::Role role)
    : program_(program),
      log_(program.seams.log, tree::name(role)),
      role_(role),
      worker_(program.seams.executor.make_worker("identity")),
      signer_(program.seams.executor, program.seams.random),
      started_(program.seams.executor.wall()) {}

MemberCore::~MemberCore() = default;

Status MemberCore::start() {
  const Config& config = program_.config;
  const std::string& cluster = config.text("cluster");
  const std::string& name = config.text("name");
  auth::Rotation::Options options;
  options.dir = config.text("state") + "/identity";
  options.uri = tree::certificate_uri(cluster, tree::name(role_), name);
  options.name = name;
  rotation_ = std::make_unique<auth::Rotation>(
      program_.seams.executor, *worker_, program_.seams.random, program_.seams.disk, tool_, log_,
      std::move(options),
      [this](const std::string& csr, auto answer) { ask(csr, std::move(answer)); });
  DROVER_CHECK_OK(rotation_->start());
  DROVER_CHECK_OK(use(rotation_->identity()));
  rotation_->on_change(
      [this](const auth::Identity& identity, const auth::IdentityFacts&) { on_rotated(identity); });
  DROVER_TRY(self_, introduce(program_.seams, config.text("state"), cluster, role_, name));
  return {};
}

Status MemberCore::use(const auth::Identity& identity) {
  net::SecurityConfig config = auth::security_config(identity);
  DROVER_TRY(security_, program_.seams.net.make_security(config));
  config.verify_peer = false;
  config.certificate_pem += config.trust_pem;
  DROVER_TRY(open_security_, program_.seams.net.make_security(config));
  DROVER_TRY(auto key, auth::KeyPair::from_pem(identity.key_pem));
  return signer_.use(std::move(key), identity.certificate_pem);
}

void MemberCore::on_rotated(const auth::Identity& identity) {
  if (const Status used = use(identity); !used) {
    log_.error("the new certificate cannot be used", {{"why", used.error().text()}});
    return;
  }
  log_.notice("a new certificate is in use",
              {{"expires", to_rfc3339(rotation_->facts().not_after)}});
  if (refresh_) refresh_();
}

Callback<std::shared_ptr<net::Security>()> MemberCore::security() {
  return [this] { return security_; };
}

Status MemberCore::serve(Callback<tree::Link*()> up, Callback<LocalFacts()> facts,
                         Callback<void()> refresh) {
  up_ = std::move(up);
  facts_ = std::move(facts);
  refresh_ = std::move(refresh);
  LocalApiConfig config;
  const LocalSocket socket = local_socket(program_.config, program_.seams.disk, log_);
  config.socket = socket.path;
  config.own_uid = getuid();
  config.control = &program_.control;
  config.user_name = [](uint32_t uid) { return os::user_name(uid); };
  config.up = [this] { return up_(); };
  config.down_why = [this] { return down_why(); };
  config.local_status = [this] { return local_status(); };
  api_ = std::make_unique<LocalApi>(program_.seams, std::move(config), signer_);
  const Status listening = api_->start();
  if (listening || socket.must) return listening;
  log_.error("no local API", {{"socket", socket.path},
                              {"why", listening.error().text()},
                              {"next", "give --socket PATH, or --socket= for none"}});
  return {};
}

void MemberCore::follow(SettingsBoard& settings) {
  settings.on_change([this](const cluster::Settings& in_force) {
    program_.logs.configured(in_force, options::own_settings(program_.config));
  });
}

void MemberCore::stop() {
  if (api_) api_->stop();
}

void MemberCore::ask(const std::string& csr_pem,
                     Callback<void(Result<auth::Rotation::Renewed>)> answer) {
  if (!api_) {
    answer(fail(Code::unreachable, "not serving yet"));
    return;
  }
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/api/v1/certificates/renew";
  request.headers.add("Content-Type", "application/json");
  request.body = to_text(json::object{{"csr_pem", csr_pem}});
  api_->ask(std::move(request), kRenewTimeout,
            [answer = std::move(answer)](const Result<net::HttpResponse>& response) mutable {
              answer(read_renewed(response));
            });
}

Callback<std::shared_ptr<net::Security>()> MemberCore::open_security() {
  return [this] { return open_security_; };
}

std::pair<std::string, WallTime> MemberCore::down_why() {
  WallTime since = started_;
  std::string why = "no link upward";
  const LocalFacts facts = facts_();
  if (up_() != nullptr && facts.cut_off) return {facts.cut_off->why, facts.cut_off->since};
  for (const LocalLink& link : facts.links) {
    if (link.status.up) continue;
    why = fmt::format("no link to {}: {}", link.status.target, link.status.why);
    since = std::max(since, link.status.since);
  }
  return {why, since};
}

std::string MemberCore::local_status() {
  const LocalFacts facts = facts_();
  json::array links;
  for (const LocalLink& link : facts.links) {
    links.push_back(json::object{{"peer", link.peer.empty() ? link.status.target : link.peer},
                                 {"role", link.role},
                                 {"state", link.status.up ? "up" : "down"},
                                 {"since", time_or_null(link.status.since)},
                                 {"why", link.status.why}});
  }
  json::value degraded = nullptr;
  if (up_() == nullptr || facts.cut_off) {
    const auto [why, since] = down_why();
    degraded = json::object{{"since", time_or_null(since)}, {"why", why}};
  }
  json::value alarm = nullptr;
  if (const auto raised = rotation_->alarm(); raised) {
    alarm = json::object{{"what", raised->what}, {"next", raised->next}};
  }
  return to_text(json::object{
      {"role", tree::name(role_)},
      {"name", self_.name},
      {"version", self_.version},
      {"cluster", self_.cluster},
      {"started", to_rfc3339(started_)},
      {"starts", self_.starts},
      {"links", std::move(links)},
      {"spool", json::object{{"records", facts.spool.records},
                             {"bytes", facts.spool.spool_bytes},
                             {"oldest", facts.spool.records == 0
                                            ? json::value(nullptr)
                                            : time_or_null(program_.seams.executor.wall() -
                                                           facts.spool.oldest)}}},
      {"certificate", json::object{{"expires", to_rfc3339(rotation_->facts().not_after)},
                                   {"alarm", std::move(alarm)}}},
      {"degraded", std::move(degraded)}});
}

}  // namespace drover::daemons

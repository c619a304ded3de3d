// For tests: the master's API on a real store (SQLite on a simulated disk), a real CA and virtual
// time, with stand-ins for what daemons supply.
#pragma once

#include "api/console_source.hpp"
#include "api/master_api.hpp"
#include "auth/access_control.hpp"
#include "auth/audit_query.hpp"
#include "auth/authority.hpp"
#include "auth/enrolment.hpp"
#include "auth/keys.hpp"
#include "cluster/mutations.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::api::testing {

/// What an answer has said so far.
struct Recorded {
  int status = 0;
  net::HttpHeaders headers;
  std::string body;
  bool complete = false;
  size_t unsent = 0;  ///< set by the test: how much the client has not taken
  Callback<void()> drained;
  Callback<void()> gone;
};

class RecordingAnswer final : public Answer {
 public:
  explicit RecordingAnswer(std::shared_ptr<Recorded> to) : to_(std::move(to)) {}
  void respond(net::HttpResponse response) override {
    EXPECT_EQ(to_->status, 0) << "answered twice";
    to_->status = response.status;
    to_->headers = std::move(response.headers);
    to_->body = std::move(response.body);
    to_->complete = true;
  }
  void begin(int status, net::HttpHeaders headers) override {
    to_->status = status;
    to_->headers = std::move(headers);
  }
  void write(std::string_view chunk) override { to_->body += chunk; }
  void end() override { to_->complete = true; }
  [[nodiscard]] size_t unsent() const override { return to_->unsent; }
  void on_drained(Callback<void()> drained) override { to_->drained = std::move(drained); }
  void on_gone(Callback<void()> gone) override { to_->gone = std::move(gone); }

 private:
  std::shared_ptr<Recorded> to_;
};

class FakeCalls final : public CallService {
 public:
  Status start(tree::CallSpec spec, Progress tell, Callback<void(tree::CallReport)> done) override {
    if (refuse) return tl::unexpected<Error>(*refuse);
    started.push_back(std::move(spec));
    progress.push_back(std::move(tell));
    pending.push_back(std::move(done));
    return {};
  }
  Status cancel(const std::string& id) override {
    cancelled.push_back(id);
    return {};
  }
  std::optional<Error> refuse;
  std::vector<std::string> cancelled;
  std::vector<Progress> progress;
  std::vector<tree::CallSpec> started;
  std::vector<Callback<void(tree::CallReport)>> pending;
};

class FakeHealth final : public HealthSource {
 public:
  cluster::HealthFacts health_facts() override { return facts; }
  cluster::HealthFacts facts;
};

class FakeMetrics final : public MetricsSource {
 public:
  std::optional<NodeMetrics> latest(std::string_view node) override {
    const auto it = values.find(node);
    if (it == values.end()) return std::nullopt;
    return it->second;
  }
  std::map<std::string, NodeMetrics, std::less<>> values;
};

class FakeControl final : public DaemonControl {
 public:
  LogLevelsView log_levels() override { return levels; }
  Status set_log_levels(const LogLevelsRequest& request) override {
    if (request.levels.contains("bad")) return fail(Code::invalid_argument, "bad: no component");
    levels.by_hand = request.levels;
    return {};
  }
  Result<ReloadView> reload() override {
    if (refuse) return tl::unexpected<Error>(*refuse);
    return ReloadView{"/etc/drover/master.toml", {{"tree.hold", "", "5s", true}}};
  }
  LogLevelsView levels{"info", "default", {{"link", "debug", "cluster"}}, {}};
  std::optional<Error> refuse;
};

class FakeLocal final : public LocalSource {
 public:
  LocalView local() override {
    LocalView view;
    view.role = "master";
    view.name = "m1";
    view.version = "0.1.0";
    view.cluster = "alpha";
    view.starts = starts;
    return view;
  }
  uint64_t starts = 1;
};

/// What was put in, newest first; pages and filters are AuditReader's.
class FakeAudit final : public AuditSource {
 public:
  explicit FakeAudit(Executor& executor) : executor_(executor) {}
  void read_audit(auth::AuditQuery query, Callback<void(Result<auth::AuditPage>)> done) override {
    auto reader = auth::AuditReader::make(std::move(query));
    Result<auth::AuditPage> page = auth::AuditPage{};
    if (reader) {
      for (auto record = records.rbegin(); record != records.rend(); ++record) {
        if (!reader->take(encode(*record))) break;
      }
      page = std::move(*reader).page();
    } else {
      page = tl::unexpected<Error>(reader.error());
    }
    executor_.post(
        [page = std::move(page), done = std::move(done)]() mutable { done(std::move(page)); });
  }
  std::vector<auth::AuditRecord> records;

 private:
  Executor& executor_;
};

/// Boot daemons that answer what a test says, when it says so.
class FakeBootDaemons final : public BootDaemons {
 public:
  struct Asked {
    std::string name;
    net::HttpRequest request;
    net::HttpStreamEvents events;
    bool paused = false;
    bool left = false;  ///< nobody listens any more
    /// The whole answer.
    void answer(const std::string& body, int status = 200) {
      events.on_head({status, {}, {}});
      events.on_chunk(body);
      events.on_end({});
    }
  };
  [[nodiscard]] std::vector<Known> known() const override { return daemons; }
  std::unique_ptr<net::HttpCall> ask(const std::string& name, net::HttpRequest request,
                                     net::HttpStreamEvents events) override {
    asked.push_back(std::make_shared<Asked>(Asked{name, std::move(request), std::move(events)}));
    return std::make_unique<Call>(asked.back());
  }
  std::vector<Known> daemons;
  std::vector<std::shared_ptr<Asked>> asked;

 private:
  class Call final : public net::HttpCall {
   public:
    explicit Call(std::shared_ptr<Asked> asked) : asked_(std::move(asked)) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() override { asked_->left = true; }
    void pause(bool paused) override { asked_->paused = paused; }

   private:
    std::shared_ptr<Asked> asked_;
  };
};

/// Consoles that do what a test says, and their logs.
class FakeConsoles final : public ConsoleSource, private hardware::ConsoleDialler {
 public:
  /// What a test sees of a line.
  struct Wire {
    hardware::ConsoleLineEvents events;
    std::string typed;
    int breaks = 0;
    Status may_break;
  };
  FakeConsoles(Executor& executor, Random& random) : executor_(executor), hub_(make(random)) {}

  hardware::ConsoleHub& hub() override { return *hub_; }
  void read(const std::string& node, WallTime since, Found found) override {
    std::vector<ConsolePiece> pieces;
    for (const ConsolePiece& piece : logs[node]) {
      if (piece.time >= since) pieces.push_back(piece);
    }
    executor_.post([pieces = std::move(pieces), found = std::move(found)]() mutable {
      found(std::move(pieces));
    });
  }
  uint64_t listen(Listener listener) override {
    listeners[++last_] = std::move(listener);
    return last_;
  }
  void unlisten(uint64_t id) override { listeners.erase(id); }
  void say(const std::string& node, const ConsolePiece& piece) {
    logs[node].push_back(piece);
    for (auto& [id, listener] : listeners) listener(node, piece);
  }

  std::vector<std::shared_ptr<Wire>> wires;
  std::map<std::string, std::vector<ConsolePiece>> logs;
  std::map<uint64_t, Listener> listeners;
  std::vector<std::string> met;

 private:
  class Line final : public hardware::ConsoleLine {
   public:
    explicit Line(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
    void write(std::string_view bytes) override { wire_->typed += bytes; }
    [[nodiscard]] size_t unsent() const override { return 0; }
    Status send_break() override {
      ++wire_->breaks;
      return wire_->may_break;
    }
    void pause(bool) override {}

   private:
    std::shared_ptr<Wire> wire_;
  };
  std::unique_ptr<hardware::ConsoleHub> make(Random& random) {
    hardware::ConsoleDialler& dialler = *this;  // others may not see it as one
    return std::make_unique<hardware::ConsoleHub>(
        executor_, random, dialler, hardware::ConsoleLimits{.viewers = 3},
        hardware::ConsoleHubEvents{
            {},
            {},
            [this](const std::string& node, const hardware::ConsoleViewer& viewer, bool came) {
              met.push_back(node + (came ? " +" : " -") + viewer.who);
            }});
  }
  std::unique_ptr<hardware::ConsoleLine> dial(const std::string&,
                                              hardware::ConsoleLineEvents events) override {
    wires.push_back(std::make_shared<Wire>());
    wires.back()->events = std::move(events);
    return std::make_unique<Line>(wires.back());
  }
  Executor& executor_;
  uint64_t last_ = 0;
  std::unique_ptr<hardware::ConsoleHub> hub_;
};

inline auth::Principal person(const std::string& role, const std::string& name = "alice") {
  auth::Principal principal;
  principal.kind = auth::PrincipalKind::person;
  principal.role = role;
  principal.name = name;
  return principal;
}

class TestMaster {
 public:
  /// `on`: a disk that was used before; null: a new one.
  explicit TestMaster(sim::SimDisk* on = nullptr) : store_disk(on != nullptr ? on : &disk) {
    auto& executor = process.executor();
    store = store::open_sqlite(executor, *store_disk, process.log(), "/var/store.db", {}).value();
    authority = auth::CertificateAuthority::open_or_create(ca_disk, process.random(), "/ca",
                                                           "alpha", world.wall())
                    .value();
    enrolment = std::make_unique<auth::Enrolment>(*store, *authority, executor, process.random(),
                                                  process.log(),
                                                  auth::Enrolment::Options{.cluster = "alpha"});
    EXPECT_TRUE(enrolment->start());
    EXPECT_TRUE(model.load(*store));
    feed = store->subscribe(
        [this](std::span<const store::Change> changes) { EXPECT_TRUE(model.apply(changes)); });
    worker = executor.make_worker("work");
    auto keys = auth::SigningKeys::open_or_create(ca_disk, "/signing", world.wall()).value();
    access = std::make_unique<auth::AccessControl>(auth::AccessControl::Parts{
        *store, *authority, std::move(keys), executor, process.random(), process.log(), "alpha",
        [this](const auth::IssuerRecord& issuer, Callback<void(Result<std::string>)> done) {
          ++fetches;
          process.executor().post(
              [document = jwks, done = std::move(done)]() mutable { done(std::move(document)); });
          fetched_from = issuer.jwks_url;
        },
        ca_disk, *worker});
    EXPECT_TRUE(access->start());
    start_api();
  }

  /// As if the master's process had died and started again on the same store.
  void restart() {
    api.reset();
    ++local.starts;
    start_api();
  }
  void start_api() {
    auto& executor = process.executor();
    api = std::make_unique<MasterApi>(
        Services{executor,
                 process.random(),
                 process.log(),
                 *store,
                 model,
                 *enrolment,
                 calls,
                 health,
                 metrics,
                 local,
                 *access,
                 audit,
                 boot_daemons,
                 {store_disk, "/var"},
                 &control,
                 &*secrets,
                 nullptr,
                 &consoles},
        [this] { return policy ? policy : access->policy(); },
        [this](const auth::AuditRecord& record) {
          audited.push_back(record);
          audit.records.push_back(record);
        });
  }

  /// Runs `mutation` to its end.
  Status write(store::Mutation mutation) {
    std::optional<Status> result;
    store->write("test", std::move(mutation), [&](const Result<store::Committed>& done) {
      result = done ? Status() : tl::unexpected<Error>(done.error());
    });
    EXPECT_TRUE(world.run_until([&] { return result.has_value(); }, std::chrono::seconds(5)));
    return *result;
  }
  void add_node(const std::string& name) {
    EXPECT_TRUE(write([name](store::Transaction& tx) -> Status {
      const auto made =
          cluster::ensure_node(tx, name, cluster::NodeRole::compute, "id-" + name, "test");
      return made ? Status() : tl::unexpected<Error>(made.error());
    }));
  }

  std::shared_ptr<Recorded> send(net::HttpRequest request, Result<auth::Principal> who) {
    auto recorded = std::make_shared<Recorded>();
    api->serve(std::move(request), std::move(who), std::make_unique<RecordingAnswer>(recorded));
    return recorded;
  }
  /// Asks and waits for the whole answer.
  Recorded ask(const std::string& method, const std::string& target, const std::string& body = "",
               const net::HttpHeaders& headers = {}, auth::Principal who = person("admin")) {
    const auto recorded = send({method, target, headers, body, {}}, std::move(who));
    EXPECT_TRUE(world.run_until([&] { return recorded->complete; }, std::chrono::minutes(20)));
    EXPECT_EQ(api->router().undocumented(method, target, recorded->status), "") << recorded->body;
    return {recorded->status, recorded->headers, recorded->body, true, 0, {}, {}};
  }
  /// The same for the bearer of a token, as the daemon's entry would identify it.
  Recorded ask_with(const std::string& token, const std::string& method, const std::string& target,
                    const std::string& body = "") {
    std::optional<Result<auth::Principal>> who;
    access->authenticate(token, [&who](Result<auth::Principal> found) { who = std::move(found); });
    EXPECT_TRUE(world.run_until([&] { return who.has_value(); }, std::chrono::minutes(1)));
    const auto recorded = send({method, target, {}, body, {}}, *who);
    EXPECT_TRUE(world.run_until([&] { return recorded->complete; }, std::chrono::minutes(20)));
    return {recorded->status, recorded->headers, recorded->body, true, 0, {}, {}};
  }
  Recorded get(const std::string& target, auth::Principal who = person("viewer")) {
    return ask("GET", target, "", {}, std::move(who));
  }

  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimDisk disk;
  sim::SimDisk* store_disk;  ///< `disk`, or the one that the test gave
  sim::SimDisk ca_disk;
  sim::SimProcess process{world, {.name = "master", .host = "h1", .disk = &disk}};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<auth::CertificateAuthority> authority;
  std::unique_ptr<auth::Enrolment> enrolment;
  cluster::Model model;
  store::Subscription feed;
  FakeCalls calls;
  FakeHealth health;
  FakeMetrics metrics;
  FakeLocal local;
  FakeControl control;
  Result<auth::SecretBox> secrets =
      auth::SecretBox::open_or_create(ca_disk, process.random(), "/secrets");
  std::unique_ptr<Worker> worker;
  std::unique_ptr<auth::AccessControl> access;
  FakeAudit audit{process.executor()};
  FakeBootDaemons boot_daemons;
  FakeConsoles consoles{process.executor(), process.random()};
  /// What an issuer's server answers, how often and where it was asked.
  Result<std::string> jwks = fail(Code::unreachable, "no such server");
  int fetches = 0;
  std::string fetched_from;
  /// Set by a test: holds in place of the grants in the store.
  std::shared_ptr<const auth::Policy> policy;
  std::vector<auth::AuditRecord> audited;
  std::unique_ptr<MasterApi> api;
};

}  // namespace drover::api::testing

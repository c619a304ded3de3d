// The tree at full size: one master and one aggregator in one process, N computes on the real
// protocol in another, mutual TLS on loopback. Prints what the two daemons cost and how quick a
// call is.
//   bench_tree [nodes] [seconds] [rounds]
#include "auth/authority.hpp"
#include "auth/identity.hpp"
#include "base/log_levels.hpp"
#include "base/noderange.hpp"
#include "daemons/aggregator.hpp"
#include "daemons/compute.hpp"
#include "daemons/master.hpp"
#include "net/loop.hpp"
#include "net/real_net.hpp"
#include "os/process.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/sample.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace drover;           // NOLINT(google-build-using-namespace): one program
using namespace drover::daemons;  // NOLINT(google-build-using-namespace)

constexpr const char* kCluster = "bench";

struct Settings {
  int nodes = 10'000;
  int seconds = 10;
  int rounds = 30;
  std::string dir;
};

/// Everything one process needs.
struct Ground {
  std::unique_ptr<net::Loop> loop = net::Loop::make().value();
  net::RealNet net{*loop};
  os::RealDisk disk;
  os::RealRandom random;
  LogLevels levels{LevelSet{Severity::error, {}}};
  StderrSink log{levels, LogForm::text};
  Seams seams() { return {*loop, net, disk, random, log}; }
};

/// Jobs of ten thousand agents run on the loop itself: the bench is not about their threads.
class InlineExecutor final : public Executor {
 public:
  explicit InlineExecutor(Executor& inner) : inner_(inner) {}
  [[nodiscard]] MonoTime now() const override { return inner_.now(); }
  [[nodiscard]] WallTime wall() const override { return inner_.wall(); }
  TimerId arm(MonoTime when, Callback<void()> fire) override {
    return inner_.arm(when, std::move(fire));
  }
  void disarm(TimerId id) override { inner_.disarm(id); }
  void post(Callback<void()> task) override { inner_.post(std::move(task)); }
  void post_from_any_thread(Callback<void()> task) override {
    inner_.post_from_any_thread(std::move(task));
  }
  std::unique_ptr<Worker> make_worker(std::string_view) override {
    class Inline final : public Worker {
     public:
      explicit Inline(Executor& executor) : executor_(executor) {}
      void run(Callback<void()> job, Callback<void()> done) override {
        executor_.post([job = std::move(job), done = std::move(done)]() mutable {
          job();
          done();
        });
      }

     private:
      Executor& executor_;
    };
    return std::make_unique<Inline>(inner_);
  }

 private:
  Executor& inner_;
};

/// A made-up machine whose metrics change a little each second.
class BenchFacts final : public HostFacts {
 public:
  Result<std::string> read_inventory() override {
    return std::string(
        R"({"parts":[{"kind":"cpu","slot":"0","serial":"","attributes":{"model":"bench"}}],)"
        R"("summary":{"cpus":64,"memory_mib":262144,"gpus":0,"os":"bench","kernel":"6.1"}})");
  }
  std::string sample(bool everything) override {
    telemetry::Sample sample;
    sample.time_ms = ++tick_ * 1000;
    sample.full = everything;
    for (uint32_t i = 0; i < 12; ++i) {
      sample.values.emplace_back(telemetry::metric_id(static_cast<telemetry::Metric>(i), 0),
                                 static_cast<double>(tick_ * 7 + i));
    }
    return telemetry::encode_sample(sample);
  }

 private:
  int64_t tick_ = 0;
};

net::SecurityConfig identity(Ground& ground, const auth::CertificateAuthority& ca,
                             const std::string& role, const std::string& name) {
  auth::OpensslIdentityTool tool;
  auth::Identity made;
  made.key_pem = tool.make_key().value();
  auth::IssueRequest request;
  request.csr_pem = tool.make_csr(made.key_pem, name).value();
  request.cluster = kCluster;
  request.role = role;
  request.name = name;
  request.serial = auth::draw_serial(ground.random);
  request.now = ground.loop->wall();
  made.certificate_pem = ca.issue(request).value().certificate_pem;
  made.ca_pem = ca.ca_pem();
  return auth::security_config(made);
}

tree::Introduction introduce(Ground& ground, tree::Role role, const std::string& name) {
  tree::Introduction self;
  self.cluster = kCluster;
  self.role = role;
  self.name = name;
  self.incarnation = static_cast<uint64_t>(to_unix_ms(ground.loop->wall()));
  self.starts = 1;
  self.boot_id = "bench";
  self.protocol_min = tree::kProtocolMin;
  self.protocol_max = tree::kProtocolMax;
  self.features = tree::kFeatures;
  self.version = "bench";
  return self;
}

std::string node_name(int index) {
  return fmt::format("n{:05}", index);
}

size_t rss_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:") {
      size_t kib = 0;
      status >> kib;
      return kib;
    }
  }
  return 0;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ms_since(MonoTime start) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const Duration at = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  return static_cast<double>((at - start.time_since_epoch()).count()) * 1e-6;
}

MonoTime monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return MonoTime{std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)};
}

/// The master and the aggregator.
class Server {
 public:
  Server(const Settings& settings, int to_main, int from_main)
      : settings_(settings), to_main_(to_main), from_main_(from_main) {}

  int run() {
    (void)os::raise_open_file_limit();
    auto ca =
        auth::CertificateAuthority::open_or_create(
            ground_.disk, ground_.random, settings_.dir + "/ca", kCluster, ground_.loop->wall())
            .value();
    auto store = store::open_sqlite(*ground_.loop, ground_.disk, Log(ground_.log, "store"),
                                    settings_.dir + "/drover.db", {})
                     .value();
    auto signing_keys = auth::SigningKeys::open_or_create(ground_.disk, settings_.dir + "/signing",
                                                          ground_.loop->wall())
                            .value();
    auth::CertificateVerifier verifier(*ground_.loop, auth::Trust::from_pem(ca->ca_pem()).value(),
                                       kCluster);
    auto master_security =
        ground_.net.make_security(identity(ground_, *ca, "master", "master")).value();
    MasterConfig config;
    config.self = introduce(ground_, tree::Role::master, "master");
    config.tree_listen = {net::Endpoint{"127.0.0.1", 0, {}}};
    config.user_name = [](uint32_t) { return std::string(); };
    Master master(ground_.seams(), std::move(config),
                  MasterParts{*store, *ca, std::move(signing_keys), verifier,
                              [&] { return master_security; }, [&] { return master_security; }});
    if (const Status started = master.start(); !started) return fail(started.error());
    auto aggregator_security =
        ground_.net.make_security(identity(ground_, *ca, "aggregator", "agg1")).value();
    AggregatorConfig aggregator_config;
    aggregator_config.self = introduce(ground_, tree::Role::aggregator, "agg1");
    aggregator_config.listen = {net::Endpoint{"127.0.0.1", 0, {}}};
    aggregator_config.masters = master.tree_endpoints();
    Aggregator aggregator(ground_.seams(), std::move(aggregator_config),
                          [&] { return aggregator_security; });
    if (const Status started = aggregator.start(); !started) return fail(started.error());
    const size_t rss_before = rss_kib();
    const uint16_t port = aggregator.endpoints().front().port;
    if (write(to_main_, &port, sizeof port) != sizeof port) return 1;
    return measure(master, rss_before) ? 0 : 1;
  }

 private:
  int fail(const Error& error) {
    fmt::print(stderr, "bench_tree: {}\n", error.text());
    return 1;
  }

  [[nodiscard]] size_t in_phase(Master& master, cluster::PhaseState phase) const {
    size_t count = 0;
    for (const auto& [name, entry] : master.model().nodes()) {
      count += entry.node().phase.state == phase && entry.confirmed ? 1 : 0;
    }
    return count;
  }

  /// Until `all` nodes are in the phase; looks now and then, since a look counts them all. Tells on
  /// standard error how far it is, and gives up when none has come for a while.
  bool wait_for_all(Master& master, cluster::PhaseState phase, std::string_view what) {
    constexpr auto kLook = std::chrono::milliseconds(20);
    constexpr auto kTell = std::chrono::seconds(5);
    constexpr auto kPatience = std::chrono::seconds(30);
    const auto all = static_cast<size_t>(settings_.nodes);
    size_t most = 0;
    MonoTime told = monotonic_now();
    MonoTime grown = told;
    for (;;) {
      (void)ground_.loop->run_until([] { return false; }, kLook);
      const size_t count = in_phase(master, phase);
      const MonoTime now = monotonic_now();
      if (count >= all) return true;
      if (count > most) grown = now;
      most = std::max(most, count);
      if (now - told >= kTell) {
        fmt::print(stderr, "  {}: {} of {} nodes\n", what, count, all);
        told = now;
      }
      if (now - grown < kPatience) continue;
      fmt::print("{:<46}{:>10} of {} nodes; gave up: none came for {} s\n", what, count, all,
                 kPatience.count());
      return false;
    }
  }

  /// Whether everything was reached.
  bool measure(Master& master, size_t rss_before) {
    const MonoTime start = monotonic_now();
    const double cpu_start = cpu_seconds();
    if (!wait_for_all(master, cluster::PhaseState::up, "nodes that joined the tree")) return false;
    fmt::print("{:<46}{:>10.1f} s, {:.2f} ms of daemon CPU each\n",
               "all nodes joined the tree, up and stored", ms_since(start) / 1000,
               (cpu_seconds() - cpu_start) * 1000 / settings_.nodes);
    (void)ground_.loop->run_until([] { return false; }, std::chrono::seconds(3));
    const double cpu_before = cpu_seconds();
    const MonoTime beat_start = monotonic_now();
    (void)ground_.loop->run_until([] { return false; }, std::chrono::seconds(settings_.seconds));
    const double spent = (cpu_seconds() - cpu_before) * 1e5 / ms_since(beat_start);
    fmt::print("{:<46}{:>10.1f} % of one core\n", "heartbeats and samples at 1 Hz, CPU", spent);
    fmt::print("{:<46}{:>10.1f} KiB\n", "memory per node",
               static_cast<double>(rss_kib() - rss_before) / settings_.nodes);
    const bool answered = calls(master);
    return death(master) && answered;
  }

  bool calls(Master& master) {
    std::vector<std::string> targets;
    for (int i = 1; i <= settings_.nodes; ++i) targets.push_back(node_name(i));
    std::vector<double> times;
    for (int round = 0; round < settings_.rounds; ++round) {
      bool done = false;
      std::string wrong;
      const MonoTime start = monotonic_now();
      (void)master.tree().calls().start(
          {fmt::format("bench-{}", round), "ping", "", std::chrono::seconds(30), targets}, nullptr,
          [&](const tree::CallReport& report) {
            done = true;
            if (report.groups.size() != 1 ||
                report.totals.of(tree::Outcome::done) != targets.size()) {
              wrong = fmt::format("{} groups, {} done", report.groups.size(),
                                  report.totals.of(tree::Outcome::done));
            }
          });
      if (!ground_.loop->run_until([&] { return done; }, std::chrono::seconds(40))) {
        fmt::print("{:<46}call {} has no answer after 40 s; gave up\n",
                   "call to all, one folded answer", round);
        return false;
      }
      times.push_back(ms_since(start));
      if (!wrong.empty()) fmt::print("call {} was not answered by all: {}\n", round, wrong);
    }
    std::sort(times.begin(), times.end());
    fmt::print("{:<46}{:>10.0f} ms p50, {:.0f} p99, {:.0f} to {:.0f}\n",
               "call to all, one folded answer", times[times.size() / 2],
               times[times.size() * 99 / 100], times.front(), times.back());
    return true;
  }

  // kill -9 of the process with all nodes: how long until the model shows the last one lost.
  bool death(Master& master) {
    const char ready = 'k';
    int64_t killed_ns = 0;
    if (write(to_main_, &ready, 1) != 1 ||
        read(from_main_, &killed_ns, sizeof killed_ns) != sizeof killed_ns) {
      return false;
    }
    if (!wait_for_all(master, cluster::PhaseState::lost, "nodes seen lost")) return false;
    fmt::print("{:<46}{:>10.0f} ms\n", "kill -9 of all nodes at once, all seen and stored",
               ms_since(MonoTime{Duration(killed_ns)}));
    return true;
  }

  Settings settings_;
  int to_main_;
  int from_main_;
  Ground ground_;
};

/// The computes.
int run_nodes(const Settings& settings, uint16_t port) {
  (void)os::raise_open_file_limit();
  Ground ground;
  InlineExecutor executor(*ground.loop);
  auto ca = auth::CertificateAuthority::open_or_create(
                ground.disk, ground.random, settings.dir + "/ca", kCluster, ground.loop->wall())
                .value();
  BenchFacts facts;
  std::vector<std::unique_ptr<Compute>> nodes;
  Timer starter;
  const Seams seams{executor, ground.net, ground.disk, ground.random, ground.log};
  // A cold start in steps that two cores can take: each handshake costs them 2 ms together.
  Callback<void()> some = [&] {
    for (int i = 0; i < 20 && static_cast<int>(nodes.size()) < settings.nodes; ++i) {
      const std::string name = node_name(static_cast<int>(nodes.size()) + 1);
      ComputeConfig config;
      config.self = introduce(ground, tree::Role::compute, name);
      config.aggregators = {net::Endpoint{"127.0.0.1", port, {}}};
      auto security = ground.net.make_security(identity(ground, *ca, "compute", name)).value();
      nodes.push_back(std::make_unique<Compute>(
          seams, std::move(config), [security] { return security; }, facts));
      nodes.back()->start();
    }
  };
  Callback<void()> step = [&] {
    some();
    if (static_cast<int>(nodes.size()) < settings.nodes) {
      starter.after(*ground.loop, std::chrono::milliseconds(50), [&] { step(); });
    }
  };
  step();
  ground.loop->run();
  return 0;
}

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  std::string model = "unknown processor";
  while (std::getline(info, line)) {
    if (line.starts_with("model name")) model = line.substr(line.find(':') + 2);
  }
  return fmt::format("{} x {}", sysconf(_SC_NPROCESSORS_ONLN), model);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (argc > 1) settings.nodes = std::atoi(argv[1]);
  if (argc > 2) settings.seconds = std::atoi(argv[2]);
  if (argc > 3) settings.rounds = std::atoi(argv[3]);
  if (settings.nodes < 1 || settings.seconds < 1 || settings.rounds < 1) {
    fmt::print(stderr, "usage: bench_tree [nodes] [seconds] [rounds]\n");
    return 2;
  }
  std::string dir = "/tmp/drover-bench-XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) return 1;
  settings.dir = dir;
  {
    Ground ground;
    (void)auth::CertificateAuthority::open_or_create(ground.disk, ground.random, dir + "/ca",
                                                     kCluster, ground.loop->wall());
  }
  fmt::print("tree: {} nodes, master and aggregator in one process, nodes in another; {}\n",
             settings.nodes, machine());
  std::fflush(stdout);
  int up[2];
  int down[2];
  if (pipe(up) != 0 || pipe(down) != 0) return 1;
  const pid_t server = fork();
  if (server == 0) {
    const int status = Server(settings, up[1], down[0]).run();
    std::fflush(stdout);
    _exit(status);
  }
  uint16_t port = 0;
  if (read(up[0], &port, sizeof port) != sizeof port) return 1;
  const pid_t nodes = fork();
  if (nodes == 0) _exit(run_nodes(settings, port));
  char ready = 0;
  if (read(up[0], &ready, 1) == 1) {
    const int64_t now = monotonic_now().time_since_epoch().count();
    kill(nodes, SIGKILL);
    (void)!write(down[1], &now, sizeof now);
  }
  int status = 0;
  waitpid(server, &status, 0);
  kill(nodes, SIGKILL);
  waitpid(nodes, nullptr, 0);
  (void)!std::system(("rm -rf " + dir).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

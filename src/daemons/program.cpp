#include "daemons/program.hpp"

#include "daemons/program_manual.hpp"
#include "net/signal_watch.hpp"
#include "os/notify.hpp"
#include "os/process.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/core.h>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace drover::daemons {
namespace {

constexpr int kExitConfig = 78;  // EX_CONFIG of sysexits.h: systemd does not restart on it
constexpr Duration kStopLimit = std::chrono::seconds(10);

int complain(const std::string& program, const Error& error) {
  fmt::print(stderr, "{}: {}\n", program, error.text());
  if (!error.next.empty()) fmt::print(stderr, "next: {}\n", error.next);
  return kExitConfig;
}

Severity severity_of(const std::string& text) {
  for (const Severity severity :
       {Severity::debug, Severity::info, Severity::notice, Severity::warning, Severity::error}) {
    if (name(severity) == text) return severity;
  }
  return Severity::info;
}

/// Signals, watchdog and stop of one running service.
class Runner {
 public:
  Runner(net::Loop& loop, const os::NotifyEnvironment& environment, const Log& log)
      : loop_(loop), notifier_(environment.socket), watchdog_(environment.watchdog), log_(log) {}

  Status run(Service& service) {
    DROVER_TRY(auto signals,
               net::SignalWatch::make(loop_, {SIGTERM, SIGINT, SIGHUP},
                                      [&](int signal) { on_signal(service, signal); }));
    DROVER_CHECK_OK(service.start());
    (void)notifier_.ready(service.status());
    feed_watchdog();
    loop_.run();
    return {};
  }

 private:
  void on_signal(Service& service, int signal) {
    if (signal == SIGHUP) {
      log_.notice("reading the settings again");
      service.reload();
      return;
    }
    if (stopping_) return;
    stopping_ = true;
    log_.notice("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
    (void)notifier_.stopping();
    limit_.after(loop_, kStopLimit, [this] {
      log_.warning("the stop took too long; leaving what is left");
      loop_.stop();
    });
    service.stop([this] { loop_.stop(); });
  }

  void feed_watchdog() {
    if (!watchdog_) return;
    (void)notifier_.watchdog();
    watchdog_timer_.after(loop_, *watchdog_ / 3, [this] { feed_watchdog(); });
  }

  net::Loop& loop_;
  os::Notifier notifier_;
  std::optional<Duration> watchdog_;
  Log log_;
  Timer limit_;
  Timer watchdog_timer_;
  bool stopping_ = false;
};

Status serve(const Config& config, const os::NotifyEnvironment& environment, MakeService& make) {
  const bool journald = std::getenv("JOURNAL_STREAM") != nullptr;
  StderrSink sink(severity_of(config.text("log.level")), journald);
  const Log log(sink, "daemon");
  for (const std::string& warning : config.warnings()) log.warning(warning);
  DROVER_TRY(auto loop, net::Loop::make());
  net::RealNet net(*loop);
  os::RealDisk disk;
  os::RealRandom random;
  DROVER_CHECK_OK(disk.make_dirs(config.text("state"), 0700));
  DROVER_TRY(auto instance, os::PidFile::acquire(config.text("state") + "/pid"));
  DROVER_TRY([[maybe_unused]] auto limit, os::raise_open_file_limit());
  Program program{config, {*loop, net, disk, random, sink}, *loop};
  DROVER_TRY(auto service, make(program));
  Runner runner(*loop, environment, log);
  return runner.run(*service);
}

}  // namespace

std::vector<ConfigOption> with_common_options(std::vector<ConfigOption> own) {
  std::vector<ConfigOption> all{
      {.key = "name",
       .help = "this daemon's name; drover join writes it; default on a master: the host's"},
      {.key = "state",
       .type = ConfigType::path,
       .help = "folder for what must survive a restart",
       .required = true},
      {.key = "socket", .type = ConfigType::path, .help = "Unix socket of the local API"},
      {.key = "log.level",
       .type = ConfigType::choice,
       .standard = "info",
       .help = "least severity that is logged",
       .choices = {"debug", "info", "notice", "warning", "error"}},
      {.key = "tree.heartbeat",
       .type = ConfigType::duration,
       .standard = "1s",
       .help = "time between two heartbeats on a link",
       .least = 50,
       .most = 60'000},
      {.key = "tree.silence",
       .type = ConfigType::duration,
       .standard = "3s",
       .help = "silence after which a link is lost",
       .least = 150,
       .most = 600'000},
      {.key = "tree.hold",
       .type = ConfigType::duration,
       .standard = "60s",
       .help = "how long a returned aggregator must stay before its nodes move home",
       .least = 0,
       .most = 86'400'000},
  };
  for (ConfigOption& option : own) all.push_back(std::move(option));
  return all;
}

Timing timing_of(const Config& config) {
  Timing timing;
  timing.heartbeat = config.duration("tree.heartbeat");
  timing.silence = config.duration("tree.silence");
  timing.hold = config.duration("tree.hold");
  return timing;
}

Result<std::vector<net::Endpoint>> endpoints_of(const Config& config, std::string_view key) {
  std::vector<net::Endpoint> out;
  for (const std::string& text : config.list(key)) {
    auto endpoint = net::Endpoint::parse(text);
    if (!endpoint) return fail_in(fmt::format("setting {}", key), endpoint.error());
    out.push_back(std::move(*endpoint));
  }
  return out;
}

int run_program(const ConfigTable& table, int argc, char** argv, MakeService make) {
  if (const Status safe = os::secure_stdio(); !safe) return complain(table.program(), safe.error());
  if (argc == 2 && std::string_view(argv[1]) == "--man") {
    fmt::print("{}", manual_page(table));
    return 0;
  }
  const os::NotifyEnvironment environment = os::take_notify_environment();
  os::RealDisk disk;
  ConfigSources sources;
  sources.arguments.assign(argv + 1, argv + argc);
  sources.environment = drover_environment(environ);
  sources.standard_file = "/etc/drover/" + table.program().substr(7) + ".toml";  // past "drover-"
  auto config = table.load(sources, disk);
  if (!config) return complain(table.program(), config.error());
  if (config->wants_help()) {
    fmt::print("{}", table.usage());
    return 0;
  }
  if (config->wants_version()) {
    fmt::print("{} {}\n", table.program(), DROVER_VERSION);
    return 0;
  }
  const Status served = serve(*config, environment, make);
  return served ? 0 : complain(table.program(), served.error());
}

}  // namespace drover::daemons

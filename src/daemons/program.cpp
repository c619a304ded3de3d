#include "daemons/program.hpp"

#include "daemons/program_manual.hpp"
#include "net/signal_watch.hpp"
#include "options/daemon_options.hpp"
#include "os/host/cpu_topology.hpp"
#include "os/notify.hpp"
#include "os/process.hpp"
#include "os/public_file.hpp"
#include "tree/heartbeat.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/core.h>
#include <google/protobuf/stubs/logging.h>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace drover::daemons {
namespace {

constexpr int kExitConfig = 78;  // EX_CONFIG of sysexits.h: systemd does not restart on it
constexpr Duration kStopLimit = std::chrono::seconds(10);
/// An agent is linked and has read its inventory long before.
constexpr Duration kStartIsOver = std::chrono::seconds(30);

/// Whether jobs run beside it, so that its memory counts.
bool is_agent(std::string_view role) {
  return role == "compute" || role == "utility";
}

int complain(const std::string& program, const Error& error) {
  fmt::print(stderr, "{}: {}\n", program, error.text());
  if (!error.next.empty()) fmt::print(stderr, "next: {}\n", error.next);
  return kExitConfig;
}

/// A program's configuration: how to read it, and what is in use of it.
struct Configuration {
  const ConfigTable& table;
  ConfigSources sources;
  Config in_use;
};

/// Signals, reload, watchdog and stop of one running service.
class Runner final : public api::DaemonControl {
 public:
  Runner(net::Loop& loop, Disk& disk, const os::NotifyEnvironment& environment,
         Configuration& configuration, LogControl& logs, const Log& log)
      : loop_(loop),
        disk_(disk),
        notifier_(environment.socket),
        watchdog_(environment.watchdog),
        configuration_(configuration),
        logs_(logs),
        log_(log) {}

  Status run(Service& service, bool agent) {
    service_ = &service;
    if (agent) settled_.after(loop_, kStartIsOver, [] { os::forget_start_code(); });
    DROVER_TRY(auto signals, net::SignalWatch::make(loop_, {SIGTERM, SIGINT, SIGHUP},
                                                    [this](int signal) { on_signal(signal); }));
    DROVER_CHECK_OK(service.start());
    (void)notifier_.ready(service.status());
    if (watchdog_) {
      pulse_.emplace(loop_, *watchdog_ / 3, [this](uint64_t) { feed_watchdog(); });
      for (Worker* worker : service.workers()) pulse_->prove(*worker);
      pulse_->start();
    }
    loop_.run();
    return {};
  }

  api::LogLevelsView log_levels() override { return logs_.view(); }

  Status set_log_levels(const api::LogLevelsRequest& request) override {
    DROVER_CHECK_OK(logs_.by_hand(request.levels));
    log_.notice("log levels were set by hand until the next start");
    return {};
  }

  Result<api::ReloadView> reload() override {
    (void)notifier_.reloading(loop_.now());
    auto done = take_configuration();
    if (!done) {
      log_.error("the configuration was not taken: nothing has changed",
                 {{"why", done.error().text()}});
    }
    (void)notifier_.ready(service_->status());
    return done;
  }

 private:
  Result<api::ReloadView> take_configuration() {
    Config& in_use = configuration_.in_use;
    DROVER_TRY(const Config fresh, configuration_.table.load(configuration_.sources, disk_));
    api::ReloadView out;
    out.file = fresh.file();
    bool live = false;
    for (const ConfigOption& option : configuration_.table.options()) {
      const ConfigValue& now = fresh.value(option.key);
      const std::string before = in_use.text(option.key);
      if (now.text == before) continue;
      out.options.push_back({option.key, before, now.text, option.live});
      if (option.live) {
        in_use.adopt(now);
        live = true;
        log_.notice("an option has changed", {{"option", option.key}, {"to", now.text}});
      } else {
        log_.warning("an option has changed that takes effect at the next start",
                     {{"option", option.key}, {"in_use", before}, {"configured", now.text}});
      }
    }
    if (live) service_->reload();
    log_.notice("the configuration was read again",
                {{"file", out.file}, {"changed", std::to_string(out.options.size())}});
    return out;
  }

  void on_signal(int signal) {
    if (signal == SIGHUP) {
      if (!stopping_) (void)reload();
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
    service_->stop([this] { loop_.stop(); });
  }

  void feed_watchdog() {
    (void)notifier_.watchdog();
    std::string status = service_->status();
    if (status != status_) (void)notifier_.status(status_ = std::move(status));
  }

  net::Loop& loop_;
  Disk& disk_;
  os::Notifier notifier_;
  std::optional<Duration> watchdog_;
  Configuration& configuration_;
  LogControl& logs_;
  Log log_;
  Service* service_ = nullptr;
  /// Fed by the loop after it has proved the workers, as a heartbeat is: a hung daemon is ended.
  std::optional<tree::Heartbeat> pulse_;
  Timer limit_;
  Timer settled_;
  std::string status_;
  bool stopping_ = false;
};

LogForm form_of(const std::string& text) {
  if (text == "json") return LogForm::json;
  if (text == "journald") return LogForm::journald;
  return text == "auto" && os::stderr_is_journal() ? LogForm::journald : LogForm::text;
}

Status serve(Configuration& configuration, const os::NotifyEnvironment& environment,
             MakeService& make, bool agent) {
  const Config& config = configuration.in_use;
  LogControl logs(cluster::Settings(options::own_settings(config)));
  StderrSink sink(logs.levels(), form_of(config.text("log.format")));
  const Log log(sink, "daemon");
  for (const std::string& warning : config.warnings()) log.warning(warning);
  DROVER_TRY(auto loop, net::Loop::make());
  net::RealNet net(*loop);
  os::RealDisk disk;
  os::RealRandom random;
  DROVER_CHECK_OK(disk.make_dirs(config.text("state"), 0700));
  DROVER_TRY(auto instance, os::PidFile::acquire(config.text("state") + "/pid"));
  DROVER_TRY([[maybe_unused]] auto limit, os::raise_open_file_limit());
  Runner runner(*loop, disk, environment, configuration, logs, log);
  Program program{config, {*loop, net, disk, random, sink}, *loop, logs, runner};
  DROVER_TRY(auto service, make(program));
  return runner.run(*service, agent);
}

}  // namespace

Result<std::vector<net::Endpoint>> endpoints_of(const Config& config, std::string_view key) {
  std::vector<net::Endpoint> out;
  for (const std::string& text : config.list(key)) {
    auto endpoint = net::Endpoint::parse(text);
    if (!endpoint) return fail_in(fmt::format("setting {}", key), endpoint.error());
    out.push_back(std::move(*endpoint));
  }
  return out;
}

LocalSocket local_socket(const Config& config, Disk& disk, const Log& log) {
  const ConfigValue& value = config.value("socket");
  if (value.origin != ConfigOrigin::standard) return {value.text, true};
  const std::string folder = value.text.substr(0, value.text.rfind('/'));
  if (const Status made = disk.make_dirs(folder, 0755); !made) {
    log.error("no local API: the folder of its socket cannot be made",
              {{"socket", value.text},
               {"why", made.error().text()},
               {"next", "give --socket PATH, or --socket= for none"}});
    return {};
  }
  return {value.text, false};
}

Callback<Status(const std::string& bytes)> names_beside(const std::string& socket,
                                                        std::string_view role) {
  if (socket.empty()) return nullptr;
  std::string path = fmt::format("{}/{}.names", socket.substr(0, socket.rfind('/')), role);
  return [path = std::move(path)](const std::string& bytes) {
    return os::write_public_file(path, bytes);
  };
}

int run_program(std::string_view role, int argc, char** argv, MakeService make) {
  const ConfigTable& table = *options::daemon_table(role);
  if (is_agent(role)) {
    os::keep_heap_small();
    os::keep_hwloc_small();
  }
  if (const Status safe = os::secure_stdio(); !safe) return complain(table.program(), safe.error());
  if (argc == 2 && std::string_view(argv[1]) == "--man") {
    fmt::print("{}", manual_page(table));
    return 0;
  }
  // What cannot be parsed is told by whoever took it in, with who sent it.
  google::protobuf::SetLogHandler(nullptr);
  const os::NotifyEnvironment environment = os::take_notify_environment();
  os::RealDisk disk;
  ConfigSources sources;
  sources.arguments.assign(argv + 1, argv + argc);
  sources.environment = drover_environment(environ);
  sources.standard_file = options::standard_file(role);
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
  if (config->wants_print()) {
    fmt::print("{}", config_text(*config));
    return 0;
  }
  Configuration configuration{table, std::move(sources), *std::move(config)};
  const Status served = serve(configuration, environment, make, is_agent(role));
  return served ? 0 : complain(table.program(), served.error());
}

}  // namespace drover::daemons

// What every daemon's main does: settings, one instance, seams, signals, the service manager, an
// orderly stop. A main adds its daemon.
#pragma once

#include "base/config.hpp"
#include "base/log.hpp"
#include "daemons/seams.hpp"
#include "net/loop.hpp"
#include "net/real_net.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

/// Settings that every daemon has, followed by its own.
std::vector<ConfigOption> with_common_options(std::vector<ConfigOption> own);
/// The times of the tree as set.
Timing timing_of(const Config& config);
/// Endpoints of a list setting; the error names the setting and the text.
Result<std::vector<net::Endpoint>> endpoints_of(const Config& config, std::string_view key);

/// What a daemon's main gets to build on. Lives as long as the program.
struct Program {
  const Config& config;
  Seams seams;
  net::Loop& loop;
};

/// A running daemon as its main sees it.
class Service {
 public:
  Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;
  /// Starts; errors are for the operator and end the program with exit status 78 (EX_CONFIG).
  virtual Status start() = 0;
  /// Begins an orderly stop; calls `stopped` when nothing is left running.
  virtual void stop(Callback<void()> stopped) = 0;
  /// SIGHUP: reads again what can change live.
  virtual void reload() {}
  /// One line for `systemctl status`.
  [[nodiscard]] virtual std::string status() const = 0;
};

using MakeService = Callback<Result<std::unique_ptr<Service>>(Program& program)>;

/// Runs a daemon until SIGTERM or SIGINT; returns the exit status.
int run_program(const ConfigTable& table, int argc, char** argv, MakeService make);

}  // namespace drover::daemons

// What every daemon's main does: settings, one instance, seams, signals, the service manager, an
// orderly stop. A main adds its daemon.
#pragma once

#include "api/daemon_control.hpp"
#include "base/config.hpp"
#include "base/log.hpp"
#include "daemons/log_control.hpp"
#include "daemons/seams.hpp"
#include "net/loop.hpp"
#include "net/real_net.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Endpoints of a list setting; the error names the setting and the text.
Result<std::vector<net::Endpoint>> endpoints_of(const Config& config, std::string_view key);

/// The socket of the local API. The standard one is a service, not a duty: where its folder cannot
/// be made the daemon says so and goes without.
struct LocalSocket {
  std::string path;   ///< empty: none
  bool must = false;  ///< it was asked for: the daemon does not start without it
};
LocalSocket local_socket(const Config& config, Disk& disk, const Log& log);

/// Writes the file of the nodes' names that lies beside a local socket, as ROLE.names: where
/// libnss_drover looks. Empty without a socket.
Callback<Status(const std::string& bytes)> names_beside(const std::string& socket,
                                                        std::string_view role);

/// What a daemon's main gets to build on. Lives as long as the program.
struct Program {
  const Config& config;
  Seams seams;
  net::Loop& loop;
  LogControl& logs;
  api::DaemonControl& control;
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
  /// Options that are live have new values in the program's Config.
  virtual void reload() {}
  /// Workers that must answer before the service manager's watchdog is fed; valid after start().
  [[nodiscard]] virtual std::vector<Worker*> workers() { return {}; }
  /// One line for `systemctl status`.
  [[nodiscard]] virtual std::string status() const = 0;
};

using MakeService = Callback<Result<std::unique_ptr<Service>>(Program& program)>;

/// Runs the daemon of a role until SIGTERM or SIGINT; returns the exit status.
int run_program(std::string_view role, int argc, char** argv, MakeService make);

}  // namespace drover::daemons

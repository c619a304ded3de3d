// Telling systemd how the daemon is: the sd_notify(3) datagrams, without libsystemd.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace drover::os {

/// What the service manager put into the environment of a daemon.
struct NotifyEnvironment {
  std::string socket;                ///< NOTIFY_SOCKET: a path, or "@name" for an abstract one
  std::optional<Duration> watchdog;  ///< WATCHDOG_USEC, when WATCHDOG_PID is ours or unset
};

/// Reads the variables and removes them, so that children cannot speak in the daemon's name. Call
/// once, at the start of main, before there are threads (it changes the environment).
NotifyEnvironment take_notify_environment();

/// Whether standard error leads to journald (systemd.exec(5), JOURNAL_STREAM).
bool stderr_is_journal();

/// Sends states to the service manager. Every call is one datagram that never blocks and a no-op
/// without a socket. Failures are returned for the log; no daemon stops over them.
class Notifier {
 public:
  /// `socket` as in NotifyEnvironment; "" makes a Notifier that says nothing.
  explicit Notifier(std::string socket) : socket_(std::move(socket)) {}

  [[nodiscard]] bool enabled() const { return !socket_.empty(); }
  /// The daemon serves now; `status` is the line that `systemctl status` shows.
  Status ready(std::string_view status) const;
  Status status(std::string_view status) const;
  Status stopping() const;
  /// The configuration is read again; ready() ends it. `now` is CLOCK_MONOTONIC
  /// (Type=notify-reload).
  Status reloading(MonoTime now) const;
  /// Still alive: to be sent at least every half of the watchdog's interval.
  Status watchdog() const;

 private:
  [[nodiscard]] Status send(std::string_view text) const;
  std::string socket_;
};

}  // namespace drover::os

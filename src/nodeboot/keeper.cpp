// One loop around sigtimedwait(2): no thread, no allocation of note, nothing that can fail.
#include "nodeboot/keeper.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include <fmt/core.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

namespace drover::nodeboot {
namespace {

std::string how_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

std::optional<Request> request_of(int status) {
  if (!WIFEXITED(status)) return std::nullopt;
  const int code = WEXITSTATUS(status);
  if (code < static_cast<int>(Request::reboot) || code > static_cast<int>(Request::switch_root)) {
    return std::nullopt;
  }
  return static_cast<Request>(code);
}

class Keeper {
 public:
  Keeper(const std::function<int()>& child, const KeeperActions& actions, KeeperTimes times)
      : child_(child), actions_(actions), times_(times), wait_ms_(times.first_wait_ms) {
    sigemptyset(&watched_);
    for (const int one : {SIGCHLD, SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaddset(&watched_, one);
    ::sigprocmask(SIG_BLOCK, &watched_, &before_);
  }

  void run() {
    for (;;) {
      start();
      const int status = await_child();
      const auto asked = request_of(status);
      if (end_) return end(*end_);
      if (asked == Request::switch_root) {
        // What was moved already cannot be moved back: the machine starts over, after a look.
        const Status switched = actions_.switch_root();
        if (!switched) actions_.say("the image could not be started: " + switched.error().text());
        (void)pause(times_.longest_wait_ms);
        return end(end_.value_or(Request::reboot));
      } else if (asked) {
        return end(*asked);
      }
      const int wait = wait_ms_;
      wait_ms_ = std::min(wait_ms_ * 2, times_.longest_wait_ms);
      actions_.say(fmt::format("the agent {}; it starts again in {} ms", how_ended(status), wait));
      if (pause(wait)) return end(*end_);
    }
  }

 private:
  void start() {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    ::_exit(child_());
  }

  /// Buries whoever is dead; the child's status when it is among them.
  std::optional<int> bury() {
    std::optional<int> out;
    int status = 0;
    for (pid_t dead = 0; (dead = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (dead == pid_) out = status;
    }
    return out;
  }

  /// One signal, or none when `wait_ms` have passed.
  int next_signal(int wait_ms) {
    const timespec limit{wait_ms / 1000, (wait_ms % 1000) * 1'000'000L};
    return ::sigtimedwait(&watched_, nullptr, &limit);
  }

  /// What a signal asks for, the first one counts.
  void note(int signal) {
    if (end_ || signal <= 0 || signal == SIGCHLD) return;
    end_ = signal == SIGUSR1   ? Request::halt
           : signal == SIGUSR2 ? Request::poweroff
                               : Request::reboot;
  }

  int await_child() {
    int left = times_.stop_limit_ms;
    for (;;) {
      const bool stopping = end_.has_value();
      if (const auto status = bury()) return *status;
      if (pid_ < 0) return 1;  // there was no process to be had
      // Woken once a second at most: SIGCHLDs of several children may be one.
      constexpr int kTick = 1000;
      const int tick = stopping ? 50 : kTick;
      const int signal = next_signal(tick);
      note(signal);
      if (end_ && !stopping) ::kill(pid_, SIGTERM);
      if (stopping && signal < 0 && (left -= tick) <= 0) ::kill(pid_, SIGKILL);
    }
  }

  /// Waits between two starts; true when a signal asks for the end.
  bool pause(int wait_ms) {
    for (int left = wait_ms; left > 0 && !end_; left -= 50) {
      note(next_signal(std::min(left, 50)));
      (void)bury();
    }
    return end_.has_value();
  }

  /// Everybody else is asked to go, then made to.
  void end(Request how) {
    ::kill(-1, SIGTERM);
    for (int left = times_.stop_limit_ms; left > 0 && others_left(); left -= 50) {
      (void)next_signal(50);
    }
    ::kill(-1, SIGKILL);
    actions_.end_machine(how);
  }

  bool others_left() {
    (void)bury();
    return ::waitpid(-1, nullptr, WNOHANG) == 0;
  }

  const std::function<int()>& child_;
  const KeeperActions& actions_;
  KeeperTimes times_;
  sigset_t watched_{};
  sigset_t before_{};
  pid_t pid_ = -1;
  int wait_ms_;
  std::optional<Request> end_;
};

}  // namespace

void keep(const std::function<int()>& child, const KeeperActions& actions, KeeperTimes times) {
  Keeper(child, actions, times).run();
}

void end_machine(Request how) {
  ::sync();
  ::reboot(how == Request::poweroff ? RB_POWER_OFF
           : how == Request::halt   ? RB_HALT_SYSTEM
                                    : RB_AUTOBOOT);
  // A machine that cannot power itself off stands still.
  ::reboot(RB_HALT_SYSTEM);
}

}  // namespace drover::nodeboot

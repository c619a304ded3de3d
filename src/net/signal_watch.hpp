// SignalWatch: Unix signals as events of the loop.
#pragma once

#include "net/loop.hpp"

#include <csignal>
#include <initializer_list>
#include <memory>

namespace drover::net {

/// Delivers the given signals (SIGTERM, SIGINT, SIGHUP, ..) to `on_signal` on the loop's thread.
/// They are blocked in this thread, and in threads made from it, while this lives: make it before
/// any thread; `on_signal` must not destroy it. A child process inherits the blocked mask; whoever
/// starts one resets it.
class SignalWatch final : private FdHandler {
 public:
  static Result<std::unique_ptr<SignalWatch>> make(Loop& loop, std::initializer_list<int> signals,
                                                   Callback<void(int)> on_signal);
  ~SignalWatch() override;

 private:
  SignalWatch(Callback<void(int)> on_signal, const sigset_t& before);
  void on_fd(uint32_t events) override;

  Callback<void(int)> on_signal_;
  sigset_t before_;
  UniqueFd fd_;
  Loop::Watch watch_;
};

}  // namespace drover::net

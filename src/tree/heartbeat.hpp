// The heartbeat's source: a beat is given only after every worker of the process has answered, so
// that a live socket on a hung agent is not "alive".
#pragma once

#include "base/clock.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::tree {

/// Runs on the executor; the workers it probes must outlive it.
class Heartbeat {
 public:
  /// `beat` is called with 1, 2, 3 .. once per `interval` while everything answers.
  Heartbeat(Executor& executor, Duration interval, Callback<void(uint64_t)> beat);

  /// Adds a worker whose answer each beat waits for.
  void prove(Worker& worker) { workers_.push_back(&worker); }
  void start();
  void stop();
  /// A new interval from the last beat on: daemons that change at once keep out of step.
  void set_interval(Duration interval);
  /// How long the present round has waited for its workers; zero when none is late.
  [[nodiscard]] Duration late() const;

 private:
  void round();
  void arm(Duration wait);

  Executor& executor_;
  Duration interval_;
  Callback<void(uint64_t)> beat_;
  std::vector<Worker*> workers_;
  Timer timer_;
  MonoTime round_start_{};
  size_t waiting_ = 0;
  bool started_ = false;
  uint64_t sequence_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::tree

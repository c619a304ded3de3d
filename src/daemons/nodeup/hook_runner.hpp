// Hooks on a manager: the executables of a folder, called for each node that is about to be up.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "cluster/content/node_up.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace drover::daemons {

/// What a hook is told: the node as its only argument, the rest as DROVER_* in its environment.
struct HookFacts {
  std::string node;
  std::string boot_id;
  std::string address;  ///< that the node's agent comes from
  std::string cluster;
};

/// Executor's thread. Programs run on workers of their own, a few nodes at a time.
class HookRunner {
 public:
  /// Names of hooks: two digits, then anything but a '.' or '~' ("20-slurm"); in lexical order.
  /// `folder` empty: there are none. A folder or program that others than its owner may write is
  /// refused when it is to run, as a failed hook.
  HookRunner(Executor& executor, const Log& log, std::string folder, Duration timeout);
  ~HookRunner();

  /// The hooks that are there now. Reads the folder.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Runs them one after the other; the first that fails ends it, and the rest is skipped. `done`
  /// runs once, never in here; not when this is destroyed before.
  void run(HookFacts facts, Callback<void(std::vector<cluster::StepResult>)> done);

 private:
  struct Job;
  void start_next();

  Executor& executor_;
  Log log_;
  std::string folder_;
  Duration timeout_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::atomic<bool> cancel_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<size_t> idle_;
  std::vector<std::unique_ptr<Worker>> workers_;  // last: their jobs end before the rest goes
};

}  // namespace drover::daemons

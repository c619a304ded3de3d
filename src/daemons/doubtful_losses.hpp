// Losses that were seen when this process had itself just been stopped: believed after a while.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"

#include <map>
#include <string>

namespace drover::daemons {

/// A process that wakes reads the ends of old links before it takes the new ones that wait at its
/// door. Whoever comes back in time was never lost. Executor's thread only.
class DoubtfulLosses {
 public:
  DoubtfulLosses(Executor& executor, Duration wait) : executor_(executor), wait_(wait) {}

  /// Longer than a dial takes at its slowest, shorter than the grace after which a node that nobody
  /// speaks of is unknown.
  static Duration wait_of(Duration grace) { return grace / 3 * 2; }

  /// Calls `believe` after the wait, unless clear() or another hold() of that name comes first.
  void hold(const std::string& name, Callback<void()> believe);
  void clear(const std::string& name) { held_.erase(name); }
  void clear_all() { held_.clear(); }

 private:
  Executor& executor_;
  Duration wait_;
  std::map<std::string, Timer> held_;
};

}  // namespace drover::daemons

// Whether this process itself was stopped or starved: who did not listen cannot say who was silent.
#pragma once

#include "base/clock.hpp"

namespace drover::tree {

/// Notices gaps in which the executor did not run: SIGSTOP, a machine out of memory, a paused
/// virtual machine whose clock went on. Executor's thread only; it outlives whoever asks.
class Wakefulness {
 public:
  /// `silence_limit`: of the links that are judged; gaps of a quarter of it or more count. 0: none.
  Wakefulness(Executor& executor, Duration silence_limit);
  Wakefulness(const Wakefulness&) = delete;
  Wakefulness& operator=(const Wakefulness&) = delete;
  ~Wakefulness() = default;

  /// When the last gap ended, MonoTime::min() if there was none. Right also in the first turn after
  /// a gap, before any timer has fired.
  [[nodiscard]] MonoTime woke() const;
  /// A gap ended less than the limit ago: frames and new links of living peers may still be unread.
  [[nodiscard]] bool just_woke() const;

 private:
  void arm();
  [[nodiscard]] bool overdue() const;

  Executor& executor_;
  Duration limit_;
  MonoTime due_{};  ///< of the timer
  MonoTime woke_ = MonoTime::min();
  Timer timer_;
};

}  // namespace drover::tree

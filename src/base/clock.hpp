// The Clock and Executor seams: time, timers, and "run this later on my thread".
// Real form: net/loop. Simulated form: sim/world. No logic reads the system's clock past these.
#pragma once

#include "base/callback.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace drover {

using Duration = std::chrono::nanoseconds;

/// Tag clock of monotonic time; its zero means nothing, only differences do.
struct MonotonicTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicTag>;
  static constexpr bool is_steady = true;
};
/// A moment of this process's monotonic clock: for deadlines and intervals, never stored or sent.
using MonoTime = MonotonicTag::time_point;
/// A moment of civil time (UTC): for people, certificates and the change log.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// "2026-11-21T21:33:17.123Z" (RFC 3339, UTC, milliseconds).
std::string to_rfc3339(WallTime time);
/// Reads RFC 3339 with any fraction of a second and any offset, years 1970 to 2261; leap seconds
/// are taken as the second after. Nothing when `text` is not such a time.
std::optional<WallTime> from_rfc3339(std::string_view text);
/// Milliseconds since the Unix epoch, the form of every time on the wire and in the store.
int64_t to_unix_ms(WallTime time);
WallTime from_unix_ms(int64_t ms);

/// A sense of time. Used from one thread only, its executor's.
class Clock {
 public:
  using TimerId = uint64_t;
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  [[nodiscard]] virtual MonoTime now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
  /// Runs `fire` once at `when` (at once, but never inside this call, when that is past).
  /// Prefer Timer, which disarms itself.
  virtual TimerId arm(MonoTime when, Callback<void()> fire) = 0;
  /// Forgets a timer; an id that has fired or is unknown is ignored.
  virtual void disarm(TimerId id) = 0;
};

/// Runs jobs one after the other away from the executor's thread (the store's commits, slow reads).
/// Destroying it waits for the job in hand; `done` callbacks not yet delivered are dropped.
class Worker {
 public:
  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  virtual ~Worker() = default;
  /// Runs `job` on the worker, then `done` on the executor. Jobs run in the order they were given.
  virtual void run(Callback<void()> job, Callback<void()> done) = 0;
};

/// One thread's event loop as its users see it. All state that was made on an executor is touched
/// on it alone; other threads hand it values by post_from_any_thread().
class Executor : public Clock {
 public:
  /// Runs `task` soon, in the order given, never inside this call. This executor's thread only.
  virtual void post(Callback<void()> task) = 0;
  /// The same from any thread.
  virtual void post_from_any_thread(Callback<void()> task) = 0;
  /// A new worker; `name` (at most 15 bytes) is its thread's name.
  virtual std::unique_ptr<Worker> make_worker(std::string_view name) = 0;
};

/// One armed timer that disarms itself when destroyed, moved over or re-armed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  Timer(Timer&& other) noexcept : clock_(other.clock_), id_(std::exchange(other.id_, 0)) {}
  Timer& operator=(Timer&& other) noexcept {
    cancel();
    clock_ = other.clock_;
    id_ = std::exchange(other.id_, 0);
    return *this;
  }
  ~Timer() { cancel(); }

  /// Fires once `delay` from now; replaces what was armed. The Clock must outlive this Timer.
  void after(Clock& clock, Duration delay, Callback<void()> fire) {
    cancel();
    clock_ = &clock;
    id_ = clock.arm(clock.now() + delay, std::move(fire));
  }
  void cancel() {
    if (id_ != 0) clock_->disarm(std::exchange(id_, 0));
  }

 private:
  Clock* clock_ = nullptr;
  Clock::TimerId id_ = 0;
};

}  // namespace drover

// The real Executor: an epoll loop with timers, posted tasks, watched descriptors and worker
// threads.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/fd.hpp"
#include "net/timer_heap.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace drover::net {

/// Receives the readiness of a watched descriptor, as epoll's bits (EPOLLIN, EPOLLOUT, ..).
class FdHandler {
 public:
  FdHandler() = default;
  FdHandler(const FdHandler&) = delete;
  FdHandler& operator=(const FdHandler&) = delete;
  virtual ~FdHandler() = default;
  virtual void on_fd(uint32_t events) = 0;
};

/// Called at the end of each turn of the loop, for work that is better done once for all events of
/// a turn (flushing written streams).
class TurnEnd {
 public:
  TurnEnd() = default;
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;
  virtual ~TurnEnd() = default;
  /// True when there is more to do at once: the loop then does not sleep.
  virtual bool on_turn_end() = 0;
};

/// One thread's event loop. A turn: wait, read the clocks, descriptors, timers, posted tasks, turn
/// ends. now() and wall() stand still within a turn. Made, run and destroyed on one thread; it
/// outlives everything made on it, workers too. Only post_from_any_thread() is thread-safe.
class Loop final : public Executor {
 public:
  /// Fails where the process is out of descriptors.
  static Result<std::unique_ptr<Loop>> make();
  ~Loop() override;

  [[nodiscard]] MonoTime now() const override;
  [[nodiscard]] WallTime wall() const override;
  TimerId arm(MonoTime when, Callback<void()> fire) override;
  void disarm(TimerId id) override;
  void post(Callback<void()> task) override;
  void post_from_any_thread(Callback<void()> task) override;
  std::unique_ptr<Worker> make_worker(std::string_view name) override;

  /// Turns until stop().
  void run();
  /// Makes run() and run_until() return after the turn in hand.
  void stop() { stopped_ = true; }
  /// Turns until `done` is true, `timeout` has passed or stop() was called; whether `done` was
  /// true. `done` is looked at after each turn. For tests and one-shot programs.
  bool run_until(Callback<bool()> done, Duration timeout);

  void add_turn_end(TurnEnd& end) { turn_ends_.push_back(&end); }
  void remove_turn_end(TurnEnd& end) { std::erase(turn_ends_, &end); }

  /// One descriptor's place in the epoll set; level-triggered. Leaves the set when destroyed; no
  /// event follows, not even one of the same wake-up. Does not own the descriptor and must be
  /// destroyed (or stopped) before that is closed.
  class Watch {
   public:
    Watch() = default;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch() { stop(); }

    /// Fails when the kernel's limit of watches or memory is reached.
    Status start(Loop& loop, int fd, uint32_t events, FdHandler& handler);
    /// Asks for other events. 0 still reports EPOLLERR and EPOLLHUP. Free when nothing changes.
    void change(uint32_t events);
    /// Sends events to another handler from now on.
    void hand_to(FdHandler& handler);
    void stop();
    [[nodiscard]] bool active() const { return loop_ != nullptr; }
    [[nodiscard]] uint32_t events() const { return events_; }

   private:
    Loop* loop_ = nullptr;
    int fd_ = -1;
    uint32_t slot_ = 0;
    uint32_t events_ = 0;
  };

 private:
  struct WatchSlot {
    FdHandler* handler = nullptr;
    uint32_t generation = 0;  ///< tells a fresh watch from a stale event of the same wake-up
  };
  Loop(UniqueFd epoll, UniqueFd wake);
  void turn(std::optional<MonoTime> until);
  void end_turn();
  [[nodiscard]] int wait_ms(std::optional<MonoTime> until);
  void read_clocks();
  void dispatch(uint64_t tag, uint32_t events);
  void run_posted();
  void take_foreign();

  UniqueFd epoll_;
  UniqueFd wake_;
  TimerHeap timers_;
  std::vector<WatchSlot> watches_;
  std::vector<uint32_t> free_watches_;
  std::vector<TurnEnd*> turn_ends_;
  std::vector<Callback<void()>> posted_;
  MonoTime now_{};
  WallTime wall_{};
  bool in_turn_ = false;
  bool more_ = false;
  bool stopped_ = false;

  std::mutex foreign_mutex_;
  std::vector<Callback<void()>> foreign_;  ///< guarded by foreign_mutex_
};

}  // namespace drover::net

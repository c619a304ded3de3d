// A simulated world: one virtual time line, one seed, one trace, and the processes that live in it.
// The simulated form of the Clock, Executor, Worker, Random and LogSink seams.
//
//   World world(seed);
//   Fabric fabric(world);                                  // sim/fabric.hpp
//   SimProcess process(world, {.name = "master", .host = "h1", .disk = &disk});
//   SimNet net(fabric, process);                           // sim/sim_net.hpp
//   ... construct the daemon on process.executor(), net, process.random(), process.log() ...
//   world.run_until([&] { return daemon.ready(); }, std::chrono::seconds(10));
//
// Destroy in the opposite order. Everything runs in the caller's thread.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "sim/event_queue.hpp"
#include "sim/sim_random.hpp"
#include "sim/trace.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::sim {

class SimProcess;

/// 2026-01-01T00:00:00Z: the civil time at which every world starts.
inline constexpr int64_t kEpochUnixMs = 1'767'225'600'000;
/// More events than this without time moving on means that something spins.
inline constexpr uint64_t kLivelockEvents = 1'000'000;

/// Time, agenda and trace of one run.
class World {
 public:
  explicit World(uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  [[nodiscard]] uint64_t seed() const { return seed_; }
  /// Virtual time since the start of the world.
  [[nodiscard]] Duration now() const { return now_; }
  /// True civil time; a process's own clock may be off (SimProcess::jump_clock).
  [[nodiscard]] WallTime wall() const;
  /// A stream of lots of its own for `label`.
  [[nodiscard]] SimRandom stream(std::string_view label) const { return {seed_, label}; }

  /// Runs `run` after `delay`, as the world itself (no process's pause or death stops it).
  EventQueue::Id after(Duration delay, Callback<void()> run);
  void cancel(EventQueue::Id id) { queue_.cancel(id); }

  /// Runs everything due in the next `duration`; time then stands at its end. Fails with internal
  /// on livelock.
  Status run_for(Duration duration);
  /// Runs until `done` (asked before the first and after each event). Fails with timed_out when
  /// `limit` of virtual time passes first, with internal on livelock.
  Status run_until(Callback<bool()> done, Duration limit);

  [[nodiscard]] uint64_t events_run() const { return events_run_; }
  [[nodiscard]] size_t events_waiting() const { return queue_.size(); }
  [[nodiscard]] Trace& trace() { return trace_; }
  /// Adds a line at the present time.
  void note(std::string_view who, std::string_view text) { trace_.line(now_, who, text); }

 private:
  friend class SimProcess;
  enum class Step { ran, idle, livelock };
  Step step(Duration limit);
  Status livelock() const;
  EventQueue::Owner enter(SimProcess& process);
  void leave(EventQueue::Owner id);

  uint64_t seed_;
  Duration now_{};
  EventQueue queue_;
  Trace trace_;
  std::vector<SimProcess*> processes_;            ///< by owner id; null once gone
  std::map<std::string, uint32_t> incarnations_;  ///< by process name
  uint64_t events_run_ = 0;
  uint64_t events_this_instant_ = 0;
};

struct ProcessOptions {
  std::string name;  ///< shown in the trace; a restart uses the same name again
  std::string host;
  Disk* disk = nullptr;  ///< outlives the process
  uint32_t uid = 0;      ///< what SO_PEERCRED says of its Unix connections
  uint32_t gid = 0;
};

/// One process from its start to its death. A restart is a new SimProcess of the same name; its
/// draws differ from those of the life before. Destroy what was built on it first.
class SimProcess {
 public:
  SimProcess(World& world, ProcessOptions options);
  SimProcess(const SimProcess&) = delete;
  SimProcess& operator=(const SimProcess&) = delete;
  ~SimProcess();

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] Executor& executor();
  [[nodiscard]] SimRandom& random() { return random_; }
  [[nodiscard]] LogSink& log_sink();
  [[nodiscard]] Log log(std::string_view component = "daemon") { return {log_sink(), component}; }
  [[nodiscard]] Disk& disk() { return *options_.disk; }
  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const std::string& host() const { return options_.host; }
  [[nodiscard]] const ProcessOptions& options() const { return options_; }
  [[nodiscard]] int32_t pid() const { return static_cast<int32_t>(1000 + id_); }
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] bool paused() const { return paused_; }

  /// kill -9: nothing of it runs any more (timers, posts, jobs and their results, stream events);
  /// its listeners vanish, its peers see a reset. The owner then destroys the daemon object, from
  /// outside the daemon's own calls.
  void kill();
  /// SIGSTOP: nothing of it runs, its sockets stay open. What came due meanwhile runs at resume().
  void pause();
  void resume();
  /// Moves its wall clock by `by`; the monotonic one is not touched.
  void jump_clock(Duration by);
  /// How long a worker's job takes, drawn per job. Default 50 us to 5 ms.
  void set_worker_delay(Duration least, Duration most);

  /// Called by kill() while the process can still be told apart (SimNet, disks). In order.
  void on_kill(Callback<void()> callback) { on_kill_.push_back(std::move(callback)); }
  /// Sees every log record of this process besides the trace.
  void set_log_observer(Callback<void(const LogRecord&)> observer) {
    log_observer_ = std::move(observer);
  }

  /// Runs `run` as an event of this process after `delay`: late while it is paused, never once it
  /// is dead. Used by simulated devices.
  EventQueue::Id after(Duration delay, Callback<void()> run);

 private:
  friend class World;
  class SimExecutor;
  class SimWorker;
  class SimLogSink;

  World& world_;
  ProcessOptions options_;
  EventQueue::Owner id_;
  uint32_t incarnation_;
  SimRandom random_;
  Duration monotonic_base_;  ///< hosts disagree on monotonic time, so sending it is found out
  Duration wall_offset_{};
  Duration worker_least_ = std::chrono::microseconds(50);
  Duration worker_most_ = std::chrono::milliseconds(5);
  bool alive_ = true;
  bool paused_ = false;
  std::vector<EventQueue::Id> set_aside_;
  std::vector<Callback<void()>> on_kill_;
  Callback<void(const LogRecord&)> log_observer_;
  std::unique_ptr<SimExecutor> executor_;
  std::unique_ptr<SimLogSink> log_sink_;
};

}  // namespace drover::sim

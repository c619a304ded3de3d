#include "sim/world.hpp"

#include <algorithm>
#include <deque>

#include <fmt/core.h>

namespace drover::sim {

World::World(uint64_t seed) : seed_(seed), processes_{nullptr} {}

World::~World() = default;

WallTime World::wall() const {
  return from_unix_ms(kEpochUnixMs) + now_;
}

EventQueue::Id World::after(Duration delay, Callback<void()> run) {
  return queue_.push(now_ + std::max(delay, Duration{}), 0, std::move(run));
}

World::Step World::step(Duration limit) {
  const auto due = queue_.peek();
  if (!due || due->time > limit) return Step::idle;
  if (due->time > now_) {
    now_ = due->time;
    events_this_instant_ = 0;
  }
  if (++events_this_instant_ > kLivelockEvents) return Step::livelock;
  ++events_run_;
  SimProcess* process = processes_[due->owner];
  if (process != nullptr && process->paused_ && process->alive_) {
    queue_.set_aside(*due);
    process->set_aside_.push_back(due->id);
    return Step::ran;
  }
  Callback<void()> run = queue_.take(*due);
  if (due->owner == 0 || (process != nullptr && process->alive_)) run();
  return Step::ran;
}

Status World::livelock() const {
  return fail(Code::internal, fmt::format("livelock: {} events at {} ns of virtual time, seed {}",
                                          kLivelockEvents, now_.count(), seed_));
}

Status World::run_for(Duration duration) {
  const Duration end = now_ + duration;
  for (;;) {
    const Step did = step(end);
    if (did == Step::livelock) return livelock();
    if (did == Step::idle) break;
  }
  now_ = end;
  events_this_instant_ = 0;
  return {};
}

Status World::run_until(Callback<bool()> done, Duration limit) {
  const Duration end = now_ + limit;
  while (!done()) {
    const Step did = step(end);
    if (did == Step::livelock) return livelock();
    if (did == Step::idle) {
      now_ = end;
      events_this_instant_ = 0;
      return fail(Code::timed_out,
                  fmt::format("not reached within {} ms of virtual time, seed {}",
                              std::chrono::floor<std::chrono::milliseconds>(limit).count(), seed_));
    }
  }
  return {};
}

EventQueue::Owner World::enter(SimProcess& process) {
  processes_.push_back(&process);
  return static_cast<EventQueue::Owner>(processes_.size() - 1);
}

void World::leave(EventQueue::Owner id) {
  processes_[id] = nullptr;
  queue_.purge(id);
}

/// Runs jobs one after the other, each after a drawn delay, in the world's own thread.
class SimProcess::SimWorker final : public Worker {
 public:
  explicit SimWorker(SimProcess& process) : process_(process) {}
  ~SimWorker() override {
    if (jobs_.empty()) return;
    process_.world_.cancel(pending_);
    // The contract waits for the job in hand; a dead process's job never happens.
    if (process_.alive_) jobs_.front().job();
  }
  void run(Callback<void()> job, Callback<void()> done) override {
    jobs_.push_back({std::move(job), std::move(done)});
    if (jobs_.size() == 1) start();
  }

 private:
  struct Item {
    Callback<void()> job;
    Callback<void()> done;
  };
  void start() {
    const Duration takes = process_.random_.between(process_.worker_least_, process_.worker_most_);
    pending_ = process_.after(takes, [this] { finish(); });
  }
  void finish() {
    Item item = std::move(jobs_.front());
    // A job may end this process (a disk that dies in mid-write); its result is then never seen.
    const EventQueue::Owner id = process_.id_;
    World& world = process_.world_;
    item.job();
    if (world.processes_[id] == nullptr || !process_.alive_) return;
    jobs_.pop_front();
    if (!jobs_.empty()) start();
    item.done();
  }

  SimProcess& process_;
  std::deque<Item> jobs_;
  EventQueue::Id pending_ = 0;
};

class SimProcess::SimExecutor final : public Executor {
 public:
  explicit SimExecutor(SimProcess& process) : process_(process) {}
  [[nodiscard]] MonoTime now() const override {
    return MonoTime(process_.world_.now_ + process_.monotonic_base_);
  }
  [[nodiscard]] WallTime wall() const override {
    return process_.world_.wall() + process_.wall_offset_;
  }
  TimerId arm(MonoTime when, Callback<void()> fire) override {
    return process_.after(when - now(), std::move(fire));
  }
  void disarm(TimerId id) override { process_.world_.cancel(id); }
  void post(Callback<void()> task) override { process_.after(Duration{}, std::move(task)); }
  void post_from_any_thread(Callback<void()> task) override { post(std::move(task)); }
  std::unique_ptr<Worker> make_worker(std::string_view /*name*/) override {
    return std::make_unique<SimWorker>(process_);
  }

 private:
  SimProcess& process_;
};

class SimProcess::SimLogSink final : public LogSink {
 public:
  explicit SimLogSink(SimProcess& process) : process_(process) {}
  void write(const LogRecord& record) override {
    if (!process_.alive_) return;
    process_.world_.note(process_.name(),
                         fmt::format("[{}] {}", drover::name(record.severity), format(record)));
    if (process_.log_observer_) process_.log_observer_(record);
  }

 private:
  SimProcess& process_;
};

SimProcess::SimProcess(World& world, ProcessOptions options)
    : world_(world),
      options_(std::move(options)),
      id_(world.enter(*this)),
      incarnation_(++world.incarnations_[options_.name]),
      random_(world.seed(), fmt::format("process {} {}", options_.name, incarnation_)),
      monotonic_base_(world.stream("monotonic " + options_.host)
                          .between(std::chrono::seconds(1), std::chrono::hours(1000))),
      executor_(std::make_unique<SimExecutor>(*this)),
      log_sink_(std::make_unique<SimLogSink>(*this)) {
  world_.note(name(), fmt::format("started on {} incarnation={}", host(), incarnation_));
}

SimProcess::~SimProcess() {
  if (alive_) kill();
  world_.leave(id_);
}

Executor& SimProcess::executor() {
  return *executor_;
}

LogSink& SimProcess::log_sink() {
  return *log_sink_;
}

void SimProcess::kill() {
  if (!alive_) return;
  world_.note(name(), "killed");
  alive_ = false;
  auto callbacks = std::exchange(on_kill_, {});
  for (Callback<void()>& callback : callbacks) callback();
}

void SimProcess::pause() {
  if (!alive_ || paused_) return;
  world_.note(name(), "paused");
  paused_ = true;
}

void SimProcess::resume() {
  if (!paused_) return;
  world_.note(name(), "resumed");
  paused_ = false;
  for (const EventQueue::Id id : std::exchange(set_aside_, {})) {
    world_.queue_.restore(id, world_.now_);
  }
}

void SimProcess::jump_clock(Duration by) {
  wall_offset_ += by;
  world_.note(name(), fmt::format("wall clock jumped by {} ns", by.count()));
}

void SimProcess::set_worker_delay(Duration least, Duration most) {
  worker_least_ = least;
  worker_most_ = most;
}

EventQueue::Id SimProcess::after(Duration delay, Callback<void()> run) {
  if (!alive_) return 0;
  return world_.queue_.push(world_.now_ + std::max(delay, Duration{}), id_, std::move(run));
}

}  // namespace drover::sim

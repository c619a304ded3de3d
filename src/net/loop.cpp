// The epoll loop: one turn after the other, everything of a turn at one time.
#include "net/loop.hpp"

#include "net/loop_worker.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <optional>

#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace drover::net {
namespace {

// Events per epoll_wait: enough to spread the call over a burst of heartbeats, small enough that
// timers and turn ends are not kept waiting.
constexpr size_t kEventsPerTurn = 512;
constexpr uint64_t kWakeTag = ~uint64_t{0};

Duration read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec);
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::make() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return tl::unexpected(errno_error("making an event loop", errno));
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return tl::unexpected(errno_error("making an event loop", errno));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return tl::unexpected(errno_error("making an event loop", errno));
  }
  return std::unique_ptr<Loop>(new Loop(std::move(epoll), std::move(wake)));
}

Loop::Loop(UniqueFd epoll, UniqueFd wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}

Loop::~Loop() = default;

MonoTime Loop::now() const {
  return in_turn_ ? now_ : MonoTime(read_clock(CLOCK_MONOTONIC));
}

WallTime Loop::wall() const {
  return in_turn_ ? wall_ : WallTime(read_clock(CLOCK_REALTIME));
}

void Loop::read_clocks() {
  now_ = MonoTime(read_clock(CLOCK_MONOTONIC));
  wall_ = WallTime(read_clock(CLOCK_REALTIME));
}

Clock::TimerId Loop::arm(MonoTime when, Callback<void()> fire) {
  return timers_.arm(when, std::move(fire));
}

void Loop::disarm(TimerId id) {
  timers_.disarm(id);
}

void Loop::post(Callback<void()> task) {
  posted_.push_back(std::move(task));
}

void Loop::post_from_any_thread(Callback<void()> task) {
  const std::lock_guard lock(foreign_mutex_);
  foreign_.push_back(std::move(task));
  if (foreign_.size() > 1) return;  // the loop has been woken for the first one already
  const uint64_t one = 1;
  // Cannot fail: the counter stays far below its limit. Written under the lock, so that a loop
  // destroyed after taking the task is not written to.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

std::unique_ptr<Worker> Loop::make_worker(std::string_view name) {
  return std::make_unique<LoopWorker>(*this, name);
}

void Loop::run() {
  stopped_ = false;
  end_turn();  // for what was done before the loop ran
  while (!stopped_) turn(std::nullopt);
}

bool Loop::run_until(Callback<bool()> done, Duration timeout) {
  stopped_ = false;
  end_turn();
  const MonoTime until = now() + timeout;
  for (;;) {
    if (done()) return true;
    if (stopped_ || now() >= until) return false;
    turn(until);
  }
}

int Loop::wait_ms(std::optional<MonoTime> until) {
  if (more_ || !posted_.empty()) return 0;
  std::optional<MonoTime> next = timers_.next_due();
  if (until && (!next || *until < *next)) next = until;
  if (!next) return -1;
  const Duration left = *next - MonoTime(read_clock(CLOCK_MONOTONIC));
  if (left <= Duration::zero()) return 0;
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);
  return static_cast<int>(
      std::min(kLongest, std::chrono::ceil<std::chrono::milliseconds>(left)).count());
}

void Loop::turn(std::optional<MonoTime> until) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): 6 KiB that the kernel fills, each turn
  std::array<epoll_event, kEventsPerTurn> events;
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms(until));
  read_clocks();
  in_turn_ = true;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    dispatch(event.data.u64, event.events);
  }
  timers_.fire_due(now_);
  run_posted();
  end_turn();
  in_turn_ = false;
}

void Loop::end_turn() {
  more_ = false;
  // NOLINTNEXTLINE(modernize-loop-convert): by index, a turn end may be added or removed in here
  for (size_t i = 0; i < turn_ends_.size(); ++i) more_ |= turn_ends_[i]->on_turn_end();
}

void Loop::dispatch(uint64_t tag, uint32_t events) {
  if (tag == kWakeTag) {
    take_foreign();
    return;
  }
  const WatchSlot& slot = watches_[static_cast<uint32_t>(tag)];
  if (slot.generation == static_cast<uint32_t>(tag >> 32)) slot.handler->on_fd(events);
}

void Loop::take_foreign() {
  uint64_t count = 0;
  const std::lock_guard lock(foreign_mutex_);
  [[maybe_unused]] const ssize_t taken = ::read(wake_.get(), &count, sizeof count);
  for (Callback<void()>& task : foreign_) posted_.push_back(std::move(task));
  foreign_.clear();
}

void Loop::run_posted() {
  std::vector<Callback<void()>> tasks;
  tasks.swap(posted_);
  for (Callback<void()>& task : tasks) {
    task();
    task = nullptr;
  }
  // Keep the storage where nothing was posted meanwhile.
  tasks.clear();
  if (posted_.empty()) posted_.swap(tasks);
}

Loop::Watch::Watch(Watch&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)),
      fd_(other.fd_),
      slot_(other.slot_),
      events_(other.events_) {}

Loop::Watch& Loop::Watch::operator=(Watch&& other) noexcept {
  stop();
  loop_ = std::exchange(other.loop_, nullptr);
  fd_ = other.fd_;
  slot_ = other.slot_;
  events_ = other.events_;
  return *this;
}

Status Loop::Watch::start(Loop& loop, int fd, uint32_t events, FdHandler& handler) {
  stop();
  if (loop.free_watches_.empty()) {
    loop.free_watches_.push_back(static_cast<uint32_t>(loop.watches_.size()));
    loop.watches_.emplace_back();
  }
  const uint32_t slot = loop.free_watches_.back();
  epoll_event event{};
  event.events = events;
  event.data.u64 = (static_cast<uint64_t>(loop.watches_[slot].generation) << 32) | slot;
  if (epoll_ctl(loop.epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return tl::unexpected(errno_error("watching a descriptor", errno));
  }
  loop.free_watches_.pop_back();
  loop.watches_[slot].handler = &handler;
  loop_ = &loop;
  fd_ = fd;
  slot_ = slot;
  events_ = events;
  return {};
}

void Loop::Watch::change(uint32_t events) {
  if (loop_ == nullptr || events == events_) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = (static_cast<uint64_t>(loop_->watches_[slot_].generation) << 32) | slot_;
  epoll_ctl(loop_->epoll_.get(), EPOLL_CTL_MOD, fd_, &event);
  events_ = events;
}

void Loop::Watch::hand_to(FdHandler& handler) {
  if (loop_ != nullptr) loop_->watches_[slot_].handler = &handler;
}

void Loop::Watch::stop() {
  if (loop_ == nullptr) return;
  epoll_ctl(loop_->epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
  WatchSlot& slot = loop_->watches_[slot_];
  slot.handler = nullptr;
  // The all-ones generation is left out: with the last slot it would read as kWakeTag.
  if (++slot.generation == ~uint32_t{0}) slot.generation = 0;
  loop_->free_watches_.push_back(slot_);
  loop_ = nullptr;
}

}  // namespace drover::net

// The loop: order of tasks and timers, watches, workers, signals.
#include "net/loop.hpp"

#include "net/signal_watch.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace drover::net {
namespace {

using namespace std::chrono_literals;

class LoopTest : public ::testing::Test {
 protected:
  std::unique_ptr<Loop> loop_ = Loop::make().value();
};

TEST_F(LoopTest, PostedTasksRunInOrderAndNeverInsidePost) {
  std::vector<int> order;
  loop_->post([&] {
    order.push_back(1);
    loop_->post([&] { order.push_back(3); });
    order.push_back(2);
  });
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(loop_->run_until([&] { return order.size() == 3; }, 1s));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(LoopTest, TimersFireByTimeThenByOrderOfArming) {
  std::vector<int> order;
  const MonoTime start = loop_->now();
  loop_->arm(start + 2ms, [&] { order.push_back(3); });
  loop_->arm(start + 1ms, [&] { order.push_back(1); });
  loop_->arm(start + 1ms, [&] { order.push_back(2); });
  loop_->arm(start - 5s, [&] { order.push_back(0); });
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(loop_->run_until([&] { return order.size() == 4; }, 1s));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_GE(loop_->now() - start, 2ms);
}

TEST_F(LoopTest, DisarmedTimersStaySilent) {
  bool fired = false;
  Timer timer;
  timer.after(*loop_, 1ms, [&] { fired = true; });
  timer.cancel();
  Timer again;
  again.after(*loop_, 1ms, [&] { fired = true; });
  bool second = false;
  again.after(*loop_, 2ms, [&] { second = true; });
  EXPECT_TRUE(loop_->run_until([&] { return second; }, 1s));
  EXPECT_FALSE(fired);
  loop_->disarm(12345);  // unknown: ignored
}

TEST_F(LoopTest, ATimerMayDestroyAndRearmItself) {
  int count = 0;
  auto timer = std::make_unique<Timer>();
  Callback<void()>* again = nullptr;
  Callback<void()> step = [&] {
    if (++count < 3) {
      timer->after(*loop_, 0ms, [&] { (*again)(); });
    } else {
      timer.reset();
    }
  };
  again = &step;
  step();
  EXPECT_TRUE(loop_->run_until([&] { return timer == nullptr; }, 1s));
  EXPECT_EQ(count, 3);
}

TEST(TimerHeap, StaleEntriesDoNotPileUp) {
  TimerHeap heap;
  const MonoTime start{};
  std::vector<Clock::TimerId> ids;
  for (int i = 0; i < 20'000; ++i) ids.push_back(heap.arm(start + i * 1ms, [] {}));
  for (int round = 0; round < 10; ++round) {
    for (auto& id : ids) {
      heap.disarm(id);
      id = heap.arm(start + 1h, [] {});
    }
  }
  EXPECT_EQ(heap.armed(), ids.size());
  EXPECT_EQ(heap.next_due(), start + 1h);
  for (const auto id : ids) heap.disarm(id);
  EXPECT_EQ(heap.armed(), 0U);
  EXPECT_FALSE(heap.next_due());
}

TEST(TimerHeap, FiresOnlyWhatWasArmedBefore) {
  TimerHeap heap;
  int fired = 0;
  heap.arm(MonoTime(1s), [&] {
    ++fired;
    heap.arm(MonoTime(0s), [&] { ++fired; });
  });
  heap.fire_due(MonoTime(1s));
  EXPECT_EQ(fired, 1);
  heap.fire_due(MonoTime(1s));
  EXPECT_EQ(fired, 2);
}

TEST(TimerHeap, AnOldIdDoesNotDisarmTheNextUserOfItsSlot) {
  TimerHeap heap;
  bool fired = false;
  const auto old = heap.arm(MonoTime(1s), [] {});
  heap.disarm(old);
  heap.arm(MonoTime(1s), [&] { fired = true; });
  heap.disarm(old);
  heap.fire_due(MonoTime(1s));
  EXPECT_TRUE(fired);
}

TEST_F(LoopTest, StopEndsRun) {
  loop_->post([&] { loop_->stop(); });
  loop_->run();
  EXPECT_FALSE(loop_->run_until([] { return false; }, 1ms));
}

TEST_F(LoopTest, TasksFromOtherThreadsWakeTheLoop) {
  std::vector<int> got;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop_->post_from_any_thread([&got, i] { got.push_back(i); });
  });
  EXPECT_TRUE(loop_->run_until([&] { return got.size() == 1000; }, 10s));
  other.join();
  EXPECT_TRUE(std::ranges::is_sorted(got));
}

TEST_F(LoopTest, WorkerRunsJobsInOrderOffTheThread) {
  auto worker = loop_->make_worker("test-worker");
  const auto here = std::this_thread::get_id();
  std::vector<int> jobs;  // worker's thread; read after all are done
  std::vector<int> done;
  bool off_thread = true;
  for (int i = 0; i < 100; ++i) {
    worker->run(
        [&, i] {
          off_thread = off_thread && std::this_thread::get_id() != here;
          jobs.push_back(i);
        },
        [&, i] {
          EXPECT_EQ(std::this_thread::get_id(), here);
          done.push_back(i);
        });
  }
  EXPECT_TRUE(loop_->run_until([&] { return done.size() == 100; }, 10s));
  EXPECT_TRUE(off_thread);
  EXPECT_TRUE(std::ranges::is_sorted(jobs));
  EXPECT_EQ(done, jobs);
}

TEST_F(LoopTest, DestroyedWorkerDeliversNothing) {
  bool ran = false;
  bool done = false;
  auto worker = loop_->make_worker("test-worker");
  std::atomic<bool> started = false;
  worker->run(
      [&] {
        started = true;
        started.notify_one();
        ran = true;
      },
      [&] { done = true; });
  started.wait(false);
  worker.reset();  // waits for the job in hand
  EXPECT_TRUE(ran);
  loop_->run_until([] { return false; }, 5ms);
  EXPECT_FALSE(done);
}

struct Recorder final : FdHandler {
  void on_fd(uint32_t events) override {
    ++calls;
    last = events;
    if (then) then();
  }
  int calls = 0;
  uint32_t last = 0;
  Callback<void()> then;
};

TEST_F(LoopTest, WatchReportsAndStops) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const UniqueFd a(fds[0]);
  const UniqueFd b(fds[1]);
  Recorder recorder;
  Loop::Watch watch;
  ASSERT_TRUE(watch.start(*loop_, a.get(), EPOLLIN, recorder));
  EXPECT_FALSE(loop_->run_until([&] { return recorder.calls > 0; }, 2ms));
  ASSERT_EQ(::write(b.get(), "x", 1), 1);
  EXPECT_TRUE(loop_->run_until([&] { return recorder.calls > 0; }, 1s));
  EXPECT_EQ(recorder.last & EPOLLIN, EPOLLIN);
  watch.change(0);
  recorder.calls = 0;
  EXPECT_FALSE(loop_->run_until([&] { return recorder.calls > 0; }, 2ms));
  watch.change(EPOLLIN);
  Loop::Watch moved = std::move(watch);
  EXPECT_TRUE(loop_->run_until([&] { return recorder.calls > 0; }, 1s));
  moved.stop();
  recorder.calls = 0;
  EXPECT_FALSE(loop_->run_until([&] { return recorder.calls > 0; }, 2ms));
}

// Two descriptors are ready in one wake-up; the first handler drops the other's watch and starts a
// new one in its place, which must not receive the old event.
TEST_F(LoopTest, NoEventOfTheSameWakeUpAfterAWatchIsGone) {
  int fds[4];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds + 2), 0);
  std::vector<UniqueFd> owned;
  for (const int fd : fds) owned.emplace_back(fd);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  ASSERT_EQ(::write(fds[3], "x", 1), 1);
  Recorder first;
  Recorder second;
  Recorder fresh;
  Loop::Watch watch_first;
  Loop::Watch watch_second;
  auto drop_other = [&](Loop::Watch& other) {
    other.stop();
    ASSERT_TRUE(other.start(*loop_, fds[1], EPOLLOUT, fresh));
    other.change(0);
  };
  first.then = [&] { drop_other(watch_second); };
  second.then = [&] { drop_other(watch_first); };
  ASSERT_TRUE(watch_first.start(*loop_, fds[0], EPOLLIN, first));
  ASSERT_TRUE(watch_second.start(*loop_, fds[2], EPOLLIN, second));
  loop_->run_until([&] { return first.calls + second.calls > 0; }, 1s);
  EXPECT_EQ(first.calls + second.calls, 1);
  EXPECT_EQ(fresh.calls, 0);
}

TEST_F(LoopTest, SignalsBecomeEvents) {
  int got = 0;
  auto watch = SignalWatch::make(*loop_, {SIGHUP, SIGUSR1}, [&](int signal) { got = signal; });
  ASSERT_TRUE(watch);
  ASSERT_EQ(::kill(getpid(), SIGHUP), 0);
  EXPECT_TRUE(loop_->run_until([&] { return got != 0; }, 1s));
  EXPECT_EQ(got, SIGHUP);
}

}  // namespace
}  // namespace drover::net

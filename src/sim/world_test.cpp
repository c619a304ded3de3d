// The simulated world: time, order, processes, workers, and what kill and pause do.
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace drover::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(World, RunsEventsByTimeThenByOrderOfArming) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  Executor& on = process.executor();
  std::string seen;
  on.arm(on.now() + seconds(2), [&] { seen += "c"; });
  on.arm(on.now() + seconds(1), [&] { seen += "a"; });
  on.arm(on.now() + seconds(1), [&] { seen += "b"; });
  on.post([&] { seen += "0"; });
  ASSERT_TRUE(world.run_for(seconds(3)));
  EXPECT_EQ(seen, "0abc");
  EXPECT_EQ(world.now(), seconds(3));
}

TEST(World, APastTimerFiresSoonButNotInsideArm) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  bool fired = false;
  process.executor().arm(MonoTime{}, [&] { fired = true; });
  EXPECT_FALSE(fired);
  ASSERT_TRUE(world.run_for(Duration{}));
  EXPECT_TRUE(fired);
}

TEST(World, ADisarmedTimerNeverFires) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  bool fired = false;
  const auto id = process.executor().arm(process.executor().now(), [&] { fired = true; });
  process.executor().disarm(id);
  process.executor().disarm(id);
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_FALSE(fired);
}

TEST(World, RunUntilStopsAtTheEventOrSaysThatTheLimitPassed) {
  World world(7);
  bool done = false;
  world.after(seconds(5), [&] { done = true; });
  const auto early = world.run_until([&] { return done; }, seconds(4));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::timed_out);
  ASSERT_TRUE(world.run_until([&] { return done; }, seconds(4)));
  EXPECT_EQ(world.now(), seconds(5));
}

TEST(World, ALoopWithoutTimeIsFound) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  struct Spinner {
    Executor& on;
    void spin() {
      on.post([this] { spin(); });
    }
  } spinner{process.executor()};
  spinner.spin();
  const auto ran = world.run_for(seconds(1));
  ASSERT_FALSE(ran);
  EXPECT_NE(ran.error().message.find("livelock"), std::string::npos);
}

TEST(SimProcess, AKilledProcessRunsNothingAnyMore) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  int ran = 0;
  process.executor().post([&] { ++ran; });
  process.executor().arm(process.executor().now() + seconds(1), [&] { ++ran; });
  auto worker = process.executor().make_worker("w");
  worker->run([&] { ++ran; }, [&] { ++ran; });
  process.kill();
  process.executor().post([&] { ++ran; });
  ASSERT_TRUE(world.run_for(seconds(5)));
  worker.reset();
  EXPECT_EQ(ran, 0);
}

TEST(SimProcess, APausedProcessCatchesUpInOrderAndCanStillDisarm) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  Executor& on = process.executor();
  std::string seen;
  Clock::TimerId second = 0;
  on.arm(on.now() + seconds(1), [&] {
    seen += "1";
    on.disarm(second);
  });
  second = on.arm(on.now() + seconds(2), [&] { seen += "2"; });
  on.arm(on.now() + seconds(3), [&] { seen += "3"; });
  process.pause();
  ASSERT_TRUE(world.run_for(seconds(10)));
  EXPECT_EQ(seen, "");
  process.resume();
  ASSERT_TRUE(world.run_for(Duration{}));
  EXPECT_EQ(seen, "13");
}

TEST(SimProcess, WorkersRunJobsInOrderAwayFromThePresent) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  auto worker = process.executor().make_worker("w");
  std::string seen;
  worker->run([&] { seen += "a"; }, [&] { seen += "A"; });
  worker->run([&] { seen += "b"; }, [&] { seen += "B"; });
  EXPECT_EQ(seen, "");
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(seen, "aAbB");
}

TEST(SimProcess, DestroyingAWorkerFinishesTheJobInHandAndDropsTheRest) {
  World world(1);
  SimProcess process(world, {.name = "p", .host = "h"});
  auto worker = process.executor().make_worker("w");
  std::string seen;
  worker->run([&] { seen += "a"; }, [&] { seen += "A"; });
  worker->run([&] { seen += "b"; }, [&] { seen += "B"; });
  worker.reset();
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(seen, "a");
}

TEST(SimProcess, ClocksOfProcessesDisagreeAsOnRealHosts) {
  World world(1);
  SimProcess one(world, {.name = "one", .host = "h1"});
  SimProcess two(world, {.name = "two", .host = "h2"});
  EXPECT_NE(one.executor().now(), two.executor().now());
  EXPECT_EQ(one.executor().wall(), two.executor().wall());
  const MonoTime before = one.executor().now();
  one.jump_clock(-hours(3));
  EXPECT_EQ(one.executor().now(), before);
  EXPECT_EQ(two.executor().wall() - one.executor().wall(), hours(3));
}

TEST(SimProcess, AddingAProcessDoesNotShiftTheLotsOfOthers) {
  World alone(5);
  SimProcess p(alone, {.name = "p", .host = "h"});
  World crowded(5);
  SimProcess other(crowded, {.name = "other", .host = "h"});
  SimProcess q(crowded, {.name = "p", .host = "h"});
  EXPECT_EQ(p.random().hex(16), q.random().hex(16));
}

TEST(SimProcess, ARestartDrawsOtherLots) {
  World world(5);
  std::string first;
  {
    SimProcess p(world, {.name = "p", .host = "h"});
    first = p.random().hex(16);
  }
  SimProcess again(world, {.name = "p", .host = "h"});
  EXPECT_NE(again.random().hex(16), first);
}

TEST(SimProcess, LogRecordsGoIntoTheTraceWithVirtualTime) {
  World world(1);
  world.trace().keep_all();
  SimProcess process(world, {.name = "master", .host = "h"});
  ASSERT_TRUE(world.run_for(milliseconds(1500)));
  process.log("store").warning("slow commit", {{"ms", "12"}});
  EXPECT_NE(world.trace().text().find("1.500000000 master [warning] store: slow commit ms=12\n"),
            std::string::npos);
}

}  // namespace
}  // namespace drover::sim

#include "os/limited_run.hpp"

#include "os/test_folder.hpp"

#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::os {
namespace {

using namespace std::chrono_literals;

LimitedRun words(std::vector<std::string> what, Duration limit) {
  LimitedRun run;
  run.words = std::move(what);
  run.limit = limit;
  return run;
}
LimitedRun call(Callback<int()> what, Duration limit) {
  LimitedRun run;
  run.call = std::move(what);
  run.limit = limit;
  return run;
}

RunEnd shell(const std::string& script, Duration limit = 20s, size_t tail = 2048) {
  LimitedRun run = words({"/bin/sh", "-c", script}, limit);
  run.environment = {"A=b c"};
  run.tail = tail;
  auto end = run_limited(std::move(run));
  EXPECT_TRUE(end) << (end ? "" : end.error().text());
  return end.value_or(RunEnd{});
}

TEST(LimitedRun, GivesStatusAndTheEndOfBothStreams) {
  const RunEnd end = shell("echo one; echo two >&2; exit 3");
  EXPECT_EQ(end.status, 3);
  EXPECT_FALSE(end.timed_out);
  EXPECT_EQ(end.output, "one\ntwo\n");
  EXPECT_EQ(shell("i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done", 20s, 10).output,
            "1998\n1999\n");
}

TEST(LimitedRun, HasItsOwnEnvironmentAndNoInput) {
  ASSERT_EQ(::setenv("DROVER_TEST_SECRET", "x", 1), 0);
  EXPECT_EQ(shell("echo \"$A$DROVER_TEST_SECRET\"; cat").output, "b c\n");
}

TEST(LimitedRun, EndsAllOfAGroupThatTakesTooLong) {
  const testing::TestFolder folder;
  const std::string file = folder.path() + "/pid";
  const auto before = std::chrono::steady_clock::now();
  const RunEnd end = shell("sleep 600 & echo $! > " + file + "; echo begun; wait", 300ms);
  EXPECT_TRUE(end.timed_out);
  EXPECT_FALSE(end.good());
  EXPECT_EQ(end.output, "begun\n");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  pid_t inner = 0;
  std::ifstream(file) >> inner;
  ASSERT_GT(inner, 0);
  // Killed: gone soon, or a zombie that its new parent has not buried yet.
  const auto is_dead = [&] {
    std::ifstream stat("/proc/" + std::to_string(inner) + "/stat");
    std::string pid;
    std::string name;
    std::string state;
    return !(stat >> pid >> name >> state) || state == "Z" || state == "X";
  };
  while (!is_dead() && std::chrono::steady_clock::now() - before < 10s) std::this_thread::yield();
  EXPECT_TRUE(is_dead());
}

TEST(LimitedRun, LeavesNobodyOfItsGroupBehind) {
  const auto before = std::chrono::steady_clock::now();
  // Its own child holds the output open: that is no reason to wait.
  const RunEnd end = shell("sleep 600 & echo said; exit 0");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  EXPECT_TRUE(end.good());
  EXPECT_EQ(end.output, "said\n");
}

TEST(LimitedRun, RunsACallInAnotherProcess) {
  int here = 0;
  const auto end = run_limited(call(
      [&here] {
        here = 1;
        return 7;
      },
      5s));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->status, 7);
  EXPECT_EQ(here, 0);
  const auto hangs = run_limited(call(
      [] {
        ::pause();
        return 0;
      },
      200ms));
  EXPECT_TRUE(hangs->timed_out);
  EXPECT_GE(hangs->took, 200ms);
  EXPECT_LT(hangs->took, 5s);
}

TEST(LimitedRun, EndsWhenItIsNotWantedAnyMore) {
  const std::atomic<bool> cancel = true;
  LimitedRun run = words({"/bin/sh", "-c", "echo begun; exec sleep 600"}, 600s);
  run.cancel = &cancel;
  EXPECT_TRUE(run_limited(std::move(run))->timed_out);
}

TEST(LimitedRun, SaysWhatCannotBeRun) {
  EXPECT_EQ(run_limited(words({"no-such-program-here"}, 1s)).error().code, Code::not_found);
  EXPECT_FALSE(run_limited(words({"/etc/passwd"}, 1s)));
  EXPECT_FALSE(run_limited(words({}, 1s)));
  const testing::TestFolder folder;
  std::ofstream(folder / "x") << "#!/no/such/interpreter\n";
  ASSERT_EQ(::chmod((folder / "x").c_str(), 0755), 0);
  EXPECT_FALSE(run_limited(words({folder / "x"}, 1s)));
}

}  // namespace
}  // namespace drover::os

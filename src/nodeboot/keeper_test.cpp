// The keeper as a real PID 1, of a process namespace: it starts its child again, buries orphans,
// and ends in order.
#include "nodeboot/keeper.hpp"

#include "os/test_folder.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace drover::nodeboot {
namespace {

constexpr KeeperTimes kQuick{.first_wait_ms = 10, .longest_wait_ms = 20, .stop_limit_ms = 2000};

class KeeperTest : public ::testing::Test {
 protected:
  /// Runs keep() as PID 1; its exit status is 100 + what it was asked for, or 77 without the right
  /// to a namespace. `act` is called in the parent once the child has written "started".
  int run(const std::function<int()>& child, const std::function<void(pid_t)>& act = {}) {
    const pid_t space = ::fork();
    if (space == 0) {
      if (::unshare(CLONE_NEWPID) != 0) ::_exit(77);
      const pid_t init = ::fork();
      if (init == 0) be_init(child);
      std::ofstream(folder_ / "init") << init;
      int status = 0;
      ::waitpid(init, &status, 0);
      ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
    }
    if (act) {
      while (!std::filesystem::exists(folder_ / "started") ||
             !std::filesystem::exists(folder_ / "init")) {
        if (::waitpid(space, nullptr, WNOHANG) != 0) return 77;
        ::sched_yield();
      }
      pid_t init = 0;
      while (init == 0) std::ifstream(folder_ / "init") >> init;
      act(init);
    }
    int status = 0;
    ::waitpid(space, &status, 0);
    return WEXITSTATUS(status);
  }

  [[noreturn]] void be_init(const std::function<int()>& child) {
    KeeperActions actions;
    actions.end_machine = [](Request how) { ::_exit(100 + static_cast<int>(how)); };
    actions.switch_root = [this] {
      add("switched");
      return fail(Code::io, "no image");
    };
    actions.say = [this](const std::string& text) { add(text); };
    keep(child, actions, kQuick);
    ::_exit(98);
  }

  /// Appends a line to the story that the parent reads.
  void add(const std::string& text) const {
    std::ofstream(folder_ / "story", std::ios::app) << text << "\n";
  }
  [[nodiscard]] std::string story() const {
    std::ifstream in(folder_ / "story");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] int count_start() const {
    std::ofstream(folder_ / "starts", std::ios::app) << "x";
    return static_cast<int>(std::filesystem::file_size(folder_ / "starts"));
  }

  os::testing::TestFolder folder_;
};

TEST_F(KeeperTest, AChildThatFailsIsStartedAgainAndSaysHowTheMachineEnds) {
  const int rc = run([this] {
    const int start = count_start();
    if (start == 1) return 3;
    if (start == 2) std::abort();
    return static_cast<int>(Request::poweroff);
  });
  if (rc == 77) GTEST_SKIP() << "no right to make a process namespace";
  EXPECT_EQ(rc, 100 + static_cast<int>(Request::poweroff));
  EXPECT_NE(story().find("ended with status 3"), std::string::npos) << story();
  EXPECT_NE(story().find("killed by signal 6"), std::string::npos) << story();
}

TEST_F(KeeperTest, OrphansAreBuried) {
  const int rc = run([] {
    // A grandchild whose parent ends at once is PID 1's to bury; a zombie would keep its place.
    int pipe[2];
    if (::pipe(pipe) != 0) return 1;
    if (::fork() == 0) {
      if (::fork() == 0) {
        const pid_t own = ::getpid();
        while (::getppid() != 1) ::sched_yield();
        (void)!::write(pipe[1], &own, sizeof own);
        ::_exit(0);
      }
      ::_exit(0);
    }
    (void)::wait(nullptr);
    pid_t orphan = 0;
    (void)!::read(pipe[0], &orphan, sizeof orphan);
    while (::kill(orphan, 0) == 0) ::sched_yield();  // until it has no entry any more
    return static_cast<int>(Request::halt);
  });
  if (rc == 77) GTEST_SKIP() << "no right to make a process namespace";
  EXPECT_EQ(rc, 100 + static_cast<int>(Request::halt));
}

TEST_F(KeeperTest, ASignalEndsChildFirstAndMachineThen) {
  const int rc = run(
      [this]() -> int {
        std::signal(SIGTERM, [](int) { ::_exit(0); });
        std::ofstream(folder_ / "started") << "x";
        for (;;) ::pause();
      },
      [](pid_t init) { ::kill(init, SIGINT); });
  if (rc == 77) GTEST_SKIP() << "no right to make a process namespace";
  EXPECT_EQ(rc, 100 + static_cast<int>(Request::reboot));
}

TEST_F(KeeperTest, AChildThatDoesNotHearIsKilled) {
  const int rc = run(
      [this]() -> int {
        std::signal(SIGTERM, SIG_IGN);
        std::ofstream(folder_ / "started") << "x";
        for (;;) ::pause();
      },
      [](pid_t init) { ::kill(init, SIGUSR2); });
  if (rc == 77) GTEST_SKIP() << "no right to make a process namespace";
  EXPECT_EQ(rc, 100 + static_cast<int>(Request::poweroff));
}

TEST_F(KeeperTest, AnImageThatCannotBeStartedIsSaidAndTheMachineStartsOver) {
  const int rc = run([] { return static_cast<int>(Request::switch_root); });
  if (rc == 77) GTEST_SKIP() << "no right to make a process namespace";
  EXPECT_EQ(rc, 100 + static_cast<int>(Request::reboot));
  EXPECT_EQ(story(), "switched\nthe image could not be started: no image\n");
}

}  // namespace
}  // namespace drover::nodeboot

// The process's own affairs: random bytes, boot id, pid file, limits, and systemd's datagrams.
#include "os/process.hpp"

#include "os/boot_id.hpp"
#include "os/notify.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"
#include "os/test_folder.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <locale>
#include <set>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace drover::os {
namespace {

TEST(RealRandomTest, FillsAllAndNeverTheSame) {
  RealRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(random.hex(16));
  EXPECT_EQ(seen.size(), 100U);
  std::array<unsigned char, 4096> buffer{};
  random.fill(buffer);
  std::array<int, 256> counts{};
  for (const unsigned char byte : buffer) ++counts.at(byte);
  EXPECT_LT(counts[0], 64) << "a tail was left unfilled";
}

TEST(BootIdTest, IsOneOfThisBoot) {
  const auto first = read_boot_id();
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->size(), 36U);
  EXPECT_EQ(*first, read_boot_id().value());
  EXPECT_FALSE(host_name().empty());
}

TEST(PidFileTest, SecondHolderIsRefusedByName) {
  const testing::TestFolder folder;
  const std::string path = folder / "daemon.pid";
  {
    const auto first = PidFile::acquire(path);
    ASSERT_TRUE(first) << first.error().text();
    const auto second = PidFile::acquire(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::already_exists);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_FALSE(RealDisk().exists(path).value());
  EXPECT_TRUE(PidFile::acquire(path));
}

TEST(PidFileTest, AKilledHolderDoesNotBlockTheNext) {
  const testing::TestFolder folder;
  const std::string path = folder / "daemon.pid";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = PidFile::acquire(path);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_TRUE(RealDisk().exists(path).value());
  EXPECT_TRUE(PidFile::acquire(path));
}

TEST(ProcessTest, FileLimitBecomesTheHardLimit) {
  const auto limit = raise_open_file_limit();
  ASSERT_TRUE(limit) << limit.error().text();
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, now.rlim_max);
  EXPECT_EQ(*limit, now.rlim_max);
}

TEST(ProcessTest, ClosedStandardStreamsAreFilled) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(0);
    ::close(2);
    if (!secure_stdio()) ::_exit(1);
    char byte = 0;
    if (::read(0, &byte, 1) != 0) ::_exit(2);
    if (::write(2, "x", 1) != 1) ::_exit(3);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

class NotifyTest : public ::testing::Test {
 protected:
  /// A datagram socket as systemd would hold it; returns its descriptor.
  static UniqueFd listen_at(const std::string& name) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    return fd;
  }
  static std::string received(const UniqueFd& fd) {
    std::array<char, 256> buffer{};
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), got > 0 ? static_cast<size_t>(got) : 0};
  }
};

TEST_F(NotifyTest, SendsTheStatesAsSystemdReadsThem) {
  const testing::TestFolder folder;
  const UniqueFd listener = listen_at(folder / "notify");
  const Notifier notifier(folder / "notify");
  ASSERT_TRUE(notifier.ready("serving\nWATCHDOG=trigger"));
  EXPECT_EQ(received(listener), "READY=1\nSTATUS=serving WATCHDOG=trigger");
  ASSERT_TRUE(notifier.watchdog());
  EXPECT_EQ(received(listener), "WATCHDOG=1");
  ASSERT_TRUE(notifier.stopping());
  EXPECT_EQ(received(listener), "STOPPING=1");
}

TEST_F(NotifyTest, SpeaksToAbstractSockets) {
  const std::string name = "@drover-notify-test-" + std::to_string(::getpid());
  const UniqueFd listener = listen_at(name);
  ASSERT_TRUE(Notifier(name).status("busy"));
  EXPECT_EQ(received(listener), "STATUS=busy");
}

TEST_F(NotifyTest, NobodyThereIsAnErrorAndNothingSetIsNot) {
  EXPECT_TRUE(Notifier("").ready("x"));
  EXPECT_EQ(Notifier("/nowhere/notify").ready("x").error().code, Code::not_found);
  EXPECT_EQ(Notifier("relative").ready("x").error().code, Code::invalid_argument);
  EXPECT_EQ(Notifier("/" + std::string(300, 'x')).ready("x").error().code, Code::invalid_argument);
}

TEST_F(NotifyTest, EnvironmentIsTakenOnce) {
  ::setenv("NOTIFY_SOCKET", "/run/x", 1);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  const NotifyEnvironment first = take_notify_environment();
  EXPECT_EQ(first.socket, "/run/x");
  EXPECT_EQ(first.watchdog, std::chrono::seconds(3));
  const NotifyEnvironment second = take_notify_environment();
  EXPECT_TRUE(second.socket.empty());
  EXPECT_FALSE(second.watchdog);
}

TEST_F(NotifyTest, AWatchdogForAnotherProcessOrOfNonsenseIsNone) {
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(take_notify_environment().watchdog);
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_FALSE(take_notify_environment().watchdog);
}

/// Resident pages of files, in KiB (proc(5)).
long file_pages_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::atol(line.c_str() + std::strlen("RssFile:"));
  }
  return -1;
}

TEST(ProcessTest, CodeOfTheStartIsForgottenAndComesAgain) {
  const long before = file_pages_kib();
  ASSERT_GT(before, 1024) << "the test program and its libraries are larger";
  forget_start_code();
  const long after = file_pages_kib();
  EXPECT_LT(after, before / 2);
  RealRandom random;
  EXPECT_EQ(random.hex(16).size(), 32U);
  std::locale used("C");  // code and constants of a library, once more
  EXPECT_EQ(used.name(), "C");
}

}  // namespace
}  // namespace drover::os

// The real thing: a process on the real disk, killed by SIGKILL in the middle of writing; and the
// store on a real loop with a worker thread.
#include "net/loop.hpp"
#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <cerrno>
#include <csignal>
#include <optional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace drover::store {
namespace {

class NoLog final : public LogSink {
 public:
  void write(const LogRecord& /*record*/) override {}
};

Status put_number(Transaction& t, uint64_t number) {
  DROVER_CHECK_OK(t.put("pair", "left", std::to_string(number)));
  DROVER_CHECK_OK(t.put("node", "n" + std::to_string(number), std::string(200, 'x')));
  DROVER_CHECK_OK(t.put("pair", "right", std::to_string(number)));
  return {};
}

/// Opens the store on a loop of its own.
struct Running {
  explicit Running(const std::string& path) : loop(*net::Loop::make()) {
    auto opened = open_sqlite(*loop, disk, Log(sink, "store"), path, {});
    if (opened) {
      store = *std::move(opened);
    } else {
      why = opened.error().text();
    }
  }
  NoLog sink;
  os::RealDisk disk;
  std::unique_ptr<net::Loop> loop;
  std::unique_ptr<Store> store;
  std::string why;
};

/// The child: keeps 50 mutations on their way and tells the pipe each number that is acknowledged.
[[noreturn]] void write_until_killed(const std::string& path, int pipe) {
  Running running(path);
  if (!running.store) ::_exit(2);
  uint64_t next = 1;
  Callback<void()> more;
  more = [&] {
    const uint64_t number = next++;
    running.store->write(
        "user:test", [number](Transaction& t) { return put_number(t, number); },
        [&, number](const Result<Committed>& committed) {
          if (!committed || ::write(pipe, &number, sizeof number) != sizeof number) ::_exit(3);
          more();
        });
  };
  for (int i = 0; i < 50; ++i) more();
  running.loop->run();
  ::_exit(4);
}

/// Forks the writer, kills it once `enough` numbers were acknowledged, and returns the last one
/// that it could tell.
std::optional<uint64_t> run_and_kill(const std::string& path, uint64_t enough) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    write_until_killed(path, ends[1]);
  }
  ::close(ends[1]);
  uint64_t number = 0;
  uint64_t last = 0;
  bool killed = false;
  for (;;) {
    const ssize_t got = ::read(ends[0], &number, sizeof number);
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof number) break;
    last = number;
    if (last >= enough && !killed) killed = ::kill(child, SIGKILL) == 0;
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!killed || !WIFSIGNALED(status)) return std::nullopt;
  return last;
}

TEST(KilledProcess, WhatItAcknowledgedIsThere) {
  for (const uint64_t enough : {1U, 60U, 400U, 3000U}) {
    const os::testing::TestFolder folder;
    const auto last = run_and_kill(folder / "store.db", enough);
    ASSERT_TRUE(last) << "the writer ended by itself";
    ASSERT_GE(*last, enough);
    Running running(folder / "store.db");
    ASSERT_TRUE(running.store) << running.why;
    const auto pair = running.store->load("pair").value();
    ASSERT_EQ(pair.size(), 2U);
    EXPECT_EQ(pair[0].body, pair[1].body);
    const uint64_t kept = std::stoull(pair[0].body);
    EXPECT_GE(kept, *last);
    EXPECT_EQ(running.store->load("node").value().size(), kept);
    EXPECT_EQ(running.store->head(), 3 * kept);
  }
}

TEST(RealLoop, WritesReadsAndFeedsMeetOnOneThread) {
  const os::testing::TestFolder folder;
  Running running(folder / "store.db");
  ASSERT_TRUE(running.store) << running.why;
  uint64_t fed = 0;
  uint64_t done = 0;
  uint64_t read = 0;
  const Subscription feed =
      running.store->subscribe([&](std::span<const Change> changes) { fed += changes.size(); });
  for (uint64_t number = 1; number <= 2000; ++number) {
    running.store->write(
        "user:test", [number](Transaction& t) { return put_number(t, number); },
        [&](const Result<Committed>& committed) { done += committed ? 1 : 0; });
    if (number % 100 == 0) {
      running.store->read(
          [](Transaction& t) -> Status {
            DROVER_CHECK_OK(t.list({.kind = "node"}));
            return {};
          },
          [&](const Status& outcome) { read += outcome ? 1 : 0; });
      running.loop->run_until([&] { return done > number / 2; }, std::chrono::seconds(20));
    }
  }
  EXPECT_TRUE(running.loop->run_until([&] { return done == 2000 && read == 20; },
                                      std::chrono::seconds(60)));
  EXPECT_EQ(fed, 6000U);
  std::optional<Status> closed;
  running.store->close([&](Status outcome) { closed = std::move(outcome); });
  EXPECT_TRUE(
      running.loop->run_until([&] { return closed.has_value(); }, std::chrono::seconds(20)));
  EXPECT_TRUE(closed && *closed);
}

}  // namespace
}  // namespace drover::store

// SimDisk: visible at once, durable after sync, and nothing in between is promised after a crash.
#include "sim/sim_disk.hpp"

#include <array>
#include <set>

#include <gtest/gtest.h>

namespace drover::sim {
namespace {

/// A small generator of its own, so that this test depends on nothing else of the simulator.
class TestRandom final : public Random {
 public:
  explicit TestRandom(uint64_t seed) : state_(seed * 2 + 1) {}
  void fill(std::span<unsigned char> out) override {
    for (unsigned char& byte : out) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      byte = static_cast<unsigned char>(state_ >> 56U);
    }
  }

 private:
  uint64_t state_;
};

class SimDiskTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(disk_.make_dirs("/var/drover", 0700)); }

  std::unique_ptr<File> open(const std::string& path, bool create = true) {
    auto file = disk_.open(path, create, 0600);
    EXPECT_TRUE(file) << file.error().text();
    return file ? *std::move(file) : nullptr;
  }
  std::string content(const std::string& path) {
    auto bytes = disk_.read_all(path);
    return bytes ? *bytes : "<" + bytes.error().text() + ">";
  }
  void crash(uint64_t seed) {
    TestRandom random(seed);
    disk_.crash(random);
  }

  SimDisk disk_;
};

TEST_F(SimDiskTest, ReadsWhatWasWritten) {
  const auto file = open("/var/drover/a");
  ASSERT_TRUE(file->write(0, "hello"));
  ASSERT_TRUE(file->write(10, "world"));
  EXPECT_EQ(file->size().value(), 15U);
  std::string buffer(20, '?');
  EXPECT_EQ(open("//var//drover/a", false)->read(3, buffer).value(), 12U);
  EXPECT_EQ(buffer.substr(0, 12), std::string("lo\0\0\0\0\0world", 12));
  ASSERT_TRUE(file->truncate(4));
  EXPECT_EQ(content("/var/drover/a"), "hell");
  EXPECT_EQ(disk_.bytes(), 4U);
}

TEST_F(SimDiskTest, NamesBehaveLikeAFileSystem) {
  EXPECT_EQ(disk_.open("/var/drover/a", false, 0).error().code, Code::not_found);
  EXPECT_EQ(disk_.open("/absent/a", true, 0).error().code, Code::not_found);
  EXPECT_EQ(disk_.rename("/var/drover/a", "/var/drover/b").error().code, Code::not_found);
  EXPECT_EQ(disk_.list("/absent").error().code, Code::not_found);
  EXPECT_TRUE(disk_.remove("/var/drover/a"));
  open("/var/drover/b");
  open("/var/drover/a");
  ASSERT_TRUE(disk_.make_dirs("/var/drover/c/d", 0700));
  EXPECT_EQ(disk_.list("/var/drover").value(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_FALSE(disk_.remove("/var/drover/c")) << "not empty";
  EXPECT_FALSE(disk_.make_dirs("/var/drover/a/e", 0700)) << "a is a file";
  ASSERT_TRUE(disk_.rename("/var/drover/a", "/var/drover/b"));
  EXPECT_FALSE(disk_.exists("/var/drover/a").value());
  EXPECT_TRUE(disk_.exists("/var/drover/b").value());
  ASSERT_TRUE(disk_.write_atomic("/var/drover/b", "whole", 0600));
  EXPECT_EQ(content("/var/drover/b"), "whole");
}

TEST_F(SimDiskTest, SyncedBytesSurviveEveryCrash) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::string path = "/var/drover/f" + std::to_string(seed);
    const auto file = open(path);
    ASSERT_TRUE(file->write(0, "durable"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk_.sync_dir("/var/drover"));
    ASSERT_TRUE(file->write(7, "?"));
    crash(seed);
    EXPECT_EQ(content(path).substr(0, 7), "durable");
    std::array<char, 1> one{};
    EXPECT_EQ(file->read(0, one).error().code, Code::io) << "opened before the crash";
    EXPECT_FALSE(file->write(0, "x"));
    EXPECT_FALSE(file->sync());
  }
}

TEST_F(SimDiskTest, UnsyncedBytesAreKeptLostOrTornAtSectors) {
  const std::string old_bytes(4 * kSectorBytes, 'o');
  const std::string new_bytes(4 * kSectorBytes, 'n');
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto file = open("/var/drover/a");
    ASSERT_TRUE(file->write(0, old_bytes));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk_.sync_dir("/var/drover"));
    ASSERT_TRUE(file->write(0, new_bytes));
    crash(seed);
    const std::string now = content("/var/drover/a");
    ASSERT_EQ(now.size(), old_bytes.size());
    std::string shape;
    for (size_t at = 0; at < now.size(); at += kSectorBytes) {
      shape.push_back(now[at]);
      ASSERT_EQ(now.substr(at, kSectorBytes), std::string(kSectorBytes, now[at])) << "torn inside";
    }
    seen.insert(shape);
  }
  EXPECT_TRUE(seen.contains("oooo"));
  EXPECT_TRUE(seen.contains("nnnn"));
  EXPECT_GE(seen.size(), 10U) << "of the 16 mixtures";
}

TEST_F(SimDiskTest, UnsyncedNamesComeAndGoByLot) {
  int created = 0;
  int removed = 0;
  int renamed = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (const char* path : {"/var/drover/old", "/var/drover/from"}) {
      ASSERT_TRUE(disk_.write_atomic(path, path, 0600));
    }
    ASSERT_TRUE(disk_.remove("/var/drover/new"));
    ASSERT_TRUE(disk_.remove("/var/drover/to"));
    ASSERT_TRUE(disk_.sync_dir("/var/drover"));
    ASSERT_TRUE(open("/var/drover/new")->sync()) << "its bytes are durable, its name is not";
    ASSERT_TRUE(disk_.remove("/var/drover/old"));
    ASSERT_TRUE(disk_.rename("/var/drover/from", "/var/drover/to"));
    crash(seed);
    created += disk_.exists("/var/drover/new").value() ? 1 : 0;
    removed += disk_.exists("/var/drover/old").value() ? 0 : 1;
    const bool there = disk_.exists("/var/drover/to").value();
    renamed += there ? 1 : 0;
    EXPECT_NE(there, disk_.exists("/var/drover/from").value()) << "a rename is whole or not at all";
    EXPECT_EQ(content(there ? "/var/drover/to" : "/var/drover/from"), "/var/drover/from");
  }
  for (const int count : {created, removed, renamed}) {
    EXPECT_GT(count, 20);
    EXPECT_LT(count, 80);
  }
}

TEST_F(SimDiskTest, AtomicReplacementShowsOldOrNewAtEveryPowerCut) {
  ASSERT_TRUE(disk_.write_atomic("/var/drover/a", "old", 0600));
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const uint64_t last = disk_.operations() + 1 + seed % 8;
    disk_.set_fault_hook([last](const DiskOperation& operation) {
      return operation.number >= last ? DiskFault::power_cut : DiskFault::none;
    });
    const Status done = disk_.write_atomic("/var/drover/a", "new", 0600);
    disk_.set_fault_hook(nullptr);
    crash(seed);
    const std::string now = content("/var/drover/a");
    EXPECT_TRUE(now == "new" || (!done && now == "old")) << now;
    seen.insert(now);
    ASSERT_TRUE(disk_.write_atomic("/var/drover/a", "old", 0600));
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(SimDiskTest, AMoveBetweenDirectoriesIsSettledByEitherSync) {
  ASSERT_TRUE(disk_.make_dirs("/var/other", 0700));
  open("/var/drover/a");
  ASSERT_TRUE(disk_.rename("/var/drover/a", "/var/other/a"));
  ASSERT_TRUE(disk_.sync_dir("/var/other"));
  ASSERT_TRUE(disk_.sync_dir("/var/drover"));
  crash(1);
  EXPECT_FALSE(disk_.exists("/var/drover/a").value());
  EXPECT_TRUE(disk_.exists("/var/other/a").value());
}

TEST_F(SimDiskTest, ADeadProcessLosesItsFilesAndNothingElse) {
  const auto file = open("/var/drover/a");
  ASSERT_TRUE(file->lock());
  ASSERT_TRUE(file->write(0, "kept by the kernel"));
  disk_.detach();
  EXPECT_FALSE(file->write(0, "x"));
  const auto next = open("/var/drover/a", false);
  EXPECT_TRUE(next->lock()) << "the dead do not hold locks";
  EXPECT_EQ(content("/var/drover/a"), "kept by the kernel");
}

TEST_F(SimDiskTest, ALockHasOneHolder) {
  auto first = open("/var/drover/a");
  const auto second = open("/var/drover/a");
  ASSERT_TRUE(first->lock());
  EXPECT_EQ(second->lock().error().code, Code::conflict);
  first.reset();
  EXPECT_TRUE(second->lock());
}

TEST_F(SimDiskTest, AFullDiskRefusesGrowthOnly) {
  const auto file = open("/var/drover/a");
  ASSERT_TRUE(file->write(0, "1234567890"));
  disk_.set_capacity(12);
  EXPECT_EQ(file->write(8, "12345").error().code, Code::exhausted);
  EXPECT_EQ(content("/var/drover/a"), "1234567890");
  EXPECT_TRUE(file->write(8, "1234"));
  EXPECT_TRUE(file->truncate(2));
  EXPECT_TRUE(file->write(2, "345"));
}

TEST_F(SimDiskTest, AFailedSyncLosesWritesForGood) {
  // Each seed writes twenty bytes apart; after the failed sync the later ones succeed elsewhere,
  // but what the kernel dropped stays lost although it could be read until the crash.
  const auto file = open("/var/drover/a");
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk_.sync_dir("/var/drover"));
  std::string expected;
  for (uint64_t i = 0; i < 64; ++i) {
    ASSERT_TRUE(file->write(i, "x"));
    expected.push_back('x');
  }
  disk_.set_fault_hook([](const DiskOperation& operation) {
    return operation.kind == DiskOperation::Kind::sync ? DiskFault::io_error : DiskFault::none;
  });
  EXPECT_EQ(file->sync().error().code, Code::io);
  disk_.set_fault_hook(nullptr);
  EXPECT_FALSE(file->sync()) << "never again by this File";
  EXPECT_EQ(content("/var/drover/a"), expected) << "still in the page cache";
  ASSERT_TRUE(open("/var/drover/a", false)->sync());
  crash(3);
  const std::string now = content("/var/drover/a");
  EXPECT_NE(now, expected);
  EXPECT_NE(now.find('x'), std::string::npos);
}

TEST_F(SimDiskTest, LatencyAddsUpAndIsTakenOnce) {
  disk_.set_latency(
      {std::chrono::microseconds(1), std::chrono::milliseconds(2), std::chrono::milliseconds(8)});
  (void)disk_.take_busy();
  const auto file = open("/var/drover/a");
  ASSERT_TRUE(file->write(0, std::string(size_t{1} << 19, 'x')));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(disk_.take_busy(), std::chrono::microseconds(3 + 2000 + 4000));
  EXPECT_EQ(disk_.take_busy(), Duration{});
}

}  // namespace
}  // namespace drover::sim

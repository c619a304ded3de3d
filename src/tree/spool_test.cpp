#include "tree/spool.hpp"

#include "base/crc32c.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_random.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace drover::tree {
namespace {

constexpr const char* kDir = "/spool";

std::unique_ptr<Spool> must_open(Disk& disk, SpoolLimits limits = {}) {
  auto spool = Spool::open(disk, kDir, limits);
  if (!spool) ADD_FAILURE() << spool.error().text();
  return spool ? *std::move(spool) : nullptr;
}

std::string segment_path(uint64_t number) {
  return "/spool/000000000000000" + std::to_string(number) + ".spool";
}

void flip(Disk& disk, const std::string& path, uint64_t offset) {
  auto file = disk.open(path, false, 0).value();
  char byte = 0;
  ASSERT_EQ(file->read(offset, std::span(&byte, 1)).value(), 1U);
  byte = static_cast<char>(byte ^ 0x40);
  ASSERT_TRUE(file->write(offset, std::string_view(&byte, 1)));
}

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283U);
}

TEST(Spool, GivesBackWhatItTookAfterReopening) {
  sim::SimDisk disk;
  {
    auto spool = must_open(disk);
    ASSERT_TRUE(spool->append("a", "first"));
    ASSERT_TRUE(spool->append("b", std::string(1, '\0')));
    ASSERT_TRUE(spool->append("c", ""));
    ASSERT_TRUE(spool->append("a", "second"));
    ASSERT_TRUE(spool->sync());
  }
  auto spool = must_open(disk);
  EXPECT_EQ(spool->keys(), (std::vector<std::string>{"b", "c", "a"}));
  EXPECT_EQ(spool->read("a").value(), "second");
  EXPECT_EQ(spool->read("b").value(), std::string(1, '\0'));
  EXPECT_EQ(spool->read("c").value(), "");
  EXPECT_EQ(spool->read("d").error().code, Code::not_found);
  EXPECT_TRUE(spool->findings().damaged.empty());
  EXPECT_EQ(spool->findings().torn_bytes, 0U);
}

TEST(Spool, TakesNoSpaceOnceAllIsAcknowledged) {
  sim::SimDisk disk;
  auto spool = must_open(disk, {.bytes = 1 << 20, .segment_bytes = 1 << 12});
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(spool->append(std::to_string(i), std::string(200, 'x')));
    }
    ASSERT_TRUE(spool->sync());
    for (int i = 0; i < 100; ++i) spool->acknowledge(std::to_string(i));
    ASSERT_TRUE(spool->sync());
    EXPECT_EQ(spool->bytes(), 0U);
    EXPECT_TRUE(disk.list(kDir)->empty());
  }
}

TEST(Spool, RefusesBeyondItsLimitAndHoldsWhatItHas) {
  sim::SimDisk disk;
  auto spool = must_open(disk, {.bytes = 10'000, .segment_bytes = 1000});
  int taken = 0;
  while (spool->append(std::to_string(taken), std::string(100, 'x'))) ++taken;
  EXPECT_GT(taken, 70);
  EXPECT_EQ(spool->append("late", std::string(100, 'x')).error().code, Code::exhausted);
  ASSERT_TRUE(spool->sync());
  EXPECT_LE(disk.bytes(), 10'000U);
  EXPECT_EQ(must_open(disk)->entries(), static_cast<size_t>(taken));
  for (int i = 0; i < 20; ++i) spool->acknowledge(std::to_string(i));
  EXPECT_TRUE(spool->append("late", std::string(100, 'x')));
}

TEST(Spool, RefusesKeysAndEntriesThatItCannotHold) {
  sim::SimDisk disk;
  auto spool = must_open(disk);
  EXPECT_EQ(spool->append("", "x").error().code, Code::invalid_argument);
  EXPECT_EQ(spool->append(std::string(65536, 'k'), "x").error().code, Code::invalid_argument);
  EXPECT_EQ(spool->append("k", std::string(kMaxSpoolEntry, 'x')).error().code, Code::too_large);
  EXPECT_TRUE(spool->append("k", std::string(kMaxSpoolEntry - 4, 'x')));
  EXPECT_TRUE(spool->sync());
  EXPECT_EQ(must_open(disk)->read("k")->size(), kMaxSpoolEntry - 4);
}

TEST(Spool, CutsATornTailOnceAndForAll) {
  sim::SimDisk disk;
  {
    auto spool = must_open(disk);
    ASSERT_TRUE(spool->append("a", "kept"));
    ASSERT_TRUE(spool->append("b", std::string(100, 'x')));
    ASSERT_TRUE(spool->sync());
  }
  {
    auto file = disk.open(segment_path(1), false, 0).value();
    ASSERT_TRUE(file->truncate(file->size().value() - 1));
  }
  auto spool = must_open(disk);
  EXPECT_EQ(spool->keys(), std::vector<std::string>{"a"});
  EXPECT_GT(spool->findings().torn_bytes, 0U);
  ASSERT_TRUE(spool->append("c", "later"));
  ASSERT_TRUE(spool->sync());
  auto again = must_open(disk);
  EXPECT_EQ(again->findings().torn_bytes, 0U);
  EXPECT_TRUE(again->findings().damaged.empty());
  EXPECT_EQ(again->keys(), (std::vector<std::string>{"a", "c"}));
}

TEST(Spool, ReportsDamageInTheMiddleAndGoesOnWithTheNextFile) {
  sim::SimDisk disk;
  {
    auto spool = must_open(disk, {.bytes = 1 << 20, .segment_bytes = 300});
    for (int i = 0; i < 6; ++i) {
      ASSERT_TRUE(spool->append(std::to_string(i), std::string(100, 'x')));
    }
    ASSERT_TRUE(spool->sync());
  }
  flip(disk, segment_path(1), 140);  // in the second entry of the first file
  auto spool = must_open(disk);
  EXPECT_EQ(spool->keys(), (std::vector<std::string>{"0", "2", "3", "4", "5"}));
  ASSERT_EQ(spool->findings().damaged.size(), 1U);
  EXPECT_NE(spool->findings().damaged[0].find("0001.spool from byte 120"), std::string::npos)
      << spool->findings().damaged[0];
}

TEST(Spool, NoticesWhenTheDiskNoLongerGivesWhatWasWritten) {
  sim::SimDisk disk;
  auto spool = must_open(disk);
  ASSERT_TRUE(spool->append("a", std::string(100, 'x')));
  ASSERT_TRUE(spool->sync());
  flip(disk, segment_path(1), 60);
  EXPECT_EQ(spool->read("a").error().code, Code::corrupt);
}

TEST(Spool, IgnoresFilesThatAreNotItsOwn) {
  sim::SimDisk disk;
  ASSERT_TRUE(disk.make_dirs(kDir, 0700));
  for (const char* name :
       {"README", "1.spool", "000000000000000g.spool", "0000000000000001.spool~"}) {
    ASSERT_TRUE(disk.write_atomic(std::string(kDir) + "/" + name, "not a spool", 0600));
  }
  EXPECT_EQ(must_open(disk)->entries(), 0U);
  EXPECT_EQ(disk.list(kDir)->size(), 4U);
}

TEST(Spool, ForgetsAllUnsyncedAfterAFailedSync) {
  sim::SimDisk disk;
  auto spool = must_open(disk);
  ASSERT_TRUE(spool->append("a", "safe"));
  ASSERT_TRUE(spool->sync());
  ASSERT_TRUE(spool->append("b", "lost"));
  disk.set_fault_hook([](const sim::DiskOperation& op) {
    return op.kind == sim::DiskOperation::Kind::sync ? sim::DiskFault::io_error
                                                     : sim::DiskFault::none;
  });
  EXPECT_FALSE(spool->sync());
  disk.set_fault_hook({});
  EXPECT_EQ(spool->keys(), std::vector<std::string>{"a"});
  ASSERT_TRUE(spool->append("b", "again"));
  ASSERT_TRUE(spool->sync());
  auto reopened = must_open(disk);
  EXPECT_EQ(reopened->read("a").value(), "safe");
  EXPECT_EQ(reopened->read("b").value(), "again");
}

/// What a life of random operations knows about one key.
struct Known {
  std::set<std::string> written;  ///< every value ever given to it
  std::string synced;             ///< the one that must be found, while `must`
  bool must = false;
};

class SpoolCrash {
 public:
  SpoolCrash(uint64_t seed, bool faults) : random_(seed, "spool"), faults_(faults) {}

  void run() {
    for (int life = 0; life < 6 && !testing::Test::HasFailure(); ++life) {
      open();
      if (spool_) live();
      disk_.crash(random_);
    }
  }

 private:
  void open() {
    disk_.set_fault_hook({});
    spool_ = must_open(disk_, {.bytes = 60'000, .segment_bytes = 2'000});
    if (!spool_) return;
    if (!faults_) EXPECT_TRUE(spool_->findings().damaged.empty());
    for (auto& [key, known] : known_) {
      const auto found = spool_->read(key);
      if (found) {
        EXPECT_TRUE(known.written.contains(*found)) << key;
        if (known.must) EXPECT_TRUE(*found == known.synced || newer(known, *found)) << key;
      } else {
        EXPECT_FALSE(known.must) << key << ": " << found.error().text();
        EXPECT_EQ(found.error().code, Code::not_found);
      }
      // What is found now is durable from here on.
      known.must = found.has_value();
      if (found) known.synced = *found;
      unsynced_.clear();
    }
    EXPECT_LE(spool_->bytes(), 60'000U);
  }

  static bool newer(const Known& known, const std::string& value) {
    return std::stoull(value) > std::stoull(known.synced);
  }

  void arm_faults() {
    const uint64_t cut = 1 + random_.below(300);
    disk_.set_fault_hook([this, left = cut](const sim::DiskOperation&) mutable {
      if (--left == 0) return sim::DiskFault::power_cut;
      if (faults_ && random_.chance(0.02)) return sim::DiskFault::io_error;
      if (faults_ && random_.chance(0.02)) return sim::DiskFault::full;
      return sim::DiskFault::none;
    });
  }

  void live() {
    arm_faults();
    for (int step = 0; step < 200; ++step) {
      const std::string key = "k" + std::to_string(random_.below(40));
      const uint64_t lot = random_.below(10);
      if (lot < 5) {
        append(key);
      } else if (lot < 7) {
        sync();
      } else {
        // The acknowledgement may or may not survive: the entry may be found, or not.
        spool_->acknowledge(key);
        known_[key].must = false;
        unsynced_.erase(key);
      }
    }
  }

  void append(const std::string& key) {
    // The value is its number, padded: later ones are greater.
    std::string value = std::to_string(++values_) + std::string(random_.below(300), ' ');
    Known& known = known_[key];
    known.written.insert(value);
    if (spool_->append(key, value)) {
      unsynced_[key] = value;
    } else if (spool_->read(key)) {
      unsynced_.erase(key);
    } else {
      fail_all();
    }
  }

  void sync() {
    if (!spool_->sync()) return fail_all();
    for (auto& [key, value] : unsynced_) {
      known_[key].must = true;
      known_[key].synced = value;
    }
    unsynced_.clear();
  }

  /// The disk failed: what was not synced, and what it had replaced, may be gone.
  void fail_all() {
    for (auto& [key, known] : known_) {
      if (!spool_->read(key)) known.must = false;
    }
    unsynced_.clear();
  }

  sim::SimRandom random_;
  bool faults_;
  sim::SimDisk disk_;
  std::unique_ptr<Spool> spool_;
  std::map<std::string, Known> known_;
  std::map<std::string, std::string> unsynced_;
  uint64_t values_ = 0;
};

TEST(Spool, LosesNothingSyncedInAnyOfManyCrashes) {
  for (uint64_t seed = 1; seed <= 500 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SpoolCrash(seed, false).run();
  }
}

TEST(Spool, LosesNothingSyncedWhenTheDiskFailsToo) {
  for (uint64_t seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SpoolCrash(seed, true).run();
  }
}

}  // namespace
}  // namespace drover::tree

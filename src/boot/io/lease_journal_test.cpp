// The lease journal: what it says is safe survives every crash; what is torn harms nothing.
#include "boot/io/lease_journal.hpp"

#include "sim/sim_disk.hpp"
#include "sim/world.hpp"

#include <map>

#include <gtest/gtest.h>

namespace drover::boot::io {
namespace {

using dhcp::Lease;
using dhcp::LeaseState;
using std::chrono::seconds;

constexpr WallTime kNow{std::chrono::hours(500'000)};

Lease lease(uint32_t last, LeaseState state = LeaseState::leased) {
  Lease out;
  out.address = Ipv4{0x0a4d0000 + last};
  out.state = state;
  out.client = "h\x01" + std::string(5, 'm') + static_cast<char>(last);
  out.name = "n" + std::to_string(last);
  out.since = kNow;
  out.until = kNow + seconds(last);
  return out;
}

class LeaseJournalTest : public testing::Test {
 protected:
  static constexpr const char* kFile = "/state/leases.journal";

  void SetUp() override { ASSERT_TRUE(open()); }
  Status open() {
    journal_.reset();
    process_.reset();
    process_ = std::make_unique<sim::SimProcess>(
        world_, sim::ProcessOptions{.name = "boot", .host = "b", .disk = &disk_});
    auto made = DiskLeaseJournal::open(process_->executor(), disk_, "/state", process_->log());
    if (!made) return tl::unexpected(std::move(made).error());
    journal_ = *std::move(made);
    held_.clear();
    for (const Lease& it : journal_->found().leases) held_[it.address] = it;
    journal_->set_snapshot([this] {
      std::vector<Lease> all;
      for (const auto& [address, it] : held_) all.push_back(it);
      return all;
    });
    safe_seen_ = 0;
    journal_->on_safe([this](uint64_t safe) { safe_seen_ = safe; });
    return {};
  }
  void append(const Lease& it) {
    held_[it.address] = it;
    journal_->append(it);
  }
  bool settle() {
    journal_->flush();
    return world_
        .run_until([this] { return journal_->safe() == journal_->appended(); }, seconds(30))
        .has_value();
  }
  /// The machine loses power, and the service starts again.
  void power_cut(uint64_t seed) {
    process_->kill();
    journal_.reset();
    sim::SimRandom lots(seed, "crash");
    disk_.crash(lots);
    ASSERT_TRUE(open());
  }

  sim::World world_{1};
  sim::SimDisk disk_;
  std::unique_ptr<sim::SimProcess> process_;
  std::unique_ptr<DiskLeaseJournal> journal_;
  std::map<Ipv4, Lease> held_;
  uint64_t safe_seen_ = 0;
};

TEST_F(LeaseJournalTest, RemembersTheLatestOfEachAddress) {
  append(lease(1));
  append(lease(2));
  append(lease(1, LeaseState::free));
  EXPECT_EQ(journal_->safe(), 0U);
  ASSERT_TRUE(settle());
  EXPECT_EQ(safe_seen_, 3U);
  power_cut(1);
  EXPECT_EQ(journal_->found().leases, (std::vector<Lease>{lease(1, LeaseState::free), lease(2)}));
  EXPECT_EQ(journal_->found().bad_bytes, 0U);
}

TEST_F(LeaseJournalTest, WhatIsSafeSurvivesEveryCrash) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    sim::SimRandom lots(seed, "work");
    std::map<Ipv4, Lease> safe = held_;
    for (uint64_t i = 0, count = lots.below(40); i < count; ++i) {
      Lease it = lease(static_cast<uint32_t>(lots.below(20)));
      it.until += Duration(static_cast<int64_t>(seed));
      append(it);
    }
    journal_->flush();
    const bool done = lots.chance(0.5);
    if (done) {
      ASSERT_TRUE(settle());
      safe = held_;
    } else {
      ASSERT_TRUE(world_.run_for(Duration(static_cast<int64_t>(lots.below(3'000'000)))));
      if (journal_->safe() == journal_->appended()) safe = held_;
    }
    const std::map<Ipv4, Lease> all = held_;
    ASSERT_NO_FATAL_FAILURE(power_cut(seed));
    for (const auto& [address, it] : safe) {
      ASSERT_TRUE(held_.contains(address)) << seed;
      // What came after may or may not have been kept; nothing else can be there.
      EXPECT_TRUE(held_[address] == it || held_[address].until > it.until || !done) << seed;
      if (done) EXPECT_EQ(held_[address], it) << seed;
    }
    for (const auto& [address, it] : held_) EXPECT_TRUE(all.contains(address)) << seed;
  }
}

TEST_F(LeaseJournalTest, ManyWaitForOneSync) {
  uint64_t syncs = 0;
  disk_.set_fault_hook([&](const sim::DiskOperation& operation) {
    if (operation.kind == sim::DiskOperation::Kind::sync) ++syncs;
    return sim::DiskFault::none;
  });
  for (uint32_t i = 0; i < 500; ++i) {
    append(lease(i));
    journal_->flush();
  }
  ASSERT_TRUE(settle());
  EXPECT_LE(syncs, 2U) << "the first alone, the others together";
  EXPECT_EQ(safe_seen_, 500U);
}

TEST_F(LeaseJournalTest, SaysThatNothingIsSafeWhileTheDiskFails) {
  bool failing = true;
  disk_.set_fault_hook([&](const sim::DiskOperation& operation) {
    const bool writes = operation.kind == sim::DiskOperation::Kind::sync;
    return failing && writes ? sim::DiskFault::io_error : sim::DiskFault::none;
  });
  append(lease(1));
  journal_->flush();
  ASSERT_TRUE(world_.run_for(seconds(5)));
  EXPECT_EQ(journal_->safe(), 0U);
  EXPECT_EQ(safe_seen_, 0U);
  ASSERT_TRUE(journal_->failure());
  append(lease(2));
  failing = false;
  ASSERT_TRUE(settle());
  EXPECT_FALSE(journal_->failure());
  disk_.set_fault_hook({});
  power_cut(3);
  EXPECT_EQ(journal_->found().leases, (std::vector<Lease>{lease(1), lease(2)}));
}

TEST_F(LeaseJournalTest, IsWrittenAnewWhenItHasGrown) {
  for (int round = 0; round < 300; ++round) {
    for (uint32_t i = 0; i < 100; ++i) {
      Lease it = lease(i);
      it.until += seconds(round);
      append(it);
    }
    ASSERT_TRUE(settle());
  }
  EXPECT_LT(journal_->bytes(), uint64_t{5} << 18) << "30,000 records of 70 bytes are 2 MB";
  const auto before = held_;
  power_cut(1);
  EXPECT_EQ(held_, before);
}

TEST_F(LeaseJournalTest, BelongsToOneProcess) {
  const auto second =
      DiskLeaseJournal::open(process_->executor(), disk_, "/state", process_->log());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
}

TEST_F(LeaseJournalTest, RefusesTheFileOfAnotherVersion) {
  journal_.reset();
  ASSERT_TRUE(disk_.write_atomic(kFile, "DRVLSE9\nwhatever", 0600));
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::unsupported);
}

TEST(LeaseRecordTest, DamageCostsOneRecordAlone) {
  std::string bytes;
  write_lease(bytes, lease(1));
  const size_t one = bytes.size();
  write_lease(bytes, lease(2));
  write_lease(bytes, lease(3));
  for (size_t at = one; at < 2 * one; ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    const LeasesRead read = read_leases(damaged);
    EXPECT_EQ(read.leases, (std::vector<Lease>{lease(1), lease(3)})) << at;
    EXPECT_EQ(read.bad_bytes, one);
  }
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    const LeasesRead read = read_leases(std::string_view(bytes).substr(0, cut));
    EXPECT_EQ(read.leases.size(), cut / one) << cut;
    EXPECT_EQ(read.bad_bytes, cut % one);
  }
}

TEST(LeaseRecordTest, RefusesRecordsThatCannotBe) {
  Lease odd = lease(1);
  odd.state = static_cast<LeaseState>(9);
  std::string bytes;
  write_lease(bytes, odd);
  EXPECT_TRUE(read_leases(bytes).leases.empty());
  EXPECT_TRUE(read_leases(std::string(100'000, '\0')).leases.empty());
  EXPECT_TRUE(read_leases(std::string(100'000, '\xff')).leases.empty());
  // Extremes go through as they are.
  Lease extreme = lease(2);
  extreme.client.clear();
  extreme.name.assign(300, '\xff');
  extreme.since = WallTime(Duration::min());
  extreme.until = WallTime(Duration::max());
  bytes.clear();
  write_lease(bytes, extreme);
  EXPECT_EQ(read_leases(bytes).leases, std::vector<Lease>{extreme});
}

}  // namespace
}  // namespace drover::boot::io

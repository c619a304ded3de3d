#include "daemons/replica/replica_file.hpp"

#include "sim/sim_disk.hpp"
#include "sim/sim_random.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using api::SnapshotLine;

SnapshotLine thing(const std::string& key, uint64_t revision, const std::string& body) {
  return {"node", key, revision, {body}};
}

class ReplicaFiles : public ::testing::Test {
 protected:
  ReplicaFile::Content load() {
    file_ = std::make_unique<ReplicaFile>(disk_, "/state/model");
    return file_->load().value();
  }
  void SetUp() override {
    ASSERT_EQ(load().sequence, 0U);
    ASSERT_TRUE(file_->replace({{thing("n1", 3, "{\"a\":1}"), thing("n2", 4, "{}")}, 7}));
  }

  sim::SimDisk disk_;
  sim::SimRandom random_{7, "disk"};
  std::unique_ptr<ReplicaFile> file_;
};

TEST_F(ReplicaFiles, ASnapshotComesBack) {
  const auto content = load();
  EXPECT_EQ(content.sequence, 7U);
  EXPECT_EQ(content.things, (std::vector{thing("n1", 3, "{\"a\":1}"), thing("n2", 4, "{}")}));
}

TEST_F(ReplicaFiles, ChangesAreAppliedInOrder) {
  ASSERT_TRUE(file_->append(std::vector{thing("n1", 8, "{\"a\":2}"), thing("n3", 9, "{}")}));
  ASSERT_TRUE(file_->append(std::vector{thing("n2", 10, "null"), thing("n1", 11, "{\"a\":3}")}));
  const auto content = load();
  EXPECT_EQ(content.sequence, 11U);
  EXPECT_EQ(content.things, (std::vector{thing("n1", 11, "{\"a\":3}"), thing("n3", 9, "{}")}));
  ASSERT_TRUE(file_->append(std::vector{thing("n4", 12, "{}")}));
  EXPECT_EQ(load().sequence, 12U);
}

TEST_F(ReplicaFiles, ANewSnapshotLeavesTheOldLogBehind) {
  ASSERT_TRUE(file_->append(std::vector{thing("n9", 8, "{}")}));
  ASSERT_TRUE(file_->replace({{thing("n1", 20, "{}")}, 20}));
  const auto content = load();
  EXPECT_EQ(content.sequence, 20U);
  EXPECT_EQ(content.things, (std::vector{thing("n1", 20, "{}")}));
}

TEST_F(ReplicaFiles, ASpoiledTailCountsForNothing) {
  ASSERT_TRUE(file_->append(std::vector{thing("n3", 8, "{}")}));
  ASSERT_TRUE(file_->append(std::vector{thing("n4", 9, "{}")}));
  auto log = disk_.open("/state/model/changes.1", false, 0600).value();
  const uint64_t size = log->size().value();
  ASSERT_TRUE(log->write(size - 4, "#"));
  EXPECT_EQ(load().sequence, 8U);
  // What is added then follows what counts.
  ASSERT_TRUE(file_->append(std::vector{thing("n5", 10, "{}")}));
  const auto content = load();
  EXPECT_EQ(content.sequence, 10U);
  EXPECT_EQ(content.things.back(), thing("n5", 10, "{}"));
}

TEST_F(ReplicaFiles, ASpoiledSnapshotIsNone) {
  auto file = disk_.open("/state/model/snapshot", false, 0600).value();
  ASSERT_TRUE(file->write(12, "#"));
  const auto content = load();
  EXPECT_EQ(content.sequence, 0U);
  EXPECT_TRUE(content.things.empty());
  EXPECT_FALSE(file_->append(std::vector{thing("n5", 10, "{}")}));
  EXPECT_TRUE(file_->replace({{}, 5}));
}

TEST_F(ReplicaFiles, WhateverTheCrashWhatWasKeptIsKept) {
  for (uint64_t cut = 1;; ++cut) {
    sim::SimDisk disk;
    ReplicaFile file(disk, "/m");
    ASSERT_TRUE(file.load());
    ASSERT_TRUE(file.replace({{thing("n1", 1, "{}")}, 1}));
    uint64_t kept = 1;
    uint64_t count = 0;
    bool was_cut = false;
    disk.set_fault_hook([&](const sim::DiskOperation&) {
      if (++count != cut) return sim::DiskFault::none;
      was_cut = true;
      return sim::DiskFault::power_cut;
    });
    if (file.append(std::vector{thing("n2", 2, "{}")})) kept = 2;
    if (kept == 2 && file.replace({{thing("n2", 3, "{}")}, 3})) kept = 3;
    if (kept == 3 && file.append(std::vector{thing("n2", 4, "{}")})) kept = 4;
    disk.set_fault_hook({});
    disk.crash(random_);
    ReplicaFile again(disk, "/m");
    const auto content = again.load();
    ASSERT_TRUE(content) << content.error().text();
    EXPECT_GE(content->sequence, kept) << "cut at " << cut;
    EXPECT_LE(content->sequence, kept + 1) << "cut at " << cut;
    if (!was_cut) break;
  }
}

}  // namespace
}  // namespace drover::daemons

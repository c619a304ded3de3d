// The archive's files beyond crashes: what people do to them, and disks that refuse.
#include "store/file_archive.hpp"

#include "sim/sim_disk.hpp"
#include "store/retention.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/store_conformance.hpp"

#include <algorithm>

namespace drover::store {
namespace {

using sim::DiskFault;
using sim::DiskOperation;
using testing::Harness;

class FileArchiveTest : public ::testing::Test {
 protected:
  static std::vector<Change> changes(uint64_t first, uint64_t last) {
    std::vector<Change> out;
    for (uint64_t i = first; i <= last; ++i) {
      Change change;
      change.sequence = i;
      change.time_ms = 1'700'000'000'000;
      change.actor = "user:alice";
      change.via = "utility/login1";
      change.kind = "node";
      change.key = "n1";
      change.after = "{\"a\":\n1}";
      change.why = "because";
      out.push_back(std::move(change));
    }
    return out;
  }
  std::string text(const std::string& name) { return disk_.read_all("/a/" + name).value(); }
  static size_t lines(const std::string& text) {
    return static_cast<size_t>(std::ranges::count(text, '\n'));
  }

  Harness harness_;
  sim::SimDisk disk_;
};

TEST_F(FileArchiveTest, WritesALineForEachChange) {
  FileArchive archive(disk_, harness_.log(), "/a");
  ASSERT_TRUE(archive.append(changes(1, 1), ""));
  EXPECT_EQ(text("changes-000000000001.jsonl"),
            R"({"sequence":1,"time":"2023-11-14T22:13:20.000Z","actor":"user:alice",)"
            R"("via":"utility/login1","kind":"node","key":"n1","before":null,)"
            R"("after":{"a": 1},"why":"because"})"
            "\n");
}

TEST_F(FileArchiveTest, BeginsANewFileWhenOneIsFull) {
  FileArchive archive(disk_, harness_.log(), "/a", 1'000);
  std::string mark;
  for (uint64_t i = 1; i <= 20; ++i) mark = archive.append(changes(i, i), mark).value();
  const auto names = disk_.list("/a").value();
  EXPECT_GT(names.size(), 2U);
  EXPECT_EQ(names.front(), "changes-000000000001.jsonl");
  for (const std::string& name : names) EXPECT_LE(text(name).size(), 1'000U);
}

TEST_F(FileArchiveTest, GoesBackToTheMarkWhenTheStoreDidNotTakeTheLast) {
  FileArchive archive(disk_, harness_.log(), "/a");
  const std::string mark = archive.append(changes(1, 3), "").value();
  ASSERT_TRUE(archive.append(changes(4, 9), mark));
  ASSERT_TRUE(archive.append(changes(4, 5), mark));
  EXPECT_EQ(lines(text("changes-000000000001.jsonl")), 5U);
}

TEST_F(FileArchiveTest, RefusesWhatItHas) {
  FileArchive archive(disk_, harness_.log(), "/a");
  const std::string mark = archive.append(changes(1, 3), "").value();
  const auto again = archive.append(changes(3, 4), mark);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::corrupt);
}

TEST_F(FileArchiveTest, AFileThatWasTakenAwayIsNotMissed) {
  std::string mark;
  {
    FileArchive archive(disk_, harness_.log(), "/a");
    mark = archive.append(changes(1, 3), "").value();
  }
  ASSERT_TRUE(disk_.remove("/a/changes-000000000001.jsonl"));
  FileArchive archive(disk_, harness_.log(), "/a");
  ASSERT_TRUE(archive.append(changes(4, 5), mark));
  EXPECT_EQ(disk_.list("/a").value(), std::vector<std::string>{"changes-000000000004.jsonl"});
}

TEST_F(FileArchiveTest, AFileThatWasCutIsLeftAndANewOneBegun) {
  std::string mark;
  {
    FileArchive archive(disk_, harness_.log(), "/a");
    mark = archive.append(changes(1, 3), "").value();
  }
  ASSERT_TRUE(disk_.open("/a/changes-000000000001.jsonl", false, 0).value()->truncate(10));
  FileArchive archive(disk_, harness_.log(), "/a");
  ASSERT_TRUE(archive.append(changes(4, 5), mark));
  EXPECT_EQ(text("changes-000000000001.jsonl").size(), 10U) << "evidence stays";
  EXPECT_EQ(lines(text("changes-000000000004.jsonl")), 2U);
}

TEST_F(FileArchiveTest, AMarkThatDoesNotReadIsAnError) {
  FileArchive archive(disk_, harness_.log(), "/a");
  EXPECT_FALSE(archive.append(changes(1, 1), "nonsense"));
  EXPECT_FALSE(archive.append(changes(1, 1), R"({"file":7})"));
}

TEST_F(FileArchiveTest, RetentionArchivesAndSaysWhenItCannot) {
  auto store = open_sqlite(harness_.executor(), disk_, harness_.log(), "/var/store.db", {}).value();
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(harness_.put(*store, "item", std::to_string(i), "{}"));
  }
  const auto archive = std::make_shared<FileArchive>(disk_, harness_.log(), "/a");
  HistoryLimits limits;
  bool full = true;
  disk_.set_fault_hook([&](const DiskOperation& operation) {
    const bool hit =
        full && operation.kind == DiskOperation::Kind::write && operation.path.starts_with("/a");
    return hit ? DiskFault::full : DiskFault::none;
  });
  limits.keep_changes = 10;
  Retention retention(harness_.executor(), *store, archive, harness_.log(), [&] { return limits; });
  ASSERT_TRUE(harness_.world().run_for(std::chrono::seconds(5)));
  ASSERT_TRUE(retention.problem());
  EXPECT_EQ(retention.problem()->code, Code::exhausted);
  EXPECT_EQ(harness_.changes(*store, {})->changes.size(), 30U) << "nothing was forgotten";
  full = false;
  ASSERT_TRUE(harness_.world().run_for(Retention::kPeriod + std::chrono::seconds(5)));
  EXPECT_FALSE(retention.problem());
  EXPECT_EQ(harness_.changes(*store, {})->changes.size(), 10U);
  EXPECT_EQ(lines(text("changes-000000000001.jsonl")), 20U);
  // By age, at the next look.
  limits.keep_age = std::chrono::minutes(1);
  ASSERT_TRUE(harness_.world().run_for(std::chrono::minutes(2)));
  retention.look();
  ASSERT_TRUE(harness_.world().run_for(std::chrono::seconds(5)));
  EXPECT_EQ(harness_.changes(*store, {})->changes.size(), 1U) << "the newest is never forgotten";
  EXPECT_EQ(lines(text("changes-000000000001.jsonl")), 29U);
}

}  // namespace
}  // namespace drover::store

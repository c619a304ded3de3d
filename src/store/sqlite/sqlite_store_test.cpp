// What is SQLite's own: one opener, schema versions, damaged files, and disks that refuse.
#include "store/sqlite/sqlite_store.hpp"

#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/store_conformance.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace drover::store {
namespace {

using sim::DiskFault;
using sim::DiskOperation;
using testing::Harness;
using testing::Outcome;

constexpr const char* kPath = "/var/drover/store.db";

class SqliteStoreTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> try_open(Disk& disk, const std::string& path = kPath) {
    return open_sqlite(harness_.executor(), disk, harness_.log(), path, {});
  }
  void open() {
    auto opened = try_open(disk_);
    ASSERT_TRUE(opened) << opened.error().text();
    store_ = *std::move(opened);
  }
  void close() {
    const Status closed = harness_.close(*store_);
    EXPECT_TRUE(closed) << closed.error().text();
    store_.reset();
  }
  /// The process dies: nothing more of it reaches the disk.
  void kill() {
    disk_.detach();
    store_.reset();
  }
  Result<Outcome> put(const std::string& key, const std::string& body) {
    return harness_.put(*store_, "node", key, body);
  }
  size_t count() { return harness_.list(*store_, {.kind = "node"})->size(); }
  void fail_at(DiskOperation::Kind kind, DiskFault fault) {
    disk_.set_fault_hook([=](const DiskOperation& operation) {
      return operation.kind == kind ? fault : DiskFault::none;
    });
  }

  Harness harness_;
  sim::SimDisk disk_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteStoreTest, HasOneOpener) {
  open();
  const auto second = try_open(disk_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().text().find("already open"), std::string::npos);
  ASSERT_TRUE(put("n1", "{}"));
  close();
  EXPECT_TRUE(try_open(disk_));
}

TEST_F(SqliteStoreTest, HasOneOpenerOnTheRealDiskToo) {
  const os::testing::TestFolder folder;
  os::RealDisk disk;
  auto first = try_open(disk, folder / "store.db");
  ASSERT_TRUE(first) << first.error().text();
  const auto second = try_open(disk, folder / "store.db");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_FALSE(second.error().next.empty());
  first->reset();
  EXPECT_TRUE(try_open(disk, folder / "store.db"));
}

TEST_F(SqliteStoreTest, ARealFolderThatIsNotThereIsMade) {
  const os::testing::TestFolder folder;
  os::RealDisk disk;
  EXPECT_TRUE(try_open(disk, folder / "a/b/store.db"));
  folder.write("file", "");
  EXPECT_FALSE(try_open(disk, folder / "file/store.db"));
}

TEST_F(SqliteStoreTest, AnOrderlyCloseLeavesOneFile) {
  open();
  ASSERT_TRUE(put("n1", "{}"));
  EXPECT_EQ(disk_.list("/var/drover").value(),
            (std::vector<std::string>{"store.db", "store.db-wal"}));
  close();
  EXPECT_EQ(disk_.list("/var/drover").value(), std::vector<std::string>{"store.db"});
}

TEST_F(SqliteStoreTest, TheWriteAheadLogIsWrittenBackAndUsedAgain) {
  open();
  const auto size_of = [&](const std::string& path) {
    return disk_.open(path, false, 0).value()->size().value();
  };
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(put(std::to_string(i % 40), std::to_string(i) + std::string(30'000, 'x')));
  EXPECT_GT(size_of(kPath), 1'000'000U) << "moved while nothing waited";
  EXPECT_LT(size_of(std::string(kPath) + "-wal"), 6'000'000U);
}

TEST_F(SqliteStoreTest, DestroyingWithoutClosingTouchesNothing) {
  open();
  ASSERT_TRUE(put("n1", "{}"));
  const uint64_t before = disk_.operations();
  store_.reset();
  EXPECT_EQ(disk_.operations(), before);
  open();
  EXPECT_EQ(count(), 1U);
}

TEST_F(SqliteStoreTest, OpeningAnewWritesNothing) {
  open();
  close();
  int writes = 0;
  disk_.set_fault_hook([&](const DiskOperation& operation) {
    writes += operation.kind == DiskOperation::Kind::write ? 1 : 0;
    return DiskFault::none;
  });
  open();
  disk_.set_fault_hook(nullptr);
  EXPECT_EQ(writes, 0);
}

TEST_F(SqliteStoreTest, ANewerSchemaIsRefusedAndLeftAlone) {
  open();
  ASSERT_TRUE(put("n1", "{}"));
  close();
  {
    std::vector<Migration> more(migrations().begin(), migrations().end());
    more.push_back({"9999_of_the_future", "CREATE TABLE future (a) STRICT"});
    more.back().sql = "CREATE TABLE future (a INTEGER) STRICT";
    Database database;
    ASSERT_TRUE(database.open(disk_, kPath));
    ASSERT_TRUE(database.execute("PRAGMA locking_mode = EXCLUSIVE"));
    const Status migrated = migrate(database, more, 1);
    ASSERT_TRUE(migrated) << migrated.error().text();
    ASSERT_TRUE(database.close());
  }
  const auto refused = try_open(disk_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unsupported);
  EXPECT_NE(refused.error().text().find("knows up to"), std::string::npos);
  EXPECT_FALSE(refused.error().next.empty());
}

TEST_F(SqliteStoreTest, AFailingMigrationChangesNothing) {
  open();
  close();
  std::vector<Migration> more(migrations().begin(), migrations().end());
  more.push_back({"0998_good", "CREATE TABLE half (a INTEGER) STRICT"});
  more.push_back({"0999_bad", "CREATE TABLE other (a INTEGER) STRICT; SELECT nonsense"});
  {
    Database database;
    ASSERT_TRUE(database.open(disk_, kPath));
    ASSERT_TRUE(database.execute("PRAGMA locking_mode = EXCLUSIVE"));
    const Status failed = migrate(database, more, 1);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().text().find("0999_bad"), std::string::npos);
    EXPECT_EQ(database.value("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").value(),
              "0");
    ASSERT_TRUE(database.close());
  }
  EXPECT_TRUE(try_open(disk_)) << "the old schema is whole";
}

TEST_F(SqliteStoreTest, AForeignDatabaseIsRefusedAndLeftAlone) {
  ASSERT_TRUE(disk_.make_dirs("/var/drover", 0700));
  {
    Database database;
    ASSERT_TRUE(database.open(disk_, kPath));
    ASSERT_TRUE(database.execute("CREATE TABLE recipes (a INTEGER)"));
    ASSERT_TRUE(database.close());
  }
  const auto refused = try_open(disk_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unsupported);
  EXPECT_NE(refused.error().text().find("another program"), std::string::npos);
}

TEST_F(SqliteStoreTest, GarbageIsRefused) {
  ASSERT_TRUE(disk_.make_dirs("/var/drover", 0700));
  ASSERT_TRUE(disk_.write_atomic(kPath, std::string(8192, 'g'), 0600));
  const auto refused = try_open(disk_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::corrupt);
  EXPECT_FALSE(refused.error().next.empty());
}

TEST_F(SqliteStoreTest, DamageIsFoundAfterADisorderlyEnd) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(put(std::to_string(i), std::string(3000, 'x')));
  close();
  open();
  ASSERT_TRUE(put("last", "{}"));
  kill();
  auto file = disk_.open(kPath, false, 0);
  ASSERT_TRUE(file);
  for (uint64_t page = 10; page < 20; ++page) {
    ASSERT_TRUE((*file)->write(page * 4096, std::string(4096, '\x55')));
  }
  file->reset();
  const auto refused = try_open(disk_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::corrupt);
  EXPECT_NE(refused.error().text().find("damaged"), std::string::npos) << refused.error().text();
}

TEST_F(SqliteStoreTest, AFullDiskChangesNothingAndHealsWhenThereIsRoom) {
  open();
  ASSERT_TRUE(put("n1", "{}"));
  disk_.set_capacity(disk_.bytes() + 20'000);
  std::vector<Result<Outcome>> outcomes;
  for (int i = 0; i < 3; ++i) {
    store_->write(
        "user:test",
        [i](Transaction& t) -> Status {
          DROVER_CHECK_OK(t.put("node", "big" + std::to_string(i), std::string(30'000, 'x')));
          return {};
        },
        testing::copying([&](Result<Outcome> one) { outcomes.push_back(std::move(one)); }));
  }
  ASSERT_TRUE(
      harness_.world().run_until([&] { return outcomes.size() == 3; }, std::chrono::minutes(1)));
  for (const auto& outcome : outcomes) {
    ASSERT_FALSE(outcome) << "one commit, one fate";
    EXPECT_EQ(outcome.error().code, Code::exhausted) << outcome.error().text();
  }
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(store_->head(), 1U);
  EXPECT_EQ(store_->stats().failed_commits, 1U);
  disk_.set_capacity(0);
  const auto after = put("n2", "{}");
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_EQ(after->first, 2U);
  close();
  open();
  EXPECT_EQ(count(), 2U);
}

TEST_F(SqliteStoreTest, AFailedSyncEndsWritingUntilARestart) {
  open();
  ASSERT_TRUE(put("n1", "{}"));
  fail_at(DiskOperation::Kind::sync, DiskFault::io_error);
  const auto failed = put("n2", "{}");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::io);
  disk_.set_fault_hook(nullptr);
  const auto later = put("n3", "{}");
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Code::io);
  EXPECT_NE(later.error().next.find("restart"), std::string::npos);
  EXPECT_EQ(count(), 1U) << "reading goes on";
  kill();
  open();
  EXPECT_EQ(count(), 1U) << "what was refused does not come back";
  EXPECT_TRUE(put("n4", "{}"));
}

TEST_F(SqliteStoreTest, ReadErrorsAreReportedWithTheDisksWords) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(put(std::to_string(i), std::string(3000, 'x')));
  close();
  open();
  fail_at(DiskOperation::Kind::read, DiskFault::io_error);
  const auto found = harness_.list(*store_, {.kind = "node"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::io);
  EXPECT_NE(found.error().text().find("store.db"), std::string::npos) << found.error().text();
  disk_.set_fault_hook(nullptr);
  EXPECT_EQ(count(), 50U);
}

/// One disk operation fails, whichever it is: what was acknowledged is there after a restart, what
/// was refused is not, and the store either goes on or says that it must be restarted.
TEST_F(SqliteStoreTest, EverySingleFailingOperationIsSurvived) {
  for (const DiskFault fault : {DiskFault::io_error, DiskFault::full}) {
    uint64_t failing = 1;
    for (bool hit = true; hit; ++failing) {
      sim::SimDisk disk;
      auto store = try_open(disk);
      ASSERT_TRUE(store);
      hit = false;
      const uint64_t target = disk.operations() + failing;
      disk.set_fault_hook([&](const DiskOperation& operation) {
        if (operation.number != target) return DiskFault::none;
        hit = true;
        return fault;
      });
      std::vector<std::string> acknowledged;
      for (int i = 0; i < 12; ++i) {
        const std::string key = std::to_string(100 + i);
        if (harness_.put(**store, "node", key, std::string(6000, 'x'))) acknowledged.push_back(key);
      }
      disk.set_fault_hook(nullptr);
      disk.detach();
      store->reset();
      store = try_open(disk);
      ASSERT_TRUE(store) << store.error().text() << " at " << failing;
      std::vector<std::string> there;
      const auto loaded = (*store)->load("node");
      ASSERT_TRUE(loaded);
      for (const Object& object : *loaded) there.push_back(object.key);
      ASSERT_EQ(there, acknowledged) << "operation " << failing;
    }
    EXPECT_GT(failing, 20U);
  }
}

TEST_F(SqliteStoreTest, ACopyOfABusyStoreIsConsistent) {
  open();
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(put(std::to_string(i), std::string(30'000, 'x')));
  int written = 0;
  const auto write_more = [&] {
    store_->write(
        "user:test",
        [number = ++written](Transaction& t) -> Status {
          DROVER_CHECK_OK(t.put("pair", "left", std::to_string(number)));
          DROVER_CHECK_OK(t.put("node", std::to_string(number % 400), std::to_string(number)));
          DROVER_CHECK_OK(t.put("pair", "right", std::to_string(number)));
          return {};
        },
        [](const Result<Committed>& done) { EXPECT_TRUE(done); });
  };
  std::optional<Result<uint64_t>> copied;
  std::optional<Result<uint64_t>> second;
  store_->copy("/var/drover/copy.db", [&](Result<uint64_t> head) { copied = std::move(head); });
  store_->copy("/var/drover/copy2.db", [&](Result<uint64_t> head) { second = std::move(head); });
  int during = 0;
  while (!copied && during < 10'000) {
    write_more();
    ++during;
    ASSERT_TRUE(harness_.world().run_for(std::chrono::microseconds(200)));
  }
  ASSERT_TRUE(copied);
  ASSERT_TRUE(*copied) << copied->error().text();
  ASSERT_TRUE(second);
  ASSERT_FALSE(*second);
  EXPECT_EQ(second->error().code, Code::conflict);
  auto opened = try_open(disk_, "/var/drover/copy.db");
  ASSERT_TRUE(opened) << opened.error().text();
  Store& copy = **opened;
  EXPECT_EQ(copy.head(), **copied);
  EXPECT_GT(copy.head(), 400U);
  const auto pairs = copy.load("pair").value();
  if (copy.head() > 400) {
    ASSERT_EQ(pairs.size(), 2U);
    EXPECT_EQ(pairs[0].body, pairs[1].body) << "no half mutation";
  }
  EXPECT_EQ(copy.load("node").value().size(), 400U);
  const auto log = harness_.changes(copy, {.since = 0, .limit = 100'000});
  ASSERT_TRUE(log);
  EXPECT_GT(log->changes.size(), 0U);
  close();
}

TEST_F(SqliteStoreTest, ACopyThatDoesNotFitLeavesTheStoreAlone) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(put(std::to_string(i), std::string(30'000, 'x')));
  disk_.set_fault_hook([](const DiskOperation& operation) {
    const bool hit =
        operation.kind == DiskOperation::Kind::write && operation.path.ends_with("copy.db");
    return hit ? DiskFault::full : DiskFault::none;
  });
  std::optional<Result<uint64_t>> copied;
  store_->copy("/var/drover/copy.db", [&](Result<uint64_t> head) { copied = std::move(head); });
  ASSERT_TRUE(
      harness_.world().run_until([&] { return copied.has_value(); }, std::chrono::seconds(9)));
  ASSERT_FALSE(*copied);
  EXPECT_EQ(copied->error().code, Code::exhausted);
  EXPECT_TRUE(put("n1", "{}"));
  close();
}

/// Long readers: pages of the log and copies one after the other while much is written. The
/// write-ahead log stays bounded all the same.
TEST_F(SqliteStoreTest, TheWriteAheadLogStaysBoundedUnderLongReaders) {
  open();
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(put(std::to_string(i), std::string(10'000, 'x')));
  int pages = 0;
  int copies = 0;
  const auto read = [&] {
    store_->changes({.since = 0, .limit = 10'000},
                    [&](const Result<ChangePage>& page) { pages += page ? 1 : 0; });
  };
  const auto copy = [&] {
    (void)disk_.remove("/var/drover/copy.db");
    store_->copy("/var/drover/copy.db",
                 [&](const Result<uint64_t>& head) { copies += head ? 1 : 0; });
  };
  uint64_t most = 0;
  for (int i = 0; i < 1'500; ++i) {
    if (i % 10 == 0) read();
    if (i % 200 == 0) copy();
    ASSERT_TRUE(put(std::to_string(i % 300), std::to_string(i) + std::string(30'000, 'x')));
    most =
        std::max(most, disk_.open(std::string(kPath) + "-wal", false, 0).value()->size().value());
  }
  EXPECT_GT(pages, 20);
  EXPECT_GT(copies, 2);
  EXPECT_LT(most, 48'000'000U)
      << "45 MB were written, 32 MiB are the most before it is written back";
  close();
}

}  // namespace
}  // namespace drover::store

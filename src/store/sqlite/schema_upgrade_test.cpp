// A database of every schema that was ever released opens, with all that was in it. The fixtures
// are text dumps; DROVER_UPDATE_GOLDEN=1 makes the missing ones by upgrading that of schema 1,
// which a master of that time has written.
#include "base/describe.hpp"
#include "sim/sim_disk.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/store_conformance.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/core.h>

namespace drover::store {
namespace {

constexpr const char* kPath = "/var/drover/store.db";

std::string fixture_path(size_t version) {
  return fmt::format("{}/src/store/sqlite/fixtures/schema_{:04}.sql", DROVER_SOURCE_DIR, version);
}

std::string read_fixture(size_t version) {
  std::ifstream file(fixture_path(version));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The rows that `query` gives, each in one text.
std::vector<std::string> rows(Database& database, const std::string& query) {
  auto statement = database.prepare(query);
  EXPECT_TRUE(statement) << statement.error().text();
  std::vector<std::string> out;
  auto run = statement->start();
  while (run.step().value()) out.emplace_back(run.text(0));
  return out;
}

std::string dump(Database& database, size_t version) {
  std::string out = fmt::format(
      "-- What the migrations up to {} make of the database of schema 1, dumped as text; how:\n"
      "-- src/store/sqlite/schema_upgrade_test.cpp.\nPRAGMA application_id = {};\nBEGIN;\n",
      version, database.value("PRAGMA application_id").value());
  for (const std::string& sql :
       rows(database,
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name")) {
    out += sql + ";\n";
  }
  for (const std::string& table :
       rows(database, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")) {
    const std::string columns = database
                                    .value(
                                        "SELECT group_concat('quote(' || name || ')', ' || '','' "
                                        "|| ') FROM pragma_table_info('" +
                                        table + "')")
                                    .value();
    for (const std::string& row :
         rows(database, fmt::format("SELECT {} FROM {} ORDER BY 1", columns, table))) {
      out += fmt::format("INSERT INTO {} VALUES({});\n", table, row);
    }
  }
  return out + "COMMIT;\n";
}

class SchemaUpgrade : public ::testing::Test {
 protected:
  void lay(const std::string& sql) {
    ASSERT_FALSE(sql.empty());
    ASSERT_TRUE(disk_.make_dirs("/var/drover", 0700));
    Database database;
    ASSERT_TRUE(database.open(disk_, kPath));
    ASSERT_TRUE(database.execute("PRAGMA locking_mode = EXCLUSIVE"));
    const Status made = database.execute(sql);
    ASSERT_TRUE(made) << made.error().text();
    ASSERT_TRUE(database.close());
  }
  void open() {
    auto opened = open_sqlite(harness_.executor(), disk_, harness_.log(), kPath, {});
    ASSERT_TRUE(opened) << opened.error().text();
    store_ = *std::move(opened);
  }
  /// What the master of schema 1 had written.
  void check() {
    ASSERT_EQ(store_->load("node").value().size(), 3U);
    EXPECT_EQ(store_->load("credential").value().size(), 3U);
    const auto node = harness_.get(*store_, "node", "n1").value();
    ASSERT_TRUE(node);
    EXPECT_EQ(node->revision, 14U);
    EXPECT_NE(node->body.find(R"("why":"first node")"), std::string::npos);
    const auto log = harness_.changes(*store_, {.since = 0});
    ASSERT_TRUE(log) << log.error().text();
    ASSERT_EQ(log->changes.size(), 14U);
    for (size_t i = 0; i < 14; ++i) EXPECT_EQ(log->changes[i].sequence, i + 1);
    const Change& change = log->changes[11];
    EXPECT_EQ(change.actor, "user:root@master/m1");
    EXPECT_EQ(change.why, "first node");
    EXPECT_EQ(change.via, "") << "was not kept then";
    EXPECT_EQ(change.after->size(), log->changes[13].before->size());
    EXPECT_EQ(log->changes[13].after, node->body);
    const std::string id = "7fbbe72580865f4a6d45d6ec46bb1fc9";
    const auto of_node = harness_.changes(*store_, {.kind = "node", .id = id});
    ASSERT_TRUE(of_node);
    EXPECT_EQ(of_node->changes.size(), 3U) << "the ids were found";
    for (const Change& one : log->changes) {
      std::vector<Change> expected;
      std::ranges::copy_if(log->changes, std::back_inserter(expected), [&](const Change& other) {
        return other.kind == one.kind && other.key == one.key;
      });
      const auto history = harness_.changes(*store_, {.kind = one.kind, .key = one.key});
      ASSERT_TRUE(history);
      EXPECT_EQ(history->changes, expected) << one.kind << ' ' << one.key;
    }
    // It goes on where it was.
    const auto outcome = harness_.write(
        *store_,
        [](Transaction& t) -> Status {
          DROVER_TRY(const uint64_t number, t.next_number("boots"));
          EXPECT_EQ(number, 1U);
          DROVER_CHECK_OK(t.put("node", "n9", "{}"));
          return {};
        },
        Author("user:alice", "master/m1 10.0.0.1:7"));
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_EQ(outcome->first, 15U);
    EXPECT_EQ(harness_.changes(*store_, {.since = 14})->changes.at(0).via, "master/m1 10.0.0.1:7");
  }

  testing::Harness harness_;
  sim::SimDisk disk_;
  std::unique_ptr<Store> store_;
};

TEST_F(SchemaUpgrade, EveryReleasedSchemaOpensWithAllThatWasInIt) {
  for (size_t version = 1; version <= migrations().size(); ++version) {
    SCOPED_TRACE(fmt::format("schema {}", version));
    disk_.detach();
    ASSERT_TRUE(disk_.remove(kPath));
    std::string sql = read_fixture(version);
    if (sql.empty() && std::getenv("DROVER_UPDATE_GOLDEN") != nullptr) {
      lay(read_fixture(1));
      Database database;
      ASSERT_TRUE(database.open(disk_, kPath));
      ASSERT_TRUE(database.execute("PRAGMA locking_mode = EXCLUSIVE"));
      ASSERT_TRUE(migrate(database, migrations().first(version), 1'795'310'080'000));
      sql = dump(database, version);
      std::ofstream(fixture_path(version)) << sql;
      ASSERT_TRUE(database.close());
      ASSERT_TRUE(disk_.remove(kPath));
    }
    ASSERT_FALSE(sql.empty()) << "no fixture " << fixture_path(version)
                              << ": run this with DROVER_UPDATE_GOLDEN=1 and commit it";
    lay(sql);
    open();
    check();
    ASSERT_TRUE(harness_.close(*store_));
    store_.reset();
  }
}

TEST_F(SchemaUpgrade, APowerCutDuringTheUpgradeLeavesTheOldOrTheNew) {
  int cut = 0;
  for (uint64_t moment = 1; moment < 400; ++moment) {
    SCOPED_TRACE(fmt::format("operation {}", moment));
    sim::SimRandom random(moment, "upgrade");
    disk_.detach();
    ASSERT_TRUE(disk_.remove(kPath));
    ASSERT_TRUE(disk_.remove(std::string(kPath) + "-wal"));
    lay(read_fixture(1));
    ASSERT_TRUE(disk_.sync_dir("/var/drover"));
    const uint64_t at = disk_.operations() + moment;
    bool hit = false;
    disk_.set_fault_hook([&](const sim::DiskOperation& operation) {
      hit = hit || operation.number == at;
      return operation.number == at ? sim::DiskFault::power_cut : sim::DiskFault::none;
    });
    {
      const auto opened = open_sqlite(harness_.executor(), disk_, harness_.log(), kPath, {});
      EXPECT_TRUE(opened || hit);
    }
    disk_.crash(random);
    disk_.set_fault_hook(nullptr);
    if (!hit) break;  // it opens in fewer operations
    ++cut;
    open();
    check();
    store_.reset();
  }
  EXPECT_GT(cut, 10);
}

TEST_F(SchemaUpgrade, ADatabaseOfAFutureSchemaIsRefusedWithAdvice) {
  lay(read_fixture(1) + "INSERT INTO schema_versions VALUES (9999, '9999_future', 1);");
  const auto opened = open_sqlite(harness_.executor(), disk_, harness_.log(), kPath, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::unsupported);
  EXPECT_NE(opened.error().text().find("schema 9999"), std::string::npos);
  EXPECT_NE(opened.error().next.find("install"), std::string::npos);
}

}  // namespace
}  // namespace drover::store

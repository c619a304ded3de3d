// Settings, recovery, check and migration, in this order.
#include "store/sqlite/sqlite_store.hpp"

#include "store/queued_store.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/sqlite/sqlite_engine.hpp"

#include <utility>

namespace drover::store {
namespace {

// Exclusive locking keeps the wal-index on the heap, so no shared memory is needed. Checkpoints are
// the writer's to time: Database counts frames in SQLite's hook for automatic ones, which
// PRAGMA wal_autocheckpoint would take away. A log grown beyond 64 MiB by one large commit is cut
// back.
constexpr const char* kSettings =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 67108864;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -65536;"
    "PRAGMA trusted_schema = OFF;";

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

Status check(Database& database) {
  DROVER_TRY(const std::string found, database.value("PRAGMA quick_check(1)"));
  if (found == "ok") return {};
  return fail(Code::corrupt, "the database is damaged: " + found,
              "restore the last backup of the database");
}

/// A write-ahead log with something in it was not written back: no orderly close came before.
Result<bool> was_closed(Disk& disk, const std::string& path) {
  DROVER_TRY(const bool there, disk.exists(path + "-wal"));
  if (!there) return true;
  DROVER_TRY(const auto file, disk.open(path + "-wal", false, 0));
  DROVER_TRY(const uint64_t size, file->size());
  return size == 0;
}

Result<std::unique_ptr<SqliteEngine>> open_engine(Executor& executor, Disk& disk, const Log& log,
                                                  const std::string& path) {
  DROVER_CHECK_OK(disk.make_dirs(parent_of(path), 0700));
  DROVER_TRY(const bool closed, was_closed(disk, path));
  auto database = std::make_unique<Database>();
  DROVER_CHECK_OK(database->open(disk, path));
  DROVER_CHECK_OK(database->execute(kSettings));
  DROVER_TRY(const std::string mode, database->value("PRAGMA journal_mode"));
  if (mode != "wal") return fail(Code::internal, "the write-ahead log is not on, but " + mode);
  if (!closed) {
    log.notice("the store was not closed in order: recovering and checking it", {{"path", path}});
    DROVER_CHECK_OK(check(*database));
  }
  DROVER_CHECK_OK(migrate(*database, migrations(), to_unix_ms(executor.wall())));
  return SqliteEngine::make(std::move(database));
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(Executor& executor, Disk& disk, const Log& log,
                                           const std::string& path, StoreLimits limits) {
  auto engine = open_engine(executor, disk, log, path);
  if (!engine) return fail_in("opening the store " + path, std::move(engine).error());
  const uint64_t head = (*engine)->head();
  return std::make_unique<QueuedStore>(executor, log, *std::move(engine), head, limits);
}

}  // namespace drover::store

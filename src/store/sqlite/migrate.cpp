// A database remembers each migration that it has had, with its time.
#include "store/sqlite/migrate.hpp"

#include <string>

#include <fmt/core.h>

namespace drover::store {
namespace {

/// "Drvr" in the file's header (sqlite.org/pragma.html#pragma_application_id).
constexpr int64_t kApplicationId = 0x44727672;

Status check_ours(Database& database) {
  DROVER_TRY(const std::string id, database.value("PRAGMA application_id"));
  if (id == std::to_string(kApplicationId)) return {};
  DROVER_TRY(const std::string tables, database.value("SELECT count(*) FROM sqlite_schema"));
  if (id == "0" && tables == "0") return {};
  return fail(Code::unsupported, "this is a database of another program",
              "name another file for the store");
}

Result<uint64_t> current_version(Database& database) {
  DROVER_CHECK_OK(
      database.execute("CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, "
                       "name TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT"));
  DROVER_TRY(Statement newest,
             database.prepare("SELECT coalesce(max(version), 0) FROM schema_versions"));
  auto run = newest.start();
  DROVER_CHECK_OK(run.step());
  return run.number(0);
}

Status apply(Database& database, uint64_t version, const Migration& migration, int64_t now_ms) {
  DROVER_CHECK_OK(database.execute(std::string(migration.sql)));
  DROVER_TRY(Statement note, database.prepare("INSERT INTO schema_versions VALUES (?, ?, ?)"));
  return note.start().bind(version).bind(migration.name).bind(now_ms).finish();
}

Status migrate_in_transaction(Database& database, std::span<const Migration> known,
                              int64_t now_ms) {
  DROVER_CHECK_OK(check_ours(database));
  DROVER_TRY(const uint64_t current, current_version(database));
  if (current == 0) {
    DROVER_CHECK_OK(database.execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
  }
  if (current > known.size()) {
    return fail(
        Code::unsupported,
        fmt::format("the database has schema {}, this build knows up to {}", current, known.size()),
        "install the Drover version that wrote it, or a newer one");
  }
  for (uint64_t version = current + 1; version <= known.size(); ++version) {
    const Migration& migration = known[version - 1];
    const Status applied = apply(database, version, migration, now_ms);
    if (!applied) {
      return fail_in(fmt::format("migration {}", migration.name), applied.error());
    }
  }
  return {};
}

}  // namespace

Status migrate(Database& database, std::span<const Migration> known, int64_t now_ms) {
  DROVER_CHECK_OK(database.execute("BEGIN IMMEDIATE"));
  Status done = migrate_in_transaction(database, known, now_ms);
  if (done) done = database.execute("COMMIT");
  if (!done && database.in_transaction()) (void)database.execute("ROLLBACK");
  return done;
}

}  // namespace drover::store

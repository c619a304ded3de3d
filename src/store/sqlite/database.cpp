// Result codes become errors here and nowhere else.
#include "store/sqlite/database.hpp"

#include "store/sqlite/disk_vfs.hpp"

#include <tuple>

#include <sqlite3.h>

namespace drover::store {
namespace {

Code code_of(int rc) {
  switch (rc & 0xff) {
    case SQLITE_FULL:
      return Code::exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::conflict;
    case SQLITE_TOOBIG:
      return Code::too_large;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return Code::io;
    default:
      return Code::internal;
  }
}

constexpr int kLookasideBytes = 4'096;
constexpr int kLookasideSlots = 128;

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the error that step() has reported already
  sqlite3_clear_bindings(statement_.get());
}

Statement::Run& Statement::Run::bind(int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_->statement_.get(), ++bound_, value);
  return *this;
}

Statement::Run& Statement::Run::bind(std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  bind_error_ |= sqlite3_bind_text64(statement_->statement_.get(), ++bound_, data, text.size(),
                                     SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement::Run& Statement::Run::bind_or_null(std::optional<std::string_view> text) {
  if (text) return bind(*text);
  bind_error_ |= sqlite3_bind_null(statement_->statement_.get(), ++bound_);
  return *this;
}

Result<bool> Statement::Run::step() {
  if (bind_error_ != 0) return fail(Code::internal, "a statement's parameters do not fit it");
  const int rc = sqlite3_step(statement_->statement_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return tl::unexpected<Error>(statement_->database_->error(rc));
}

Status Statement::Run::finish() {
  for (;;) {
    DROVER_TRY(const bool row, step());
    if (!row) return {};
  }
}

int64_t Statement::Run::integer(int column) const {
  return sqlite3_column_int64(statement_->statement_.get(), column);
}

std::string_view Statement::Run::text(int column) const {
  sqlite3_stmt* const statement = statement_->statement_.get();
  // As a blob: a text would first be copied to have a NUL behind it.
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
  if (data == nullptr) return {};
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

std::optional<std::string> Statement::Run::text_or_null(int column) const {
  if (sqlite3_column_type(statement_->statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return std::string(text(column));
}

void Database::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

Database::Database() = default;
Database::~Database() = default;

Status Database::open(Disk& disk, const std::string& path) {
  // SQLite counts its memory under one lock for all; nobody here asks for the count.
  static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  std::ignore = uncounted;
  DROVER_TRY(vfs_, DiskVfs::make(disk));
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(
      path.c_str(), &raw,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
      vfs_->name());
  connection_.reset(raw);
  if (rc != SQLITE_OK) return tl::unexpected<Error>(error(rc));
  sqlite3_extended_result_codes(raw, 1);
  // Rows are about a kilobyte: with the default of 1,200 bytes most of them miss the lookaside.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_LOOKASIDE, nullptr, kLookasideBytes, kLookasideSlots);
  // Destroying without close() is to write nothing, as if the process had died.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_hook(raw, &Database::on_commit, this);
  return {};
}

int Database::on_commit(void* self, sqlite3* /*connection*/, const char* /*name*/, int frames) {
  static_cast<Database*>(self)->wal_frames_ = frames;
  return SQLITE_OK;
}

Status Database::close() {
  if (!connection_) return {};
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  const int rc = sqlite3_close(connection_.get());
  if (rc != SQLITE_OK) return tl::unexpected<Error>(error(rc));
  std::ignore = connection_.release();  // it is closed
  if (vfs_->disk_failure()) return tl::unexpected<Error>(*vfs_->disk_failure());
  return {};
}

Disk& Database::disk() {
  return vfs_->disk();
}

Result<Statement> Database::prepare(std::string_view sql) {
  Statement made;
  made.database_ = this;
  sqlite3_stmt* raw = nullptr;
  const int rc = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  made.statement_.reset(raw);
  if (rc != SQLITE_OK) return tl::unexpected<Error>(error(rc));
  return made;
}

Status Database::execute(const std::string& sql) {
  const int rc = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return tl::unexpected<Error>(error(rc));
  return {};
}

Result<std::string> Database::value(std::string_view sql) {
  DROVER_TRY(Statement statement, prepare(sql));
  auto run = statement.start();
  DROVER_TRY(const bool row, run.step());
  return row ? std::string(run.text(0)) : std::string();
}

int64_t Database::last_row() const {
  return sqlite3_last_insert_rowid(connection_.get());
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

Status Database::checkpoint() {
  const int rc = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                           nullptr, nullptr);
  if (rc != SQLITE_OK) return tl::unexpected<Error>(error(rc));
  wal_frames_ = 0;
  return {};
}

void Database::FinishCopy::operator()(sqlite3_backup* copy) const {
  sqlite3_backup_finish(copy);
}

Status Database::begin_copy(Database& from) {
  copy_.reset(sqlite3_backup_init(connection_.get(), "main", from.connection_.get(), "main"));
  if (!copy_) return tl::unexpected<Error>(error(sqlite3_errcode(connection_.get())));
  return {};
}

Result<bool> Database::copy_pages(int pages) {
  const int rc = sqlite3_backup_step(copy_.get(), pages);
  if (rc == SQLITE_OK) return true;
  const int finished = sqlite3_backup_finish(copy_.release());
  if (rc == SQLITE_DONE && finished == SQLITE_OK) return false;
  return tl::unexpected<Error>(error(rc == SQLITE_DONE ? finished : rc));
}

const std::optional<Error>& Database::disk_failure() const {
  return vfs_->disk_failure();
}

Error Database::error(int rc) {
  if (auto cause = vfs_->take_error()) return std::move(*cause);
  const char* text = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(rc);
  Error made{code_of(rc), text, "SQLite", {}};
  if (made.code == Code::corrupt) made.next = "stop the master and restore the last backup";
  return made;
}

}  // namespace drover::store

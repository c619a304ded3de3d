// Thin RAII over the SQLite C interface: a connection, prepared statements, rows; errors are
// values.
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_backup;  // NOLINT(readability-identifier-naming): SQLite's

namespace drover::store {

class DiskVfs;
class Database;

/// One prepared statement. Bind from 1, step through rows, and it resets itself when the Run that
/// start() gave goes out of scope. Bound text must live as long as the Run.
class Statement {
 public:
  Statement() = default;

  /// One execution.
  class Run {
   public:
    explicit Run(Statement& statement) : statement_(&statement) {}
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() { statement_->reset(); }

    Run& bind(int64_t value);
    Run& bind(uint64_t value) { return bind(static_cast<int64_t>(value)); }
    Run& bind(std::string_view text);
    Run& bind_or_null(std::optional<std::string_view> text);
    /// True: a row is there; false: the end.
    Result<bool> step();
    /// For statements without rows.
    Status finish();

    [[nodiscard]] int64_t integer(int column) const;
    [[nodiscard]] uint64_t number(int column) const {
      return static_cast<uint64_t>(integer(column));
    }
    /// Valid until the next step.
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::optional<std::string> text_or_null(int column) const;

   private:
    Statement* statement_;
    int bound_ = 0;
    int bind_error_ = 0;
  };

  [[nodiscard]] Run start() { return Run(*this); }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  void reset();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  Database* database_ = nullptr;
};

/// One connection, on its own VFS over a Disk. One thread at a time. Statements must be gone before
/// it is. Destroying it without close() leaves the files as they are; the next open recovers.
class Database {
 public:
  Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Opens or creates the file and locks it for this process: Code::conflict when another has it.
  Status open(Disk& disk, const std::string& path);
  /// Writes back and removes the write-ahead log, then closes. All statements must be gone.
  Status close();

  [[nodiscard]] Disk& disk();

  Result<Statement> prepare(std::string_view sql);
  /// Runs statements without parameters; rows are ignored.
  Status execute(const std::string& sql);
  /// The one value of the one row, e.g. of a PRAGMA; empty when there is none.
  Result<std::string> value(std::string_view sql);

  [[nodiscard]] bool in_transaction() const;
  /// INTEGER PRIMARY KEY of the row inserted last.
  [[nodiscard]] int64_t last_row() const;
  /// Frames in the write-ahead log after the last commit.
  [[nodiscard]] int wal_frames() const { return wal_frames_; }
  /// Copies the log into the database and lets the next commit start it anew.
  Status checkpoint();

  /// Begins to copy all of `from`, which must outlive this, into this empty database
  /// (sqlite.org/c3ref/backup_finish.html).
  Status begin_copy(Database& from);
  /// Copies so many pages more; false: all are copied. What `from` commits between two calls is
  /// taken over.
  Result<bool> copy_pages(int pages);

  /// Set once a sync failed: what is on the disk is not known any more.
  [[nodiscard]] const std::optional<Error>& disk_failure() const;
  /// The error that SQLite's result code `rc` stands for, with the disk's own words where it has
  /// them.
  Error error(int rc);

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  struct FinishCopy {
    void operator()(sqlite3_backup* copy) const;
  };
  static int on_commit(void* self, sqlite3* connection, const char* name, int frames);

  std::unique_ptr<DiskVfs> vfs_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::unique_ptr<sqlite3_backup, FinishCopy> copy_;
  int wal_frames_ = 0;
};

}  // namespace drover::store

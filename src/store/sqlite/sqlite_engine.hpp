// SqliteEngine: the Engine on one SQLite connection; the SQL of the write path and of the log.
#pragma once

#include "store/engine.hpp"
#include "store/sqlite/database.hpp"

#include <memory>

namespace drover::store {

class SqliteEngine final : public Engine {
 public:
  /// Takes an open, migrated database and prepares its statements.
  static Result<std::unique_ptr<SqliteEngine>> make(std::unique_ptr<Database> database);

  /// Newest sequence in the log.
  [[nodiscard]] uint64_t head() const { return head_; }

  Result<uint64_t> begin(int64_t now_ms) override;
  Status commit() override;
  void roll_back() override;
  bool in_transaction() override { return database_->in_transaction(); }
  Status set_savepoint() override;
  Status release_savepoint() override;
  Status roll_back_to_savepoint() override;

  Result<std::optional<StoredObject>> find(std::string_view kind, std::string_view key) override;
  Result<std::vector<Object>> list(const ListQuery& query) override;
  Result<int64_t> insert(std::string_view kind, std::string_view key, std::string_view body,
                         uint64_t revision) override;
  Status update(int64_t id, std::string_view body, uint64_t revision) override;
  Status remove(int64_t id) override;
  Result<uint64_t> next_number(std::string_view counter) override;

  Status append(const Change& change, uint64_t previous) override;
  Result<std::optional<Change>> last_change(std::string_view kind, std::string_view key) override;
  Result<ChangePage> changes(const ChangeQuery& query) override;
  Result<uint64_t> forgettable(int64_t older_than_ms, uint64_t keep_at_most, size_t step) override;
  Result<uint64_t> forget(uint64_t through) override;

  Status begin_copy(const std::string& path) override;
  Result<bool> copy_some() override;
  void end_copy() override { copy_.reset(); }

  [[nodiscard]] bool wants_tidying(bool idle) override;
  Status tidy() override;
  Status close() override;

 private:
  /// Prepared once; they go before the connection does.
  struct Statements {
    Statement begin, commit, roll_back;
    Statement savepoint, release, roll_back_to;
    Statement find, list, insert, update, remove, next_number;
    Statement append, change, changes, changes_of_kind, newest_changes, newest_of_kind;
    Statement newest_end, newest_of_name, before_in_chain, link, names_of_id;
    Statement oldest, newest, oldest_times, keep_bodies, prune;
  };

  class Scan;

  explicit SqliteEngine(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  Status prepare();
  Status check_disk() const;
  Status check_kept(uint64_t since);
  /// The number that a statement gives for a kind and a key; 0: none.
  Result<uint64_t> number_for(Statement& statement, std::string_view kind, std::string_view key);
  Result<std::optional<Change>> change(uint64_t sequence);
  /// For queries without key and id.
  Statement& statement_for(const ChangeQuery& query);
  /// The names whose changes a query by key or id looks at.
  Result<std::vector<std::string>> names_of(const ChangeQuery& query);
  /// What a query by key or id looks at, in its order; at most `most`.
  Result<std::vector<uint64_t>> sequences_of(const ChangeQuery& query, size_t most);
  Result<ChangePage> page_of(const ChangeQuery& query, Scan& scan, size_t most) const;

  std::unique_ptr<Database> database_;
  std::unique_ptr<Database> copy_;  // after the database that it is made of
  std::unique_ptr<Statements> statements_;
  uint64_t head_ = 0;          // committed
  uint64_t pending_head_ = 0;  // with the appends of the open transaction
  uint64_t savepoint_head_ = 0;
};

}  // namespace drover::store

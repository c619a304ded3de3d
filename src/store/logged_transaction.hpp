// LoggedTransaction: the meaning of put, erase and expect_revision over the rows of an Engine.
#pragma once

#include "store/engine.hpp"
#include "store/readings.hpp"
#include "store/store.hpp"

#include <string>
#include <vector>

namespace drover::store {

/// One mutation, or one read, inside the engine's transaction.
class LoggedTransaction final : public Transaction {
 public:
  /// For a mutation: `head` is the newest sequence so far and moves on with each change that is
  /// appended to `changes`.
  LoggedTransaction(Engine& engine, Readings& readings, const Author& author, int64_t time_ms,
                    uint64_t& head, std::vector<Change>& changes);
  /// For reading.
  LoggedTransaction(Engine& engine, Readings& readings);

  Result<std::optional<Object>> get(std::string_view kind, std::string_view key) override;
  Result<std::shared_ptr<const Reading>> reading(std::string_view kind,
                                                 std::string_view key) override;
  Result<std::vector<Object>> list(const ListQuery& query) override;
  using Transaction::put;
  Result<uint64_t> put(std::string_view kind, std::string_view key, std::string_view body,
                       ReadingPointer reading) override;
  Result<bool> erase(std::string_view kind, std::string_view key) override;
  Status put_quiet(std::string_view kind, std::string_view key, std::string_view body) override;
  Result<bool> erase_quiet(std::string_view kind, std::string_view key) override;
  Status expect_revision(std::string_view kind, std::string_view key, uint64_t revision) override;
  Result<uint64_t> next_number(std::string_view counter) override;
  void explain(std::string_view why) override;
  [[nodiscard]] const std::string& actor() const override { return author_.actor; }
  [[nodiscard]] int64_t time_ms() const override { return time_ms_; }

  /// Ends the mutation that returned `outcome`: keeps its writes, or undoes them and takes its
  /// changes back. Returns its final outcome.
  Status finish(Status outcome);

 private:
  /// A row as it is now; `body` until the next write or look().
  struct Row {
    int64_t id = 0;
    uint64_t revision = 0;
    std::string_view body;
  };
  /// What is known of it, or else what the database says, remembered until the next write.
  Result<std::optional<Row>> look(std::string_view kind, std::string_view key);
  Result<std::optional<Row>> look_in_database(std::string_view kind, std::string_view key);
  Status prepare_write(std::string_view kind, std::string_view key, std::string_view body);
  /// Appends the change of one object, which was at the revision `previous` (0: not there), to the
  /// log.
  Status log(std::string_view kind, std::string_view key, uint64_t previous,
             std::optional<std::string> before, std::optional<std::string> after,
             ReadingPointer reading);
  /// Remembers the engine's first error: the mutation cannot succeed after it.
  template <typename T>
  T noted(T result);

  Engine& engine_;
  Readings& readings_;
  const Author& author_;
  int64_t time_ms_ = 0;
  uint64_t* head_ = nullptr;
  std::vector<Change>* changes_ = nullptr;  // none: read-only
  size_t first_ = 0;                        // of this mutation's changes
  std::string why_;
  /// What was read last: most writes are of what was read just before.
  struct Seen {
    std::string kind;
    std::string key;
    std::optional<StoredObject> found;
  };
  std::optional<Seen> seen_;
  bool savepoint_ = false;
  Status broken_;
};

}  // namespace drover::store

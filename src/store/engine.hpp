// What a database backend provides below QueuedStore: rows, one transaction at a time, savepoints.
// Everything that must be the same for all backends is above this, everything in SQL below it.
#pragma once

#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::store {

/// One row of the objects as the writer needs it.
struct StoredObject {
  int64_t id = 0;  ///< the backend's own handle, the same until the object is removed; not 0
  uint64_t revision = 0;
  std::string body;
};

/// Used by one thread at a time: by the opener until the first job, then by the worker.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// Starts the transaction of a batch; returns the sequence of the newest change. From here to the
  /// end nobody else, on any host, adds to the log.
  virtual Result<uint64_t> begin(int64_t now_ms) = 0;
  /// Durable when this returns ok. After an error nothing of the transaction is visible.
  virtual Status commit() = 0;
  virtual void roll_back() = 0;
  /// False once an error inside the transaction has ended it: all of it is gone.
  virtual bool in_transaction() = 0;

  /// One level inside the transaction, so that one mutation can be undone alone.
  virtual Status set_savepoint() = 0;
  virtual Status release_savepoint() = 0;
  virtual Status roll_back_to_savepoint() = 0;

  virtual Result<std::optional<StoredObject>> find(std::string_view kind, std::string_view key) = 0;
  virtual Result<std::vector<Object>> list(const ListQuery& query) = 0;
  /// Returns the id of the row. With a revision other than 0, append() of the change with that
  /// sequence follows in the same transaction, and `body` is what it leaves behind.
  virtual Result<int64_t> insert(std::string_view kind, std::string_view key, std::string_view body,
                                 uint64_t revision) = 0;
  virtual Status update(int64_t id, std::string_view body, uint64_t revision) = 0;
  virtual Status remove(int64_t id) = 0;
  virtual Result<uint64_t> next_number(std::string_view counter) = 0;

  /// `previous` is the revision that the change ends; 0: the object was not there.
  virtual Status append(const Change& change, uint64_t previous) = 0;
  /// The newest change of one object, if it is still kept.
  virtual Result<std::optional<Change>> last_change(std::string_view kind,
                                                    std::string_view key) = 0;
  /// Limits and names of `query` are checked already.
  virtual Result<ChangePage> changes(const ChangeQuery& query) = 0;
  /// The last of at most `step` of the oldest changes that may be forgotten; 0: none may.
  virtual Result<uint64_t> forgettable(int64_t older_than_ms, uint64_t keep_at_most,
                                       size_t step) = 0;
  /// Forgets the changes up to `through`, inside the transaction; returns how many.
  virtual Result<uint64_t> forget(uint64_t through) = 0;

  /// Begins a copy of the database into the new file `path`; one at a time.
  virtual Status begin_copy(const std::string& path) = 0;
  /// Copies a part of it, outside of transactions; false: the copy is whole and on the disk.
  virtual Result<bool> copy_some() = 0;
  /// Forgets a copy that is not whole.
  virtual void end_copy() = 0;

  /// Whether tidy() should run before the next batch; `idle`: nothing waits.
  [[nodiscard]] virtual bool wants_tidying(bool idle) = 0;
  /// Moves what the log of the database holds to its place. May take tens of milliseconds.
  virtual Status tidy() = 0;
  virtual Status close() = 0;
};

}  // namespace drover::store

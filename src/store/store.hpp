// The Store interface: named JSON objects with revisions, and the log of every change to them.
// Backends: store/sqlite (one master), PostgreSQL later (a pool); store_conformance.hpp is the
// contract in tests.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::store {

/// Longest kind, key, actor or why, in bytes; more is Code::too_large. Kind and key are not empty
/// and hold no NUL byte.
inline constexpr size_t kMaxName = 1024;
/// Longest body, in bytes: one tree frame.
inline constexpr size_t kMaxBody = size_t{1} << 20;

/// What a body says, read already: goes beside the body inside this process, so that not everybody
/// who gets one has to parse it. It says nothing else than the body does. Immutable, and shared
/// between threads. Kinds of objects derive their own; who finds none that it knows parses.
class Reading {
 public:
  Reading() = default;
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  virtual ~Reading() = default;
};

/// May be null. No part of what an object or a change is: any two are equal.
struct ReadingPointer {
  std::shared_ptr<const Reading> pointer;
  friend bool operator==(const ReadingPointer&, const ReadingPointer&) { return true; }
};

/// One named thing, e.g. kind "node", key "n17". Of the body the store knows one thing: a member
/// "id" that stands in its first 256 bytes names the thing over renames (ChangeQuery::id).
struct Object {
  std::string kind;
  std::string key;
  std::string body;  ///< JSON text
  /// Sequence of the change that made this version, so never the same twice, not even over erase
  /// and re-creation; 0 for bookkeeping (put_quiet), which has no versions.
  uint64_t revision = 0;
  ReadingPointer reading = {};  ///< of the body

  friend bool operator==(const Object&, const Object&) = default;
};

/// Who writes, and from where.
struct Author {
  // NOLINTBEGIN(google-explicit-constructor): most writers are daemons, known by their name alone
  Author(const char* who) : actor(who) {}
  Author(std::string who) : actor(std::move(who)) {}
  // NOLINTEND(google-explicit-constructor)
  Author(std::string who, std::string where) : actor(std::move(who)), via(std::move(where)) {}

  std::string actor;  ///< e.g. "user:alice@utility/login1", "daemon:compute/n17"; not empty
  std::string via;    ///< where it entered: "master/m1 10.0.0.7:40312"; empty: the master itself
};

enum class Operation : uint8_t { put, erase };

/// One entry of the change log. Sequences start at 1 and have no gaps.
struct Change {
  uint64_t sequence = 0;
  int64_t time_ms = 0;  ///< Unix milliseconds at which its batch was started
  std::string actor;    ///< Author::actor
  std::string via;      ///< Author::via
  std::string kind;
  std::string key;
  std::string id;  ///< the body's own "id" where it has one: see Object
  Operation operation = Operation::put;
  std::optional<std::string> before;  ///< body before; absent: it did not exist
  std::optional<std::string> after;   ///< body after; absent: erased
  std::string why;                    ///< free text for people, may be empty
  ReadingPointer reading = {};        ///< of `after`; changes that come from the disk have none

  friend bool operator==(const Change&, const Change&) = default;
};

struct ListQuery {
  std::string kind;
  std::string prefix = {};  ///< only keys that begin with this
  std::string after = {};   ///< only keys behind this one (page token)
  size_t limit = 0;         ///< at most so many; 0: all
};

/// Picks changes where kind and key are not enough. Immutable; asked on the worker.
class ChangeFilter {
 public:
  ChangeFilter() = default;
  ChangeFilter(const ChangeFilter&) = delete;
  ChangeFilter& operator=(const ChangeFilter&) = delete;
  virtual ~ChangeFilter() = default;
  [[nodiscard]] virtual bool accepts(const Change& change) const = 0;
};

struct ChangeQuery {
  /// Only changes behind this sequence, complete: Code::too_old when some of them were pruned or
  /// the log never went that far (another database). Absent: from the oldest kept.
  std::optional<uint64_t> since = {};
  size_t limit = 1000;    ///< at most so many, 1 to 100,000
  std::string kind = {};  ///< empty: all
  std::string key = {};   ///< empty: all; needs `kind`
  /// Of bodies: one thing under all its names; needs `kind`. `key` is then the name that it has
  /// now: what happened under it is missing without, where the log no longer has its beginning.
  std::string id = {};
  std::shared_ptr<const ChangeFilter> filter = {};
  bool newest_first = false;  ///< page from the newest to the oldest
  uint64_t before = 0;        ///< only changes ahead of this sequence; 0: all
  /// With newest_first: what is older by a day than this (Unix ms; clocks may have been set back)
  /// is not looked at.
  int64_t oldest_ms = 0;
};

struct ChangePage {
  std::vector<Change> changes;  ///< in order of sequence; with newest_first backwards
  /// Everything up to this sequence was looked at: the `since` of the next query, or with
  /// newest_first its `before`.
  uint64_t scanned_to = 0;
  /// False: the end of the log was reached. True with few or no changes: a filter looks at some
  /// thousands of them at a time.
  bool more = false;
};

/// Where changes go before they are forgotten. Called on the store's worker.
class ChangeArchive {
 public:
  ChangeArchive() = default;
  ChangeArchive(const ChangeArchive&) = delete;
  ChangeArchive& operator=(const ChangeArchive&) = delete;
  virtual ~ChangeArchive() = default;

  /// Makes `changes` durable behind what `mark` stands for, and takes away whatever else a crash
  /// may have left there; returns the mark of the new end. The store commits that mark in the
  /// transaction that forgets the changes, and gives the committed one to the next call: empty at
  /// first. `changes` may be empty: then it only tidies.
  virtual Result<std::string> append(std::span<const Change> changes, std::string_view mark) = 0;
};

/// What prune() forgets: changes that are older than `older_than_ms` (Unix ms) and those beyond the
/// newest `keep_at_most`.
struct PruneLimits {
  int64_t older_than_ms = 0;
  uint64_t keep_at_most = 0;
  /// Takes them first, each exactly once. Null: they are gone.
  std::shared_ptr<ChangeArchive> archive = {};
};

/// What a mutation or a read sees: every committed change and, in a mutation, its own writes and
/// those of the mutations before it. Valid only inside the callback that got it; on the store's
/// worker thread. Order of keys is by bytes.
///
/// After any error from the store itself (not from expect_revision) the mutation must return it.
class Transaction {
 public:
  Transaction() = default;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  virtual ~Transaction() = default;

  virtual Result<std::optional<Object>> get(std::string_view kind, std::string_view key) = 0;
  /// The reading alone, for less than a get(); null: there is no such object, or nobody keeps a
  /// reading of it.
  virtual Result<std::shared_ptr<const Reading>> reading(std::string_view kind,
                                                         std::string_view key) = 0;
  virtual Result<std::vector<Object>> list(const ListQuery& query) = 0;

  /// Creates or replaces; returns the revision now in force. A body equal byte for byte to the one
  /// there writes nothing, logs nothing and returns the old revision.
  Result<uint64_t> put(std::string_view kind, std::string_view key, std::string_view body) {
    return put(kind, key, body, {});
  }
  /// The same with a reading of `body`, which feeds and later get()s are given while somebody
  /// keeps it.
  virtual Result<uint64_t> put(std::string_view kind, std::string_view key, std::string_view body,
                               ReadingPointer reading) = 0;
  /// Returns whether there was one. Erasing what is not there writes and logs nothing.
  virtual Result<bool> erase(std::string_view kind, std::string_view key) = 0;

  /// The same for bookkeeping that is not history: not in the change log, not in the feed, revision
  /// 0. An object is one or the other for life: Code::conflict when put() meets a quiet one or
  /// put_quiet() a logged one.
  virtual Status put_quiet(std::string_view kind, std::string_view key, std::string_view body) = 0;
  virtual Result<bool> erase_quiet(std::string_view kind, std::string_view key) = 0;

  /// Ok when the object's revision is `revision` (0: it does not exist); otherwise Code::stale
  /// saying who changed it last and when.
  virtual Status expect_revision(std::string_view kind, std::string_view key,
                                 uint64_t revision) = 0;

  /// 1, 2, 3, ... per counter; no number is skipped or given twice, also over failures and
  /// restarts.
  virtual Result<uint64_t> next_number(std::string_view counter) = 0;

  /// The `why` of the changes that follow in this mutation.
  virtual void explain(std::string_view why) = 0;

  [[nodiscard]] virtual const std::string& actor() const = 0;
  /// Unix milliseconds, the same that the changes will carry.
  [[nodiscard]] virtual int64_t time_ms() const = 0;
};

/// Runs inside the store's transaction on the worker thread: touches the Transaction and what it
/// owns alone, and does not block. May be retried by a backend: an outcome is assigned, not
/// appended. An error undoes this mutation and no other.
using Mutation = Callback<Status(Transaction&)>;

/// What one mutation did, durable by now. `changes` is valid during the callback only.
struct Committed {
  std::span<const Change> changes;
  uint64_t first = 0;  ///< sequence of the first change; 0 when nothing changed
  uint64_t last = 0;   ///< sequence of the last change; 0 when nothing changed
};

using Done = Callback<void(Result<Committed>)>;
using ReadDone = Callback<void(Status)>;
/// The changes of one commit, at least one, in order. Valid during the callback only.
using Feed = Callback<void(std::span<const Change>)>;

/// Since the store was opened.
struct StoreStats {
  uint64_t commits = 0;         ///< transactions made durable (about one fsync each)
  uint64_t failed_commits = 0;  ///< transactions that the disk or database refused
  uint64_t mutations = 0;       ///< mutations acknowledged
  uint64_t refused = 0;         ///< mutations that returned an error or met a full queue
  uint64_t changes = 0;         ///< entries added to the change log
  uint64_t largest_batch = 0;   ///< most mutations in one commit
  size_t queued = 0;            ///< mutations waiting now, those being committed included
};

/// Keeps a Feed attached; destroying it detaches, also from inside the callback.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::shared_ptr<void> keep) : keep_(std::move(keep)) {}
  void reset() { keep_.reset(); }

 private:
  std::shared_ptr<void> keep_;
};

/// All calls on the executor that the store was opened with; all callbacks but Mutations run there,
/// never inside the call that took them. Destroying a store without close() is as if the process
/// died: callbacks not yet delivered are dropped, unacknowledged mutations may be lost.
/// Not to be destroyed inside its own callbacks, but for the one of close().
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// Queues a mutation. Mutations run in the order of these calls; all that wait are made durable
  /// by one commit. After the commit first the feeds get its changes, then each `done` is called,
  /// in order: with the mutation's own error (it alone was undone), with the commit's error (none
  /// of the batch happened) or with what it did. Code::exhausted when the queue is full,
  /// Code::cancelled once close() was called. `done` may be empty.
  virtual void write(Author author, Mutation mutation, Done done) = 0;

  /// Runs `reader` on the worker with a consistent view of at least all changes that were
  /// delivered to feeds before this call; writing in it is Code::invalid_argument.
  virtual void read(Mutation reader, ReadDone done) = 0;

  /// A page of the change log, read on the worker.
  virtual void changes(ChangeQuery query, Callback<void(Result<ChangePage>)> done) = 0;

  /// All objects of a kind in key order, on this thread: for start-up, before the first write();
  /// Code::conflict while the worker has something to do.
  virtual Result<std::vector<Object>> load(std::string_view kind) = 0;
  /// Tells of what was read out of a loaded object; when load() may be called.
  virtual void keep_reading(const Object& object,
                            const std::shared_ptr<const Reading>& reading) = 0;

  /// Sequence of the newest change delivered to feeds; 0 when there never was one.
  [[nodiscard]] virtual uint64_t head() const = 0;

  /// Attaches a feed to all commits from now on.
  [[nodiscard]] virtual Subscription subscribe(Feed feed) = 0;

  /// Forgets changes; objects stay, and so does the newest change. Works in small steps between
  /// commits, and ends at the first that fails. Returns how many were forgotten.
  virtual void prune(PruneLimits limits, Callback<void(Result<uint64_t>)> done) = 0;

  /// Writes a consistent copy of the whole database to the new file `path` on the store's disk
  /// (mode 0600), in small steps between commits; what is written meanwhile is in it too. Gives the
  /// sequence of the newest change in it. One at a time: Code::conflict. The caller removes the
  /// file, also after an error.
  virtual void copy(std::string path, Callback<void(Result<uint64_t>)> done) = 0;

  /// Mutations waiting, those being committed included.
  [[nodiscard]] virtual size_t queued() const = 0;
  [[nodiscard]] virtual StoreStats stats() const = 0;

  /// Takes no more work, commits what is queued, closes the database, then calls `done`. Once only.
  virtual void close(ReadDone done) = 0;
};

/// Limits shared by all backends.
struct StoreLimits {
  size_t max_waiting = 100'000;  ///< mutations in the queue
  size_t max_batch = 4'096;      ///< mutations in one commit
};

}  // namespace drover::store

// All SQL of normal running; the schema is in store/migrations.
#include "store/sqlite/sqlite_engine.hpp"

#include "store/body_difference.hpp"
#include "store/sqlite/change_chain.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include <fmt/core.h>

namespace drover::store {
namespace {

// A checkpoint costs two syncs of its own, so it waits for a pause; a store that is never idle
// takes it when the log has 32 MiB. Measured by bench/store_bench.
constexpr int kFramesWhenIdle = 1'000;
constexpr int kFramesAtMost = 8'192;

/// Of a copy, between two commits: 4 MiB.
constexpr int kPagesAtOnce = 1'024;

/// A page of changes ends early rather than hold more than this in memory.
constexpr size_t kMaxPageBytes = size_t{16} << 20;

/// A filter looks at so many changes in one job, so that commits do not wait for it.
constexpr size_t kMostScanned = 5'000;
constexpr int64_t kClockSlackMs = 24LL * 3600 * 1000;

#define DROVER_CHANGE_COLUMNS "sequence, time_ms, actor, kind, key, why, before, after, via, id"
/// The newest end of the name ?1 ?2, which is not there then.
#define DROVER_NEWEST_END \
  "(SELECT max(sequence) FROM changes WHERE kind = ?1 AND key = ?2 AND after IS NULL)"
#define DROVER_SELECT_CHANGES "SELECT " DROVER_CHANGE_COLUMNS " FROM changes WHERE "
/// Objects with the changes that hold their bodies, for those whose own is NULL; one of `body` and
/// `after` is there.
#define DROVER_OBJECTS                               \
  "objects LEFT JOIN changes ON changes.sequence = " \
  "CASE WHEN objects.body IS NULL THEN objects.revision END "
#define DROVER_FORWARDS "sequence > ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3"
#define DROVER_BACKWARDS "sequence > ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3"

Result<Change> change_of(const Statement::Run& row) {
  Change change;
  change.sequence = row.number(0);
  change.time_ms = row.integer(1);
  change.actor = row.text(2);
  change.kind = row.text(3);
  change.key = row.text(4);
  change.why = row.text(5);
  change.before = row.text_or_null(6);
  change.after = row.text_or_null(7);
  if (change.before && change.after) {
    auto before = undo_difference(*change.before, *change.after);
    if (!before) return fail_in(fmt::format("change {}", change.sequence), before.error());
    change.before = *std::move(before);
  }
  change.via = row.text(8);
  change.id = row.text(9);
  change.operation = change.after ? Operation::put : Operation::erase;
  return change;
}

size_t bytes_of(const Change& change) {
  return sizeof(Change) + change.before.value_or("").size() + change.after.value_or("").size();
}

/// Of DROVER_OBJECTS: `body` in this column, or `after` in the next.
std::string body_at(const Statement::Run& row, int column) {
  auto own = row.text_or_null(column);
  return own ? *std::move(own) : std::string(row.text(column + 1));
}

/// What a row of `objects` holds itself: the log has the rest.
std::optional<std::string_view> own_body(std::string_view body, uint64_t revision) {
  return revision == 0 ? std::optional(body) : std::nullopt;
}

/// The first key behind all that begin with `prefix`; none: there is no end.
std::optional<std::string> end_of_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace

Result<std::unique_ptr<SqliteEngine>> SqliteEngine::make(std::unique_ptr<Database> database) {
  std::unique_ptr<SqliteEngine> made(new SqliteEngine(std::move(database)));
  DROVER_CHECK_OK(made->prepare());
  auto newest = made->statements_->newest.start();
  DROVER_CHECK_OK(newest.step());
  made->head_ = newest.number(0);
  return made;
}

Status SqliteEngine::prepare() {
  statements_ = std::make_unique<Statements>();
  Statements& s = *statements_;
  const std::pair<Statement*, std::string_view> all[] = {
      {&s.begin, "BEGIN IMMEDIATE"},
      {&s.commit, "COMMIT"},
      {&s.roll_back, "ROLLBACK"},
      {&s.savepoint, "SAVEPOINT one"},
      {&s.release, "RELEASE one"},
      {&s.roll_back_to, "ROLLBACK TO one"},
      {&s.find, "SELECT objects.id, revision, body, after FROM " DROVER_OBJECTS
                "WHERE objects.kind = ? AND objects.key = ?"},
      {&s.list, "SELECT objects.key, revision, body, after FROM " DROVER_OBJECTS
                "WHERE objects.kind = ?1 AND objects.key > ?2 AND objects.key >= ?3 "
                "AND (?4 IS NULL OR objects.key < ?4) ORDER BY objects.key LIMIT ?5"},
      {&s.insert, "INSERT INTO objects (kind, key, revision, body) VALUES (?, ?, ?, ?)"},
      {&s.update, "UPDATE objects SET revision = ?, body = ? WHERE id = ?"},
      {&s.remove, "DELETE FROM objects WHERE id = ?"},
      {&s.next_number,
       "INSERT INTO counters (name, value) VALUES (?, 1) "
       "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"},
      {&s.append, "INSERT INTO changes (" DROVER_CHANGE_COLUMNS
                  ", previous) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&s.change, DROVER_SELECT_CHANGES "sequence = ?"},
      {&s.newest_end, "SELECT " DROVER_NEWEST_END},
      {&s.newest_of_name,
       "SELECT coalesce((SELECT nullif(revision, 0) FROM objects WHERE kind = ?1 AND key = "
       "?2), " DROVER_NEWEST_END ")"},
      {&s.before_in_chain,
       "SELECT previous FROM changes WHERE sequence = ? AND kind = ? AND key = ?"},
      {&s.link, "SELECT previous, id FROM changes WHERE sequence = ?"},
      // The condition in parentheses is that of the index names_of_id, word for word.
      {&s.names_of_id,
       "SELECT DISTINCT key FROM changes WHERE id = ? AND kind = ? AND (before IS NULL OR after IS "
       "NULL)"},
      {&s.changes, DROVER_SELECT_CHANGES DROVER_FORWARDS},
      {&s.changes_of_kind, DROVER_SELECT_CHANGES "+kind = ?4 AND " DROVER_FORWARDS},
      {&s.newest_changes, DROVER_SELECT_CHANGES DROVER_BACKWARDS},
      {&s.newest_of_kind, DROVER_SELECT_CHANGES "+kind = ?4 AND " DROVER_BACKWARDS},
      {&s.oldest, "SELECT coalesce(min(sequence), 1) FROM changes"},
      {&s.newest, "SELECT coalesce(max(sequence), 0) FROM changes"},
      {&s.oldest_times, "SELECT sequence, time_ms FROM changes ORDER BY sequence LIMIT ?"},
      {&s.keep_bodies,
       "UPDATE objects SET body = (SELECT after FROM changes WHERE sequence = revision) "
       "WHERE id IN (SELECT o.id FROM changes c JOIN objects o ON o.kind = c.kind AND "
       "o.key = c.key AND o.revision = c.sequence AND o.body IS NULL WHERE c.sequence <= ?)"},
      {&s.prune, "DELETE FROM changes WHERE sequence <= ?"},
  };
  for (const auto& [statement, sql] : all) {
    DROVER_TRY(*statement, database_->prepare(sql));
  }
  return {};
}

Status SqliteEngine::check_disk() const {
  if (!database_->disk_failure()) return {};
  Error error = *database_->disk_failure();
  error.code = Code::io;
  error.context = "the disk failed to keep what was written: " + error.context;
  error.next = "mend the disk, then restart the master: it reads again what is really there";
  return tl::unexpected<Error>(std::move(error));
}

Result<uint64_t> SqliteEngine::begin(int64_t /*now_ms*/) {
  DROVER_CHECK_OK(check_disk());
  DROVER_CHECK_OK(statements_->begin.start().finish());
  pending_head_ = head_;
  return head_;
}

Status SqliteEngine::commit() {
  DROVER_CHECK_OK(statements_->commit.start().finish());
  head_ = pending_head_;
  return {};
}

void SqliteEngine::roll_back() {
  if (in_transaction()) (void)statements_->roll_back.start().finish();
}

Status SqliteEngine::set_savepoint() {
  savepoint_head_ = pending_head_;
  return statements_->savepoint.start().finish();
}
Status SqliteEngine::release_savepoint() {
  return statements_->release.start().finish();
}
Status SqliteEngine::roll_back_to_savepoint() {
  DROVER_CHECK_OK(statements_->roll_back_to.start().finish());
  pending_head_ = savepoint_head_;
  return statements_->release.start().finish();
}

Result<std::optional<StoredObject>> SqliteEngine::find(std::string_view kind,
                                                       std::string_view key) {
  auto run = statements_->find.start();
  run.bind(kind).bind(key);
  DROVER_TRY(const bool there, run.step());
  if (!there) return std::nullopt;
  return StoredObject{run.integer(0), run.number(1), body_at(run, 2)};
}

Result<std::vector<Object>> SqliteEngine::list(const ListQuery& query) {
  const auto end = end_of_prefix(query.prefix);
  auto run = statements_->list.start();
  run.bind(query.kind).bind(query.after).bind(query.prefix).bind_or_null(end);
  run.bind(query.limit == 0 ? int64_t{-1} : static_cast<int64_t>(query.limit));
  std::vector<Object> found;
  for (;;) {
    DROVER_TRY(const bool row, run.step());
    if (!row) return found;
    found.push_back({query.kind, std::string(run.text(0)), body_at(run, 2), run.number(1), {}});
  }
}

Result<int64_t> SqliteEngine::insert(std::string_view kind, std::string_view key,
                                     std::string_view body, uint64_t revision) {
  const auto own = own_body(body, revision);
  auto run = statements_->insert.start();
  DROVER_CHECK_OK(run.bind(kind).bind(key).bind(revision).bind_or_null(own).finish());
  return database_->last_row();
}

Status SqliteEngine::update(int64_t id, std::string_view body, uint64_t revision) {
  const auto own = own_body(body, revision);
  return statements_->update.start().bind(revision).bind_or_null(own).bind(id).finish();
}

Status SqliteEngine::remove(int64_t id) {
  return statements_->remove.start().bind(id).finish();
}

Result<uint64_t> SqliteEngine::next_number(std::string_view counter) {
  auto run = statements_->next_number.start();
  run.bind(counter);
  DROVER_TRY(const bool row, run.step());
  if (!row) return fail(Code::internal, "a counter gave no number");
  const uint64_t number = run.number(0);
  DROVER_CHECK_OK(run.finish());
  return number;
}

Status SqliteEngine::append(const Change& change, uint64_t previous) {
  if (previous == 0) {
    DROVER_TRY(previous, number_for(statements_->newest_end, change.kind, change.key));
  }
  auto run = statements_->append.start();
  run.bind(change.sequence).bind(change.time_ms).bind(change.actor).bind(change.kind);
  std::string difference;
  std::optional<std::string_view> before = change.before;
  if (before && change.after) before = difference = difference_to(*before, *change.after);
  run.bind(change.key).bind(change.why).bind_or_null(before).bind_or_null(change.after);
  run.bind(change.via);
  const auto id = change.id.empty() ? std::nullopt : std::optional<std::string_view>(change.id);
  run.bind_or_null(id);
  if (previous != 0) run.bind(previous);
  DROVER_CHECK_OK(run.finish());
  pending_head_ = change.sequence;
  return {};
}

Result<uint64_t> SqliteEngine::number_for(Statement& statement, std::string_view kind,
                                          std::string_view key) {
  auto run = statement.start();
  run.bind(kind).bind(key);
  DROVER_TRY(const bool row, run.step());
  return row ? run.number(0) : 0;
}

Result<std::optional<Change>> SqliteEngine::change(uint64_t sequence) {
  auto run = statements_->change.start();
  run.bind(sequence);
  DROVER_TRY(const bool there, run.step());
  if (!there) return std::nullopt;
  DROVER_TRY(Change change, change_of(run));
  return change;
}

Result<std::optional<Change>> SqliteEngine::last_change(std::string_view kind,
                                                        std::string_view key) {
  DROVER_TRY(const uint64_t newest, number_for(statements_->newest_of_name, kind, key));
  return change(newest);
}

Status SqliteEngine::check_kept(uint64_t since) {
  auto run = statements_->oldest.start();
  DROVER_CHECK_OK(run.step());
  const uint64_t oldest = run.number(0);
  if (since + 1 >= oldest && since <= head_) return {};
  return fail(Code::too_old,
              since > head_ ? fmt::format("the change log ends at {}, before {}", head_, since)
                            : fmt::format("changes before {} are no longer kept", oldest),
              "read everything again and go on from there");
}

Statement& SqliteEngine::statement_for(const ChangeQuery& query) {
  Statements& s = *statements_;
  const bool back = query.newest_first;
  if (query.kind.empty()) return back ? s.newest_changes : s.changes;
  return back ? s.newest_of_kind : s.changes_of_kind;
}

Result<std::vector<std::string>> SqliteEngine::names_of(const ChangeQuery& query) {
  std::vector<std::string> names;
  if (!query.key.empty()) names.push_back(query.key);
  if (query.id.empty()) return names;
  auto run = statements_->names_of_id.start();
  run.bind(query.id).bind(query.kind);
  for (;;) {
    DROVER_TRY(const bool row, run.step());
    if (!row) return names;
    if (run.text(0) != query.key) names.emplace_back(run.text(0));
  }
}

Result<std::vector<uint64_t>> SqliteEngine::sequences_of(const ChangeQuery& query, size_t most) {
  ChangeChain chain(statements_->link, query.id);
  DROVER_TRY(const auto names, names_of(query));
  for (const std::string& name : names) {
    // The next page goes on where the last one ended, not through all that it has had.
    auto behind = statements_->before_in_chain.start();
    behind.bind(query.before).bind(query.kind).bind(name);
    DROVER_TRY(const bool inside, behind.step());
    if (inside) {
      chain.begin_at(behind.number(0));
    } else {
      DROVER_TRY(const uint64_t newest, number_for(statements_->newest_of_name, query.kind, name));
      chain.begin_at(newest);
    }
  }
  std::vector<uint64_t> out;
  while (!query.newest_first || out.size() < most) {
    DROVER_TRY(const auto sequence, chain.next());
    if (!sequence || *sequence <= query.since.value_or(0)) break;
    if (query.before == 0 || *sequence < query.before) out.push_back(*sequence);
  }
  if (query.newest_first) return out;
  std::ranges::reverse(out);
  if (out.size() > most) out.resize(most);
  return out;
}

/// The changes that a query looks at, one by one.
class SqliteEngine::Scan {
 public:
  Scan(SqliteEngine& engine, std::vector<uint64_t> sequences)
      : engine_(engine), sequences_(std::move(sequences)) {}
  Scan(SqliteEngine& engine, Statement& statement) : engine_(engine), run_(statement) {}

  Statement::Run& run() { return *run_; }
  Result<std::optional<Change>> next() {
    if (!run_) return by_sequence();
    DROVER_TRY(const bool row, run_->step());
    if (!row) return std::nullopt;
    DROVER_TRY(Change change, change_of(*run_));
    return change;
  }

 private:
  Result<std::optional<Change>> by_sequence() {
    if (next_ == sequences_.size()) return std::nullopt;
    return engine_.change(sequences_[next_++]);
  }

  SqliteEngine& engine_;
  std::optional<Statement::Run> run_;
  std::vector<uint64_t> sequences_;
  size_t next_ = 0;
};

Result<ChangePage> SqliteEngine::changes(const ChangeQuery& query) {
  if (query.since) DROVER_CHECK_OK(check_kept(*query.since));
  const size_t most = query.filter ? kMostScanned : query.limit;
  if (!query.id.empty() || !query.key.empty()) {
    DROVER_TRY(auto sequences, sequences_of(query, most));
    Scan scan(*this, std::move(sequences));
    return page_of(query, scan, most);
  }
  Scan scan(*this, statement_for(query));
  scan.run()
      .bind(query.since.value_or(0))
      .bind(query.before == 0 ? INT64_MAX : std::bit_cast<int64_t>(query.before))
      .bind(static_cast<uint64_t>(most));
  if (!query.kind.empty()) scan.run().bind(query.kind);
  return page_of(query, scan, most);
}

Result<ChangePage> SqliteEngine::page_of(const ChangeQuery& query, Scan& scan, size_t most) const {
  ChangePage page;
  const uint64_t end = query.before == 0 ? head_ : std::min(query.before - 1, head_);
  size_t looked_at = 0;
  for (size_t bytes = 0; page.changes.size() < query.limit && bytes < kMaxPageBytes;) {
    DROVER_TRY(auto change, scan.next());
    if (!change) {
      page.more = looked_at == most;
      if (!page.more) page.scanned_to = query.newest_first ? query.since.value_or(0) + 1 : end;
      return page;
    }
    ++looked_at;
    if (query.newest_first && change->time_ms < query.oldest_ms - kClockSlackMs) return page;
    page.scanned_to = change->sequence;
    if (query.filter && !query.filter->accepts(*change)) continue;
    bytes += bytes_of(*change);
    page.changes.push_back(*std::move(change));
  }
  page.more =
      query.newest_first ? page.scanned_to > query.since.value_or(0) + 1 : page.scanned_to < end;
  return page;
}

Result<uint64_t> SqliteEngine::forgettable(int64_t older_than_ms, uint64_t keep_at_most,
                                           size_t step) {
  DROVER_CHECK_OK(check_disk());
  // The newest change stays: the sequence goes on from it after a restart.
  const uint64_t keep = std::max<uint64_t>(keep_at_most, 1);
  const uint64_t beyond = head_ > keep ? head_ - keep : 0;
  auto run = statements_->oldest_times.start();
  run.bind(static_cast<uint64_t>(step));
  uint64_t limit = 0;
  for (;;) {
    DROVER_TRY(const bool row, run.step());
    if (!row || run.number(0) >= head_) return limit;
    if (run.number(0) > beyond && run.integer(1) >= older_than_ms) return limit;
    limit = run.number(0);
  }
}

Result<uint64_t> SqliteEngine::forget(uint64_t through) {
  auto oldest = statements_->oldest.start();
  DROVER_CHECK_OK(oldest.step());
  if (through < oldest.number(0)) return 0;
  const uint64_t count = through - oldest.number(0) + 1;
  DROVER_CHECK_OK(statements_->keep_bodies.start().bind(through).finish());
  DROVER_CHECK_OK(statements_->prune.start().bind(through).finish());
  return count;
}

Status SqliteEngine::begin_copy(const std::string& path) {
  DROVER_CHECK_OK(check_disk());
  copy_ = std::make_unique<Database>();
  DROVER_CHECK_OK(copy_->open(database_->disk(), path));
  // A crash leaves a file that nobody takes for a copy, so nothing needs to be kept safe meanwhile.
  DROVER_CHECK_OK(copy_->execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"));
  return copy_->begin_copy(*database_);
}

Result<bool> SqliteEngine::copy_some() {
  DROVER_TRY(const bool more, copy_->copy_pages(kPagesAtOnce));
  if (more) return true;
  DROVER_CHECK_OK(copy_->close());
  return false;
}

bool SqliteEngine::wants_tidying(bool idle) {
  return !database_->disk_failure() &&
         database_->wal_frames() >= (idle ? kFramesWhenIdle : kFramesAtMost);
}

Status SqliteEngine::tidy() {
  return database_->checkpoint();
}

Status SqliteEngine::close() {
  copy_.reset();
  statements_.reset();
  return database_->close();
}

}  // namespace drover::store

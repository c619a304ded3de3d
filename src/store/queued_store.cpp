// The write path: queue -> one transaction on the worker -> feeds -> done callbacks.
#include "store/queued_store.hpp"

#include "store/logged_transaction.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace drover::store {
namespace {

constexpr size_t kPruneStep = 1'000;  // changes forgotten per transaction: a few milliseconds
constexpr size_t kMaxPageOfChanges = 100'000;
/// The quiet object that says how far the archive goes.
constexpr std::string_view kArchiveKind = "archive";
constexpr std::string_view kArchiveKey = "changes";

}  // namespace

/// The mutations of one commit and what became of them. Owned by the executor's side; the worker
/// sees it while its job runs.
struct QueuedStore::Batch {
  struct Item {
    Waiting waiting;
    Status outcome;
    size_t first_change = 0;
    size_t change_count = 0;
  };
  std::vector<Item> items;
  std::vector<Change> changes;
  int64_t time_ms = 0;
  uint64_t head = 0;
  Status committed;
  bool tidy_now = false;
  bool tidy_when_idle = false;

  /// On the worker.
  void run(Engine& engine, Readings& readings) {
    committed = execute(engine, readings);
    if (committed) committed = engine.commit();
    if (!committed) {
      engine.roll_back();
      readings.clear();
      changes.clear();
    }
    tidy_now = engine.wants_tidying(false);
    tidy_when_idle = engine.wants_tidying(true);
  }

 private:
  Status execute(Engine& engine, Readings& readings) {
    const uint64_t head_before = head;
    DROVER_TRY(head, engine.begin(time_ms));
    if (head != head_before) readings.clear();  // somebody else has written
    changes.reserve(items.size());
    for (Item& item : items) {
      item.first_change = changes.size();
      LoggedTransaction transaction(engine, readings, item.waiting.author, time_ms, head, changes);
      item.outcome = transaction.finish(item.waiting.mutation(transaction));
      item.change_count = changes.size() - item.first_change;
      if (!engine.in_transaction()) {
        return item.outcome ? fail(Code::internal, "the transaction ended early") : item.outcome;
      }
    }
    return {};
  }
};

/// One call of prune(), step by step.
struct QueuedStore::Pruning {
  PruneLimits limits;
  int64_t time_ms = 0;
  Callback<void(Result<uint64_t>)> done;
  Result<uint64_t> step = 0;
  bool more = true;
  uint64_t removed = 0;

  /// On the worker.
  void run(Engine& engine) { step = forget_some(engine); }

 private:
  Result<uint64_t> forget_some(Engine& engine) {
    DROVER_TRY(const std::string mark, read_mark(engine));
    DROVER_TRY(uint64_t through,
               engine.forgettable(limits.older_than_ms, limits.keep_at_most, kPruneStep));
    std::string new_mark = mark;
    if (limits.archive != nullptr) {
      std::vector<Change> changes;
      if (through != 0) {
        DROVER_TRY(ChangePage page, engine.changes({.limit = kPruneStep, .before = through + 1}));
        changes = std::move(page.changes);
        through = page.scanned_to;
      }
      DROVER_TRY(new_mark, limits.archive->append(changes, mark));
    }
    if (through == 0) {
      more = false;
      return 0;
    }
    DROVER_CHECK_OK(engine.begin(time_ms));
    auto forgotten = forget(engine, through, new_mark);
    if (!forgotten) engine.roll_back();
    return forgotten;
  }

  [[nodiscard]] Result<std::string> read_mark(Engine& engine) const {
    if (limits.archive == nullptr) return std::string();
    DROVER_TRY(auto found, engine.find(kArchiveKind, kArchiveKey));
    return found ? std::move(found->body) : std::string();
  }

  Result<uint64_t> forget(Engine& engine, uint64_t through, const std::string& mark) {
    DROVER_TRY(const uint64_t count, engine.forget(through));
    if (limits.archive != nullptr) {
      DROVER_TRY(const auto found, engine.find(kArchiveKind, kArchiveKey));
      if (found) {
        DROVER_CHECK_OK(engine.update(found->id, mark, 0));
      } else {
        DROVER_CHECK_OK(engine.insert(kArchiveKind, kArchiveKey, mark, 0));
      }
    }
    DROVER_CHECK_OK(engine.commit());
    more = count >= 1;
    return count;
  }
};

/// One call of copy(), step by step.
struct QueuedStore::Copying {
  std::string path;
  Callback<void(Result<uint64_t>)> done;
  bool begun = false;
  bool more = true;
  Status status;
  uint64_t head = 0;

  /// On the worker.
  void run(Engine& engine) {
    status = step(engine);
    if (!status || !more) engine.end_copy();
  }

 private:
  Status step(Engine& engine) {
    if (!begun) DROVER_CHECK_OK(engine.begin_copy(path));
    begun = true;
    DROVER_TRY(more, engine.copy_some());
    if (more) return {};
    DROVER_TRY(head, engine.begin(0));  // what is committed now is what was copied
    engine.roll_back();
    return {};
  }
};

QueuedStore::QueuedStore(Executor& executor, const Log& log, std::unique_ptr<Engine> engine,
                         uint64_t head, StoreLimits limits)
    : executor_(executor),
      log_(log),
      engine_(std::move(engine)),
      worker_(executor.make_worker("store")),
      limits_(limits),
      head_(head) {}

QueuedStore::~QueuedStore() {
  worker_.reset();
}

void QueuedStore::post(Callback<void()> task) {
  executor_.post([alive = std::weak_ptr<int>(alive_), task = std::move(task)]() mutable {
    if (!alive.expired()) task();
  });
}

void QueuedStore::run(Callback<void()> job, Callback<void()> done) {
  ++jobs_;
  worker_->run(std::move(job), [this, done = std::move(done)]() mutable {
    --jobs_;
    done();
    if (closing_) finish_closing();
  });
}

void QueuedStore::refuse(Done done, Error error) {
  ++stats_.refused;
  if (!done) return;
  post([done = std::move(done), error = std::move(error)]() mutable {
    done(tl::unexpected<Error>(std::move(error)));
  });
}

void QueuedStore::write(Author author, Mutation mutation, Done done) {
  if (closing_) {
    return refuse(std::move(done),
                  {Code::cancelled, "the store is closing", {}, "try again later"});
  }
  if (queued() >= limits_.max_waiting) {
    return refuse(std::move(done), {Code::exhausted,
                                    fmt::format("{} changes wait for the disk already", queued()),
                                    {},
                                    "try again later; see whether the store's disk is slow"});
  }
  const std::string& actor = author.actor;
  if (actor.empty() || actor.size() > kMaxName || author.via.size() > kMaxName) {
    return refuse(std::move(done), {Code::invalid_argument, "a change needs an actor", {}, {}});
  }
  waiting_.push_back({std::move(author), std::move(mutation), std::move(done)});
  schedule();
}

void QueuedStore::schedule() {
  if (scheduled_ || busy_) return;
  scheduled_ = true;
  // Later, so that all that this turn of the loop writes shares one commit.
  post([this] {
    scheduled_ = false;
    pump();
  });
}

void QueuedStore::pump() {
  if (busy_ || waiting_.empty()) return;
  commit_batch();
}

void QueuedStore::commit_batch() {
  auto batch = std::make_unique<Batch>();
  batch->time_ms = to_unix_ms(executor_.wall());
  batch->head = head_;
  const size_t count = std::min(waiting_.size(), limits_.max_batch);
  batch->items.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    batch->items.push_back({std::move(waiting_.front()), {}, 0, 0});
    waiting_.pop_front();
  }
  in_batch_ = count;
  busy_ = true;
  Batch* const shared = batch.get();
  run([this, shared] { shared->run(*engine_, readings_); },
      [this, batch = std::move(batch)] {
        deliver(*batch);
        if (batch->tidy_now || (batch->tidy_when_idle && waiting_.empty())) return tidy();
        busy_ = false;
        pump();
      });
}

void QueuedStore::deliver(Batch& batch) {
  in_batch_ = 0;
  stats_.largest_batch = std::max<uint64_t>(stats_.largest_batch, batch.items.size());
  if (batch.committed) {
    ++stats_.commits;
    stats_.changes += batch.changes.size();
    head_ = batch.head;
    feed(batch.changes);
  } else {
    ++stats_.failed_commits;
    log_.error("the database refused a commit; nothing of it happened",
               {{"mutations", std::to_string(batch.items.size())},
                {"why", batch.committed.error().text()},
                {"next", batch.committed.error().next}});
  }
  const std::span<const Change> all = batch.changes;
  for (Batch::Item& item : batch.items) {
    const Status& outcome = batch.committed ? item.outcome : batch.committed;
    ++(outcome ? stats_.mutations : stats_.refused);
    if (!item.waiting.done) continue;
    if (!outcome) {
      item.waiting.done(tl::unexpected<Error>(outcome.error()));
      continue;
    }
    Committed committed{all.subspan(item.first_change, item.change_count), 0, 0};
    if (!committed.changes.empty()) {
      committed.first = committed.changes.front().sequence;
      committed.last = committed.changes.back().sequence;
    }
    item.waiting.done(committed);
  }
}

void QueuedStore::feed(std::span<const Change> changes) {
  if (changes.empty()) return;
  std::erase_if(feeds_, [](const auto& one) { return one.expired(); });
  const size_t count = feeds_.size();  // those attached meanwhile begin with the next commit
  for (size_t i = 0; i < count; ++i) {
    if (const auto one = feeds_[i].lock()) (*one)(changes);
  }
}

void QueuedStore::tidy() {
  auto outcome = std::make_unique<Status>();
  Status* const shared = outcome.get();
  run([engine = engine_.get(), shared] { *shared = engine->tidy(); },
      [this, outcome = std::move(outcome)] {
        busy_ = false;
        if (!*outcome) {
          log_.error("the database could not be tidied",
                     {{"why", outcome->error().text()}, {"next", outcome->error().next}});
        }
        pump();
      });
}

void QueuedStore::read(Mutation reader, ReadDone done) {
  if (closing_) {
    post([done = std::move(done)]() mutable {
      done(fail(Code::cancelled, "the store is closing", "try again later"));
    });
    return;
  }
  auto outcome = std::make_unique<Status>();
  Status* const shared = outcome.get();
  run(
      [this, shared, reader = std::move(reader)]() mutable {
        LoggedTransaction transaction(*engine_, readings_);
        *shared = reader(transaction);
      },
      [outcome = std::move(outcome), done = std::move(done)]() mutable {
        done(std::move(*outcome));
      });
}

void QueuedStore::changes(ChangeQuery query, Callback<void(Result<ChangePage>)> done) {
  const bool sane = query.limit >= 1 && query.limit <= kMaxPageOfChanges &&
                    ((query.key.empty() && query.id.empty()) || !query.kind.empty());
  if (closing_ || !sane) {
    Error error = closing_
                      ? Error{Code::cancelled, "the store is closing", {}, "try again later"}
                      : Error{Code::invalid_argument,
                              fmt::format("a page of changes has a limit of 1 to {}, and a key "
                                          "or an id needs a kind",
                                          kMaxPageOfChanges),
                              {},
                              {}};
    post([done = std::move(done), error = std::move(error)]() mutable {
      done(tl::unexpected<Error>(std::move(error)));
    });
    return;
  }
  auto page = std::make_unique<Result<ChangePage>>();
  Result<ChangePage>* const shared = page.get();
  run([engine = engine_.get(), shared,
       query = std::move(query)] { *shared = engine->changes(query); },
      [page = std::move(page), done = std::move(done)]() mutable { done(std::move(*page)); });
}

void QueuedStore::keep_reading(const Object& object,
                               const std::shared_ptr<const Reading>& reading) {
  if (jobs_ == 0) {
    readings_.keep(object.kind, object.key, 0, object.revision, object.body, reading);
  }
}

Result<std::vector<Object>> QueuedStore::load(std::string_view kind) {
  if (jobs_ != 0 || closing_) return fail(Code::conflict, "the store is not idle");
  LoggedTransaction transaction(*engine_, readings_);
  return transaction.list({std::string(kind)});
}

Subscription QueuedStore::subscribe(Feed feed) {
  auto entry = std::make_shared<Feed>(std::move(feed));
  feeds_.push_back(entry);
  return Subscription(std::move(entry));
}

void QueuedStore::prune(PruneLimits limits, Callback<void(Result<uint64_t>)> done) {
  auto pruning = std::make_unique<Pruning>();
  pruning->limits = std::move(limits);
  pruning->done = std::move(done);
  post([this, pruning = std::move(pruning)]() mutable { prune_step(std::move(pruning)); });
}

void QueuedStore::prune_step(std::unique_ptr<Pruning> pruning) {
  if (closing_) return pruning->done(fail(Code::cancelled, "the store is closing"));
  Pruning* const shared = pruning.get();
  shared->time_ms = to_unix_ms(executor_.wall());
  run([engine = engine_.get(), shared] { shared->run(*engine); },
      [this, pruning = std::move(pruning)]() mutable {
        if (!pruning->step) return pruning->done(std::move(pruning->step));
        pruning->removed += *pruning->step;
        if (!pruning->more) return pruning->done(pruning->removed);
        prune_step(std::move(pruning));
      });
}

void QueuedStore::copy(std::string path, Callback<void(Result<uint64_t>)> done) {
  if (closing_ || copying_) {
    Error error{closing_ ? Code::cancelled : Code::conflict,
                closing_ ? "the store is closing" : "the store is being copied already",
                {},
                "try again later"};
    post([done = std::move(done), error = std::move(error)]() mutable {
      done(tl::unexpected<Error>(std::move(error)));
    });
    return;
  }
  copying_ = true;
  auto copying = std::make_unique<Copying>();
  copying->path = std::move(path);
  copying->done = std::move(done);
  copy_step(std::move(copying));
}

void QueuedStore::copy_step(std::unique_ptr<Copying> copying) {
  Copying* const shared = copying.get();
  run([engine = engine_.get(), shared] { shared->run(*engine); },
      [this, copying = std::move(copying)]() mutable {
        const bool cut = copying->status && copying->more && closing_;
        if (cut) copying->status = fail(Code::cancelled, "the store is closing");
        if (copying->status && copying->more) return copy_step(std::move(copying));
        copying_ = false;
        if (!copying->status) return copying->done(tl::unexpected<Error>(copying->status.error()));
        copying->done(copying->head);
      });
}

StoreStats QueuedStore::stats() const {
  StoreStats now = stats_;
  now.queued = queued();
  return now;
}

void QueuedStore::close(ReadDone done) {
  closing_ = true;
  closed_ = done ? std::move(done) : ReadDone([](const Status&) {});
  post([this] { finish_closing(); });
}

void QueuedStore::finish_closing() {
  if (jobs_ != 0 || !closed_) return;
  if (!waiting_.empty()) return pump();
  auto outcome = std::make_unique<Status>();
  Status* const shared = outcome.get();
  worker_->run([engine = engine_.get(), shared] { *shared = engine->close(); },
               [this, outcome = std::move(outcome), done = std::move(closed_)]() mutable {
                 // From a task of its own, in which the caller may destroy this store.
                 executor_.post([outcome = std::move(outcome), done = std::move(done)]() mutable {
                   done(std::move(*outcome));
                 });
               });
}

}  // namespace drover::store

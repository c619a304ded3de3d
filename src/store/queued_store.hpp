// QueuedStore: the Store over any Engine: the bounded queue, the group commit, the feeds.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "store/engine.hpp"
#include "store/readings.hpp"
#include "store/store.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace drover::store {

/// One batch of mutations is with the worker at a time; what arrives meanwhile is the next batch,
/// so the busier the store, the more mutations share one commit.
class QueuedStore final : public Store {
 public:
  /// `head` is the newest sequence in the engine, which is open and idle.
  QueuedStore(Executor& executor, const Log& log, std::unique_ptr<Engine> engine, uint64_t head,
              StoreLimits limits);
  QueuedStore(const QueuedStore&) = delete;
  QueuedStore& operator=(const QueuedStore&) = delete;
  ~QueuedStore() override;

  void write(Author author, Mutation mutation, Done done) override;
  void read(Mutation reader, ReadDone done) override;
  void changes(ChangeQuery query, Callback<void(Result<ChangePage>)> done) override;
  Result<std::vector<Object>> load(std::string_view kind) override;
  void keep_reading(const Object& object, const std::shared_ptr<const Reading>& reading) override;
  [[nodiscard]] uint64_t head() const override { return head_; }
  [[nodiscard]] Subscription subscribe(Feed feed) override;
  void prune(PruneLimits limits, Callback<void(Result<uint64_t>)> done) override;
  void copy(std::string path, Callback<void(Result<uint64_t>)> done) override;
  [[nodiscard]] size_t queued() const override { return waiting_.size() + in_batch_; }
  [[nodiscard]] StoreStats stats() const override;
  void close(ReadDone done) override;

 private:
  struct Waiting {
    Author author;
    Mutation mutation;
    Done done;
  };
  struct Batch;
  struct Pruning;
  struct Copying;

  void refuse(Done done, Error error);
  /// Posts a task that is forgotten when this store is gone.
  void post(Callback<void()> task);
  void schedule();
  void pump();
  void commit_batch();
  void deliver(Batch& batch);
  void feed(std::span<const Change> changes);
  void tidy();
  void prune_step(std::unique_ptr<Pruning> pruning);
  void copy_step(std::unique_ptr<Copying> copying);
  void finish_closing();
  /// Runs on the worker, counted so that close() and load() know.
  void run(Callback<void()> job, Callback<void()> done);

  Executor& executor_;
  Log log_;
  std::unique_ptr<Engine> engine_;
  Readings readings_;               // the worker's, as the engine is
  std::unique_ptr<Worker> worker_;  // after the engine: its job in hand ends before the engine goes
  StoreLimits limits_;
  std::deque<Waiting> waiting_;
  std::vector<std::weak_ptr<Feed>> feeds_;
  uint64_t head_;
  StoreStats stats_;
  size_t in_batch_ = 0;
  size_t jobs_ = 0;
  bool scheduled_ = false;
  bool busy_ = false;  // a batch or the tidying after it is with the worker
  bool closing_ = false;
  bool copying_ = false;
  ReadDone closed_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace drover::store

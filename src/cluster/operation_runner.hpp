// Runs operations: starts what is stored for this master, saves progress, takes up what another
// start of a master left, and ends what nobody can take up.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "cluster/operation.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// One operation under way, in the hands of its kind. Executor's thread only. After the end, calls
/// do nothing.
class OperationRun {
 public:
  OperationRun() = default;
  OperationRun(const OperationRun&) = delete;
  OperationRun& operator=(const OperationRun&) = delete;
  virtual ~OperationRun() = default;
  /// As it was started or taken up.
  [[nodiscard]] virtual const Operation& operation() const = 0;
  /// Nodes that have no outcome yet, in natural order.
  [[nodiscard]] virtual std::vector<std::string> remaining() const = 0;
  /// Notes how nodes ended; saved within Options::save_every.
  virtual void settle(const OperationGroup& group) = 0;
  /// The end: nodes without an outcome end as cancelled when it was cancelled, else as `rest`.
  virtual void finish(OperationOutcome rest, const OperationError& why) = 0;
  /// Called once, at once when it was asked to stop before; the kind then finishes soon.
  virtual void on_cancel(Callback<void()> cancel) = 0;
};

/// Who knows how to run one kind.
struct OperationKind {
  std::string name;
  /// Whether another start of a master may go on with it: every step must be harmless when it is
  /// done again. Otherwise it ends as interrupted when its master dies.
  bool resumable = false;
  /// Starts it or goes on with what remains. Never to be called from inside.
  Callback<void(std::shared_ptr<OperationRun>)> start;
};

/// Executor's thread only.
class OperationRunner {
 public:
  struct Options {
    std::string master;  ///< "m1#17": what Operation::master of ours says; never the same twice
    bool alone = true;  ///< no other master works on this store: whatever is unfinished is orphaned
    Duration save_every = std::chrono::seconds(1);
    Duration keep_for = std::chrono::hours(24 * 30);  ///< ended ones
    size_t keep_most = 1000;                          ///< ended ones
  };
  /// The references outlive this object.
  OperationRunner(Executor& executor, store::Store& store, Log log, Options options);
  ~OperationRunner();
  OperationRunner(const OperationRunner&) = delete;
  OperationRunner& operator=(const OperationRunner&) = delete;

  /// Before start().
  void add(OperationKind kind);
  /// Reads what is stored, takes up what it can, and from then on starts what create_operation()
  /// stores for this master.
  void start();
  /// Goes on with what the named master ("m2") left: for whoever knows that it is dead.
  void take_up_from(std::string_view master);
  /// Calls back once everything stored is known: at once, but never inside this call.
  void when_ready(Callback<void()> ready);

  [[nodiscard]] const std::string& master() const { return options_.master; }
  /// With the progress of the last instant where it runs here; nothing when there is none.
  [[nodiscard]] std::optional<Operation> find(std::string_view id) const;
  /// All that are kept, the newest first.
  [[nodiscard]] std::vector<Operation> all() const;
  /// Calls `ended` once when the operation has ended or is gone. Dropping the handle forgets it.
  [[nodiscard]] std::shared_ptr<void> on_end(const std::string& id, Callback<void()> ended);
  /// Forgets old ones; by itself each hour.
  void sweep();

 private:
  class Run;
  struct Waiter;

  void take(std::span<const store::Change> changes);
  void put(Operation operation, uint64_t revision);
  void reconcile(const Operation& operation);
  void adopt(const Operation& operation);
  void take_up(const Operation& operation);
  void begin(const Operation& operation);
  void save(Run& run);
  void ended(const std::string& id);
  void sweep_later();

  struct Known {
    Operation operation;
    uint64_t revision = 0;
  };
  Executor& executor_;
  store::Store& store_;
  Log log_;
  Options options_;
  std::map<std::string, OperationKind, std::less<>> kinds_;
  std::map<std::string, Known, std::less<>> known_;
  std::map<std::string, std::shared_ptr<Run>, std::less<>> runs_;
  std::multimap<std::string, std::weak_ptr<Waiter>, std::less<>> waiters_;
  std::vector<Callback<void()>> when_ready_;
  bool ready_ = false;
  store::Subscription feed_;
  Timer sweeper_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::cluster

#include "cluster/operation_runner.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);

const OperationError kMasterGone{std::string(info(Code::cancelled).name),
                                 "the master that ran it ended before this node did"};

std::string_view name_of(std::string_view master) {
  return master.substr(0, master.find('#'));
}
std::string actor_of(std::string_view master) {
  return fmt::format("daemon:master/{}", name_of(master));
}

}  // namespace

/// Kept by the runner until the end is stored; a kind may hold it longer.
class OperationRunner::Run final : public OperationRun {
 public:
  Run(OperationRunner& runner, Operation operation)
      : runner_(&runner), operation_(std::move(operation)), tally_(operation_) {}

  [[nodiscard]] const Operation& operation() const override { return operation_; }
  [[nodiscard]] std::vector<std::string> remaining() const override { return tally_.remaining(); }
  void settle(const OperationGroup& group) override {
    if (runner_ == nullptr || finishing_) return;
    tally_.settle(group);
    if (saving_ || armed_) {
      again_ = true;
      return;
    }
    save_later();
  }
  void finish(OperationOutcome rest, const OperationError& why) override {
    if (runner_ == nullptr || finishing_) return;
    const bool stopped = cancelling_ && !tally_.complete();
    tally_.settle_rest(cancelling_ ? OperationOutcome::cancelled : rest, why);
    Operation counted = operation_;
    tally_.store_in(counted);
    state_ = stopped                                 ? OperationState::cancelled
             : counted.done == counted.total         ? OperationState::done
             : rest == OperationOutcome::interrupted ? OperationState::interrupted
                                                     : OperationState::failed;
    if (state_ == OperationState::interrupted) why_ = why.message;
    finishing_ = true;
    timer_.cancel();
    armed_ = false;
    if (!saving_) runner_->save(*this);
  }
  void on_cancel(Callback<void()> cancel) override {
    on_cancel_ = std::move(cancel);
    if (cancelling_) tell();
  }

  void cancel() {
    if (cancelling_) return;
    cancelling_ = true;
    tell();
  }
  void detach() {
    runner_ = nullptr;
    timer_.cancel();
    on_cancel_ = nullptr;
  }
  /// `operation` with what is known by now.
  void write_into(Operation& operation) const {
    tally_.store_in(operation);
    shrink(operation);
    if (!finishing_) return;
    operation.state = state_;
    if (!why_.empty()) operation.why = why_;
  }
  [[nodiscard]] bool finishing() const { return finishing_; }
  void saving() {
    saving_ = true;
    again_ = false;
  }
  /// True: there is more to save at once.
  bool saved(bool stored) {
    saving_ = false;
    if (!stored || again_) save_later(stored ? runner_->options_.save_every : kTryAgain);
    return finishing_;
  }

 private:
  void save_later() { save_later(runner_->options_.save_every); }
  void save_later(Duration delay) {
    if (finishing_) delay = std::min(delay, kTryAgain);
    armed_ = true;
    timer_.after(runner_->executor_, delay, [this] {
      armed_ = false;
      runner_->save(*this);
    });
  }
  void tell() {
    if (!on_cancel_ || runner_ == nullptr) return;
    runner_->executor_.post([cancel = std::make_shared<Callback<void()>>(
                                 std::exchange(on_cancel_, nullptr))] { (*cancel)(); });
  }

  OperationRunner* runner_;
  Operation operation_;
  OperationTally tally_;
  OperationState state_ = OperationState::running;
  std::string why_;
  bool cancelling_ = false;
  bool finishing_ = false;
  bool saving_ = false;  ///< a save is with the store
  bool armed_ = false;   ///< a save waits for the timer
  bool again_ = false;   ///< more has come since the save began
  Callback<void()> on_cancel_;
  Timer timer_;
};

struct OperationRunner::Waiter {
  Callback<void()> ended;
};

OperationRunner::OperationRunner(Executor& executor, store::Store& store, Log log, Options options)
    : executor_(executor), store_(store), log_(std::move(log)), options_(std::move(options)) {}

OperationRunner::~OperationRunner() {
  *alive_ = false;
  for (const auto& [id, run] : runs_) run->detach();
}

void OperationRunner::add(OperationKind kind) {
  std::string name = kind.name;
  kinds_.insert_or_assign(std::move(name), std::move(kind));
}

void OperationRunner::start() {
  feed_ = store_.subscribe([this](std::span<const store::Change> changes) { take(changes); });
  const auto found = std::make_shared<std::vector<store::Object>>();
  store_.read(
      [found](store::Transaction& tx) -> Status {
        store::ListQuery query;
        query.kind = kOperationKind;
        DROVER_TRY(*found, tx.list(query));
        return {};
      },
      [this, found, alive = alive_](const Status& read) {
        if (!*alive) return;
        if (!read) {
          log_.error("operations cannot be read", {{"why", read.error().text()}});
          sweeper_.after(executor_, kTryAgain, [this] { start(); });
          return;
        }
        for (const store::Object& object : *found) {
          auto operation = decode_text<Operation>(object.body, Unknown::ignore);
          if (operation) put(std::move(*operation), object.revision);
        }
        ready_ = true;
        // Starting one writes, and what is written comes back through the feed: a copy is walked.
        for (const Operation& operation : all()) {
          reconcile(operation);
          if (options_.alone) adopt(operation);
        }
        if (!options_.alone) take_up_from(name_of(options_.master));
        for (Callback<void()>& ready : std::exchange(when_ready_, {})) ready();
        sweep_later();
      });
}

void OperationRunner::when_ready(Callback<void()> ready) {
  if (!ready_) {
    when_ready_.push_back(std::move(ready));
    return;
  }
  executor_.post([ready = std::make_shared<Callback<void()>>(std::move(ready))] { (*ready)(); });
}

void OperationRunner::take(std::span<const store::Change> changes) {
  for (const store::Change& change : changes) {
    if (change.kind != kOperationKind) continue;
    if (!change.after) {
      known_.erase(change.key);
      ended(change.key);
      continue;
    }
    auto operation = decode_text<Operation>(*change.after, Unknown::ignore);
    if (!operation) continue;
    put(*operation, change.sequence);
    if (ready_) reconcile(*operation);
  }
}

void OperationRunner::put(Operation operation, uint64_t revision) {
  Known& known = known_[operation.id];
  if (known.revision > revision) return;  // the feed was quicker than the first read
  known = {std::move(operation), revision};
}

void OperationRunner::reconcile(const Operation& operation) {
  const auto run = runs_.find(operation.id);
  if (has_ended(operation.state)) {
    ended(operation.id);
    return;
  }
  if (operation.master != options_.master) return;
  if (run == runs_.end()) {
    begin(operation);
  } else if (operation.state == OperationState::cancelling) {
    run->second->cancel();
  }
}

void OperationRunner::adopt(const Operation& operation) {
  if (!has_ended(operation.state) && operation.master != options_.master) take_up(operation);
}

void OperationRunner::take_up_from(std::string_view master) {
  for (const Operation& operation : all()) {
    if (name_of(operation.master) == master) adopt(operation);
  }
}

void OperationRunner::take_up(const Operation& operation) {
  const auto kind = kinds_.find(operation.kind);
  const bool resumable = kind != kinds_.end() && kind->second.resumable;
  log_.notice(resumable ? "an operation is taken up" : "an operation was interrupted",
              {{"id", operation.id}, {"kind", operation.kind}, {"from", operation.master}});
  store_.write(
      actor_of(options_.master),
      [id = operation.id, from = operation.master, master = options_.master,
       resumable](store::Transaction& tx) -> Status {
        DROVER_TRY(Operation stored, read_operation(tx, id));
        if (has_ended(stored.state) || stored.master != from) return {};
        if (resumable) {
          stored.master = master;
          ++stored.taken_up;
          tx.explain("taken up from " + from);
        } else {
          OperationTally tally(stored);
          tally.settle_rest(OperationOutcome::interrupted, kMasterGone);
          tally.store_in(stored);
          stored.state = OperationState::interrupted;
          stored.why = fmt::format("{} ended while it ran; it cannot be taken up", from);
          stored.finished = from_unix_ms(tx.time_ms());
          tx.explain(stored.why);
        }
        DROVER_CHECK_OK(tx.put(kOperationKind, id, encode(stored)));
        return {};
      },
      [this, alive = alive_, id = operation.id](const Result<store::Committed>& committed) {
        if (!*alive || committed) return;
        log_.error("an operation cannot be taken up",
                   {{"id", id}, {"why", committed.error().text()}});
      });
}

void OperationRunner::begin(const Operation& operation) {
  const auto kind = kinds_.find(operation.kind);
  const auto run = std::make_shared<Run>(*this, operation);
  runs_.emplace(operation.id, run);
  if (operation.state == OperationState::cancelling) run->cancel();
  executor_.post([this, alive = alive_, run, known = kind != kinds_.end(), name = operation.kind] {
    if (!*alive) return;
    if (known) return kinds_.find(name)->second.start(run);
    run->finish(OperationOutcome::failed,
                {std::string(info(Code::unsupported).name),
                 fmt::format("this master does not know operations of kind '{}'", name)});
  });
}

void OperationRunner::save(Run& run) {
  run.saving();
  const std::string id = run.operation().id;
  const auto copy = std::make_shared<Operation>(run.operation());
  run.write_into(*copy);
  store_.write(
      actor_of(options_.master),
      [copy](store::Transaction& tx) -> Status {
        DROVER_TRY(const Operation stored, read_operation(tx, copy->id));
        if (has_ended(stored.state) || stored.master != copy->master) return {};
        Operation next = *copy;
        if (has_ended(next.state)) {
          next.finished = from_unix_ms(tx.time_ms());
        } else {
          next.state = stored.state;  // somebody may have cancelled it meanwhile
        }
        if (next.why.empty()) next.why = stored.why;
        tx.explain(fmt::format("{} of {} nodes have ended", next.settled, next.total));
        DROVER_CHECK_OK(tx.put(kOperationKind, next.id, encode(next)));
        return {};
      },
      [this, alive = alive_, id,
       last = has_ended(copy->state)](const Result<store::Committed>& committed) {
        if (!*alive) return;
        const auto it = runs_.find(id);
        if (it == runs_.end()) return;
        const bool gone = !committed && committed.error().code == Code::not_found;
        if (!committed && !gone) {
          log_.error("an operation cannot be saved; tried again",
                     {{"id", id}, {"why", committed.error().text()}});
        }
        if (gone || (committed && last)) {
          it->second->detach();
          runs_.erase(it);
          return;
        }
        if (it->second->saved(committed.has_value()) && committed) save(*it->second);
      });
}

void OperationRunner::ended(const std::string& id) {
  const auto [from, to] = waiters_.equal_range(id);
  std::vector<std::shared_ptr<Waiter>> told;
  for (auto it = from; it != to; ++it) {
    if (auto waiter = it->second.lock()) told.push_back(std::move(waiter));
  }
  waiters_.erase(from, to);
  for (const auto& waiter : told) {
    executor_.post([waiter] {
      if (waiter->ended) std::exchange(waiter->ended, nullptr)();
    });
  }
}

std::shared_ptr<void> OperationRunner::on_end(const std::string& id, Callback<void()> ended_now) {
  std::erase_if(waiters_, [](const auto& entry) { return entry.second.expired(); });
  auto waiter = std::make_shared<Waiter>(std::move(ended_now));
  waiters_.emplace(id, waiter);
  const auto known = known_.find(id);
  if (known == known_.end() || has_ended(known->second.operation.state)) ended(id);
  return waiter;
}

std::optional<Operation> OperationRunner::find(std::string_view id) const {
  const auto known = known_.find(id);
  if (known == known_.end()) return std::nullopt;
  Operation out = known->second.operation;
  const auto run = runs_.find(id);
  if (run != runs_.end() && !has_ended(out.state) && !run->second->finishing()) {
    run->second->write_into(out);
  }
  return out;
}

std::vector<Operation> OperationRunner::all() const {
  std::vector<Operation> out;
  for (const auto& [id, known] : known_) {
    if (auto operation = find(id)) out.push_back(std::move(*operation));
  }
  std::ranges::sort(out, [](const Operation& a, const Operation& b) {
    return a.created != b.created ? a.created > b.created : a.id < b.id;
  });
  return out;
}

void OperationRunner::sweep_later() {
  sweeper_.after(executor_, std::chrono::hours(1), [this] {
    sweep();
    sweep_later();
  });
}

void OperationRunner::sweep() {
  std::vector<std::string> old;
  size_t kept = 0;
  for (const Operation& operation : all()) {
    if (!has_ended(operation.state)) continue;
    const bool expired = executor_.wall() - operation.finished > options_.keep_for;
    if (expired || ++kept > options_.keep_most) old.push_back(operation.id);
  }
  if (old.empty()) return;
  store_.write(actor_of(options_.master),
               [old](store::Transaction& tx) -> Status {
                 tx.explain("kept long enough");
                 for (const std::string& id : old) {
                   const auto erased = tx.erase(kOperationKind, id);
                   if (!erased) return tl::unexpected<Error>(erased.error());
                 }
                 return {};
               },
               {});
}

}  // namespace drover::cluster

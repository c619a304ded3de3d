// One look at a time; a look that is asked for meanwhile follows.
#include "store/retention.hpp"

#include <algorithm>
#include <utility>

namespace drover::store {

Retention::Retention(Executor& executor, Store& store, std::shared_ptr<ChangeArchive> archive,
                     Log log, Callback<HistoryLimits()> limits, Duration period)
    : executor_(executor),
      store_(store),
      archive_(std::move(archive)),
      log_(log),
      limits_(std::move(limits)),
      period_(period) {
  look();
}

void Retention::look() {
  if (looking_) {
    again_ = true;
    return;
  }
  looking_ = true;
  timer_.cancel();
  const HistoryLimits limits = limits_();
  const int64_t age_ms = limits.keep_age / std::chrono::milliseconds(1);
  PruneLimits prune;
  prune.older_than_ms = to_unix_ms(executor_.wall()) - std::max<int64_t>(age_ms, 0);
  prune.keep_at_most = std::max<uint64_t>(limits.keep_changes, 1);
  prune.archive = archive_;
  store_.prune(prune,
               [this, alive = std::weak_ptr<int>(alive_)](const Result<uint64_t>& forgotten) {
                 if (!alive.expired()) done(forgotten);
               });
}

void Retention::done(const Result<uint64_t>& forgotten) {
  looking_ = false;
  if (!forgotten) {
    if (forgotten.error().code == Code::cancelled) return;
    if (!problem_) {
      log_.error("old changes cannot be archived and stay in the store",
                 {{"why", forgotten.error().text()}, {"next", forgotten.error().next}});
    }
    problem_ = forgotten.error();
  } else {
    problem_.reset();
    if (*forgotten > 0) {
      log_.notice("old changes were archived", {{"changes", std::to_string(*forgotten)}});
    }
  }
  if (std::exchange(again_, false)) return look();
  timer_.after(executor_, period_, [this] { look(); });
}

}  // namespace drover::store

// Retention: forgets old changes from time to time, into an archive.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace drover::store {

/// How much of the change log stays in the store: what is older or beyond goes to the archive.
struct HistoryLimits {
  Duration keep_age = std::chrono::hours(24) * 365;
  uint64_t keep_changes = 1'000'000;  ///< at least 1
  bool operator==(const HistoryLimits&) const = default;
};

/// Looks once when it is made and then every `period`. What cannot be archived stays in the store,
/// and the trouble is told. One executor's thread.
class Retention {
 public:
  static constexpr Duration kPeriod = std::chrono::minutes(10);

  /// `limits` is asked each time. All outlive it; destroy it before the store.
  Retention(Executor& executor, Store& store, std::shared_ptr<ChangeArchive> archive, Log log,
            Callback<HistoryLimits()> limits, Duration period = kPeriod);
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  /// Looks now, without waiting for the period: after a setting was changed.
  void look();
  /// Why the last look failed, for health.
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

 private:
  void done(const Result<uint64_t>& forgotten);

  Executor& executor_;
  Store& store_;
  std::shared_ptr<ChangeArchive> archive_;
  Log log_;
  Callback<HistoryLimits()> limits_;
  Duration period_;
  bool looking_ = false;
  bool again_ = false;
  std::optional<Error> problem_;
  Timer timer_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace drover::store

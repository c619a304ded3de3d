// Watchers of the change log: server-sent events that resume without gap or duplicate.
#pragma once

#include "api/answer.hpp"
#include "api/change_filter.hpp"
#include "api/request.hpp"
#include "base/clock.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace drover::api {

struct WatchSettings {
  Duration bookmark = std::chrono::seconds(15);
  /// A watcher that takes nothing for this long is cut.
  Duration stall_limit = std::chrono::seconds(30);
  /// Unsent bytes of one watcher above which it is fed from the log again instead of from the feed,
  /// so that a slow reader costs no more memory than this.
  size_t high_water = size_t{1} << 20;
  size_t page = 500;  ///< changes read from the log at once
  size_t most_watchers = 1000;
  /// A noderange is looked up again when nodes or groups come, go or are changed, at most this
  /// often unless some came or went.
  Duration refresh = std::chrono::seconds(1);
};

/// Each watcher has a position. Those that have caught up are fed as changes are committed; the
/// others read the log in pages at their own speed. Both go by sequence numbers, so nothing is lost
/// or twice where one turns into the other. Executor's thread only.
class WatchHub {
 public:
  /// The model hears of changes before this does: subscribe it first.
  WatchHub(Executor& executor, store::Store& store, const cluster::Model& model,
           WatchSettings settings = {});
  ~WatchHub();
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  /// Who watches is asked about again when credentials, grants, issuers or daemons' certificates
  /// change, and with each bookmark: an error ends the stream with it.
  void recheck_with(Callback<Status(const auth::Principal&)> still) { still_ = std::move(still); }

  /// Answers GET /watch: `since` (or the header Last-Event-ID), `kind`, `key`, `nodes`.
  void watch(const RequestPtr& request);
  [[nodiscard]] size_t watchers() const { return watchers_.size(); }

 private:
  struct Watcher;
  using WatcherPtr = std::shared_ptr<Watcher>;

  /// A noderange that somebody watches.
  struct Range {
    std::shared_ptr<const NodeSet> nodes;
    /// As they were before the changes at hand: what leaves the range by a change is told.
    std::shared_ptr<const NodeSet> before;
    MonoTime evaluated{};
    bool stale = false;
  };

  void open(const RequestPtr& request, WatcherPtr watcher, uint64_t position,
            const store::ChangePage* first);
  Result<std::shared_ptr<const NodeSet>> nodes_of(const std::string& range);
  store::ChangeQuery query_of(const Watcher& watcher);
  void refresh_ranges(std::span<const store::Change> changes);
  void forget_ranges();
  [[nodiscard]] bool wants(const Watcher& watcher, const store::Change& change) const;
  void feed(std::span<const store::Change> changes);
  void read_on(uint64_t id);
  void take_page(uint64_t id, const Result<store::ChangePage>& page);
  void after_write(Watcher& watcher);
  void tick();
  void recheck();
  void cut(uint64_t id, const Error& why);

  Executor& executor_;
  store::Store& store_;
  const cluster::Model& model_;
  WatchSettings settings_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, WatcherPtr> watchers_;
  std::map<std::string, Range> ranges_;  ///< by noderange
  store::Subscription subscription_;
  Timer ticker_;
  Callback<Status(const auth::Principal&)> still_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::api

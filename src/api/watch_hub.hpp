// Watchers of the change log: server-sent events that resume without gap or duplicate.
#pragma once

#include "api/answer.hpp"
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
};

/// Each watcher has a position. Those that have caught up are fed as changes are committed; the
/// others read the log in pages at their own speed. Both go by sequence numbers, so nothing is lost
/// or twice where one turns into the other. Executor's thread only.
class WatchHub {
 public:
  WatchHub(Executor& executor, store::Store& store, WatchSettings settings = {});
  ~WatchHub();
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  /// Answers GET /watch: `since` (or the header Last-Event-ID), `kind`, `key`.
  void watch(const RequestPtr& request);
  [[nodiscard]] size_t watchers() const { return watchers_.size(); }

 private:
  struct Watcher;
  using WatcherPtr = std::shared_ptr<Watcher>;

  void open(const RequestPtr& request, uint64_t position, const store::ChangePage* first);
  void feed(std::span<const store::Change> changes);
  void read_on(uint64_t id);
  void take_page(uint64_t id, const Result<store::ChangePage>& page);
  void after_write(Watcher& watcher);
  void tick();
  void cut(uint64_t id, const Error& why);

  Executor& executor_;
  store::Store& store_;
  WatchSettings settings_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, WatcherPtr> watchers_;
  store::Subscription subscription_;
  Timer ticker_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::api

// For tests: what every backend of the Store must run through (*_conformance_test.cpp), and a
// harness that turns the store's callbacks into return values.
#pragma once

#include "sim/world.hpp"
#include "store/store.hpp"

#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace drover::store::testing {

/// A database of one test. The store is opened on it as often as the test likes, one at a time.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;
  virtual Result<std::unique_ptr<Store>> open(Executor& executor, const Log& log,
                                              StoreLimits limits) = 0;
};

/// How the suite gets a fresh, empty database; the list is in store_backends.hpp.
struct BackendFactory {
  std::string name;
  std::unique_ptr<Backend> (*make)();
};
inline void PrintTo(const BackendFactory& factory, std::ostream* out) {
  *out << factory.name;
}

/// A Committed that outlives its callback.
struct Outcome {
  std::vector<Change> changes;
  uint64_t first = 0;
  uint64_t last = 0;
};

/// Waits in virtual time for the one value that a callback gives.
template <typename T>
class Waiter {
 public:
  Callback<void(T)> callback() {
    return [slot = slot_](T value) { slot->emplace_back(std::move(value)); };
  }
  [[nodiscard]] bool ready() const { return !slot_->empty(); }
  T take(sim::World& world) {
    const Status waited = world.run_until([this] { return ready(); }, std::chrono::minutes(10));
    if (!waited) return tl::unexpected<Error>(waited.error());
    EXPECT_EQ(slot_->size(), 1U) << "called more than once";
    return std::move(slot_->front());
  }

 private:
  std::shared_ptr<std::vector<T>> slot_ = std::make_shared<std::vector<T>>();
};

/// A Done that hands the outcome on as a copy.
inline Done copying(Callback<void(Result<Outcome>)> next) {
  return [next = std::move(next)](Result<Committed> committed) mutable {
    if (!committed) return next(tl::unexpected<Error>(committed.error()));
    next(Outcome{
        {committed->changes.begin(), committed->changes.end()}, committed->first, committed->last});
  };
}

/// Blocking forms of the store's calls, in a world of their own.
class Harness {
 public:
  explicit Harness(uint64_t seed = 1)
      : world_(seed), process_(world_, {.name = "master", .host = "h"}) {}

  sim::World& world() { return world_; }
  sim::SimProcess& process() { return process_; }
  Executor& executor() { return process_.executor(); }
  Log log() { return process_.log("store"); }

  Result<Outcome> write(Store& store, Mutation mutation, Author author = "user:test") {
    Waiter<Result<Outcome>> waiter;
    store.write(std::move(author), std::move(mutation), copying(waiter.callback()));
    return waiter.take(world_);
  }
  Result<Outcome> put(Store& store, const std::string& kind, const std::string& key,
                      const std::string& body) {
    return write(store, [=](Transaction& t) -> Status {
      DROVER_CHECK_OK(t.put(kind, key, body));
      return {};
    });
  }
  Result<Outcome> erase(Store& store, const std::string& kind, const std::string& key) {
    return write(store, [=](Transaction& t) -> Status {
      DROVER_CHECK_OK(t.erase(kind, key));
      return {};
    });
  }
  Status read(Store& store, Mutation reader) {
    Waiter<Status> waiter;
    store.read(std::move(reader), waiter.callback());
    return waiter.take(world_);
  }
  Result<std::optional<Object>> get(Store& store, const std::string& kind, const std::string& key) {
    std::optional<Object> found;
    DROVER_CHECK_OK(read(store, [&](Transaction& t) -> Status {
      DROVER_TRY(found, t.get(kind, key));
      return {};
    }));
    return found;
  }
  Result<std::vector<Object>> list(Store& store, const ListQuery& query) {
    std::vector<Object> found;
    DROVER_CHECK_OK(read(store, [&](Transaction& t) -> Status {
      DROVER_TRY(found, t.list(query));
      return {};
    }));
    return found;
  }
  Result<ChangePage> changes(Store& store, ChangeQuery query) {
    Waiter<Result<ChangePage>> waiter;
    store.changes(std::move(query), waiter.callback());
    return waiter.take(world_);
  }
  Result<uint64_t> prune(Store& store, int64_t older_than_ms, uint64_t keep_at_most,
                         ChangeArchive* archive = nullptr) {
    Waiter<Result<uint64_t>> waiter;
    // Borrowed: the test owns it.
    std::shared_ptr<ChangeArchive> borrowed(std::shared_ptr<void>(), archive);
    store.prune({older_than_ms, keep_at_most, std::move(borrowed)}, waiter.callback());
    return waiter.take(world_);
  }
  Status close(Store& store) {
    Waiter<Status> waiter;
    store.close(waiter.callback());
    return waiter.take(world_);
  }

 private:
  sim::World world_;
  sim::SimProcess process_;
};

/// The body of every conformance test: one fresh database, opened.
class StoreConformance : public ::testing::TestWithParam<BackendFactory> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    open();
  }
  void open(StoreLimits limits = {}) {
    auto opened = backend_->open(harness_.executor(), harness_.log(), limits);
    ASSERT_TRUE(opened) << opened.error().text();
    store_ = *std::move(opened);
  }
  void reopen(StoreLimits limits = {}) {
    const Status closed = harness_.close(*store_);
    ASSERT_TRUE(closed) << closed.error().text();
    store_.reset();
    open(limits);
  }
  Result<Outcome> write(Mutation mutation, Author author = "user:test") {
    return harness_.write(*store_, std::move(mutation), std::move(author));
  }
  Result<Outcome> put(const std::string& kind, const std::string& key, const std::string& body) {
    return harness_.put(*store_, kind, key, body);
  }
  Result<Outcome> erase(const std::string& kind, const std::string& key) {
    return harness_.erase(*store_, kind, key);
  }
  std::vector<std::string> keys(const ListQuery& query) {
    auto found = harness_.list(*store_, query);
    EXPECT_TRUE(found) << found.error().text();
    std::vector<std::string> names;
    for (const Object& object : found.value_or(std::vector<Object>{})) names.push_back(object.key);
    return names;
  }
  std::string body(const std::string& kind, const std::string& key) {
    auto found = harness_.get(*store_, kind, key);
    EXPECT_TRUE(found) << found.error().text();
    return found && *found ? (*found)->body : "<none>";
  }
  std::vector<Change> log() {
    auto page = harness_.changes(*store_, {.since = 0, .limit = 100'000});
    EXPECT_TRUE(page) << page.error().text();
    return page ? page->changes : std::vector<Change>{};
  }

  Harness harness_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Store> store_;
};

}  // namespace drover::store::testing

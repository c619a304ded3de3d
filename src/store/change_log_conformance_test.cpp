// What every backend of the Store must do with its change log: pages, gaps, pruning, replay.
#include "sim/sim_random.hpp"
#include "store/store_backends.hpp"

#include <map>

namespace drover::store::testing {
namespace {

class ChangeLogConformance : public StoreConformance {
 protected:
  /// `count` changes to the keys 0 to 9 of "node" and, each third, of "group".
  void fill(int count) {
    ASSERT_TRUE(write([count](Transaction& t) -> Status {
      for (int i = 0; i < count; ++i) {
        const std::string kind = i % 3 == 0 ? "group" : "node";
        DROVER_CHECK_OK(t.put(kind, std::to_string(i % 10), std::to_string(i)));
      }
      return {};
    }));
  }
  std::vector<uint64_t> sequences(ChangeQuery query) {
    auto page = harness_.changes(*store_, std::move(query));
    EXPECT_TRUE(page) << page.error().text();
    std::vector<uint64_t> found;
    if (page) {
      for (const Change& change : page->changes) found.push_back(change.sequence);
      found.push_back(1000 + page->scanned_to);
    }
    return found;
  }
  Code error_of(ChangeQuery query) {
    auto page = harness_.changes(*store_, std::move(query));
    EXPECT_FALSE(page);
    return page ? Code::internal : page.error().code;
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, ChangeLogConformance, every_backend(), name_of_backend);

using Found = std::vector<uint64_t>;  // sequences, then 1000 + scanned_to

TEST_P(ChangeLogConformance, PagesGoOnWhereTheLastEnded) {
  fill(7);
  EXPECT_EQ(sequences({.since = 0, .limit = 3}), (Found{1, 2, 3, 1003}));
  EXPECT_EQ(sequences({.since = 3, .limit = 3}), (Found{4, 5, 6, 1006}));
  EXPECT_EQ(sequences({.since = 6, .limit = 3}), (Found{7, 1007}));
  EXPECT_EQ(sequences({.since = 7, .limit = 3}), (Found{1007}));
  EXPECT_EQ(sequences({.limit = 2}), (Found{1, 2, 1002}));
}

TEST_P(ChangeLogConformance, FiltersByKindAndKey) {
  fill(12);
  EXPECT_EQ(sequences({.since = 0, .kind = "group"}), (Found{1, 4, 7, 10, 1012}));
  EXPECT_EQ(sequences({.since = 4, .limit = 1, .kind = "group"}), (Found{7, 1007}));
  EXPECT_EQ(sequences({.since = 0, .kind = "node", .key = "1"}), (Found{2, 12, 1012}));
  EXPECT_EQ(sequences({.since = 2, .kind = "node", .key = "1"}), (Found{12, 1012}));
  EXPECT_EQ(sequences({.kind = "absent"}), (Found{1012}));
}

TEST_P(ChangeLogConformance, RefusesWhatItCannotAnswer) {
  fill(3);
  EXPECT_EQ(error_of({.since = 4}), Code::too_old) << "a log that never went that far";
  EXPECT_EQ(error_of({.since = 0, .limit = 0}), Code::invalid_argument);
  EXPECT_EQ(error_of({.since = 0, .limit = 100'001}), Code::invalid_argument);
  EXPECT_EQ(error_of({.since = 0, .key = "1"}), Code::invalid_argument);
}

TEST_P(ChangeLogConformance, APageOfLargeChangesEndsEarly) {
  const std::string large(kMaxBody, 'x');
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(put("node", std::to_string(i), large));
  }
  const auto page = harness_.changes(*store_, {.since = 0});
  ASSERT_TRUE(page);
  EXPECT_LT(page->changes.size(), 20U);
  ASSERT_FALSE(page->changes.empty());
  EXPECT_EQ(page->scanned_to, page->changes.back().sequence);
}

TEST_P(ChangeLogConformance, PrunesBeyondACountAndSaysTooOldThen) {
  fill(5000);
  EXPECT_EQ(harness_.prune(*store_, 0, 100).value(), 4900U) << "in several steps";
  EXPECT_EQ(harness_.prune(*store_, 0, 100).value(), 0U);
  EXPECT_EQ(error_of({.since = 0}), Code::too_old);
  EXPECT_EQ(error_of({.since = 4899}), Code::too_old);
  EXPECT_EQ(harness_.changes(*store_, {.since = 4900})->changes.size(), 100U);
  EXPECT_EQ(harness_.changes(*store_, {})->changes.size(), 100U) << "without since: what is kept";
  EXPECT_EQ(keys({.kind = "node"}).size(), 10U) << "objects stay";
  const Status stale = harness_.read(
      *store_, [](Transaction& t) -> Status { return t.expect_revision("node", "absent", 7); });
  EXPECT_EQ(stale.error().code, Code::stale);
}

TEST_P(ChangeLogConformance, PrunesByAge) {
  fill(4);
  ASSERT_TRUE(harness_.world().run_for(std::chrono::hours(1)));
  const int64_t between = to_unix_ms(harness_.executor().wall());
  ASSERT_TRUE(harness_.world().run_for(std::chrono::hours(1)));
  ASSERT_TRUE(put("node", "new", "{}"));
  EXPECT_EQ(harness_.prune(*store_, between, 100).value(), 4U);
  EXPECT_EQ(sequences({}), (Found{5, 1005}));
}

TEST_P(ChangeLogConformance, TheNewestChangeIsNeverPruned) {
  fill(10);
  EXPECT_EQ(harness_.prune(*store_, INT64_MAX, 0).value(), 9U);
  reopen();
  EXPECT_EQ(store_->head(), 10U);
  EXPECT_EQ(sequences({.since = 9}), (Found{10, 1010}));
  ASSERT_TRUE(put("node", "new", "{}"));
  EXPECT_EQ(store_->head(), 11U);
}

/// The objects that a log makes, from nothing.
std::map<std::string, Object> replay(const std::vector<Change>& changes) {
  std::map<std::string, Object> objects;
  for (const Change& change : changes) {
    const std::string name = change.kind + "/" + change.key;
    const auto old = objects.find(name);
    EXPECT_EQ(change.before.has_value(), old != objects.end()) << change.sequence;
    if (old != objects.end()) EXPECT_EQ(change.before, old->second.body) << change.sequence;
    if (change.operation == Operation::erase) {
      objects.erase(name);
    } else {
      objects[name] = {change.kind, change.key, *change.after, change.sequence};
    }
  }
  return objects;
}

TEST_P(ChangeLogConformance, ReplayingTheLogGivesTheObjects) {
  sim::SimRandom random(7, "conformance");
  std::vector<Change> fed;
  const Subscription feed = store_->subscribe([&](std::span<const Change> changes) {
    fed.insert(fed.end(), changes.begin(), changes.end());
  });
  for (int i = 0; i < 2000; ++i) {
    const uint64_t steps = 1 + random.below(4);
    std::vector<std::array<uint64_t, 3>> plan;
    for (uint64_t s = 0; s < steps; ++s) {
      plan.push_back({random.below(4), random.below(20), random.below(3)});
    }
    const bool fails = random.below(5) == 0;
    store_->write(
        "user:test",
        [=](Transaction& t) -> Status {
          for (const auto& [what, key, body] : plan) {
            if (what == 0) {
              DROVER_CHECK_OK(t.erase("node", std::to_string(key)));
            } else {
              DROVER_CHECK_OK(t.put("node", std::to_string(key), std::to_string(body)));
            }
          }
          if (fails) return fail(Code::cancelled, "by lot");
          return {};
        },
        nullptr);
    if (random.below(20) == 0) {
      ASSERT_TRUE(harness_.world().run_for(std::chrono::milliseconds(random.below(9))));
    }
  }
  reopen();
  const auto written = log();
  EXPECT_EQ(written, fed) << "the feed is the log";
  ASSERT_FALSE(written.empty());
  EXPECT_EQ(written.back().sequence, written.size());
  std::vector<Object> expected;
  for (const auto& [name, object] : replay(written)) expected.push_back(object);
  EXPECT_EQ(store_->load("node").value(), expected);
}

}  // namespace
}  // namespace drover::store::testing

// What every backend of the Store must do with its change log: pages, gaps, pruning, replay.
#include "sim/sim_random.hpp"
#include "store/store_backends.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>

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

TEST_P(ChangeLogConformance, PagesGoBackwardsToo) {
  fill(10);
  const auto page = harness_.changes(*store_, {.limit = 3, .newest_first = true});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->changes.size(), 3U);
  EXPECT_EQ(page->changes.front().sequence, 10U);
  EXPECT_EQ(page->changes.back().sequence, 8U);
  EXPECT_EQ(page->scanned_to, 8U);
  EXPECT_TRUE(page->more);
  const auto rest = harness_.changes(*store_, {.limit = 30, .newest_first = true, .before = 8});
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->changes.size(), 7U);
  EXPECT_EQ(rest->changes.back().sequence, 1U);
  EXPECT_FALSE(rest->more);
  const auto middle = harness_.changes(*store_, {.since = 4, .before = 8});
  ASSERT_TRUE(middle);
  EXPECT_EQ(middle->changes.size(), 3U);
  EXPECT_EQ(middle->changes.front().sequence, 5U);
}

TEST_P(ChangeLogConformance, BackwardsEndsWhereChangesAreTooOld) {
  fill(5);
  ASSERT_TRUE(harness_.world().run_for(std::chrono::hours(48)));
  const int64_t now = to_unix_ms(harness_.executor().wall());
  ASSERT_TRUE(put("node", "new", "{}"));
  const auto page = harness_.changes(*store_, {.newest_first = true, .oldest_ms = now});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->changes.size(), 1U);
  EXPECT_FALSE(page->more);
}

TEST_P(ChangeLogConformance, AnIdIsFollowedOverRenames) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  const std::string old_body = R"({"name":"n1","id":")" + id + R"("})";
  const std::string new_body = R"({"name":"n2","id":")" + id + R"("})";
  ASSERT_TRUE(put("node", "n1", old_body));
  ASSERT_TRUE(put("node", "other", R"({"name":"other","id":"ff"})"));
  ASSERT_TRUE(write([&](Transaction& t) -> Status {
    DROVER_CHECK_OK(t.erase("node", "n1"));
    DROVER_CHECK_OK(t.put("node", "n2", new_body));
    return {};
  }));
  // Another n1 has a history of its own.
  ASSERT_TRUE(put("node", "n1", R"({"name":"n1","id":"another"})"));
  ASSERT_TRUE(put("node", "n2", R"({"name":"n2","id":")" + id + R"(","flag":"ok"})"));
  const auto page = harness_.changes(*store_, {.kind = "node", .id = id});
  ASSERT_TRUE(page) << page.error().text();
  std::vector<uint64_t> found;
  for (const Change& change : page->changes) found.push_back(change.sequence);
  EXPECT_EQ(found, (std::vector<uint64_t>{1, 3, 4, 6}));
  const auto back =
      harness_.changes(*store_, {.limit = 2, .kind = "node", .id = id, .newest_first = true});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->changes.back().sequence, 4U);
  EXPECT_EQ(error_of({.id = id}), Code::invalid_argument);
  EXPECT_EQ(error_of({.key = "n2", .id = id}), Code::invalid_argument);
}

TEST_P(ChangeLogConformance, AnIdWhoseBeginningIsForgottenIsFoundByItsName) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  const auto body = [&](std::string_view name, int number) {
    return fmt::format(R"({{"name":"{}","id":"{}","number":{}}})", name, id, number);
  };
  ASSERT_TRUE(put("node", "n1", body("n1", 1)));
  ASSERT_TRUE(put("node", "n1", body("n1", 2)));
  ASSERT_EQ(harness_.prune(*store_, 0, 1).value(), 1U);
  ASSERT_TRUE(put("node", "n1", body("n1", 3)));
  const auto found = [&](const std::string& key) {
    std::vector<uint64_t> out;
    const auto page = harness_.changes(*store_, {.kind = "node", .key = key, .id = id});
    for (const Change& change : page.value().changes) out.push_back(change.sequence);
    return out;
  };
  EXPECT_EQ(found("n1"), (std::vector<uint64_t>{2, 3}));
  ASSERT_TRUE(write([&](Transaction& t) -> Status {
    DROVER_CHECK_OK(t.erase("node", "n1"));
    DROVER_CHECK_OK(t.put("node", "n2", body("n2", 3)));
    return {};
  }));
  EXPECT_EQ(found("n2"), (std::vector<uint64_t>{2, 3, 4, 5})) << "the name that it lost is known";
  EXPECT_EQ(found(""), (std::vector<uint64_t>{2, 3, 4, 5}));
}

TEST_P(ChangeLogConformance, ObjectsOutliveTheChangesThatMadeThem) {
  ASSERT_TRUE(put("node", "old", "one"));
  ASSERT_TRUE(put("node", "changed", "two"));
  ASSERT_TRUE(put("node", "gone", "three"));
  ASSERT_TRUE(write([](Transaction& t) -> Status { return t.put_quiet("mark", "m", "quiet"); }));
  ASSERT_TRUE(put("node", "changed", "four"));
  ASSERT_TRUE(write([](Transaction& t) -> Status {
    DROVER_CHECK_OK(t.erase("node", "gone"));
    return {};
  }));
  ASSERT_TRUE(put("node", "last", "five"));
  const auto all = [&] {
    std::vector<std::string> out;
    for (const std::string key : {"changed", "gone", "last", "old"}) {
      const auto found = harness_.get(*store_, "node", key).value();
      out.push_back(found ? fmt::format("{} {}", found->body, found->revision) : "none");
    }
    return out;
  };
  const std::vector<std::string> whole = {"four 4", "none", "five 6", "one 1"};
  EXPECT_EQ(all(), whole);
  for (const uint64_t kept : {4, 2, 1}) {
    ASSERT_TRUE(harness_.prune(*store_, 0, kept));
    EXPECT_EQ(all(), whole) << kept << " changes are kept";
    EXPECT_EQ(store_->load("node").value().size(), 3U);
  }
  EXPECT_EQ(harness_.get(*store_, "mark", "m").value()->body, "quiet");
  // What comes next starts from the body that was kept.
  ASSERT_TRUE(put("node", "old", "one more"));
  EXPECT_EQ(harness_.changes(*store_, {.since = 6})->changes.at(0).before, "one");
}

/// Every so many-th change.
class EveryNth final : public ChangeFilter {
 public:
  explicit EveryNth(uint64_t n) : n_(n) {}
  [[nodiscard]] bool accepts(const Change& change) const override {
    return change.sequence % n_ == 0;
  }

 private:
  uint64_t n_;
};

TEST_P(ChangeLogConformance, AFilterLooksAtSomeThousandsAtATime) {
  fill(12'000);
  const auto filter = std::make_shared<EveryNth>(4'000);
  for (const bool back : {false, true}) {
    std::vector<uint64_t> found;
    ChangeQuery query{.limit = 10, .filter = filter, .newest_first = back};
    for (int pages = 0;; ++pages) {
      ASSERT_LT(pages, 10);
      const auto page = harness_.changes(*store_, query);
      ASSERT_TRUE(page) << page.error().text();
      for (const Change& change : page->changes) found.push_back(change.sequence);
      if (!page->more) {
        EXPECT_GT(pages, 1) << "not in one job";
        break;
      }
      if (back) {
        query.before = page->scanned_to;
      } else {
        query.since = page->scanned_to;
      }
    }
    std::ranges::sort(found);
    EXPECT_EQ(found, (std::vector<uint64_t>{4'000, 8'000, 12'000})) << back;
  }
}

/// Keeps what it is given, and the marks.
class MemoryArchive final : public ChangeArchive {
 public:
  Result<std::string> append(std::span<const Change> changes, std::string_view mark) override {
    EXPECT_EQ(mark, mark_) << "the mark of the last append that was committed";
    if (refuse) return fail(Code::exhausted, "no space");
    for (const Change& change : changes) sequences.push_back(change.sequence);
    if (!changes.empty()) mark_ = std::to_string(changes.back().sequence);
    return mark_;
  }
  std::vector<uint64_t> sequences;
  bool refuse = false;

 private:
  std::string mark_;
};

TEST_P(ChangeLogConformance, WhatIsForgottenGoesToTheArchiveFirst) {
  fill(4000);
  MemoryArchive archive;
  archive.refuse = true;
  EXPECT_FALSE(harness_.prune(*store_, 0, 100, &archive));
  EXPECT_EQ(log().size(), 4000U) << "nothing is forgotten that was not archived";
  archive.refuse = false;
  EXPECT_EQ(harness_.prune(*store_, 0, 100, &archive).value(), 3900U);
  reopen();
  EXPECT_EQ(harness_.prune(*store_, 0, 50, &archive).value(), 50U);
  ASSERT_EQ(archive.sequences.size(), 3950U);
  for (uint64_t i = 0; i < 3950; ++i) ASSERT_EQ(archive.sequences[i], i + 1);
  EXPECT_EQ(error_of({.since = 3949}), Code::too_old);
  EXPECT_EQ(harness_.changes(*store_, {.since = 3950})->changes.size(), 50U);
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

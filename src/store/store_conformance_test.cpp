// What every backend of the Store must do: objects, the change log, undoing, the queue and the
// feeds.
#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/store_backends.hpp"

namespace drover::store::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Backends, StoreConformance, every_backend(), name_of_backend);

using Keys = std::vector<std::string>;

TEST_P(StoreConformance, StartsEmpty) {
  EXPECT_EQ(store_->head(), 0U);
  EXPECT_TRUE(store_->load("node").value().empty());
  EXPECT_EQ(body("node", "n1"), "<none>");
  EXPECT_TRUE(log().empty());
  EXPECT_TRUE(keys({.kind = "node"}).empty());
}

TEST_P(StoreConformance, KeepsObjectsOverAReopening) {
  ASSERT_TRUE(put("node", "n2", R"({"a":2})"));
  ASSERT_TRUE(put("node", "n1", R"({"a":1})"));
  ASSERT_TRUE(put("group", "n1", "{}"));
  reopen();
  EXPECT_EQ(store_->head(), 3U);
  const std::vector<Object> expected{{"node", "n1", R"({"a":1})", 2},
                                     {"node", "n2", R"({"a":2})", 1}};
  EXPECT_EQ(store_->load("node").value(), expected);
  ASSERT_TRUE(put("node", "n1", "{}"));
  EXPECT_EQ(store_->head(), 4U) << "the sequence goes on";
}

TEST_P(StoreConformance, ListsByBytesWithPrefixTokenAndLimit) {
  for (const char* key : {"b", "a/1", "a/2", "a", "a0", "\xc3\xa4", "Z", "a/10", "a/\xff\xff"}) {
    ASSERT_TRUE(put("k", key, "{}"));
  }
  EXPECT_EQ(keys({.kind = "k"}),
            (Keys{"Z", "a", "a/1", "a/10", "a/2", "a/\xff\xff", "a0", "b", "\xc3\xa4"}));
  EXPECT_EQ(keys({.kind = "k", .prefix = "a/"}), (Keys{"a/1", "a/10", "a/2", "a/\xff\xff"}));
  EXPECT_EQ(keys({.kind = "k", .prefix = "a/", .after = "a/1", .limit = 2}), (Keys{"a/10", "a/2"}));
  EXPECT_EQ(keys({.kind = "k", .prefix = "\xc3"}), (Keys{"\xc3\xa4"}));
  EXPECT_EQ(keys({.kind = "k", .after = "b"}), (Keys{"\xc3\xa4"}));
  EXPECT_TRUE(keys({.kind = "kk"}).empty());
}

TEST_P(StoreConformance, LogsWhoChangedWhatFromWhatToWhatAndWhy) {
  const int64_t now = to_unix_ms(harness_.executor().wall());
  const auto outcome = write(
      [](Transaction& t) -> Status {
        EXPECT_EQ(t.actor(), "user:alice");
        DROVER_TRY(const uint64_t first, t.put("node", "n1", "{}"));
        EXPECT_EQ(first, 1U);
        t.explain("new fan");
        DROVER_TRY(const uint64_t second, t.put("node", "n1", R"({"fan":2})"));
        EXPECT_EQ(second, 2U);
        DROVER_TRY(const bool gone, t.erase("node", "n1"));
        EXPECT_TRUE(gone);
        DROVER_TRY(const bool again, t.erase("node", "n1"));
        EXPECT_FALSE(again);
        return {};
      },
      Author("user:alice", "utility/login1"));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->first, 1U);
  EXPECT_EQ(outcome->last, 3U);
  const std::vector<Change> written = log();
  EXPECT_EQ(written, outcome->changes);
  ASSERT_EQ(written.size(), 3U);
  EXPECT_GE(written[0].time_ms, now);
  EXPECT_LT(written[0].time_ms, now + 1000);
  const int64_t at = written[0].time_ms;
  const std::vector<Change> expected{{1, at, "user:alice", "utility/login1", "node", "n1", "",
                                      Operation::put, std::nullopt, "{}", ""},
                                     {2, at, "user:alice", "utility/login1", "node", "n1", "",
                                      Operation::put, "{}", R"({"fan":2})", "new fan"},
                                     {3, at, "user:alice", "utility/login1", "node", "n1", "",
                                      Operation::erase, R"({"fan":2})", std::nullopt, "new fan"}};
  EXPECT_EQ(written, expected);
}

TEST_P(StoreConformance, AnEqualValueWritesAndLogsNothing) {
  ASSERT_TRUE(put("node", "n1", "{}"));
  int fed = 0;
  const Subscription feed = store_->subscribe([&](std::span<const Change>) { ++fed; });
  const auto outcome = write([](Transaction& t) -> Status {
    DROVER_TRY(const uint64_t revision, t.put("node", "n1", "{}"));
    EXPECT_EQ(revision, 1U);
    return {};
  });
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->changes.empty());
  EXPECT_EQ(outcome->first, 0U);
  EXPECT_EQ(outcome->last, 0U);
  EXPECT_EQ(fed, 0);
  EXPECT_EQ(store_->head(), 1U);
}

TEST_P(StoreConformance, AFailingMutationIsUndoneAlone) {
  std::vector<Result<Outcome>> outcomes;
  const auto collect = [&] {
    return copying([&](Result<Outcome> one) { outcomes.push_back(std::move(one)); });
  };
  for (int i = 0; i < 6; ++i) {
    store_->write(
        "user:test",
        [i](Transaction& t) -> Status {
          DROVER_TRY(const uint64_t number, t.next_number("job"));
          DROVER_CHECK_OK(t.put("job", std::to_string(number), std::to_string(i)));
          DROVER_CHECK_OK(t.put("job", "last", std::to_string(i)));
          DROVER_CHECK_OK(t.put_quiet("mark", std::to_string(i), "{}"));
          if (i % 2 == 1) return fail(Code::denied, "no");
          return {};
        },
        collect());
  }
  ASSERT_TRUE(
      harness_.world().run_until([&] { return outcomes.size() == 6; }, std::chrono::minutes(1)));
  for (size_t i = 0; i < 6; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i % 2 == 0) << i;
    if (i % 2 == 1) {
      EXPECT_EQ(outcomes[i].error().code, Code::denied);
    } else {
      EXPECT_EQ(outcomes[i]->first, i + 1);
      EXPECT_EQ(outcomes[i]->last, i + 2);
      EXPECT_EQ(outcomes[i]->changes.size(), 2U);
    }
  }
  EXPECT_EQ(keys({.kind = "job"}), (Keys{"1", "2", "3", "last"}));
  EXPECT_EQ(keys({.kind = "mark"}), (Keys{"0", "2", "4"}));
  EXPECT_EQ(body("job", "3"), "4");
  const auto written = log();
  ASSERT_EQ(written.size(), 6U);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(written[i].sequence, i + 1) << "no gaps";
  EXPECT_EQ(written[3].before, "0") << "the undone value in between was never there";
  EXPECT_EQ(store_->stats().refused, 3U);
}

TEST_P(StoreConformance, AMutationCannotHideTheStoresOwnRefusal) {
  const auto outcome = write([](Transaction& t) -> Status {
    DROVER_CHECK_OK(t.put("node", "n1", "{}"));
    EXPECT_EQ(t.put("node", std::string(kMaxName + 1, 'x'), "{}").error().code, Code::too_large);
    EXPECT_EQ(t.put("node", "", "{}").error().code, Code::invalid_argument);
    EXPECT_EQ(t.put("", "n1", "{}").error().code, Code::invalid_argument);
    EXPECT_EQ(t.put("node", std::string("a\0b", 3), "{}").error().code, Code::invalid_argument);
    EXPECT_EQ(t.put("node", "n1", std::string(kMaxBody + 1, ' ')).error().code, Code::too_large);
    EXPECT_EQ(t.get("node", "").error().code, Code::invalid_argument);
    return {};
  });
  ASSERT_TRUE(outcome) << "refused arguments harm nothing";
  EXPECT_EQ(outcome->changes.size(), 1U);
}

TEST_P(StoreConformance, KeepsTheLongestNamesAndBodies) {
  const std::string key(kMaxName, 'k');
  const std::string large = "\"" + std::string(kMaxBody - 2, 'b') + "\"";
  ASSERT_TRUE(put(std::string(kMaxName, 'x'), key, large));
  EXPECT_EQ(body(std::string(kMaxName, 'x'), key), large);
  ASSERT_TRUE(write([&](Transaction& t) -> Status {
    t.explain(std::string(kMaxName - 1, 'w') + "\xc3\xa4");
    DROVER_CHECK_OK(t.put("node", "n1", ""));
    return {};
  }));
  EXPECT_EQ(body("node", "n1"), "");
  EXPECT_EQ(log().back().why, std::string(kMaxName - 1, 'w')) << "cut between characters";
}

TEST_P(StoreConformance, ExpectedRevisionsSayWhoWasFaster) {
  ASSERT_TRUE(put("node", "n1", "{}"));
  ASSERT_TRUE(put("node", "n1", R"({"a":1})"));
  ASSERT_TRUE(put("node", "n2", "{}"));
  ASSERT_TRUE(erase("node", "n2"));
  const auto expecting = [&](const std::string& key, uint64_t revision) {
    return harness_.read(*store_, [=](Transaction& t) -> Status {
      return t.expect_revision("node", key, revision);
    });
  };
  EXPECT_TRUE(expecting("n1", 2));
  EXPECT_TRUE(expecting("n2", 0));
  EXPECT_TRUE(expecting("n3", 0));
  const Status stale = expecting("n1", 1);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::stale);
  EXPECT_NE(stale.error().message.find("changed by user:test at 2026-01-01T"), std::string::npos)
      << stale.error().message;
  EXPECT_NE(stale.error().message.find("revision 2, not 1"), std::string::npos);
  EXPECT_EQ(expecting("n1", 0).error().code, Code::stale);
  EXPECT_NE(expecting("n2", 3).error().message.find("erased by user:test"), std::string::npos);
  EXPECT_NE(expecting("n3", 3).error().message.find("does not exist"), std::string::npos);
  ASSERT_TRUE(put("node", "n2", "{}"));
  EXPECT_FALSE(expecting("n2", 3)) << "a new life is a new revision";
}

TEST_P(StoreConformance, BookkeepingIsNotHistory) {
  int fed = 0;
  const Subscription feed = store_->subscribe([&](std::span<const Change>) { ++fed; });
  const auto outcome = write([](Transaction& t) -> Status {
    DROVER_CHECK_OK(t.put_quiet("mark", "a", "1"));
    DROVER_CHECK_OK(t.put_quiet("mark", "a", "2"));
    DROVER_CHECK_OK(t.put_quiet("mark", "b", "1"));
    DROVER_CHECK_OK(t.erase_quiet("mark", "b"));
    return {};
  });
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->changes.empty());
  EXPECT_EQ(fed, 0);
  EXPECT_EQ(store_->head(), 0U);
  reopen();
  EXPECT_EQ(store_->load("mark").value(), (std::vector<Object>{{"mark", "a", "2", 0}}));
  ASSERT_TRUE(put("node", "n1", "{}"));
  ASSERT_TRUE(write([](Transaction& t) -> Status {
    EXPECT_EQ(t.put("mark", "a", "3").error().code, Code::conflict);
    EXPECT_EQ(t.erase("mark", "a").error().code, Code::conflict);
    EXPECT_EQ(t.put_quiet("node", "n1", "3").error().code, Code::conflict);
    EXPECT_EQ(t.erase_quiet("node", "n1").error().code, Code::conflict);
    return {};
  }));
  EXPECT_EQ(body("mark", "a"), "2");
}

TEST_P(StoreConformance, CountersGiveEveryNumberOnce) {
  std::vector<uint64_t> numbers;
  const auto draw = [&] {
    return write([&](Transaction& t) -> Status {
      DROVER_TRY(const uint64_t one, t.next_number("a"));
      DROVER_TRY(const uint64_t two, t.next_number("a"));
      DROVER_TRY(const uint64_t other, t.next_number("b"));
      numbers.insert(numbers.end(), {one, two, other});
      return {};
    });
  };
  ASSERT_TRUE(draw());
  reopen();
  ASSERT_TRUE(draw());
  EXPECT_EQ(numbers, (std::vector<uint64_t>{1, 2, 1, 3, 4, 2}));
}

TEST_P(StoreConformance, WhatWaitsSharesOneCommitAndKeepsItsOrder) {
  std::vector<std::string> seen;
  const Subscription feed = store_->subscribe([&](std::span<const Change> changes) {
    seen.push_back("feed " + std::to_string(changes.front().sequence) + "-" +
                   std::to_string(changes.back().sequence) + " head " +
                   std::to_string(store_->head()));
  });
  for (int i = 1; i <= 500; ++i) {
    store_->write(
        "user:test",
        [i](Transaction& t) -> Status {
          DROVER_CHECK_OK(t.put("node", std::to_string(i), "{}"));
          return {};
        },
        [&, i](const Result<Committed>& committed) {
          ASSERT_TRUE(committed);
          EXPECT_EQ(committed->first, static_cast<uint64_t>(i));
          if (i == 1 || i == 500) seen.push_back("done " + std::to_string(i));
        });
  }
  EXPECT_EQ(store_->queued(), 500U);
  EXPECT_TRUE(seen.empty()) << "never inside the call";
  ASSERT_TRUE(
      harness_.world().run_until([&] { return store_->queued() == 0; }, std::chrono::minutes(1)));
  EXPECT_EQ(seen, (Keys{"feed 1-500 head 500", "done 1", "done 500"}));
  EXPECT_EQ(store_->stats().commits, 1U);
  EXPECT_EQ(store_->stats().largest_batch, 500U);
  EXPECT_EQ(store_->stats().mutations, 500U);
  EXPECT_EQ(store_->stats().changes, 500U);
}

TEST_P(StoreConformance, ALaterMutationSeesTheEarlierOnesOfItsBatch) {
  Waiter<Result<Outcome>> last;
  for (int i = 0; i < 100; ++i) {
    store_->write(
        "user:test",
        [](Transaction& t) -> Status {
          DROVER_TRY(const auto now, t.get("sum", "all"));
          DROVER_CHECK_OK(t.put("sum", "all", std::to_string(now ? std::stoi(now->body) + 1 : 1)));
          return {};
        },
        i == 99 ? copying(last.callback()) : nullptr);
  }
  ASSERT_TRUE(last.take(harness_.world()));
  EXPECT_EQ(body("sum", "all"), "100");
}

TEST_P(StoreConformance, AFullQueueRefuses) {
  reopen({.max_waiting = 10, .max_batch = 4});
  int done = 0;
  std::vector<Code> refused;
  for (int i = 0; i < 13; ++i) {
    store_->write(
        "user:test",
        [i](Transaction& t) -> Status {
          DROVER_CHECK_OK(t.put("node", std::to_string(i), "{}"));
          return {};
        },
        [&](const Result<Committed>& committed) {
          if (committed) {
            ++done;
          } else {
            refused.push_back(committed.error().code);
          }
        });
  }
  ASSERT_TRUE(harness_.world().run_until([&] { return done == 10 && refused.size() == 3; },
                                         std::chrono::minutes(1)));
  EXPECT_EQ(refused, std::vector<Code>(3, Code::exhausted));
  EXPECT_EQ(store_->stats().commits, 3U) << "of at most 4 mutations each";
  EXPECT_TRUE(put("node", "later", "{}"));
}

TEST_P(StoreConformance, RefusesAMutationOfNobody) {
  EXPECT_EQ(write([](Transaction&) -> Status { return {}; }, "").error().code,
            Code::invalid_argument);
}

TEST_P(StoreConformance, ClosingFlushesTheQueueAndThenTakesNoMore) {
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    store_->write(
        "user:test",
        [i](Transaction& t) -> Status {
          DROVER_CHECK_OK(t.put("node", std::to_string(i), "{}"));
          return {};
        },
        [&](const Result<Committed>& committed) { done += committed ? 1 : 0; });
  }
  Waiter<Status> closed;
  store_->close(closed.callback());
  EXPECT_EQ(put("node", "late", "{}").error().code, Code::cancelled);
  EXPECT_EQ(harness_.read(*store_, [](Transaction&) -> Status { return {}; }).error().code,
            Code::cancelled);
  EXPECT_EQ(harness_.changes(*store_, {}).error().code, Code::cancelled);
  ASSERT_TRUE(closed.take(harness_.world()));
  EXPECT_EQ(done, 20);
  store_.reset();
  open();
  EXPECT_EQ(store_->load("node")->size(), 20U);
}

TEST_P(StoreConformance, TheCloseCallbackMayDestroyTheStore) {
  bool gone = false;
  store_->close([&](const Status& closed) {
    EXPECT_TRUE(closed);
    store_.reset();
    gone = true;
  });
  ASSERT_TRUE(harness_.world().run_until([&] { return gone; }, std::chrono::minutes(1)));
}

TEST_P(StoreConformance, ReadersSeeWhatWasDeliveredAndCannotWrite) {
  ASSERT_TRUE(put("node", "n1", "{}"));
  const Status tried = harness_.read(*store_, [](Transaction& t) -> Status {
    EXPECT_TRUE(t.get("node", "n1").value().has_value());
    EXPECT_EQ(t.put_quiet("mark", "a", "1").error().code, Code::invalid_argument);
    EXPECT_EQ(t.next_number("a").error().code, Code::invalid_argument);
    DROVER_CHECK_OK(t.put("node", "n1", "1"));
    return {};
  });
  EXPECT_EQ(tried.error().code, Code::invalid_argument);
  EXPECT_EQ(body("node", "n1"), "{}");
}

TEST_P(StoreConformance, LoadingIsForStartUp) {
  Waiter<Result<Outcome>> waiter;
  store_->write("user:test", [](Transaction&) -> Status { return {}; }, copying(waiter.callback()));
  ASSERT_TRUE(harness_.world().run_for(Duration{}));
  EXPECT_EQ(store_->load("node").error().code, Code::conflict);
  ASSERT_TRUE(waiter.take(harness_.world()));
  EXPECT_TRUE(store_->load("node"));
}

TEST_P(StoreConformance, FeedsComeAndGo) {
  std::vector<std::string> seen;
  Subscription second;
  Subscription first = store_->subscribe([&](std::span<const Change> changes) {
    seen.push_back("first " + std::to_string(changes.front().sequence));
    if (changes.front().sequence == 1) {
      second = store_->subscribe([&](std::span<const Change> later) {
        seen.push_back("second " + std::to_string(later.front().sequence));
      });
    }
    if (changes.front().sequence == 2) first.reset();
  });
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(put("node", key, "{}"));
  EXPECT_EQ(seen, (Keys{"first 1", "first 2", "second 2", "second 3"}));
}

}  // namespace
}  // namespace drover::store::testing

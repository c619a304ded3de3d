// What every backend must do with readings: they go with their bodies, and what is known by them is
// what the database has.
#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_random.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/store_backends.hpp"

#include <map>

namespace drover::store::testing {
namespace {

class ReadingsConformance : public StoreConformance {};

INSTANTIATE_TEST_SUITE_P(Backends, ReadingsConformance, every_backend(), name_of_backend);

struct TestReading final : Reading {
  explicit TestReading(std::string text) : body(std::move(text)) {}
  std::string body;
};

TEST_P(ReadingsConformance, AReadingGoesWithItsBodyToFeedsAndReaders) {
  const auto reading_of = [](Transaction& t, const char* key) {
    const auto object = t.get("node", key).value();
    const auto alone = t.reading("node", key).value();
    EXPECT_EQ(object ? object->reading.pointer : nullptr, alone);
    const auto* known = dynamic_cast<const TestReading*>(alone.get());
    EXPECT_TRUE(known == nullptr || known->body == object->body);
    return known == nullptr ? std::string("none") : known->body;
  };
  std::map<std::string, std::shared_ptr<const Reading>> kept;
  const auto feed = store_->subscribe([&](std::span<const Change> changes) {
    for (const Change& change : changes) kept[change.key] = change.reading.pointer;
  });
  const auto put_read = [&](Transaction& t, const char* key, const char* body) -> Status {
    DROVER_CHECK_OK(t.put("node", key, body, {std::make_shared<const TestReading>(body)}));
    return {};
  };
  ASSERT_TRUE(write([&](Transaction& t) -> Status {
    DROVER_CHECK_OK(put_read(t, "n1", "one"));
    EXPECT_EQ(reading_of(t, "n1"), "one") << "its change keeps it";
    DROVER_CHECK_OK(put_read(t, "n2", "two"));
    return {};
  }));
  ASSERT_EQ(kept.size(), 2U);
  // A mutation that is undone leaves nothing: what it wrote is not what is there.
  EXPECT_FALSE(write([&](Transaction& t) -> Status {
    EXPECT_EQ(reading_of(t, "n1"), "one");
    DROVER_CHECK_OK(put_read(t, "n1", "never"));
    return fail(Code::conflict, "undone");
  }));
  ASSERT_TRUE(write([&](Transaction& t) -> Status {
    EXPECT_NE(reading_of(t, "n1"), "never");
    DROVER_CHECK_OK(t.put("node", "n1", "bare"));
    EXPECT_EQ(reading_of(t, "n1"), "none");
    DROVER_CHECK_OK(t.erase("node", "n2"));
    EXPECT_EQ(reading_of(t, "n2"), "none");
    return {};
  }));
  EXPECT_EQ(kept.at("n1"), nullptr);
  EXPECT_EQ(body("node", "n1"), "bare");
}

// Whatever is written, undone, erased and made again: what later mutations are told without asking
// the database is what it has (debug builds compare the two at every look), and the log says so.
TEST_P(ReadingsConformance, WhatIsKnownWithoutAskingIsWhatTheDatabaseHas) {
  std::map<std::string, std::shared_ptr<const Reading>> kept;
  const auto keep = [&](std::span<const Change> changes) {
    for (const Change& change : changes) kept[change.key] = change.reading.pointer;
  };
  auto feed = store_->subscribe(keep);
  std::map<std::string, std::string> expected;
  sim::SimRandom random(7, "readings");
  for (int round = 0; round < 200; ++round) {
    auto next = expected;
    const bool undone = random.below(4) == 0;
    const auto steps = 1 + random.below(6);
    const auto outcome = write([&](Transaction& t) -> Status {
      for (uint64_t i = 0; i < steps; ++i) {
        const std::string key = "n" + std::to_string(random.below(5));
        const std::string body = "b" + std::to_string(random.below(4));
        DROVER_TRY(const auto there, t.get("node", key));
        EXPECT_EQ(there ? there->body : "", next.contains(key) ? next[key] : "");
        const auto choice = random.below(6);
        if (choice == 0) {
          DROVER_CHECK_OK(t.erase("node", key));
          next.erase(key);
          continue;
        }
        ReadingPointer reading;
        if (choice != 1) reading.pointer = std::make_shared<const TestReading>(body);
        DROVER_CHECK_OK(t.put("node", key, body, reading));
        next[key] = body;
      }
      if (undone) return fail(Code::conflict, "undone");
      return {};
    });
    ASSERT_EQ(outcome.has_value(), !undone);
    if (outcome) expected = next;
    for (const auto& [key, body] : expected) ASSERT_EQ(this->body("node", key), body);
    if (random.below(20) == 0) {
      feed.reset();
      reopen();
      feed = store_->subscribe(keep);
    }
  }
  std::map<std::string, std::string> replayed;
  for (const Change& change : log()) {
    const auto known = replayed.find(change.key);
    ASSERT_EQ(change.before.value_or(""), known == replayed.end() ? "" : known->second);
    if (change.after) {
      replayed[change.key] = *change.after;
    } else {
      replayed.erase(change.key);
    }
  }
  EXPECT_EQ(replayed, expected);
}

}  // namespace
}  // namespace drover::store::testing

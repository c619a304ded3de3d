// The history of one object, and of one id over its names, is what a look through the whole log
// finds: both ways, in pages, after names went and came back and after the oldest was forgotten.
#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_random.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/store_backends.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace drover::store::testing {
namespace {

class ChainConformance : public StoreConformance {
 protected:
  std::vector<uint64_t> paged(ChangeQuery query) {
    std::vector<uint64_t> out;
    for (;;) {
      auto page = harness_.changes(*store_, query);
      EXPECT_TRUE(page) << page.error().text();
      if (!page) return out;
      for (const Change& change : page->changes) out.push_back(change.sequence);
      if (!page->more) return out;
      (query.newest_first ? query.before : query.since.emplace()) = page->scanned_to;
    }
  }

  /// Compares pages of `limit` with what `log` has, where `belongs` says so.
  template <typename Belongs>
  void compare(const std::vector<Change>& log, ChangeQuery query, Belongs belongs) {
    for (const size_t limit : {1, 3, 100}) {
      for (const uint64_t before : {uint64_t{0}, log.back().sequence / 2 + 1}) {
        std::vector<uint64_t> expected;
        for (const Change& change : log) {
          if (belongs(change) && (before == 0 || change.sequence < before)) {
            expected.push_back(change.sequence);
          }
        }
        query.limit = limit;
        query.before = before;
        query.since.reset();
        query.newest_first = false;
        EXPECT_EQ(paged(query), expected) << query.key << query.id;
        query.newest_first = true;
        std::ranges::reverse(expected);
        EXPECT_EQ(paged(query), expected) << query.key << query.id;
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, ChainConformance, every_backend(), name_of_backend);

TEST_P(ChainConformance, AHistoryIsWhatTheWholeLogHas) {
  sim::SimRandom random(3, "chains");
  std::map<std::string, std::string> id_of;  // of what is there
  std::set<std::string> ids;
  int bodies = 0;
  const auto body_for = [&](const std::string& id) {
    return R"({"id":")" + id + R"(","n":)" + std::to_string(++bodies) + "}";
  };
  for (int round = 0; round < 150; ++round) {
    const std::string key = "n" + std::to_string(random.below(4));
    const auto choice = random.below(8);
    const bool there = id_of.contains(key);
    const auto outcome = write([&](Transaction& t) -> Status {
      if (there && choice == 0) {
        DROVER_CHECK_OK(t.erase("node", key));
        id_of.erase(key);
        return {};
      }
      if (there && choice == 1) {  // the id goes to another name, as a rename does
        const std::string to = "m" + std::to_string(random.below(3));
        const std::string id = id_of[key];
        DROVER_CHECK_OK(t.erase("node", key));
        id_of.erase(key);
        DROVER_CHECK_OK(t.put("node", to, body_for(id)));
        id_of[to] = id;
        return {};
      }
      if (!there) id_of[key] = "id" + std::to_string(round);
      ids.insert(id_of[key]);
      DROVER_CHECK_OK(t.put("group", key, std::to_string(++bodies)));
      DROVER_CHECK_OK(t.put("node", key, body_for(id_of[key])));
      return {};
    });
    ASSERT_TRUE(outcome) << outcome.error().text();
  }
  for (const uint64_t kept : {1'000, 100, 20}) {
    ASSERT_TRUE(harness_.prune(*store_, 0, kept));
    const std::vector<Change> log = harness_.changes(*store_, {.limit = 100'000})->changes;
    ASSERT_LE(log.size(), kept);
    for (const char* key : {"n0", "n1", "n2", "n3", "m0", "m1", "m2"}) {
      compare(log, {.kind = "node", .key = key},
              [&](const Change& c) { return c.kind == "node" && c.key == key; });
    }
    for (const auto& [key, id] : id_of) {
      compare(log, {.kind = "node", .key = key, .id = id},
              [&](const Change& c) { return c.kind == "node" && c.id == id; });
    }
    reopen();
  }
}

}  // namespace
}  // namespace drover::store::testing

#include "api/watch_hub.hpp"

#include "api/test_master.hpp"
#include "sim/sim_random.hpp"

#include <sstream>

#include <fmt/format.h>

namespace drover::api {
namespace {

using std::chrono::seconds;
using testing::person;
using testing::Recorded;
using testing::TestMaster;

/// "change 3", "bookmark 3", "problem" .. in order.
std::vector<std::string> events(const std::string& stream) {
  std::vector<std::string> out;
  std::istringstream lines(stream);
  std::string id;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("id: ")) id = line.substr(4);
    if (line.starts_with("event: ")) out.push_back(line.substr(7) + " " + id);
  }
  return out;
}
std::vector<std::string> changes(const std::string& stream) {
  std::vector<std::string> out;
  for (const std::string& event : events(stream)) {
    if (event.starts_with("change")) out.push_back(event);
  }
  return out;
}
std::vector<std::string> changes_up_to(int first, int last) {
  std::vector<std::string> out;
  for (int i = first; i <= last; ++i) out.push_back(fmt::format("change {}", i));
  return out;
}

std::shared_ptr<Recorded> watch(TestMaster& master, const std::string& query,
                                const net::HttpHeaders& headers = {}) {
  auto answer = master.send({"GET", "/api/v1/watch" + query, headers, "", {}}, person("viewer"));
  EXPECT_TRUE(master.world.run_until([&] { return answer->status != 0; }, seconds(1)));
  return answer;
}

TEST(Watch, FollowsFromNow) {
  TestMaster master;
  master.add_node("n1");
  const auto stream = watch(master, "");
  EXPECT_EQ(stream->headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(events(stream->body), (std::vector<std::string>{"bookmark 1"}));
  master.add_node("n2");
  EXPECT_EQ(changes(stream->body), changes_up_to(2, 2));
  EXPECT_NE(stream->body.find(R"("key":"n2")"), std::string::npos);
}

TEST(Watch, ResumesWithoutGapOrDuplicate) {
  TestMaster master;
  for (int i = 1; i <= 1200; ++i) {
    master.store->write("test",
                        [i](store::Transaction& tx) -> Status {
                          const auto put = tx.put("thing", std::to_string(i), "{}");
                          return put ? Status() : tl::unexpected<Error>(put.error());
                        },
                        {});
  }
  master.add_node("n1");
  const auto stream = watch(master, "?since=10");
  for (int i = 2; i <= 20; ++i) master.add_node(fmt::format("n{}", i));
  ASSERT_TRUE(master.world.run_for(seconds(1)));
  EXPECT_EQ(changes(stream->body), changes_up_to(11, 1220));
  const auto resumed = watch(master, "", {{"Last-Event-ID", "1215"}});
  ASSERT_TRUE(master.world.run_for(seconds(1)));
  EXPECT_EQ(changes(resumed->body), changes_up_to(1216, 1220));
}

TEST(Watch, TooOldIsGone) {
  TestMaster master;
  for (int i = 1; i <= 5; ++i) master.add_node(fmt::format("n{}", i));
  bool pruned = false;
  master.store->prune({0, 2}, [&](const Result<uint64_t>&) { pruned = true; });
  ASSERT_TRUE(master.world.run_until([&] { return pruned; }, seconds(5)));
  const auto answer = watch(master, "?since=1");
  EXPECT_EQ(answer->status, 410);
  EXPECT_NE(answer->body.find("urn:drover:problem:too-old"), std::string::npos);
  EXPECT_EQ(watch(master, "?since=99")->status, 410);
  EXPECT_EQ(watch(master, "?since=x")->status, 400);
  EXPECT_EQ(watch(master, "", {{"Last-Event-ID", "-1"}})->status, 400);
}

TEST(Watch, BookmarksComeEveryFifteenSeconds) {
  TestMaster master;
  const auto stream = watch(master, "?kind=nothing");
  master.add_node("n1");
  ASSERT_TRUE(master.world.run_for(seconds(31)));
  EXPECT_EQ(events(stream->body),
            (std::vector<std::string>{"bookmark 0", "bookmark 1", "bookmark 1"}));
}

TEST(Watch, ASlowReaderCostsNoMemoryAndMissesNothing) {
  TestMaster master;
  const auto stream = watch(master, "");
  stream->unsent = size_t{2} << 20;
  for (int i = 1; i <= 10; ++i) master.add_node(fmt::format("n{}", i));
  EXPECT_EQ(changes(stream->body), changes_up_to(1, 1)) << "the rest waits in the log";
  stream->unsent = 0;
  stream->drained();
  ASSERT_TRUE(master.world.run_for(seconds(1)));
  EXPECT_EQ(changes(stream->body), changes_up_to(1, 10));
}

TEST(Watch, AReaderThatTakesNothingIsCut) {
  TestMaster master;
  const auto stream = watch(master, "");
  stream->unsent = size_t{2} << 20;
  master.add_node("n1");
  ASSERT_TRUE(master.world.run_for(seconds(50)));
  EXPECT_TRUE(stream->complete);
  EXPECT_EQ(events(stream->body).back(), "problem 1");
  EXPECT_EQ(master.api->watchers().watchers(), 0U);
}

TEST(Watch, OneThatLeavesIsForgotten) {
  TestMaster master;
  const auto stream = watch(master, "");
  EXPECT_EQ(master.api->watchers().watchers(), 1U);
  stream->gone();
  EXPECT_EQ(master.api->watchers().watchers(), 0U);
  master.add_node("n1");
  EXPECT_TRUE(changes(stream->body).empty());
}

TEST(Watch, TheServerSendsOnlyTheNodesOfARange) {
  constexpr const char* kPart =
      R"({"node":"m1","kind":"cpu","slot":"0","serial":"","attributes":{}})";
  TestMaster master;
  master.add_node("n1");
  master.add_node("n2");
  master.add_node("m1");
  const auto past = watch(master, "?since=0&nodes=n%5B1-2%5D");
  EXPECT_EQ(changes(past->body), changes_up_to(1, 2));
  const auto all = watch(master, "?nodes=*");
  const auto one = watch(master, "?nodes=m1");
  master.add_node("n3");
  EXPECT_EQ(changes(past->body), changes_up_to(1, 2)) << "not in the range";
  EXPECT_EQ(changes(all->body), changes_up_to(4, 4)) << "a node that is new belongs to *";
  // A part of a node, and something that belongs to no node.
  ASSERT_TRUE(master.write([](store::Transaction& tx) -> Status {
    DROVER_CHECK_OK(tx.put(cluster::kPartKind, "m1/cpu/0", kPart));
    DROVER_CHECK_OK(tx.put("item", "m1", "{}"));
    return {};
  }));
  EXPECT_EQ(changes(one->body), changes_up_to(5, 5));
  // Its removal is told as well.
  ASSERT_TRUE(master.write([](store::Transaction& tx) -> Status {
    DROVER_CHECK_OK(tx.erase("node", "m1"));
    return {};
  }));
  EXPECT_EQ(changes(one->body), (std::vector<std::string>{"change 5", "change 7"}));
  EXPECT_EQ(changes(all->body).back(), "change 7");
}

TEST(Watch, ARangeByAttributeFollowsTheNodes) {
  TestMaster master;
  for (const char* name : {"n1", "n2"}) master.add_node(name);
  const auto flagged = watch(master, "?nodes=flag%3Dwarning");
  const auto patch = [&](const char* name, const std::string& body) {
    const auto answer = master.ask("PATCH", std::string("/api/v1/nodes/") + name, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
  };
  ASSERT_TRUE(master.world.run_for(seconds(2)));
  patch("n1", R"({"flag":"warning"})");
  EXPECT_EQ(changes(flagged->body), changes_up_to(3, 3)) << "n1 enters";
  patch("n2", R"({"locked":true})");
  ASSERT_TRUE(master.world.run_for(seconds(2)));
  patch("n1", R"({"flag":"ok"})");
  EXPECT_EQ(changes(flagged->body), (std::vector<std::string>{"change 3", "change 5"})) << "leaves";
}

TEST(Watch, RefusesARangeOfUnknownNodes) {
  TestMaster master;
  master.add_node("n1");
  EXPECT_EQ(watch(master, "?nodes=n%5B1-2%5D")->status, 404);
  EXPECT_EQ(watch(master, "?nodes=n%5B1")->status, 400);
}

/// One client of many lives: it reads until its connection breaks, then goes on behind the last id
/// that it has, also over restarts of the whole master.
TEST(Watch, ResumingOverRestartsHasNeitherGapNorDuplicate) {
  sim::SimRandom random(11, "watch");
  for (int round = 0; round < 30; ++round) {
    sim::SimDisk disk;
    uint64_t last = 0;
    uint64_t written = 0;
    std::vector<uint64_t> seen;
    for (int life = 0; life < 4; ++life) {
      TestMaster master(&disk);
      auto stream = watch(master, fmt::format("?since={}", last));
      size_t read = 0;
      const auto take = [&] {
        // The client has read all but a random rest of what was sent.
        const auto got = changes(stream->body);
        const size_t upto = got.size() - random.below(std::min<size_t>(got.size() - read, 3) + 1);
        for (; read < upto; ++read) seen.push_back(std::stoull(got[read].substr(7)));
        if (!seen.empty()) last = seen.back();
      };
      for (uint64_t step = 0; step < 5 + random.below(20); ++step) {
        if (random.below(3) != 0) master.add_node(fmt::format("n{}", ++written));
        if (random.below(4) == 0) stream->unsent = random.below(2) * (size_t{2} << 20);
        if (stream->unsent == 0 && stream->drained) stream->drained();
        ASSERT_TRUE(master.world.run_for(std::chrono::milliseconds(random.below(50))));
        if (random.below(4) != 0) continue;
        take();
        if (random.below(2) == 0) {
          stream->gone();
          stream = watch(master, fmt::format("?since={}", last));
          read = 0;
        }
      }
      take();
      if (random.below(2) == 0) disk.detach();  // killed, not closed
    }
    TestMaster master(&disk);
    const auto rest = watch(master, fmt::format("?since={}", last));
    for (const std::string& event : changes(rest->body))
      seen.push_back(std::stoull(event.substr(7)));
    ASSERT_EQ(seen.size(), written) << "round " << round;
    for (uint64_t i = 0; i < written; ++i) ASSERT_EQ(seen[i], i + 1) << "round " << round;
  }
}

}  // namespace
}  // namespace drover::api

#include "api/watch_hub.hpp"

#include "api/test_master.hpp"

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
  master.store->prune(0, 2, [&](const Result<uint64_t>&) { pruned = true; });
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

}  // namespace
}  // namespace drover::api

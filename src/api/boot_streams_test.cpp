// GET /boot/progress and /boot/log with boot daemons that say what the test says.
#include "api/boot_view.hpp"
#include "api/test_master.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

class BootStreams : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"n1", "n2"}) master.add_node(name);
    master.boot_daemons.daemons = {{"boot1", true, ""}, {"boot2", true, ""}};
  }
  std::shared_ptr<Recorded> open(const std::string& target) {
    return master.send({"GET", target, {}, "", {}}, person("viewer"));
  }
  auto& asked(size_t i) { return *master.boot_daemons.asked.at(i); }
  void turn() { ASSERT_TRUE(master.world.run_for(std::chrono::milliseconds(1))); }

  static std::string line(const std::string& node, int second, const std::string& text) {
    return fmt::format(
        R"({{"line":{{"time":"2026-01-01T00:00:{:02}.000Z","node":"{}","source":"kernel",)"
        R"("text":"{}","daemon":"?"}}}})"
        "\n",
        second, node, text);
  }
  /// "daemon:text" of each line, "caught-up", "problem DAEMON" and "end", in order.
  static std::string told(const Recorded& recorded) {
    std::string out;
    std::string_view rest = recorded.body;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      const auto event = decode_text<BootLogEvent>(rest.substr(0, end)).value();
      rest.remove_prefix(end + 1);
      if (event.line) out += event.line->daemon + ":" + event.line->text + " ";
      if (event.problem) out += "problem " + event.problem->daemon + " ";
      if (event.caught_up) out += "caught-up ";
      if (event.end) out += "end ";
    }
    return out;
  }
  static constexpr const char* kCaughtUp = "{\"caught_up\":true}\n";

  TestMaster master;
};

TEST_F(BootStreams, LogsOfSeveralDaemonsAreOne) {
  const auto log = open("/api/v1/boot/log?nodes=n[1-2]&grep=a|b&lines=9");
  ASSERT_EQ(master.boot_daemons.asked.size(), 2U);
  const auto query = decode_text<BootLogQuery>(asked(0).request.body).value();
  EXPECT_EQ(asked(0).request.target, "/boot/log");
  EXPECT_EQ(query.nodes, "n[1-2]");
  EXPECT_EQ(query.grep, "a|b");
  EXPECT_EQ(query.lines, 9U);
  EXPECT_FALSE(query.follow);
  asked(0).answer(line("n1", 1, "a") + line("n1", 3, "c") + kCaughtUp);
  EXPECT_FALSE(log->complete);
  asked(1).answer(line("n1", 2, "b") + line("n2", 1, "d") + kCaughtUp);
  EXPECT_EQ(told(*log), "boot1:a boot2:b boot1:c boot2:d caught-up end ");
  EXPECT_TRUE(log->complete);
  turn();
  EXPECT_TRUE(asked(0).left);
}

TEST_F(BootStreams, ADaemonThatIsAwayIsNamedAndTheOthersAreHeard) {
  master.boot_daemons.daemons = {{"boot1", true, ""}, {"boot2", false, "silent for 3 s"}};
  const auto log = open("/api/v1/boot/log?nodes=n1");
  ASSERT_EQ(master.boot_daemons.asked.size(), 1U);
  asked(0).answer(line("n1", 1, "a") + kCaughtUp);
  EXPECT_EQ(told(*log), "problem boot2 boot1:a caught-up end ");
  EXPECT_NE(log->body.find("is not linked: silent for 3 s"), std::string::npos);
}

TEST_F(BootStreams, ADaemonThatRefusesOrBreaksOffIsAProblemOfItsOwn) {
  const auto log = open("/api/v1/boot/log?nodes=n1");
  asked(0).events.on_head({404, {}, {}});
  asked(0).events.on_chunk(
      R"({"type":"t","title":"t","status":404,"detail":"knows no such thing"})");
  asked(0).events.on_end({});
  asked(1).events.on_head({200, {}, {}});
  asked(1).events.on_chunk(line("n1", 1, "a").substr(0, 20));
  asked(1).events.on_chunk(line("n1", 1, "a").substr(20) + "no json\n{\"caught_");
  asked(1).events.on_end(fail(Code::unreachable, "the link is gone"));
  EXPECT_EQ(told(*log), "problem boot1 boot2:a problem boot2 problem boot2 caught-up end ");
  EXPECT_NE(log->body.find("knows no such thing"), std::string::npos);
  EXPECT_NE(log->body.find("the link is gone"), std::string::npos);
}

TEST_F(BootStreams, NobodyToAskIsSaid) {
  master.boot_daemons.daemons.clear();
  const auto log = open("/api/v1/boot/log");
  EXPECT_EQ(told(*log), "problem  end ");
  EXPECT_EQ(log->status, 200);
}

TEST_F(BootStreams, AFollowedLogGoesOnAndEndsWhenOthersAreLinked) {
  const auto log = open("/api/v1/boot/log?nodes=n1&follow=true");
  for (size_t i : {0U, 1U}) asked(i).events.on_head({200, {}, {}});
  asked(0).events.on_chunk(line("n1", 5, "old") + kCaughtUp + line("n1", 6, "new"));
  EXPECT_EQ(told(*log), "") << "the other may have something earlier";
  asked(1).events.on_chunk(line("n1", 1, "first") + kCaughtUp);
  EXPECT_EQ(told(*log), "boot2:first boot1:old caught-up boot1:new ");
  asked(1).events.on_chunk(line("n1", 7, "live"));
  EXPECT_NE(told(*log).find("boot2:live"), std::string::npos);
  EXPECT_FALSE(log->complete);
  master.boot_daemons.daemons.push_back({"boot3", true, ""});
  ASSERT_TRUE(master.world.run_for(std::chrono::seconds(11)));
  EXPECT_TRUE(log->complete);
  EXPECT_EQ(told(*log).find("end"), std::string::npos);
  EXPECT_TRUE(asked(0).left && asked(1).left);
}

TEST_F(BootStreams, WhoLeavesIsLeftAlone) {
  const auto log = open("/api/v1/boot/log?nodes=n1&follow=true");
  log->gone();
  turn();
  EXPECT_TRUE(asked(0).left && asked(1).left);
}

TEST_F(BootStreams, AReaderThatIsSlowHoldsTheDaemonsBack) {
  const auto log = open("/api/v1/boot/log?nodes=n1&follow=true");
  for (size_t i : {0U, 1U}) asked(i).events.on_head({200, {}, {}});
  log->unsent = size_t{1} << 20;
  asked(0).events.on_chunk(line("n1", 1, "a"));
  EXPECT_TRUE(asked(0).paused && asked(1).paused);
  log->unsent = 0;
  log->drained();
  EXPECT_FALSE(asked(0).paused || asked(1).paused);
  std::string many;
  for (int i = 0; i < 3000; ++i) many += line("n1", 2, "x");
  asked(0).events.on_chunk(many);
  EXPECT_TRUE(asked(0).paused) << "it is far ahead of the other";
  EXPECT_FALSE(asked(1).paused);
}

TEST_F(BootStreams, ProgressIsHandedOn) {
  const auto progress = open("/api/v1/boot/progress?nodes=n1&follow=true");
  EXPECT_EQ(decode_text<BootProgressQuery>(asked(1).request.body).value().nodes, "n1");
  for (size_t i : {0U, 1U}) asked(i).events.on_head({200, {}, {}});
  asked(0).events.on_chunk(
      R"({"boot":{"node":"n1","stage":"kernel","since":"2026-01-01T00:00:00.000Z","why":"w",)"
      R"("item":"kernel","done":1,"total":2,"deadline":null,"daemon":"boot1"}})"
      "\n{}\n{\"ended\":\"n1\"}\n{\"caught_up\":true}\n");
  EXPECT_NE(progress->body.find(R"("done":1,"total":2)"), std::string::npos);
  EXPECT_NE(progress->body.find(R"("ended":"n1")"), std::string::npos);
  EXPECT_EQ(progress->body.find(R"("caught_up":true)"), std::string::npos);
  asked(1).events.on_chunk("{\"caught_up\":true}\n");
  EXPECT_NE(progress->body.find(R"("caught_up":true)"), std::string::npos);
}

TEST_F(BootStreams, MistakesAreRefusedBeforeAnybodyIsAsked) {
  EXPECT_EQ(master.get("/api/v1/boot/log?grep=(").status, 400);
  EXPECT_EQ(master.get("/api/v1/boot/log?since=noon").status, 400);
  EXPECT_EQ(master.get("/api/v1/boot/log?follow=maybe").status, 400);
  EXPECT_EQ(master.get("/api/v1/boot/log?nodes=nosuch").status, 404);
  EXPECT_EQ(master.get("/api/v1/boot/progress?nodes=n[1-").status, 400);
  EXPECT_TRUE(master.boot_daemons.asked.empty());
}

}  // namespace
}  // namespace drover::api

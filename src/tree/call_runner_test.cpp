#include "tree/call_runner.hpp"

#include "proto/calls.pb.h"
#include "sim/world.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::tree {
namespace {

using namespace std::chrono_literals;

class Askers final : public Peers {
 public:
  Status send(const std::string& peer, MessageType type, std::string_view payload) override {
    EXPECT_EQ(type, MessageType::call_answer);
    proto::CallAnswer answer;
    EXPECT_TRUE(answer.ParseFromString(std::string(payload)));
    got.emplace_back(peer, answer);
    return {};
  }
  std::vector<std::pair<std::string, proto::CallAnswer>> got;
};

class CallRunnerTest : public testing::Test {
 protected:
  void SetUp() override { make({}); }

  void make(const CallRunner::Limits& limits) {
    runner = std::make_unique<CallRunner>(process.executor(), process.log(), askers, limits);
    runner->handle("echo", Repeat::harmless, [this](CallRequest request, CallReply reply) {
      ++runs;
      reply(request.payload);
    });
    runner->handle("wait", Repeat::never, [this](CallRequest, CallReply reply) {
      ++runs;
      waiting.push_back(std::move(reply));
    });
  }

  void call(const std::string& asker, const std::string& id, const std::string& method,
            const std::string& payload = "", uint32_t age_ms = 0) {
    proto::Call message;
    message.set_id(id);
    message.set_method(method);
    message.set_payload(payload);
    message.set_budget_ms(1000);
    message.set_age_ms(age_ms);
    runner->on_call(asker, message.SerializeAsString());
  }

  sim::World world{1};
  sim::SimProcess process{world, {.name = "node", .host = "h"}};
  Askers askers;
  std::vector<CallReply> waiting;
  std::unique_ptr<CallRunner> runner;
  int runs = 0;
};

TEST_F(CallRunnerTest, OneIdRunsOnceAndIsAnsweredFromMemory) {
  call("a1", "c", "echo", "x");
  call("a2", "c", "echo", "x");
  EXPECT_EQ(runs, 1);
  ASSERT_EQ(askers.got.size(), 2U);
  EXPECT_EQ(askers.got[1].first, "a2");
  EXPECT_EQ(askers.got[1].second.result(), "x");
}

TEST_F(CallRunnerTest, ARunningCallAnswersWhoeverHasAsked) {
  call("a1", "c", "wait");
  call("a2", "c", "wait");
  call("a2", "c", "wait");
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(askers.got.empty());
  waiting.at(0)("done");
  ASSERT_EQ(askers.got.size(), 2U);
  EXPECT_EQ(askers.got[0].first, "a1");
  EXPECT_EQ(askers.got[1].first, "a2");
}

TEST_F(CallRunnerTest, ALateReplyChangesNothing) {
  call("a1", "c", "wait");
  ASSERT_TRUE(world.run_for(2s));
  ASSERT_EQ(askers.got.size(), 1U);
  EXPECT_EQ(askers.got[0].second.outcome(), proto::TIMED_OUT);
  waiting.at(0)("too late");
  waiting.at(0)("twice");
  call("a1", "c", "wait");
  ASSERT_EQ(askers.got.size(), 2U);
  EXPECT_EQ(askers.got[1].second.outcome(), proto::TIMED_OUT);
  EXPECT_EQ(runs, 1);
}

TEST_F(CallRunnerTest, IdsOutliveTheirResultsWhenMemoryIsShort) {
  make({.answer_bytes = 1000});
  for (int i = 0; i < 20; ++i) call("a1", "c" + std::to_string(i), "echo", std::string(100, 'x'));
  askers.got.clear();
  call("a2", "c0", "echo", std::string(100, 'x'));
  call("a2", "c19", "echo", std::string(100, 'x'));
  EXPECT_EQ(runs, 20);
  EXPECT_EQ(askers.got.at(0).second.outcome(), proto::FAILED);
  EXPECT_EQ(askers.got.at(0).second.code(), "exhausted");
  EXPECT_EQ(askers.got.at(1).second.outcome(), proto::DONE);
}

TEST_F(CallRunnerTest, RemembersForTheTimeAndTheNumberPromised) {
  make({.remembered = 10});
  for (int i = 0; i < 11; ++i) call("a1", "c" + std::to_string(i), "echo");
  call("a1", "c1", "echo");
  EXPECT_EQ(runs, 11) << "ten are remembered";
  call("a1", "c0", "echo");
  EXPECT_EQ(runs, 12) << "the eleventh last is not";
  ASSERT_TRUE(world.run_for(9min));
  call("a1", "c10", "echo");
  EXPECT_EQ(runs, 12);
  ASSERT_TRUE(world.run_for(2min));
  call("a1", "c10", "echo");
  EXPECT_EQ(runs, 13);
}

TEST_F(CallRunnerTest, RefusesWhatMayHaveRunInItsEarlierLife) {
  ASSERT_TRUE(world.run_for(500ms));
  call("a1", "old", "wait", "", 501);
  ASSERT_EQ(askers.got.size(), 1U);
  EXPECT_EQ(askers.got[0].second.code(), "conflict");
  EXPECT_EQ(runs, 0);
  call("a1", "young", "wait", "", 499);
  call("a1", "harmless", "echo", "", 501);
  EXPECT_EQ(runs, 2);
}

TEST_F(CallRunnerTest, RefusesMoreThanItMayRunAtOnce) {
  make({.running = 2});
  call("a1", "c1", "wait");
  call("a1", "c2", "wait");
  call("a1", "c3", "wait");
  ASSERT_EQ(askers.got.size(), 1U);
  EXPECT_EQ(askers.got[0].second.code(), "exhausted");
  waiting.at(0)("done");
  call("a1", "c3", "wait");
  EXPECT_EQ(runs, 3) << "what was refused for now has not used up its id";
}

TEST_F(CallRunnerTest, RepliesMayOutliveTheRunner) {
  call("a1", "c1", "wait");
  call("a1", "c2", "wait");
  runner.reset();
  waiting.at(0)("nobody hears this");
  waiting.clear();
  EXPECT_TRUE(askers.got.empty());
}

}  // namespace
}  // namespace drover::tree

// Calls through dispatch, relay and runner together.
#include "base/noderange.hpp"
#include "tree/call_test_tree.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace drover::tree {
namespace {

using namespace testing;

std::vector<std::string> all_nodes(const TestTree& tree) {
  std::vector<std::string> out;
  for (const auto& [name, node] : tree.nodes) out.push_back(name);
  return out;
}

CallSpec spec(TestTree& tree, const std::string& method, Duration budget = 5s) {
  return {
      .id = "c1", .method = method, .payload = "hi", .budget = budget, .targets = all_nodes(tree)};
}

void expect_finish(TestTree& tree, const Outcomes& outcomes, Duration limit) {
  const Status ran = tree.world.run_until([&] { return !outcomes.done.empty(); }, limit);
  EXPECT_TRUE(ran) << (ran ? "" : ran.error().text());
}

/// Outcome by node, after checking that groups, counts and totals agree and no node is named twice.
std::map<std::string, CallGroup> by_node(const CallReport& report) {
  std::map<std::string, CallGroup> out;
  CallTotals totals;
  size_t last = SIZE_MAX;
  for (const CallGroup& group : report.groups) {
    const auto names = expand_names(group.nodes).value();
    EXPECT_EQ(names.size(), group.count);
    EXPECT_LE(group.count, last) << "the biggest group comes first";
    last = group.count;
    totals.counts.at(static_cast<size_t>(group.outcome)) += names.size();
    for (const std::string& name : names) EXPECT_TRUE(out.emplace(name, group).second) << name;
  }
  EXPECT_EQ(totals.counts, report.totals.counts);
  EXPECT_EQ(totals.answered(), report.targets);
  return out;
}

TEST(CallTree, TenThousandEqualAnswersAreOneGroup) {
  TestTree tree(1, 3, 10'000);
  const auto outcomes = start(tree, spec(tree, "echo"));
  expect_finish(tree, *outcomes, 1s);
  const CallReport& report = outcomes->done.at(0);
  ASSERT_EQ(report.groups.size(), 1U);
  EXPECT_EQ(report.groups[0].nodes, "n[1-10000]");
  EXPECT_EQ(report.groups[0].result, "hi");
  EXPECT_EQ(report.totals.of(Outcome::done), 10'000U);
  // Folded on the way: a few messages, not ten thousand.
  EXPECT_LT(tree.links.wires.at("a1")->sent_bytes(), 40'000U);
  EXPECT_LT(tree.sent_to("a1"), 10U);
}

TEST(CallTree, ProgressNamesEachNodeOnceAndAddsUp) {
  TestTree tree(2, 2, 200);
  const auto outcomes = start(tree, spec(tree, "slow"));
  expect_finish(tree, *outcomes, 5s);
  EXPECT_GT(outcomes->progress.size(), 3U);
  std::set<std::string> seen;
  for (const CallReport& fresh : outcomes->progress) {
    for (const CallGroup& group : fresh.groups) {
      const auto names = expand_names(group.nodes).value();
      for (const std::string& name : names) {
        EXPECT_TRUE(seen.insert(name).second) << name;
      }
    }
    EXPECT_EQ(fresh.totals.answered(), seen.size());
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST(CallTree, NodesWithoutAWayAreReportedAtDispatch) {
  TestTree tree(3, 2, 10);
  tree.home["n3"].clear();
  CallSpec call = spec(tree, "slow");
  call.targets.emplace_back("nobody");
  call.targets.emplace_back("n4");  // named twice
  const auto outcomes = start(tree, std::move(call));
  EXPECT_TRUE(outcomes->progress.empty()) << "no callback inside start";
  ASSERT_TRUE(tree.world.run_for(1us));
  ASSERT_EQ(outcomes->progress.size(), 1U);
  EXPECT_EQ(outcomes->progress[0].totals.of(Outcome::unreached), 2U);
  expect_finish(tree, *outcomes, 5s);
  auto nodes = by_node(outcomes->done.at(0));
  EXPECT_EQ(nodes.size(), 11U);
  EXPECT_EQ(nodes["n3"].error.message, "no aggregator serves it");
  EXPECT_EQ(nodes["nobody"].error.code, Code::not_found);
  EXPECT_EQ(nodes["n4"].outcome, Outcome::done);
}

TEST(CallTree, ANodeThatItsAggregatorDoesNotHaveIsUnreachedSoon) {
  TestTree tree(4, 2, 10);
  tree.break_node(tree.home["n5"], "n5");
  const auto outcomes = start(tree, spec(tree, "echo", 60s));
  expect_finish(tree, *outcomes, 2s);
  auto nodes = by_node(outcomes->done.at(0));
  EXPECT_EQ(nodes["n5"].outcome, Outcome::unreached);
  EXPECT_EQ(nodes["n5"].error.message, "not linked");
  EXPECT_EQ(outcomes->done[0].totals.of(Outcome::done), 9U);
}

TEST(CallTree, UnknownMethodNamesTheKnownOnes) {
  TestTree tree(5, 1, 2);
  const auto outcomes = start(tree, spec(tree, "fly\x1b[2J"));
  expect_finish(tree, *outcomes, 1s);
  ASSERT_EQ(outcomes->done[0].groups.size(), 1U);
  const CallGroup& group = outcomes->done[0].groups[0];
  EXPECT_EQ(group.outcome, Outcome::failed);
  EXPECT_EQ(group.error.code, Code::unsupported);
  EXPECT_NE(group.error.message.find("act, big, drop, echo, mute, slow"), std::string::npos);
  EXPECT_EQ(group.error.message.find('\x1b'), std::string::npos);
}

TEST(CallTree, SlipsOfAMethodEndAsFailedNotAsSilence) {
  TestTree tree(6, 1, 2);
  const auto dropped = start(tree, spec(tree, "drop", 60s));
  expect_finish(tree, *dropped, 1s);
  EXPECT_EQ(dropped->done[0].groups.at(0).error.code, Code::internal);
  CallSpec big = spec(tree, "big", 60s);
  big.id = "c2";
  const auto too_big = start(tree, std::move(big));
  expect_finish(tree, *too_big, 1s);
  EXPECT_EQ(too_big->done[0].groups.at(0).error.code, Code::too_large);
}

TEST(CallTree, TheNodesThatDoNotAnswerInTimeAreNamed) {
  TestTree tree(7, 2, 6);
  const auto outcomes = start(tree, spec(tree, "mute", 2s));
  expect_finish(tree, *outcomes, 2s);
  ASSERT_EQ(outcomes->done.size(), 1U);
  EXPECT_EQ(outcomes->done[0].totals.of(Outcome::timed_out), 6U);
  EXPECT_EQ(outcomes->done[0].groups[0].nodes, "n[1-6]");
  EXPECT_EQ(tree.cancels["c1"], 6) << "the handlers are told that nobody waits any more";
  // The word comes from the nodes, before the master's own clock runs out.
  EXPECT_EQ(outcomes->done[0].groups[0].error.message, "the node did not finish in time");
}

TEST(CallTree, CancelReachesEveryHop) {
  TestTree tree(8, 2, 6);
  const auto outcomes = start(tree, spec(tree, "mute", 60s));
  ASSERT_TRUE(tree.world.run_for(100ms));
  ASSERT_TRUE(tree.dispatch.cancel("c1"));
  expect_finish(tree, *outcomes, 500ms);
  EXPECT_EQ(outcomes->done.at(0).totals.of(Outcome::failed), 6U);
  EXPECT_EQ(outcomes->done[0].groups.at(0).error.code, Code::cancelled);
  EXPECT_EQ(tree.cancels["c1"], 6);
  EXPECT_EQ(tree.dispatch.cancel("c1").error().code, Code::not_found);
  EXPECT_EQ(tree.dispatch.running(), 0U);
}

TEST(CallTree, CancelOfNodesThatNoLongerAnswerEndsAfterTheGrace) {
  TestTree tree(9, 1, 2);
  const auto outcomes = start(tree, spec(tree, "mute", 60s));
  ASSERT_TRUE(tree.world.run_for(100ms));
  tree.nodes.at("n1")->up.wires.clear();  // its answers go nowhere, its link stays up
  ASSERT_TRUE(tree.dispatch.cancel("c1"));
  expect_finish(tree, *outcomes, 1s);
  EXPECT_EQ(outcomes->done.at(0).totals.of(Outcome::failed), 2U);
}

TEST(CallTree, AnAggregatorsLossIsSurvivedByTheOtherPath) {
  TestTree tree(10, 2, 20);
  const auto outcomes = start(tree, spec(tree, "act"));
  ASSERT_TRUE(tree.world.run_for(50ms));
  tree.restart_aggregator("a1");
  ASSERT_TRUE(tree.world.run_for(500ms));
  for (const auto& [node, home] : std::map(tree.home)) {
    if (home == "a1") tree.rehome(node, "a2");
  }
  expect_finish(tree, *outcomes, 5s);
  EXPECT_EQ(outcomes->done.at(0).totals.of(Outcome::done), 20U);
  for (const auto& [node, times] : tree.runs["c1"]) EXPECT_EQ(times, 1) << node;
}

TEST(CallTree, ALostLinkToTheMasterIsTakenUpAgain) {
  TestTree tree(11, 1, 50);
  const auto outcomes = start(tree, spec(tree, "act"));
  ASSERT_TRUE(tree.world.run_for(300ms));
  tree.break_master("a1");
  ASSERT_TRUE(tree.world.run_for(1s));  // by now all have answered, to the relay
  EXPECT_TRUE(outcomes->done.empty());
  tree.link_master("a1");
  expect_finish(tree, *outcomes, 100ms);
  EXPECT_EQ(outcomes->done.at(0).totals.of(Outcome::done), 50U);
  for (const auto& [node, times] : tree.runs["c1"]) EXPECT_EQ(times, 1) << node;
}

TEST(CallTree, WithoutANewWayTheLostAreUnreachedInTime) {
  TestTree tree(12, 2, 10);
  const auto outcomes = start(tree, spec(tree, "mute", 60s));
  ASSERT_TRUE(tree.world.run_for(50ms));
  tree.break_master("a1");
  ASSERT_TRUE(tree.world.run_for(4900ms));
  EXPECT_TRUE(outcomes->progress.empty());
  ASSERT_TRUE(tree.world.run_for(500ms));
  ASSERT_EQ(outcomes->progress.size(), 1U);
  ASSERT_EQ(outcomes->progress[0].groups.size(), 1U);
  EXPECT_EQ(outcomes->progress[0].groups[0].error.message,
            "the link to a1 was lost: connection reset; the node may have got the call before");
}

TEST(CallTree, WhatActsIsNotRunAgainAfterARestart) {
  TestTree tree(13, 1, 3);
  const auto outcomes = start(tree, spec(tree, "act", 5s));
  ASSERT_TRUE(tree.world.run_for(10ms));
  tree.restart("n1");
  tree.restart("n2");
  expect_finish(tree, *outcomes, 6s);
  auto nodes = by_node(outcomes->done.at(0));
  EXPECT_EQ(nodes["n1"].error.code, Code::conflict) << nodes["n1"].error.message;
  EXPECT_EQ(nodes["n3"].outcome, Outcome::done);
  for (const auto& [node, times] : tree.runs["c1"]) EXPECT_EQ(times, 1) << node;
}

TEST(CallTree, WhatReadsIsRunAgainAfterARestart) {
  TestTree tree(14, 1, 3);
  const auto outcomes = start(tree, spec(tree, "slow", 5s));
  ASSERT_TRUE(tree.world.run_for(1ms));
  tree.restart("n1");
  expect_finish(tree, *outcomes, 6s);
  EXPECT_EQ(outcomes->done.at(0).totals.of(Outcome::done), 3U);
}

TEST(CallTree, AnAggregatorCanBeCalledItself) {
  TestTree tree(15, 2, 4);
  tree.aggregators["a1"]->own.handle("echo", Repeat::harmless,
                                     [](CallRequest, CallReply reply) { reply("me"); });
  CallSpec call = spec(tree, "echo");
  call.targets.emplace_back("a1");
  const auto outcomes = start(tree, std::move(call));
  expect_finish(tree, *outcomes, 1s);
  auto nodes = by_node(outcomes->done.at(0));
  EXPECT_EQ(nodes["a1"].result, "me");
  EXPECT_EQ(nodes["n1"].result, "hi");
  EXPECT_EQ(nodes.size(), 5U);
}

TEST(CallTree, CallsThatMakeNoSenseAreRefused) {
  TestTree tree(16, 1, 1);
  const auto code = [&](const CallSpec& call) {
    const Status status = tree.dispatch.start(call, nullptr, [](const CallReport&) { FAIL(); });
    return status ? Code::internal : status.error().code;
  };
  const CallSpec good = spec(tree, "echo");
  CallSpec bad = good;
  bad.id = "";
  EXPECT_EQ(code(bad), Code::invalid_argument);
  bad.id = std::string(129, 'x');
  EXPECT_EQ(code(bad), Code::invalid_argument);
  bad = good;
  bad.targets.clear();
  EXPECT_EQ(code(bad), Code::invalid_argument);
  bad = good;
  bad.budget = 0s;
  EXPECT_EQ(code(bad), Code::invalid_argument);
  bad.budget = 25h;
  EXPECT_EQ(code(bad), Code::invalid_argument);
  bad = good;
  bad.payload.resize(kMaxCallPayload + 1);
  EXPECT_EQ(code(bad), Code::too_large);
  bad = good;
  bad.payload.resize(kMaxCallPayload);
  EXPECT_NE(start(tree, bad), nullptr);
  EXPECT_EQ(code(good), Code::already_exists);
  EXPECT_EQ(tree.dispatch.cancel("unknown").error().code, Code::not_found);
  ASSERT_TRUE(tree.world.run_for(1s));
  EXPECT_EQ(tree.dispatch.running(), 0U);
}

TEST(CallTree, GarbageFromPeersChangesNothing) {
  TestTree tree(17, 1, 4);
  const auto outcomes = start(tree, spec(tree, "slow"));
  for (const std::string garbage : {"", "\xff\xff\xff",
                                    "\x0a\x02"
                                    "c1",
                                    "\x0a\x02"
                                    "c1\x12\x04\x0a\x02[1"}) {
    tree.dispatch.on_answers("a1", garbage);
    tree.dispatch.on_answer("a1", garbage);
    tree.aggregators["a1"]->relay->on_call("m", garbage);
    tree.aggregators["a1"]->relay->on_cancel("other", garbage.substr(0, 3));
    tree.aggregators["a1"]->relay->on_answer("stranger", garbage);
    tree.nodes["n1"]->runner->on_call("a1", garbage.substr(0, 3));
    tree.nodes["n1"]->runner->on_cancel(garbage.substr(0, 3));
  }
  expect_finish(tree, *outcomes, 5s);
  EXPECT_EQ(outcomes->done.at(0).totals.of(Outcome::done), 4U);
}

/// Random trees, random trouble: whatever happens, each target ends exactly once, in time, and what
/// is called done was done.
class Trouble {
 public:
  explicit Trouble(uint64_t seed) : tree_(seed, 3, 12), random_(tree_.world.stream("trouble")) {}

  void run() {
    static const std::vector<std::string> methods = {"echo", "act", "slow", "mute"};
    for (int i = 0; i < 4; ++i) {
      CallSpec call{.id = fmt::format("c{}", i),
                    .method = methods[random_.below(methods.size())],
                    .payload = "hi",
                    .budget = random_.between(50ms, 8s),
                    .targets = all_nodes(tree_)};
      call.targets.emplace_back("nobody");
      calls_.emplace_back(call, start(tree_, call));
      started_.push_back(tree_.world.now());
      trouble(random_.between(0ms, 2s));
    }
    ASSERT_TRUE(tree_.world.run_for(9s));
    for (size_t i = 0; i < calls_.size(); ++i) check(i);
    EXPECT_EQ(tree_.dispatch.running(), 0U);
    ASSERT_TRUE(tree_.world.run_for(10s));
    for (const auto& [name, aggregator] : tree_.aggregators) {
      EXPECT_EQ(aggregator->relay->gathering(), 0U);
    }
    for (const auto& [name, node] : tree_.nodes) EXPECT_EQ(node->runner->running(), 0U);
  }

 private:
  std::string any_node() { return fmt::format("n{}", 1 + random_.below(12)); }
  std::string any_aggregator() { return fmt::format("a{}", 1 + random_.below(3)); }

  void trouble(Duration time) {
    const Duration end = tree_.world.now() + time;
    while (tree_.world.now() < end) {
      one();
      ASSERT_TRUE(tree_.world.run_for(random_.between(0ms, 200ms)));
    }
  }

  void one() {
    const std::string node = any_node();
    const std::string aggregator = any_aggregator();
    switch (random_.below(9)) {
      case 0:
        return tree_.break_node(tree_.home[node], node);
      case 1:
        return tree_.rehome(node, aggregator);
      case 2:
        return tree_.restart(node);
      case 3:
        return tree_.break_master(aggregator);
      case 4:
      case 5:
        tree_.break_master(aggregator);
        return tree_.link_master(aggregator);
      case 6: {
        tree_.restart_aggregator(aggregator);
        return tree_.link_master(aggregator);
      }
      case 7: {
        if (random_.below(3) != 0) return;
        const std::string id = fmt::format("c{}", random_.below(4));
        if (tree_.dispatch.cancel(id)) cancelled_.insert(id);
        return;
      }
      default:
        tree_.break_node(tree_.home[node], node);
        return tree_.link_node(tree_.home[node], node);
    }
  }

  void check(size_t i) {
    const auto& [call, outcomes] = calls_[i];
    SCOPED_TRACE(call.id + " " + call.method);
    ASSERT_EQ(outcomes->done.size(), 1U);
    EXPECT_LE(outcomes->finished - started_[i], call.budget + 1us);
    const auto nodes = by_node(outcomes->done[0]);
    EXPECT_EQ(nodes.size(), 13U);
    for (const auto& [node, group] : nodes) {
      const int times = tree_.runs[call.id][node];
      if (group.outcome == Outcome::done) {
        EXPECT_GE(times, 1);
        EXPECT_EQ(group.result, call.method == "echo" ? "hi" : "ok");
      } else {
        EXPECT_FALSE(group.error.message.empty());
      }
      if (call.method == "act") EXPECT_LE(times, 1) << node;
      if (call.method == "mute") EXPECT_NE(group.outcome, Outcome::done);
      const bool says_cancelled =
          group.outcome != Outcome::done && group.error.code == Code::cancelled;
      if (says_cancelled) EXPECT_TRUE(cancelled_.contains(call.id));
    }
    size_t told = 0;
    for (const CallReport& fresh : outcomes->progress) {
      for (const CallGroup& group : fresh.groups) told += group.count;
    }
    EXPECT_EQ(told, 13U);
  }

  TestTree tree_;
  sim::SimRandom random_;
  std::vector<std::pair<CallSpec, std::shared_ptr<Outcomes>>> calls_;
  std::vector<Duration> started_;
  std::set<std::string> cancelled_;
};

TEST(CallTree, EveryTargetEndsOnceWhateverBreaks) {
  for (uint64_t seed = 1; seed <= 500 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Trouble(seed).run();
  }
}

}  // namespace
}  // namespace drover::tree

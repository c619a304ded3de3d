#include "cluster/model.hpp"

#include "cluster/memory_store.hpp"

#include <chrono>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using testing::MemoryTransaction;

Node make_node(const std::string& name) {
  Node node;
  node.name = name;
  node.id = "id-" + name;
  node.phase.state = PhaseState::up;
  node.phase.since = from_unix_ms(1'700'000'000'000);
  node.summary.cpus = 4;
  return node;
}

TEST(Model, FollowsCommittedChanges) {
  MemoryTransaction tx;
  Model model;
  ASSERT_TRUE(write_node(tx, make_node("n1")));
  ASSERT_TRUE(tx.put(kPartKind, "n1/cpu/0", R"({"node":"n1","kind":"cpu","slot":"0"})"));
  ASSERT_TRUE(note_daemon(tx, {"aggregator", "agg1", {}, {"127.0.0.1:1"}}, "x"));
  ASSERT_TRUE(model.apply(tx.changes));
  EXPECT_EQ(model.sequence(), 3U);
  ASSERT_NE(model.find("n1"), nullptr);
  EXPECT_EQ(model.find("n1")->revision, 1U);
  EXPECT_EQ(model.parts_of("n1").size(), 1U);
  EXPECT_EQ(model.daemons().at("aggregator/agg1").listens.size(), 1U);

  tx.changes.clear();
  ASSERT_TRUE(tx.erase(kNodeKind, "n1"));
  ASSERT_TRUE(tx.erase(kPartKind, "n1/cpu/0"));
  ASSERT_TRUE(tx.erase(kDaemonKind, "aggregator/agg1"));
  ASSERT_TRUE(model.apply(tx.changes));
  EXPECT_EQ(model.find("n1"), nullptr);
  EXPECT_TRUE(model.parts_of("n1").empty());
  EXPECT_TRUE(model.daemons().empty());
}

TEST(Model, ABodyThatCannotBeReadStopsNothingElse) {
  MemoryTransaction tx;
  Model model;
  ASSERT_TRUE(tx.put(kNodeKind, "bad", "{}"));
  ASSERT_TRUE(write_node(tx, make_node("n1")));
  const auto status = model.apply(tx.changes);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "the stored node 'bad' cannot be read: name: is required");
  EXPECT_NE(model.find("n1"), nullptr);
  EXPECT_EQ(model.sequence(), 2U);
}

TEST(Model, TellsItsListenerBeforeAndAfter) {
  MemoryTransaction tx;
  Model model;
  std::vector<std::string> seen;
  model.on_node([&](const Model::NodeEvent& event) {
    seen.push_back(
        fmt::format("{} {} {}", event.name, event.before != nullptr, event.after != nullptr));
  });
  Node node = make_node("n1");
  ASSERT_TRUE(write_node(tx, node));
  node.locked = true;
  ASSERT_TRUE(write_node(tx, node));
  ASSERT_TRUE(tx.erase(kNodeKind, "n1"));
  ASSERT_TRUE(model.apply(tx.changes));
  EXPECT_EQ(seen, (std::vector<std::string>{"n1 false true", "n1 true true", "n1 true false"}));
}

TEST(Model, CachedJsonIsTheViewAlways) {
  MemoryTransaction tx;
  Model model;
  ASSERT_TRUE(write_node(tx, make_node("n1")));
  ASSERT_TRUE(model.apply(tx.changes));
  const auto same = [&] {
    std::string out;
    model.append_json(out, *model.find("n1"));
    EXPECT_EQ(out, encode(model.view(*model.find("n1"))));
    return out;
  };
  const std::string before = same();
  Verdict verdict;
  verdict.node = "n1";
  verdict.phase = PhaseState::up;
  verdict.confirmed = true;
  verdict.incarnation = 7;
  verdict.primary = "agg1";
  model.take(verdict, from_unix_ms(1'700'000'000'001));
  const std::string after = same();
  EXPECT_NE(before, after);
  EXPECT_NE(after.find("\"primary\":\"agg1\""), std::string::npos);
  EXPECT_NE(after.find("\"confirmed\":true"), std::string::npos);
  model.seen("n1", from_unix_ms(1'700'000'009'000));
  EXPECT_NE(same().find("2023-11-14T22:13:29.000Z"), std::string::npos);
}

TEST(Model, LosingANodeKeepsWhenItWasSeen) {
  MemoryTransaction tx;
  Model model;
  ASSERT_TRUE(write_node(tx, make_node("n1")));
  ASSERT_TRUE(model.apply(tx.changes));
  Verdict verdict;
  verdict.node = "n1";
  verdict.phase = PhaseState::up;
  verdict.confirmed = true;
  verdict.incarnation = 7;
  model.take(verdict, from_unix_ms(5000));
  verdict.phase = PhaseState::lost;
  model.take(verdict, from_unix_ms(9000));
  EXPECT_EQ(model.find("n1")->agent->last_seen, from_unix_ms(5000));
  EXPECT_FALSE(model.find("n1")->confirmed) << "it is stored as up, and is known to be lost";
  Node lost = make_node("n1");
  lost.phase.state = PhaseState::lost;
  MemoryTransaction later;
  ASSERT_TRUE(write_node(later, lost));
  ASSERT_TRUE(model.apply(later.changes));
  EXPECT_TRUE(model.find("n1")->confirmed);
}

TEST(ModelNames, AnswersForNoderanges) {
  MemoryTransaction tx;
  Model model;
  ASSERT_TRUE(write_node(tx, make_node("n10")));
  ASSERT_TRUE(write_node(tx, make_node("n2")));
  Node login = make_node("login1");
  login.role = NodeRole::utility;
  ASSERT_TRUE(write_node(tx, login));
  ASSERT_TRUE(model.apply(tx.changes));
  const ModelNames names(model);
  EXPECT_EQ(names.all(), (std::vector<std::string>{"login1", "n2", "n10"}));
  EXPECT_EQ(names.members("compute"), (std::vector<std::string>{"n2", "n10"}));
  EXPECT_EQ(names.members("rack1"), std::nullopt);
  EXPECT_EQ(names.attribute("n2", "phase"), "up");
  EXPECT_EQ(names.attribute("n2", "state.phase"), "up");
  EXPECT_EQ(names.attribute("n2", "summary.cpus"), "4");
  EXPECT_EQ(names.attribute("n2", "primary"), "");
  EXPECT_FALSE(names.has_attribute("colour"));
}

TEST(Model, TenThousandNodesAreEncodedQuickly) {
  MemoryTransaction tx;
  Model model;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(write_node(tx, make_node(fmt::format("n{}", i))));
  ASSERT_TRUE(model.apply(tx.changes));
  Verdict verdict;
  verdict.phase = PhaseState::up;
  verdict.confirmed = true;
  verdict.incarnation = 1'700'000'000'000;
  verdict.version = "0.1.0";
  verdict.boot_id = "11111111-2222-3333-4444-555555555555";
  verdict.address = "127.0.0.1:4711";
  verdict.primary = "agg1";
  verdict.secondary = "agg2";
  for (const auto& [name, entry] : model.nodes()) {
    verdict.node = name;
    model.take(verdict, from_unix_ms(1'700'000'000'000));
  }
  std::string out;
  double best_ms = 1e9;
  for (int round = 0; round < 3; ++round) {
    out.clear();
    const auto start = std::chrono::steady_clock::now();
    for (const auto& [name, entry] : model.nodes()) model.append_json(out, entry);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    best_ms = std::min(best_ms, took.count());
  }
  RecordProperty("best_ms", std::to_string(best_ms));
  std::printf("10,000 nodes, %zu bytes: %.1f ms\n", out.size(), best_ms);
  // Ten times the target: this guards against losing the cache, not against a busy machine.
  EXPECT_LT(best_ms, 500);
}

}  // namespace
}  // namespace drover::cluster

// The main proof: seeds, faults, and what must hold. A failure prints its seed; run it again alone
// with
//   DROVER_SIM_FIRST=SEED DROVER_SIM_SEEDS=1 build/dev/bin/cluster_sim_test
// DROVER_SIM_TRACE=FILE writes the whole trace of the last seed there.
#include "simulated_cluster.hpp"

#include <cstdlib>
#include <fstream>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::sim_test {
namespace {

uint64_t number(const char* variable, uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// What all seeds of this run did together.
struct Totals : ::testing::Environment {
  void add(const SimulatedCluster::Counts& counts, Duration spent) {
    ++seeds;
    tried += counts.writes_tried;
    acknowledged += counts.writes_acknowledged;
    calls += counts.calls;
    targets += counts.call_targets;
    settings_checked += counts.settings_checked;
    longest_behind = std::max(longest_behind, counts.longest_behind);
    virtual_time += spent;
    for (const auto& [kind, count] : counts.faults) faults[kind] += count;
    for (const auto& [outcome, count] : counts.outcomes) outcomes[outcome] += count;
  }
  void TearDown() override {
    if (seeds == 0) return;
    fmt::print(
        "simulator: {} seeds, {} s of virtual time, {} of {} writes acknowledged and none lost, {} "
        "calls to {} targets\n  faults:",
        seeds, virtual_time / std::chrono::seconds(1), acknowledged, tried, calls, targets);
    for (const auto& [kind, count] : faults) fmt::print(" {} {},", count, kind);
    fmt::print("\n  settings: {} times compared; in reach and behind for {} ms at most",
               settings_checked, longest_behind / std::chrono::milliseconds(1));
    fmt::print("\n  outcomes:");
    for (const auto& [outcome, count] : outcomes) fmt::print(" {} {},", count, outcome);
    fmt::print("\n");
  }
  size_t seeds = 0;
  size_t tried = 0;
  size_t acknowledged = 0;
  size_t calls = 0;
  size_t targets = 0;
  size_t settings_checked = 0;
  Duration longest_behind{};
  Duration virtual_time{};
  std::map<std::string, size_t> faults;
  std::map<std::string, size_t> outcomes;
};
Totals* const kTotals = static_cast<Totals*>(::testing::AddGlobalTestEnvironment(new Totals));

class Seeds : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Seeds, NothingAcknowledgedIsLostAndTheTruthIsShown) {
  const char* trace = std::getenv("DROVER_SIM_TRACE");
  SimulatedCluster cluster(GetParam(), SiteOptions{}, trace != nullptr);
  const std::string wrong = cluster.run();
  if (trace != nullptr) std::ofstream(trace) << cluster.world().trace().text();
  kTotals->add(cluster.counts(), cluster.world().now());
  EXPECT_EQ(wrong, "") << "seed " << GetParam() << "; the last of its trace:\n"
                       << cluster.world().trace().tail();
}

INSTANTIATE_TEST_SUITE_P(Cluster, Seeds,
                         ::testing::Range(number("DROVER_SIM_FIRST", 1),
                                          number("DROVER_SIM_FIRST", 1) +
                                              number("DROVER_SIM_SEEDS", 50)));

class Replay : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Replay, TheSameSeedGivesTheSameTraceByteForByte) {
  SimulatedCluster first(GetParam(), SiteOptions{}, true);
  (void)first.run();
  SimulatedCluster second(GetParam(), SiteOptions{}, true);
  (void)second.run();
  EXPECT_GT(first.world().trace().text().size(), 10'000U);
  EXPECT_TRUE(first.world().trace().text() == second.world().trace().text())
      << "the traces of seed " << GetParam() << " differ";
}

INSTANTIATE_TEST_SUITE_P(Cluster, Replay, ::testing::Values(1, 7, 23));

TEST(Traces, OtherSeedsGiveOtherTraces) {
  SimulatedCluster first(1, SiteOptions{}, false);
  SimulatedCluster second(2, SiteOptions{}, false);
  (void)first.run();
  (void)second.run();
  EXPECT_NE(first.world().trace().fingerprint(), second.world().trace().fingerprint());
}

}  // namespace
}  // namespace drover::sim_test

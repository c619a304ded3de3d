// A master, three aggregators and eight nodes in the simulator, for tests of the daemons' tree.
#pragma once

#include "daemons/sim_cluster.hpp"

#include <gtest/gtest.h>

namespace drover::daemons::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TreeSim : public ::testing::Test {
 protected:
  void SetUp() override {
    timing.hold = seconds(5);
    world.trace().keep_all();
    (void)master_disk.make_dirs("/db", 0700);
    start_master();
    for (const char* name : {"agg1", "agg2", "agg3"}) start_aggregator(name);
    for (int i = 1; i <= 8; ++i) start_compute(fmt::format("n{}", i));
  }

  void start_master() {
    master = std::make_unique<SimMaster>(world, fabric, master_disk, timing, revoked);
  }
  void revoke(const std::vector<std::string>& nodes) {
    revoked.entries.clear();
    for (const std::string& node : nodes)
      revoked.entries.push_back({"compute", node, "", "stolen"});
    ++revoked.version;
    master->tree->revocations_changed();
  }
  /// How many aggregators hold a link of the node.
  [[nodiscard]] size_t links_of(const std::string& node) const {
    size_t links = 0;
    for (const auto& [name, aggregator] : aggregators) {
      links += aggregator->daemon->nodes().find(node) == nullptr ? 0 : 1;
    }
    return links;
  }
  void start_aggregator(const std::string& name) {
    auto& disk = disks[name];
    if (!disk) disk = std::make_unique<sim::SimDisk>();
    aggregators[name] = std::make_unique<SimAggregator>(world, fabric, name, *disk, timing);
  }
  void start_compute(const std::string& name) {
    auto& disk = disks[name];
    if (!disk) disk = std::make_unique<sim::SimDisk>();
    computes[name] = std::make_unique<SimCompute>(
        world, fabric, name, *disk, std::vector<std::string>{"agg1", "agg2", "agg3"}, timing);
  }
  void kill_aggregator(const std::string& name) {
    aggregators.at(name)->host.process.kill();
    disks.at(name)->detach();
    aggregators.erase(name);
  }
  void kill_master() {
    master->host.process.kill();
    master_disk.detach();
    master.reset();
  }

  [[nodiscard]] bool all_up() const {
    size_t up = 0;
    for (const auto& [name, entry] : master->model.nodes()) {
      if (entry.node().phase.state == cluster::PhaseState::up && entry.confirmed && entry.agent &&
          !entry.agent->primary.empty()) {
        ++up;
      }
    }
    return up == computes.size();
  }
  [[nodiscard]] bool all_redundant() const {
    if (!all_up()) return false;
    for (const auto& [name, entry] : master->model.nodes()) {
      if (entry.agent->secondary.empty()) return false;
    }
    return true;
  }
  [[nodiscard]] size_t served_by(const std::string& aggregator) const {
    size_t served = 0;
    for (const auto& [name, entry] : master->model.nodes()) {
      served += entry.agent && entry.agent->primary == aggregator ? 1 : 0;
    }
    return served;
  }
  /// Every node is served by the aggregator that the master wants for it.
  [[nodiscard]] bool all_home() const {
    if (!all_redundant() || master->tree->planner().displaced() > 0) return false;
    for (const auto& [name, entry] : master->model.nodes()) {
      const auto* assigned = master->tree->planner().assignment(name);
      if (assigned == nullptr || assigned->primary != entry.agent->primary) return false;
    }
    return true;
  }
  ::testing::AssertionResult reach(Callback<bool()> condition, Duration limit) {
    const Status done = world.run_until(std::move(condition), limit);
    if (done) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << done.error().text();
  }
  tree::CallReport ping(const std::vector<std::string>& targets) {
    tree::CallReport report;
    bool done = false;
    const Status started = master->tree->calls().start(
        {fmt::format("call-{}", ++calls), "ping", "", seconds(10), targets}, nullptr,
        [&](tree::CallReport r) {
          report = std::move(r);
          done = true;
        });
    EXPECT_TRUE(started) << started.error().text();
    EXPECT_TRUE(reach([&] { return done; }, seconds(15)));
    return report;
  }

  explicit TreeSim(uint64_t seed = 1) : world(seed) {}

  sim::World world;
  sim::Fabric fabric{world};
  Timing timing;
  sim::SimDisk master_disk;
  RevocationList revoked{1, {}};
  std::map<std::string, std::unique_ptr<sim::SimDisk>> disks;
  std::unique_ptr<SimMaster> master;
  std::map<std::string, std::unique_ptr<SimAggregator>> aggregators;
  std::map<std::string, std::unique_ptr<SimCompute>> computes;
  int calls = 0;
};

}  // namespace drover::daemons::testing

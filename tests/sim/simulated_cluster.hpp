// A simulated site: one master, aggregators, computes, clients that write and call while faults
// drawn from the seed strike, and the checks of what must hold whatever happens.
#pragma once

#include "daemons/sim_cluster.hpp"
#include "sim/faults.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace drover::sim_test {

struct SiteOptions {
  int aggregators = 3;
  int computes = 50;
  size_t faults = 16;
  Duration faults_from = std::chrono::seconds(15);
  Duration faults_until = std::chrono::seconds(105);
};

/// One run. Everything follows from the seed.
class SimulatedCluster final : public sim::FaultActions {
 public:
  SimulatedCluster(uint64_t seed, const SiteOptions& options, bool keep_trace);
  ~SimulatedCluster() override;

  /// Start, trouble, recovery, checks. The text of the first thing that is wrong, or empty.
  std::string run();

  [[nodiscard]] sim::World& world() { return world_; }
  /// What was done, for the summary.
  struct Counts {
    size_t writes_tried = 0;
    size_t writes_acknowledged = 0;
    size_t calls = 0;
    size_t call_targets = 0;
    size_t settings_checked = 0;  ///< daemons compared with the master while faults struck
    Duration longest_behind{};    ///< that a daemon in reach had other settings than the master
    std::map<std::string, size_t> faults;  ///< by kind
    std::map<std::string, size_t> outcomes;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  sim::SimProcess* process(const std::string& name) override;
  void stop(const std::string& name, bool power_cut) override;
  void start(const std::string& name) override;

  void start_all();
  void plan_faults();
  void client_turn();
  void client_write();
  void client_call();
  void change_inventory();
  /// Work under way, and the master loses power at one of the next writes to its disk.
  void ambush();
  void on_report(const tree::CallReport& report, size_t targets, const std::string& id);
  void wrong(std::string what);
  [[nodiscard]] bool settled() const;
  [[nodiscard]] std::string unsettled() const;
  void check_history();
  void check_executions();
  void check_final_ping();
  /// Whom the master shows as up and confirmed is vouched for by an aggregator that is linked.
  void check_vouched();
  /// A change of a setting reaches whoever the master has a way to, whatever has failed meanwhile.
  void check_settings();
  void check_settings_of(const std::string& name, const cluster::Settings& has, bool reached);
  sim::SimDisk& disk_of(const std::string& name);
  std::string random_compute();

  SiteOptions options_;
  sim::World world_;
  sim::Fabric fabric_;
  sim::SimRandom lots_;
  daemons::Timing timing_;
  std::map<std::string, std::unique_ptr<sim::SimDisk>> disks_;
  std::unique_ptr<daemons::testing::SimMaster> master_;
  std::map<std::string, std::unique_ptr<daemons::testing::SimAggregator>> aggregators_;
  std::map<std::string, std::unique_ptr<daemons::testing::SimCompute>> computes_;
  std::unique_ptr<daemons::testing::SimUtility> login_;
  std::map<std::string, int> generations_;  ///< of each node's made-up machine
  std::unique_ptr<sim::FaultInjector> injector_;
  std::set<std::string> acknowledged_;  ///< why of each write that was answered
  /// How often each (call, node) ran, whatever process of the node ran it.
  std::map<std::pair<std::string, std::string>, int> executions_;
  std::map<std::string, std::set<std::string>> done_;  ///< nodes that answered done, by call
  /// Since when the settings of a daemon differ from the master's while it is reached.
  std::map<std::string, Duration> behind_since_;
  Duration settings_checked_{};
  uint64_t next_id_ = 0;
  bool ambushed_ = false;
  std::vector<std::string> wrong_;
  bool trouble_ = false;
  Counts counts_;
};

}  // namespace drover::sim_test

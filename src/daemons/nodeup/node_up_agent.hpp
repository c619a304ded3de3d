// The node's side of node_up: takes an order, does it step by step, tells each as it goes.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "cluster/content/node_up.hpp"
#include "daemons/nodeup/step_host.hpp"
#include "tree/call_runner.hpp"

#include <memory>
#include <optional>
#include <string>

namespace drover::daemons {

/// One run at a time. What was done of a run is kept in the agent's folder: an agent that was
/// started again goes on behind the last step that ended, and a step that was under way runs again.
/// Executor's thread.
class NodeUpAgent {
 public:
  /// Sends a report on its way to the managers; kept until one has it.
  using Report = Callback<void(const cluster::NodeUpReport&)>;
  /// `state`: the agent's folder; empty: nothing is kept. References outlive it; what the host does
  /// on its worker ends before this is destroyed.
  NodeUpAgent(Executor& executor, const Log& log, Disk& disk, StepHost& host, std::string state,
              std::string boot_id, Report report);
  ~NodeUpAgent();

  /// Registers kNodeUpCall and kOverlayCall.
  void serve(tree::CallRunner& calls);

 private:
  struct Run;
  void take_order(std::string_view payload, tree::CallReply reply);
  void take_files(std::string_view payload, tree::CallReply reply);
  void begin(cluster::NodeOrder order);
  void place_files();
  void next_step();
  void end(cluster::RunState state, std::string why);
  void tell();
  [[nodiscard]] std::optional<cluster::NodeUpReport> kept();

  Executor& executor_;
  Log log_;
  Disk& disk_;
  StepHost& host_;
  std::string path_;  ///< of what is kept; empty: nowhere
  std::string boot_id_;
  Report report_;
  cluster::NodeOrder order_;
  cluster::NodeUpReport now_;
  bool known_ = false;  ///< now_ is of a run of this boot
  bool running_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Worker> worker_;  // last: its job in hand ends before the rest goes
};

}  // namespace drover::daemons

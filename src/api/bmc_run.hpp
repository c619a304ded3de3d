// One operation on the BMCs of many nodes: finds them, gets in, visits so many at a time, and says
// how each node ended. What a visit does is its kind's.
#pragma once

#include "api/power_targets.hpp"
#include "cluster/operation_runner.hpp"
#include "hardware/power/power_course.hpp"
#include "hardware/power/power_waves.hpp"

#include <memory>
#include <optional>
#include <string>

namespace drover::api {

using OperationRunPtr = std::shared_ptr<cluster::OperationRun>;

/// What a kind of operation does with BMCs. Calls come from the executor's thread, one after the
/// other, as long as the run lives.
struct BmcWork {
  /// Told once how the visit ended: what is kept as the node's result.
  using Done = Callback<void(Result<std::string>)>;

  hardware::PowerLimits limits = {};
  /// Begins a visit; the client is this BMC's alone and outlives it.
  Callback<std::unique_ptr<hardware::BmcVisit>(const PowerTarget&, hardware::BmcClient&, Done)>
      redfish = {};
  /// Empty: it cannot be done by IPMI.
  Callback<std::unique_ptr<hardware::BmcVisit>(const PowerTarget&, hardware::IpmiTool&,
                                               hardware::IpmiAccess, Done)>
      ipmi = {};
  /// Before a node's visit, where not empty: an error is how the node ends.
  Callback<void(const PowerTarget&, Callback<void(Status)>)> before = {};
  /// After each `before` that let it pass: the visit is over, or was given up.
  Callback<void(const PowerTarget&)> after = {};
};

/// What an error is as a node's end.
cluster::OperationOutcome outcome_of(Code code);
cluster::OperationError error_of(const Error& error);

/// Lives until it has ended; held by a shared_ptr. Executor's thread only.
class BmcRun : public std::enable_shared_from_this<BmcRun> {
 public:
  /// `release` is called once, from a fresh stack, when nothing is left to do: whoever holds this
  /// may let go then.
  BmcRun(PowerServices services, OperationRunPtr run, BmcWork work, Callback<void()> release);
  BmcRun(const BmcRun&) = delete;
  BmcRun& operator=(const BmcRun&) = delete;
  ~BmcRun();
  void start();

 private:
  /// One that speaks Redfish.
  struct Bmc {
    std::unique_ptr<hardware::BmcClient> client;
    size_t visits = 0;  ///< that are not over
    bool key_noted = false;
  };
  struct Visit {
    std::unique_ptr<hardware::BmcVisit> course;
    bool entered = false;  ///< `before` let it pass
  };

  void begin(const BmcKeys& keys);
  Status prepare(const PowerTarget& target, const BmcKeys& keys);
  Status prepare_ipmi(const PowerTarget& target, const BmcKeys& keys);
  void pump();
  void enter(size_t index);
  void visit(size_t index);
  void visited(size_t index, const Result<std::string>& result);
  void note_refusal(const PowerTarget& target, const Error& error);
  void leave(Bmc& bmc);
  void note_key(const PowerTarget& target, Bmc& bmc);
  void settle_failure(const std::string& node, const Error& error);
  void cancel();
  void finish();
  void end(cluster::OperationOutcome rest, const cluster::OperationError& why);
  void release();

  PowerServices services_;
  OperationRunPtr run_;
  BmcWork work_;
  std::vector<PowerTarget> targets_;
  std::map<std::string, Bmc> bmcs_;  ///< by "ADDRESS:PORT"
  std::optional<hardware::PowerWaves> waves_;
  std::map<std::string, hardware::IpmiAccess> ipmi_;  ///< by "ADDRESS:PORT"
  std::vector<Visit> visits_;
  Timer timer_;
  size_t leaving_ = 0;
  bool ended_ = false;
  Callback<void()> release_;
};

/// A kind whose operations are runs of `work`. Where that is empty, it has ended the run by itself.
/// What `services` refer to outlives the runner.
cluster::OperationKind bmc_operations(
    std::string_view kind, const PowerServices& services,
    Callback<std::optional<BmcWork>(const OperationRunPtr&)> work);

}  // namespace drover::api

// Faults drawn from the seed: what goes wrong, where, when and for how long, and their application.
#pragma once

#include "base/clock.hpp"
#include "sim/fabric.hpp"
#include "sim/world.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::sim {

enum class FaultKind : uint8_t {
  partition,    ///< the target's host from some of the others, both ways
  one_way,      ///< the same, one direction only
  delay_storm,  ///< every message of the target's host takes up to `amount` ms longer
  loss,         ///< `amount` per mille of the target's host's segments are lost
  slow_link,    ///< `amount` bytes per second from and to the target's host
  pause,        ///< SIGSTOP, then SIGCONT
  restart,      ///< kill -9, started again after `duration`
  power_cut,    ///< host down and its unsynced disk lost, up again after `duration`
  clock_jump,   ///< the wall clock moves by `amount` ms (may be negative) and stays
  slow_disk,    ///< a worker's job takes up to `amount` ms
};
inline constexpr size_t kFaultKinds = 10;
std::string_view name(FaultKind kind);

/// One fault. Applied at `at`, lifted at `at + duration` (a clock jump is not lifted).
struct Fault {
  Duration at{};
  FaultKind kind{};
  std::string target;               ///< a process by name
  std::vector<std::string> others;  ///< hosts on the other side of a partition
  Duration duration{};
  int64_t amount = 0;

  /// One line for the trace and for the report of a failure.
  [[nodiscard]] std::string text() const;
};

/// A process that faults may hit.
struct FaultTarget {
  std::string process;
  std::string host;
};

struct FaultPlanOptions {
  Duration begin = std::chrono::seconds(10);  ///< no fault before
  Duration end = std::chrono::seconds(120);   ///< every fault is lifted by then
  Duration longest = std::chrono::seconds(40);
  size_t count = 12;
  /// How often each kind is drawn, relative to the others, by FaultKind; 0 never.
  std::vector<uint32_t> weights = {4, 2, 2, 2, 1, 3, 4, 2, 1, 1};
};

/// A plan for `targets` by lots from `random`, in order of time. No two faults on the life of one
/// process (pause, restart, power cut) overlap.
std::vector<Fault> draw_faults(Random& random, const std::vector<FaultTarget>& targets,
                               const FaultPlanOptions& options);

/// What the owner of the processes does for a fault; the network's part is FaultInjector's.
class FaultActions {
 public:
  FaultActions() = default;
  FaultActions(const FaultActions&) = delete;
  FaultActions& operator=(const FaultActions&) = delete;
  virtual ~FaultActions() = default;
  /// The living process of that name, or null while it is down.
  virtual SimProcess* process(const std::string& name) = 0;
  /// Kills the process and destroys its daemon; with `power_cut`, its disk forgets what was not
  /// synced. Called from outside the daemon.
  virtual void stop(const std::string& name, bool power_cut) = 0;
  virtual void start(const std::string& name) = 0;
};

/// Applies and lifts the faults of a plan at their times. Destroy before the fabric.
class FaultInjector {
 public:
  FaultInjector(World& world, Fabric& fabric, FaultActions& actions,
                std::vector<FaultTarget> targets, std::vector<Fault> plan);
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;
  ~FaultInjector();

  [[nodiscard]] const std::vector<Fault>& plan() const { return plan_; }
  [[nodiscard]] size_t applied() const { return applied_; }
  /// True when every fault of the plan has been lifted.
  [[nodiscard]] bool over() const { return lifted_ == plan_.size(); }

 private:
  void apply(const Fault& fault);
  void lift(const Fault& fault);
  void network(const Fault& fault, bool on);
  void life(const Fault& fault, bool on);
  [[nodiscard]] std::string host_of(const std::string& process) const;

  World& world_;
  Fabric& fabric_;
  FaultActions& actions_;
  std::map<std::string, std::string> hosts_;  ///< process -> host
  std::vector<Fault> plan_;
  std::vector<EventQueue::Id> events_;
  size_t applied_ = 0;
  size_t lifted_ = 0;
};

}  // namespace drover::sim

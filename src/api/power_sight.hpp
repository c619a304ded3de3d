// What BMCs said of their nodes' power last, and when: kept in memory, renewed when somebody wants
// to know and what is there is too old.
#pragma once

#include "api/bmc_run.hpp"
#include "base/text.hpp"
#include "hardware/power/power_course.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::api {

/// Executor's thread only.
class PowerSight {
 public:
  struct Seen {
    WallTime time{};
    cluster::BmcPowerState state = cluster::BmcPowerState::unknown;
    std::vector<std::string> resets;  ///< kinds that the BMC offers; empty: it does not say
    std::optional<Error> error;       ///< why the last look failed; the rest is the one before
  };
  /// What `services` refer to outlives it. `author`: whose the looks are in the change log.
  PowerSight(PowerServices services, std::string author);
  PowerSight(const PowerSight&) = delete;
  PowerSight& operator=(const PowerSight&) = delete;
  ~PowerSight();

  /// What a visit came to.
  void note(const std::string& node, const Result<hardware::PowerOutcome>& outcome);
  /// nullptr: nothing was seen since this master started.
  [[nodiscard]] const Seen* find(std::string_view node) const;
  /// Looks at those of the nodes whose last look is older than `fresh`, then calls `done`, never in
  /// here: when all are there, or after `patience`, whichever is first. Looks go on after that.
  void look(const std::vector<std::string>& nodes, Duration fresh, Duration patience,
            Callback<void()> done);

  /// How a node answered.
  struct Answer {
    std::optional<std::string> result;
    std::optional<cluster::OperationError> error;
  };
  using Answers = std::map<std::string, Answer, NaturalLess>;
  /// Visits the BMCs of these nodes without an operation that is kept. `done` runs once, never in
  /// here: when all have answered, or after `patience`, when the rest is given up as timed out.
  void ask(const std::vector<std::string>& nodes, BmcWork work, Duration patience,
           Callback<void(Answers)> done);

 private:
  class Passing;
  struct Known {
    Seen seen;
    MonoTime at{};
    bool looking = false;
  };
  struct Waiter {
    std::vector<std::string> nodes;
    Callback<void()> done;
    Timer patience = {};
  };
  void begin(std::vector<std::string> nodes);
  void start(const std::shared_ptr<Passing>& run, BmcWork work);
  void looked();
  [[nodiscard]] bool is_looking(const Waiter& waiter) const;

  PowerServices services_;
  std::string author_;
  std::map<std::string, Known, std::less<>> known_;
  std::map<uint64_t, std::shared_ptr<BmcRun>> runs_;
  uint64_t next_run_ = 0;
  std::deque<std::unique_ptr<Waiter>> waiters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::api

// The course of one machine's power change: which reset to ask for, how long to wait, when it has
// been reached. Pure: states and answers in, steps out.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cluster/hardware/bmc_inventory.hpp"
#include "cluster/hardware/power_request.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hardware {

/// How long things may take.
struct PowerPolicy {
  Duration graceful = std::chrono::minutes(2);  ///< for an operating system that is asked to end
  Duration forced = std::chrono::seconds(60);   ///< from any other reset to the state it leads to
  Duration poll = std::chrono::seconds(2);      ///< longest between two looks
  bool confirm = true;  ///< false: the last reset need only be accepted, not lead anywhere
};

/// What to do next.
struct PowerStep {
  enum class Kind : uint8_t {
    look,    ///< read the power state, tell looked()
    reset,   ///< ask for `reset`, tell accepted() or refused()
    wait,    ///< for `wait`, then look
    done,    ///< `state` has been reached and seen
    failed,  ///< `error` says why
  };
  Kind kind = Kind::look;
  std::string reset = {};
  Duration wait{};
  cluster::BmcPowerState state = cluster::BmcPowerState::unknown;
  std::optional<Error> error = {};
};

/// The first of `wanted` among the kinds of reset that a machine takes; the first of all when it
/// does not say which it takes; empty when it takes none of them.
std::string_view choose_reset(std::span<const std::string_view> wanted,
                              const std::vector<std::string>& allowed);

/// One machine. Not for what is no change of power: boot_device and identify.
class PowerTask {
 public:
  PowerTask(cluster::PowerAction action, PowerPolicy policy, std::vector<std::string> allowed);

  PowerStep looked(cluster::BmcPowerState state, MonoTime now);
  PowerStep accepted(MonoTime now);
  /// The BMC did not take the reset.
  PowerStep refused(const Error& error, MonoTime now);

 private:
  enum class Goal : uint8_t { off, on, restarted };
  PowerStep toward(MonoTime now);
  PowerStep toward_off(MonoTime now);
  PowerStep toward_on(MonoTime now);
  PowerStep toward_restart(MonoTime now);
  /// Restarts it by switching it off and on: at once (`forced`), or asking its system first.
  PowerStep in_two_steps(MonoTime now, bool forced);
  PowerStep ask(std::string_view reset, Duration patience);
  PowerStep reached();
  /// Later and later, up to policy.poll.
  PowerStep look_again(MonoTime now);
  [[nodiscard]] PowerStep too_late() const;
  [[nodiscard]] bool is_over(MonoTime now) const { return waits_ && now >= deadline_; }

  cluster::PowerAction action_;
  PowerPolicy policy_;
  std::vector<std::string> allowed_;
  std::vector<Goal> goals_;  ///< the next one last
  cluster::BmcPowerState state_ = cluster::BmcPowerState::unknown;
  std::string asked_;    ///< the last reset that was asked for, for the present goal
  Duration patience_{};  ///< with that reset
  MonoTime deadline_{};  ///< its end
  Duration pause_{};     ///< before the next look
  bool looked_ = false;
  bool waits_ = false;   ///< a reset was accepted, and its deadline runs
  bool forced_ = false;  ///< the graceful way is over
  bool refused_before_ = false;
};

}  // namespace drover::hardware

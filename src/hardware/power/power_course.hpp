// What visits to one machine's power share, whatever its BMC speaks: PowerTask's steps carried out
// one after the other, until the state that was asked for has been seen.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "cluster/hardware/bmc_inventory.hpp"
#include "cluster/hardware/power_request.hpp"
#include "hardware/power/power_task.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::hardware {

struct PowerWish {
  cluster::PowerAction action = cluster::PowerAction::status;
  cluster::BootDevice device = cluster::BootDevice::none;      ///< for boot_device
  bool persistent = false;                                     ///< for boot_device
  cluster::IdentifyLight light = cluster::IdentifyLight::off;  ///< for identify
  PowerPolicy policy = {};
  /// Id of the machine among those of the BMC; empty: the only one.
  std::string system = {};
};

struct PowerOutcome {
  cluster::BmcPowerState state = cluster::BmcPowerState::unknown;  ///< as seen last
  std::string said;                 ///< of boot_device and identify: "Pxe, once"
  std::vector<std::string> resets;  ///< kinds that the BMC offers; empty: it does not say
};

/// A visit to a BMC that is under way. Destroying it ends it; no callback follows.
class BmcVisit {
 public:
  BmcVisit() = default;
  BmcVisit(const BmcVisit&) = delete;
  BmcVisit& operator=(const BmcVisit&) = delete;
  virtual ~BmcVisit() = default;
};

/// Derived classes speak to the BMC: they look and reset, and say what came of it.
class PowerCourse {
 public:
  using Done = Callback<void(Result<PowerOutcome>)>;
  /// `done` runs exactly once, never in here. `executor` outlives it.
  PowerCourse(Executor& executor, PowerWish wish, Done done);
  PowerCourse(const PowerCourse&) = delete;
  PowerCourse& operator=(const PowerCourse&) = delete;
  virtual ~PowerCourse();

 protected:
  /// Asks for the power state; seen() follows.
  virtual void look() = 0;
  /// Asks for a reset by Redfish's name; asked() follows.
  virtual void reset(const std::string& type) = 0;
  /// For actions that are no change of power, after the first look.
  virtual void arrange() = 0;
  /// After a pause: looks, unless there is something better to ask first.
  virtual void waited() { look(); }

  /// `resets`: kinds that the machine takes, in its words; only the first time's count.
  void seen(Result<cluster::BmcPowerState> state, const std::vector<std::string>& resets);
  /// What became of a reset. One without an answer may have been carried out all the same.
  void asked(const Status& answer);
  /// A reset that was accepted has failed after all.
  void gave_up(const Error& why);
  /// The last thing to do: `done` may end this object.
  void end(Result<PowerOutcome> result);

  [[nodiscard]] const PowerWish& wish() const { return wish_; }
  [[nodiscard]] PowerOutcome& outcome() { return outcome_; }
  /// False once this object is gone, for callbacks that outlive it.
  [[nodiscard]] std::shared_ptr<const bool> alive() const { return alive_; }

 private:
  void step(PowerStep next);
  void wait(Duration time);

  Executor& executor_;
  PowerWish wish_;
  Done done_;
  std::optional<PowerTask> task_;
  PowerOutcome outcome_;
  int blind_ = 0;  ///< looks in a row that failed
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Whether the action changes no power: it is arranged with the BMC.
bool is_arranged(cluster::PowerAction action);

}  // namespace drover::hardware

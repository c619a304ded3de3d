// What changes about the machines behind an emulated BMC: power, boot override, light.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "sim/bmc/bmc_traits.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::sim {

/// One computer's changing state.
struct BmcSystemState {
  bool on = false;
  bool moving = false;        ///< PoweringOn or PoweringOff meanwhile
  std::string light = "Off";  ///< or Lit, Blinking
  std::string boot_enabled = "Disabled";
  std::string boot_target = "None";
  std::string boot_mode = "UEFI";
  uint64_t version = 0;              ///< counts changes, for the ETag
  uint64_t resets = 0;               ///< that were accepted
  std::string booted_from = "None";  ///< the override that held when it was switched on last
  Timer change = {};                 ///< what is under way
};

/// Changes the state of the machines as resets demand, in their time.
class BmcMachines {
 public:
  /// Called when a machine's power has changed: the number of the system and whether it is on now.
  using PowerHook = Callback<void(uint32_t system, bool on)>;
  /// `traits` and `clock` outlive it.
  BmcMachines(const BmcTraits& traits, Clock& clock);

  [[nodiscard]] const BmcSystemState& at(uint32_t system) const { return states_.at(system); }
  BmcSystemState& edit(uint32_t system) { return states_.at(system); }
  /// invalid_argument for a kind of reset that is not among the traits' or is no kind at all;
  /// conflict when the machine's state does not allow it.
  Status reset(uint32_t system, std::string_view type);
  void on_power(PowerHook hook) { hook_ = std::move(hook); }
  /// The machine has switched itself off; nobody is called.
  void went_off(uint32_t system);
  /// "None": from what its firmware says.
  [[nodiscard]] const std::string& booted_from(uint32_t system) const {
    return states_.at(system).booted_from;
  }

 private:
  void turn(BmcSystemState& state, uint32_t system, bool on, Duration after);
  void restart(BmcSystemState& state, uint32_t system, Duration off_after);

  const BmcTraits& traits_;
  Clock& clock_;
  std::vector<BmcSystemState> states_;
  PowerHook hook_;
};

/// Whether the blank-separated `list` holds `word`.
bool holds_word(std::string_view list, std::string_view word);

}  // namespace drover::sim

#include "sim/bmc/bmc_state.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::sim {
namespace {

constexpr std::array<std::string_view, 13> kHostilityNames{
    "none",        "silent",  "slow",          "endless",  "huge", "deep",   "recursive",
    "wrong_types", "garbage", "foreign_links", "redirect", "cut",  "failing"};

}  // namespace

std::span<const std::string_view> enum_names(BmcHostility) {
  return kHostilityNames;
}

bool holds_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

BmcMachines::BmcMachines(const BmcTraits& traits, Clock& clock) : traits_(traits), clock_(clock) {
  states_.resize(traits.systems);
  for (BmcSystemState& state : states_) state.on = traits.starts_on;
}

void BmcMachines::turn(BmcSystemState& state, uint32_t system, bool on, Duration after) {
  state.moving = true;
  ++state.version;
  state.change.after(clock_, after, [this, system, on] {
    BmcSystemState& changed = states_[system];
    changed.moving = false;
    ++changed.version;
    if (changed.on == on) return;
    changed.on = on;
    if (on) changed.booted_from = changed.boot_enabled == "Disabled" ? "None" : changed.boot_target;
    if (on && changed.boot_enabled == "Once") {
      changed.boot_enabled = "Disabled";
      changed.boot_target = "None";
    }
    if (hook_) hook_(system, on);
  });
}

void BmcMachines::restart(BmcSystemState& state, uint32_t system, Duration off_after) {
  state.moving = true;
  ++state.version;
  state.change.after(clock_, off_after, [this, system] {
    BmcSystemState& changed = states_[system];
    changed.on = false;
    if (hook_) hook_(system, false);
    turn(changed, system, true, traits_.power_time);
  });
}

void BmcMachines::went_off(uint32_t system) {
  BmcSystemState& state = states_.at(system);
  state.change.cancel();
  state.moving = false;
  state.on = false;
  ++state.version;
}

Status BmcMachines::reset(uint32_t system, std::string_view type) {
  if (!holds_word(traits_.reset_types, type)) {
    return fail(Code::invalid_argument, fmt::format("the value {} is not in the list", type));
  }
  BmcSystemState& state = states_.at(system);
  const bool starts = type == "On" || type == "ForceOn";
  if (!state.on && !starts && type != "PowerCycle" && type != "ForceOff" &&
      type != "PushPowerButton") {
    return fail(Code::conflict, fmt::format("{} needs a machine that is on", type));
  }
  ++state.resets;
  if (traits_.stuck) return {};
  if (starts || (type == "PushPowerButton" && !state.on)) {
    turn(state, system, true, traits_.power_time);
  } else if (type == "ForceOff") {
    turn(state, system, false, traits_.power_time);
  } else if (type == "GracefulShutdown" || type == "PushPowerButton") {
    if (!traits_.ignores_graceful) turn(state, system, false, traits_.shutdown_time);
  } else if (type == "GracefulRestart") {
    if (!traits_.ignores_graceful) restart(state, system, traits_.shutdown_time);
  } else {
    restart(state, system, traits_.power_time);
  }
  return {};
}

}  // namespace drover::sim

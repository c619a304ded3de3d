#include "hardware/power/power_task.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

/// Most machines are on or off within a second; each look after that waits twice as long.
constexpr Duration kFirstLook = std::chrono::milliseconds(250);

using cluster::BmcPowerState;
using cluster::PowerAction;

constexpr std::array<std::string_view, 3> kOn{"On", "ForceOn", "PushPowerButton"};
constexpr std::array<std::string_view, 1> kGraceful{"GracefulShutdown"};
constexpr std::array<std::string_view, 1> kForceOff{"ForceOff"};
constexpr std::array<std::string_view, 1> kGracefulRestart{"GracefulRestart"};
constexpr std::array<std::string_view, 3> kRestart{"ForceRestart", "PowerCycle", "FullPowerCycle"};

PowerStep step_of(PowerStep::Kind kind) {
  PowerStep step;
  step.kind = kind;
  return step;
}

PowerStep failed(Code code, std::string message, std::string next = {}) {
  PowerStep step = step_of(PowerStep::Kind::failed);
  step.error = Error{code, std::move(message), {}, std::move(next)};
  return step;
}

int64_t seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

std::string_view choose_reset(std::span<const std::string_view> wanted,
                              const std::vector<std::string>& allowed) {
  if (allowed.empty()) return wanted.front();
  for (const std::string_view reset : wanted) {
    if (std::ranges::find(allowed, reset) != allowed.end()) return reset;
  }
  return {};
}

PowerTask::PowerTask(PowerAction action, PowerPolicy policy, std::vector<std::string> allowed)
    : action_(action), policy_(policy), allowed_(std::move(allowed)) {
  switch (action) {
    case PowerAction::on:
      goals_ = {Goal::on};
      break;
    case PowerAction::off:
    case PowerAction::soft_off:
    case PowerAction::force_off:
      goals_ = {Goal::off};
      break;
    case PowerAction::cycle:
    case PowerAction::hard_restart:
      goals_ = {Goal::on, Goal::off};
      break;
    case PowerAction::reset:
    case PowerAction::soft_restart:
      goals_ = {Goal::restarted};
      break;
    case PowerAction::status:
    case PowerAction::boot_device:
    case PowerAction::identify:
      break;
  }
  forced_ = action == PowerAction::force_off;
}

PowerStep PowerTask::looked(BmcPowerState state, MonoTime now) {
  state_ = state;
  const bool first = !std::exchange(looked_, true);
  if (first && action_ == PowerAction::hard_restart && state == BmcPowerState::off) {
    return failed(Code::conflict, "it is off, so there is nothing to restart", "drover power on");
  }
  return toward(now);
}

PowerStep PowerTask::toward(MonoTime now) {
  while (!goals_.empty()) {
    const Goal goal = goals_.back();
    const bool there = (goal == Goal::off && state_ == BmcPowerState::off) ||
                       (goal == Goal::on && state_ == BmcPowerState::on) ||
                       (goal == Goal::restarted && waits_ && state_ == BmcPowerState::on);
    if (!there) {
      if (goal == Goal::off) return toward_off(now);
      if (goal == Goal::on) return toward_on(now);
      return is_over(now) ? too_late() : toward_restart(now);
    }
    goals_.pop_back();
    asked_.clear();
    waits_ = false;
    refused_before_ = false;
  }
  return reached();
}

PowerStep PowerTask::reached() {
  PowerStep step = step_of(PowerStep::Kind::done);
  step.state = state_;
  return step;
}

PowerStep PowerTask::ask(std::string_view reset, Duration patience) {
  asked_ = reset;
  patience_ = patience;
  PowerStep step = step_of(PowerStep::Kind::reset);
  step.reset = asked_;
  return step;
}

PowerStep PowerTask::too_late() const {
  const bool soft = action_ == PowerAction::soft_off;
  return failed(Code::timed_out,
                fmt::format("{} was accepted, but after {} s the BMC says {}", asked_,
                            seconds(patience_), enum_name(state_)),
                soft ? "drover power off forces it" : "");
}

PowerStep PowerTask::toward_off(MonoTime now) {
  if (waits_ && !is_over(now)) return look_again(now);
  const std::string_view graceful = choose_reset(kGraceful, allowed_);
  if (action_ == PowerAction::soft_off) {
    if (waits_) return too_late();
    if (!graceful.empty()) return ask(graceful, policy_.graceful);
    return failed(Code::unsupported, "the BMC cannot ask the operating system to shut down",
                  "drover power off forces it");
  }
  if (!forced_ && !waits_ && !graceful.empty() && policy_.graceful > Duration::zero()) {
    return ask(graceful, policy_.graceful);
  }
  if (waits_ && forced_) return too_late();
  forced_ = true;
  waits_ = false;
  const std::string_view force = choose_reset(kForceOff, allowed_);
  if (force.empty()) return failed(Code::unsupported, "the BMC offers no way to force it off");
  return ask(force, policy_.forced);
}

PowerStep PowerTask::toward_on(MonoTime now) {
  if (waits_ && is_over(now)) return too_late();
  if (waits_) return look_again(now);
  const std::string_view on = choose_reset(kOn, allowed_);
  if (on.empty()) return failed(Code::unsupported, "the BMC offers no way to power it on");
  return ask(on, policy_.forced);
}

PowerStep PowerTask::in_two_steps(MonoTime now, bool forced) {
  goals_ = {Goal::on, Goal::off};
  asked_.clear();
  waits_ = false;
  refused_before_ = false;
  forced_ = forced;
  const bool can = !choose_reset(kForceOff, allowed_).empty() ||
                   (!forced && !choose_reset(kGraceful, allowed_).empty());
  if (!can) return failed(Code::unsupported, "the BMC offers no way to restart it");
  return toward(now);
}

PowerStep PowerTask::toward_restart(MonoTime now) {
  if (waits_) {
    PowerStep step = step_of(PowerStep::Kind::wait);
    step.wait = policy_.poll;
    return step;
  }
  if (state_ == BmcPowerState::off) {
    return failed(Code::conflict, "it is off, so there is nothing to restart", "drover power on");
  }
  const bool soft = action_ == PowerAction::soft_restart;
  const std::string_view restart =
      soft ? choose_reset(kGracefulRestart, allowed_) : choose_reset(kRestart, allowed_);
  if (restart.empty()) return in_two_steps(now, !soft);
  return ask(restart, soft ? policy_.graceful : policy_.forced);
}

PowerStep PowerTask::accepted(MonoTime now) {
  if (!policy_.confirm && goals_.size() == 1) return reached();
  waits_ = true;
  deadline_ = now + patience_;
  // A machine that restarts may say that it is on until it has begun.
  pause_ = goals_.back() == Goal::restarted ? policy_.poll : kFirstLook;
  return look_again(now);
}

PowerStep PowerTask::look_again(MonoTime now) {
  PowerStep step = step_of(PowerStep::Kind::wait);
  step.wait = std::min({pause_, policy_.poll, deadline_ - now});
  pause_ = std::min(2 * pause_, policy_.poll);
  return step;
}

PowerStep PowerTask::refused(const Error& error, MonoTime now) {
  // A state that changed meanwhile is refused as conflict, and so is what a machine in motion
  // cannot do yet: one more look decides.
  if (error.code == Code::conflict && !std::exchange(refused_before_, true)) {
    asked_.clear();
    PowerStep step = step_of(PowerStep::Kind::wait);
    step.wait = policy_.poll;
    return step;
  }
  const bool silent = error.code == Code::unreachable || error.code == Code::timed_out;
  if (asked_ == kGracefulRestart.front() && !silent) return in_two_steps(now, false);
  const bool graceful = asked_ == kGraceful.front() && action_ != PowerAction::soft_off;
  if (graceful && !silent) {
    forced_ = true;
    refused_before_ = false;
    return toward(now);
  }
  return failed(error.code, fmt::format("{}: {}", asked_, error.message), error.next);
}

}  // namespace drover::hardware

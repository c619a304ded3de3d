#include "api/pcs/words.hpp"

#include "api/smd/words.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::api::pcs {
namespace {

using cluster::OperationOutcome;
using cluster::OperationState;
using cluster::PowerAction;

struct Row {
  PowerAction action;
  std::string_view word;
};
/// `cycle` of our own is what PCS calls Init: off and on, also of what is off.
constexpr std::array<Row, 7> kRows{{{PowerAction::on, "On"},
                                    {PowerAction::off, "Off"},
                                    {PowerAction::soft_restart, "Soft-Restart"},
                                    {PowerAction::hard_restart, "Hard-Restart"},
                                    {PowerAction::cycle, "Init"},
                                    {PowerAction::force_off, "Force-Off"},
                                    {PowerAction::soft_off, "Soft-Off"}}};
/// Begun by our own commands, and nearest to these.
constexpr std::array<Row, 1> kOwn{{{PowerAction::reset, "Hard-Restart"}}};

constexpr size_t kIdDigits = 32;
constexpr int64_t kMostMinutes = 60;

}  // namespace

std::optional<PowerAction> action_called(std::string_view operation) {
  const std::string wanted = smd::lower(operation);
  for (const Row& row : kRows) {
    if (smd::lower(row.word) == wanted) return row.action;
  }
  return std::nullopt;
}

std::string_view operation_word(PowerAction action) {
  const auto* const found = std::ranges::find(kRows, action, &Row::action);
  if (found != kRows.end()) return found->word;
  const auto* const own = std::ranges::find(kOwn, action, &Row::action);
  return own == kOwn.end() ? std::string_view() : own->word;
}

std::string uuid_of(std::string_view id) {
  if (id.size() != kIdDigits) return std::string(id);
  return fmt::format("{}-{}-{}-{}-{}", id.substr(0, 8), id.substr(8, 4), id.substr(12, 4),
                     id.substr(16, 4), id.substr(20));
}

Result<std::string> id_in(std::string_view uuid) {
  std::string id;
  for (const char c : smd::lower(uuid)) {
    if (c != '-') id.push_back(c);
  }
  const bool digits = std::ranges::all_of(
      id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (digits && id.size() == kIdDigits) return id;
  return fail(Code::invalid_argument, "invalid UUID");
}

std::string_view status_word(OperationState state) {
  switch (state) {
    case OperationState::running:
      return "in-progress";
    case OperationState::cancelling:
      return "abort-signaled";
    case OperationState::cancelled:
      return "aborted";
    default:
      return "completed";
  }
}

TaskWords task_words(const cluster::OperationGroup& group, std::string_view operation) {
  if (group.outcome == OperationOutcome::done) {
    return {"succeeded", fmt::format("Transition confirmed, {}", smd::lower(operation)), {}};
  }
  std::string error = group.error ? group.error->message : std::string();
  const bool unsupported = group.error && group.error->code == info(Code::unsupported).name;
  if (unsupported) return {"unsupported", "Transition unsupported", std::move(error)};
  if (group.outcome == OperationOutcome::cancelled) {
    return {"failed", "Transition aborted", std::move(error)};
  }
  return {"failed", "Failed to achieve transition", std::move(error)};
}

std::string_view power_word(cluster::BmcPowerState state) {
  switch (state) {
    case cluster::BmcPowerState::on:
    case cluster::BmcPowerState::powering_off:
      return "on";
    case cluster::BmcPowerState::off:
    case cluster::BmcPowerState::powering_on:
      return "off";
    default:
      return "undefined";
  }
}

std::vector<std::string_view> transitions_by(const std::vector<std::string>& resets) {
  const auto has = [&](std::string_view reset) {
    return resets.empty() || std::ranges::find(resets, reset) != resets.end();
  };
  const bool on = has("On") || has("ForceOn") || has("PushPowerButton");
  const bool soft = has("GracefulShutdown");
  const bool force = has("ForceOff");
  std::vector<std::string_view> out;
  if (on) out.emplace_back("On");
  if (force) out.emplace_back("Force-Off");
  if (soft) out.emplace_back("Soft-Off");
  if (soft || force) out.emplace_back("Off");
  if (on && (soft || force)) {
    out.emplace_back("Init");
    out.emplace_back("Hard-Restart");
  }
  const bool restarts = !resets.empty() && has("GracefulRestart");
  if (restarts || (on && (soft || force))) out.emplace_back("Soft-Restart");
  return out;
}

void set_deadline(cluster::PowerRequest& request, int64_t minutes) {
  request.confirm = minutes != 0;
  constexpr int64_t kDefault = 5;
  if (minutes == 0) minutes = kDefault;  // of the steps before the last, which must be seen
  if (minutes < 0 || minutes > kMostMinutes) minutes = kMostMinutes;
  constexpr int64_t kSeconds = 60;
  request.graceful_s = static_cast<uint32_t>(minutes * kSeconds);
  request.forced_s = request.graceful_s;
}

}  // namespace drover::api::pcs

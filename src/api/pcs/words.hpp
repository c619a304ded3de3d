// PCS's words for what Drover has other words for, and the other way round. Pure. Source: the
// models of OpenCHAMI/power-control.
#pragma once

#include "base/result.hpp"
#include "cluster/hardware/bmc_inventory.hpp"
#include "cluster/hardware/power_request.hpp"
#include "cluster/operation.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::pcs {

/// The action for an operation's name, in any case; nothing when it is none.
std::optional<cluster::PowerAction> action_called(std::string_view operation);
/// "Soft-Restart"; empty for what is no transition.
std::string_view operation_word(cluster::PowerAction action);

/// An operation's id as a UUID: 8-4-4-4-12 of its digits.
std::string uuid_of(std::string_view id);
/// The id in a UUID, with or without dashes; invalid_argument for anything else.
Result<std::string> id_in(std::string_view uuid);

std::string_view status_word(cluster::OperationState state);

/// Of one component in a task.
struct TaskWords {
  std::string_view status;
  std::string description;
  std::string error;
};
/// Of a node that has ended as `group` says.
TaskWords task_words(const cluster::OperationGroup& group, std::string_view operation);

std::string_view power_word(cluster::BmcPowerState state);
/// The transitions that a machine can be brought to by these kinds of reset; all but a graceful
/// restart's own way when the BMC does not say which it takes.
std::vector<std::string_view> transitions_by(const std::vector<std::string>& resets);

/// The deadlines of a request by taskDeadlineMinutes.
void set_deadline(cluster::PowerRequest& request, int64_t minutes);

}  // namespace drover::api::pcs

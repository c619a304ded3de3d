// The bodies of PCS, for the contract.
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::pcs {

struct LocationForm {
  static constexpr std::string_view kTypeName = "PcsLocation";
  std::string xname;
  std::optional<std::string> deputy_key;
  void describe(Visitor& v);
};
struct TransitionRequest {
  static constexpr std::string_view kTypeName = "PcsTransitionRequest";
  std::string operation;
  std::optional<int64_t> minutes;
  std::optional<std::vector<LocationForm>> location;
  void describe(Visitor& v);
};
struct TransitionMade {
  static constexpr std::string_view kTypeName = "PcsTransitionMade";
  std::string id, operation;
  void describe(Visitor& v);
};
struct TaskCounts {
  static constexpr std::string_view kTypeName = "PcsTaskCounts";
  uint64_t total = 0, fresh = 0, in_progress = 0, failed = 0, succeeded = 0, unsupported = 0;
  void describe(Visitor& v);
};
struct TaskForm {
  static constexpr std::string_view kTypeName = "PcsTransitionTask";
  std::string xname, status, description;
  std::optional<std::string> error;
  void describe(Visitor& v);
};
struct TransitionForm {
  static constexpr std::string_view kTypeName = "PcsTransition";
  std::string id, operation, created, expires, status;
  TaskCounts counts;
  std::optional<std::vector<TaskForm>> tasks;
  void describe(Visitor& v);
};
struct TransitionList {
  static constexpr std::string_view kTypeName = "PcsTransitionList";
  std::vector<TransitionForm> transitions;
  void describe(Visitor& v);
};
struct AbortForm {
  static constexpr std::string_view kTypeName = "PcsAbort";
  std::string status;
  void describe(Visitor& v);
};
struct PowerStatusRequest {
  static constexpr std::string_view kTypeName = "PcsPowerStatusRequest";
  std::optional<std::vector<std::string>> xnames;
  std::optional<std::string> power_state, management_state;
  void describe(Visitor& v);
};
struct PowerStatusForm {
  static constexpr std::string_view kTypeName = "PcsPowerStatus";
  std::string xname, power_state, management_state, error, updated;
  std::vector<std::string> transitions;
  void describe(Visitor& v);
};
struct PowerStatusList {
  static constexpr std::string_view kTypeName = "PcsPowerStatusList";
  std::vector<PowerStatusForm> status;
  void describe(Visitor& v);
};
struct CapSnapshotRequest {
  static constexpr std::string_view kTypeName = "PcsPowerCapSnapshot";
  std::vector<std::string> xnames;
  void describe(Visitor& v);
};
struct CapControlForm {
  static constexpr std::string_view kTypeName = "PcsPowerCapControl";
  std::string name;
  int64_t value = 0;
  void describe(Visitor& v);
};
struct CapPatchComponent {
  static constexpr std::string_view kTypeName = "PcsPowerCapPatchComponent";
  std::string xname;
  std::vector<CapControlForm> controls;
  void describe(Visitor& v);
};
struct CapPatchRequest {
  static constexpr std::string_view kTypeName = "PcsPowerCapPatch";
  std::vector<CapPatchComponent> components;
  void describe(Visitor& v);
};
struct CapTaskMade {
  static constexpr std::string_view kTypeName = "PcsPowerCapTaskMade";
  std::string id;
  void describe(Visitor& v);
};
struct CapHostLimits {
  static constexpr std::string_view kTypeName = "PcsPowerCapHostLimits";
  std::optional<int64_t> most, least;
  void describe(Visitor& v);
};
struct CapLimitForm {
  static constexpr std::string_view kTypeName = "PcsPowerCapLimit";
  std::string name;
  std::optional<int64_t> current, most, least;
  void describe(Visitor& v);
};
struct CapComponent {
  static constexpr std::string_view kTypeName = "PcsPowerCapComponent";
  std::string xname;
  std::optional<std::string> error;
  std::optional<CapHostLimits> limits;
  std::optional<std::vector<CapLimitForm>> caps;
  void describe(Visitor& v);
};
struct CapTaskForm {
  static constexpr std::string_view kTypeName = "PcsPowerCapTask";
  std::string id, type, created, expires, status;
  TaskCounts counts;
  std::optional<std::vector<CapComponent>> components;
  void describe(Visitor& v);
};
struct CapTaskList {
  static constexpr std::string_view kTypeName = "PcsPowerCapTaskList";
  std::vector<CapTaskForm> tasks;
  void describe(Visitor& v);
};
struct HealthForm {
  static constexpr std::string_view kTypeName = "PcsHealth";
  std::string store, locks, state_manager, secrets, runner;
  void describe(Visitor& v);
};

}  // namespace drover::api::pcs

#include "api/pcs/forms.hpp"

namespace drover::api::pcs {
namespace {

constexpr auto kMay = Presence::patch;

}  // namespace

void LocationForm::describe(Visitor& v) {
  v.field("xname", xname, "Xname of the node.");
  v.field("deputyKey", deputy_key, "Deputy key of its reservation, where somebody holds one.",
          kMay);
}
void TransitionRequest::describe(Visitor& v) {
  v.field("operation", operation,
          "on, off, soft-off, force-off, soft-restart, hard-restart or init, in any case.");
  v.field("taskDeadlineMinutes", minutes,
          "How long each step may take [5]; 0: it need only be accepted; -1: up to an hour.", kMay);
  v.field("location", location, "The nodes.", kMay);
}
void TransitionMade::describe(Visitor& v) {
  v.field("transitionID", id, "Its id, a UUID: the id of the operation.");
  v.field("operation", operation, "What is done.");
}
void TaskCounts::describe(Visitor& v) {
  v.field("total", total, "All.");
  v.field("new", fresh, "Those not begun yet.");
  v.field("in-progress", in_progress, "Those under way.");
  v.field("failed", failed, "Those that failed.");
  v.field("succeeded", succeeded, "Those that are done.");
  v.field("un-supported", unsupported, "Those that their BMC cannot do.");
}
void TaskForm::describe(Visitor& v) {
  v.field("xname", xname, "The component.");
  v.field("taskStatus", status, "new, in-progress, failed, succeeded or unsupported.");
  v.field("taskStatusDescription", description, "The same in words.");
  v.field("error", error, "Why it failed.", kMay);
}
void TransitionForm::describe(Visitor& v) {
  v.field("transitionID", id, "Its id, a UUID: the id of the operation.");
  v.field("operation", operation, "What is done.");
  v.field("createTime", created, "When it was asked for.");
  v.field("automaticExpirationTime", expires, "When it may be forgotten.");
  v.field("transitionStatus", status, "in-progress, completed, abort-signaled or aborted.");
  v.field("taskCounts", counts, "How many components are how far.");
  v.field("tasks", tasks, "The components.", kMay);
}
void TransitionList::describe(Visitor& v) {
  v.field("transitions", transitions, "The transitions, the newest first.");
}
void AbortForm::describe(Visitor& v) {
  v.field("abortStatus", status, "That it is being stopped.");
}
void PowerStatusRequest::describe(Visitor& v) {
  v.field("xname", xnames, "Only these; none: all nodes.", kMay);
  v.field("powerStateFilter", power_state, "Only these: on, off or undefined.", kMay);
  v.field("managementStateFilter", management_state, "Only these: available or unavailable.", kMay);
}
void PowerStatusForm::describe(Visitor& v) {
  v.field("xname", xname, "The component.");
  v.field("powerState", power_state, "on, off or undefined.");
  v.field("managementState", management_state,
          "available when its BMC answered, else unavailable.");
  v.field("error", error, "Why nothing is known; may be empty.");
  v.field("supportedPowerTransitions", transitions, "What its BMC can do.");
  v.field("lastUpdated", updated, "When its BMC was asked last; empty: never.");
}
void PowerStatusList::describe(Visitor& v) {
  v.field("status", status, "The components.");
}
void CapSnapshotRequest::describe(Visitor& v) {
  v.field("xnames", xnames, "The nodes.");
}
void CapControlForm::describe(Visitor& v) {
  v.field("name", name, "Name of the limit.");
  v.field("value", value, "Watts; 0: no limit.");
}
void CapPatchComponent::describe(Visitor& v) {
  v.field("xname", xname, "The node.");
  v.field("controls", controls, "Its limits.");
}
void CapPatchRequest::describe(Visitor& v) {
  v.field("components", components, "The nodes and their limits.");
}
void CapTaskMade::describe(Visitor& v) {
  v.field("taskID", id, "Its id, a UUID: the id of the operation.");
}
void CapHostLimits::describe(Visitor& v) {
  v.field("hostLimitMax", most, "Largest limit of the node.", kMay);
  v.field("hostLimitMin", least, "Smallest limit of the node.", kMay);
}
void CapLimitForm::describe(Visitor& v) {
  v.field("name", name, "What the BMC calls it.");
  v.field("currentValue", current, "Watts; 0: no limit.", kMay);
  v.field("maximumValue", most, "Largest that it takes.", kMay);
  v.field("minimumValue", least, "Smallest that it takes.", kMay);
}
void CapComponent::describe(Visitor& v) {
  v.field("xname", xname, "The component.");
  v.field("error", error, "Why it failed.", kMay);
  v.field("limits", limits, "What the node can be limited to.", kMay);
  v.field("powerCapLimits", caps, "Its limits.", kMay);
}
void CapTaskForm::describe(Visitor& v) {
  v.field("taskID", id, "Its id, a UUID: the id of the operation.");
  v.field("type", type, "snapshot or patch.");
  v.field("taskCreateTime", created, "When it was asked for.");
  v.field("automaticExpirationTime", expires, "When it may be forgotten.");
  v.field("taskStatus", status, "in-progress or completed.");
  v.field("taskCounts", counts, "How many components are how far.");
  v.field("components", components, "The components.", kMay);
}
void CapTaskList::describe(Visitor& v) {
  v.field("tasks", tasks, "The tasks, the newest first.");
}
void HealthForm::describe(Visitor& v) {
  v.field("KvStore", store, "The store.");
  v.field("DistLocking", locks, "What keeps two changes of one node apart.");
  v.field("StateManager", state_manager, "What knows the components.");
  v.field("Vault", secrets, "What keeps the passwords of BMCs.");
  v.field("TaskRunner", runner, "What speaks to BMCs.");
}

}  // namespace drover::api::pcs

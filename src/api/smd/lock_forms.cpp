#include "api/smd/lock_forms.hpp"

namespace drover::api::smd {
namespace {

constexpr auto kMay = Presence::patch;

}  // namespace

void KeyForm::describe(Visitor& v) {
  v.field("ID", id, "Xname.");
  v.field("Key", key, "Its reservation's key, or deputy key.");
}
void LockRequest::describe(Visitor& v) {
  v.field("ComponentIDs", ids, "Xnames.", kMay);
  v.field("Type", type, "Components of these types; filters narrow each other.", kMay);
  v.field("State", state, "Components in these states.", kMay);
  v.field("Role", role, "Components in these roles.", kMay);
  v.field("Group", group, "Members of these groups.", kMay);
  v.field("Partition", partition, "Members of these partitions.", kMay);
  v.field("ProcessingModel", model, "rigid: all or nothing; flexible: what can be done.", kMay);
  v.field("ReservationDuration", minutes, "Of a service's reservation: 1 to 15 minutes.", kMay);
  v.field("ReservationKeys", reservation_keys, "What is released or renewed.", kMay);
  v.field("DeputyKeys", deputy_keys, "What is checked.", kMay);
}
void LockFailure::describe(Visitor& v) {
  v.field("ID", id, "Xname.");
  v.field("Reason", reason, "NotFound, Locked, Unlocked, Disabled or Reserved.");
}
void LockCounts::describe(Visitor& v) {
  v.field("Total", total, "Components that were asked for.");
  v.field("Success", success, "How many it was done to.");
  v.field("Failure", failure, "How many it was not done to.");
}
void LockIds::describe(Visitor& v) {
  v.field("ComponentIDs", ids, "Xnames.");
}
void LockResult::describe(Visitor& v) {
  v.field("Counts", counts, "How many.");
  v.field("Success", success, "Where it was done.");
  v.field("Failure", failure, "Where it was not, and why.");
}
void ReservationForm::describe(Visitor& v) {
  v.field("ID", id, "Xname.");
  v.field("DeputyKey", deputy_key, "What the holder shows to others.", kMay);
  v.field("ReservationKey", key, "What the holder keeps.", kMay);
  v.field("CreationTime", created, "When it was made.", kMay);
  v.field("ExpirationTime", expires, "When it ends.", kMay);
}
void ReservationResult::describe(Visitor& v) {
  v.field("Success", success, "What is reserved.");
  v.field("Failure", failure, "What is not, and why.");
}
void LockStatusForm::describe(Visitor& v) {
  v.field("ID", id, "Xname.");
  v.field("Locked", locked, "Whether it is locked.");
  v.field("Reserved", reserved, "Whether it is reserved.");
  v.field("CreationTime", created, "Since when.", kMay);
  v.field("ExpirationTime", expires, "Until when.", kMay);
  v.field("ReservationDisabled", disabled, "Whether it cannot be reserved.");
}
void LockStatusList::describe(Visitor& v) {
  v.field("Components", components, "The components.");
  v.field("NotFound", not_found, "Xnames that nothing has.", kMay);
}

}  // namespace drover::api::smd

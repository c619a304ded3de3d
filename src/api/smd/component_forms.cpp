#include "api/smd/component_forms.hpp"

namespace drover::api::smd {
namespace {

constexpr auto kMay = Presence::patch;

}  // namespace

void ComponentForm::describe(Visitor& v) {
  v.field("ID", id, "Its xname.");
  v.field("Type", type, "What it is; follows from the xname.", kMay);
  v.field("State", state, "Unknown, Empty, Populated, Off, On, Standby, Halt or Ready.", kMay);
  v.field("Flag", flag, "OK, Warning, Alert or Locked.", kMay);
  v.field("Enabled", enabled, "Whether it takes part at all.", kMay);
  v.field("SoftwareStatus", software_status, "What its software says.", kMay);
  v.field("Role", role, "Compute, Service, System, Application, Storage or Management.", kMay);
  v.field("SubRole", sub_role, "Master, Worker or Storage.", kMay);
  v.field("NID", nid, "Node number.", kMay);
  v.field("Subtype", subtype, "A finer type.", kMay);
  v.field("NetType", net_type, "Sling, Infiniband, Ethernet, OEM or None.", kMay);
  v.field("Arch", arch, "X86, ARM, UNKNOWN or Other.", kMay);
  v.field("Class", hw_class, "River, Mountain or Hill.", kMay);
  v.field("ReservationDisabled", no_reservations, "Whether it cannot be reserved.", kMay);
  v.field("Locked", locked, "Whether power requests are refused.", kMay);
}

void ComponentArray::describe(Visitor& v) {
  v.field("Components", components, "The components.");
}

void ComponentsPost::describe(Visitor& v) {
  v.field("Components", components, "What is made; State is required.");
  v.field("Force", force, "Whether what is there already is changed too.", kMay);
}

void ComponentPut::describe(Visitor& v) {
  v.field("Component", component, "What is made; State is required.");
  v.field("Force", force, "Whether it is changed when it is there already.", kMay);
}

void ComponentPatch::describe(Visitor& v) {
  v.field("ComponentIDs", ids, "Xnames, of the changes of many.", kMay);
  v.field("State", state, "The state.", kMay);
  v.field("Flag", flag, "The flag; OK where a state comes without one.", kMay);
  v.field("Enabled", enabled, "Whether they take part.", kMay);
  v.field("SoftwareStatus", software_status, "What their software says.", kMay);
  v.field("Role", role, "The role.", kMay);
  v.field("SubRole", sub_role, "The finer role.", kMay);
  v.field("NID", nid, "The node number.", kMay);
  v.field("Force", force, "Whether any state may follow any other.", kMay);
  v.field("Components", components, "Of BulkNID: ID and NID of each.", kMay);
}

void ComponentQuery::describe(Visitor& v) {
  v.field("ComponentIDs", ids, "Xnames; with a type also what lies below them.", kMay);
  v.field("NIDRanges", nid_ranges, "Numbers, or ranges of them: 0-100.", kMay);
  v.field("type", type, "Only these types.", kMay);
  v.field("state", state, "Only these states.", kMay);
  v.field("flag", flag, "Only these flags.", kMay);
  v.field("enabled", enabled, "Only what is enabled, or is not.", kMay);
  v.field("softwarestatus", software_status, "Only these software states.", kMay);
  v.field("role", role, "Only these roles.", kMay);
  v.field("subrole", sub_role, "Only these finer roles.", kMay);
  v.field("subtype", subtype, "Only these finer types.", kMay);
  v.field("arch", arch, "Only these architectures.", kMay);
  v.field("class", hw_class, "Only these kinds of cabinets.", kMay);
  v.field("nid", nid, "Only these numbers.", kMay);
  v.field("nid_start", nid_start, "Only numbers from here.", kMay);
  v.field("nid_end", nid_end, "Only numbers up to here.", kMay);
  v.field("group", group, "Only members of this group.", kMay);
  v.field("partition", partition, "Only members of this partition; NULL: of none.", kMay);
  v.field("stateonly", state_only, "Give state and flag alone.", kMay);
  v.field("flagonly", flag_only, "Give the flag alone.", kMay);
  v.field("roleonly", role_only, "Give the roles alone.", kMay);
  v.field("nidonly", nid_only, "Give the number alone.", kMay);
}

void ServiceValues::describe(Visitor& v) {
  v.field("Arch", arch, "Architectures.", kMay);
  v.field("Class", hw_class, "Kinds of cabinets.", kMay);
  v.field("Flag", flag, "Flags.", kMay);
  v.field("NetType", net_type, "Networks.", kMay);
  v.field("Role", role, "Roles.", kMay);
  v.field("SubRole", sub_role, "Finer roles.", kMay);
  v.field("State", state, "States.", kMay);
  v.field("Type", type, "Types of components.", kMay);
}

}  // namespace drover::api::smd

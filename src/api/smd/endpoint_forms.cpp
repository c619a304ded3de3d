#include "api/smd/endpoint_forms.hpp"

namespace drover::api::smd {
namespace {

constexpr auto kMay = Presence::patch;

}  // namespace

void DiscoveryForm::describe(Visitor& v) {
  v.field("LastDiscoveryAttempt", attempt, "When it was last looked at.", kMay);
  v.field("LastDiscoveryStatus", status, "How that went.", kMay);
  v.field("RedfishVersion", version, "The version of Redfish that it speaks.", kMay);
}

void EndpointForm::describe(Visitor& v) {
  v.field("ID", id, "Its xname.");
  v.field("Type", type, "What it is; follows from the xname.", kMay);
  v.field("Name", name, "Free text.", kMay);
  v.field("Hostname", host_name, "The first part of its name, or its address.", kMay);
  v.field("Domain", domain, "The rest of its name.", kMay);
  v.field("FQDN", fqdn, "Its name or address; unique.", kMay);
  v.field("Enabled", enabled, "Whether it is asked at all.", kMay);
  v.field("UUID", uuid, "Its UUID.", kMay);
  v.field("User", user, "Account on it.", kMay);
  v.field("Password", password, "Taken, kept sealed, and never given: always empty.", kMay);
  v.field("UseSSDP", announces, "Kept as it is.", kMay);
  v.field("MACRequired", mac_required, "Kept as it is.", kMay);
  v.field("MACAddr", mac, "Its MAC.", kMay);
  v.field("IPAddress", ip, "Its IP address.", kMay);
  v.field("RediscoverOnUpdate", rediscover, "Whether a change starts a look.", kMay);
  v.field("TemplateID", template_id, "Kept as it is.", kMay);
  v.field("DiscoveryInfo", look, "How the last look went.", kMay);
  v.field("SchemaVersion", schema_version, "1: Systems and Managers are those of magellan.", kMay);
  v.field("Systems", systems, "Computers behind it, as magellan found them; taken, not given.",
          kMay);
  v.field("Managers", managers, "Its controllers, as magellan found them; taken, not given.", kMay);
  v.field("PDUInventory", strip, "Outlets of a power strip; taken, not given.", kMay);
}

void EndpointArray::describe(Visitor& v) {
  v.field("RedfishEndpoints", endpoints, "The endpoints.");
}

void ComponentEndpointForm::describe(Visitor& v) {
  v.field("ID", id, "Its xname.");
  v.field("Type", type, "What it is.");
  v.field("RedfishType", redfish_type, "ComputerSystem, Manager, Chassis or Outlet.");
  v.field("RedfishSubtype", redfish_subtype, "Its kind in Redfish.");
  v.field("UUID", uuid, "Its UUID.", kMay);
  v.field("OdataID", odata_id, "Its path on the endpoint.");
  v.field("RedfishEndpointID", endpoint_id, "The endpoint that it is reached through.");
  v.field("Enabled", enabled, "Whether it takes part.");
  v.field("RedfishEndpointFQDN", fqdn, "The endpoint's name or address.");
  v.field("RedfishURL", url, "Both together.");
  v.field("ComponentEndpointType", kind, "Which of the following it has.");
  v.field("RedfishSystemInfo", system, "Of a computer.", kMay);
  v.field("RedfishManagerInfo", manager, "Of a controller.", kMay);
  v.field("RedfishChassisInfo", chassis, "Of an enclosure.", kMay);
  v.field("RedfishOutletInfo", outlet, "Of an outlet.", kMay);
}

void ComponentEndpointArray::describe(Visitor& v) {
  v.field("ComponentEndpoints", endpoints, "The endpoints.");
}

void AddressForm::describe(Visitor& v) {
  v.field("IPAddress", address, "The address.");
  v.field("Network", network, "Name of the network.", kMay);
}

void InterfaceForm::describe(Visitor& v) {
  v.field("ID", id, "Its MAC without colons.", kMay);
  v.field("Description", description, "Free text.", kMay);
  v.field("MACAddress", mac, "Its MAC.", kMay);
  v.field("LastUpdate", updated, "When it was last changed.", kMay);
  v.field("ComponentID", component, "Whose it is, by xname; empty: nobody's.", kMay);
  v.field("Type", type, "What that is.", kMay);
  v.field("IPAddresses", addresses, "Its addresses.", kMay);
}

}  // namespace drover::api::smd

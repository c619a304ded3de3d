// SMD's /Inventory/ComponentEndpoints: how each computer and controller is reached through its BMC.
// Views of what was found behind the BMCs; BSS, power-control and remote-console read them.
#include "api/smd/alternatives.hpp"
#include "api/smd/component_rows.hpp"
#include "api/smd/endpoint_forms.hpp"
#include "api/smd/endpoint_store.hpp"
#include "api/smd/hardware_items.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/routes.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::BmcChassis;
using cluster::BmcManager;
using cluster::BmcSystem;
using cluster::ManagedBmc;

json::array nics_of(const std::vector<cluster::BmcNic>& nics) {
  json::array out;
  for (const cluster::BmcNic& nic : nics) {
    json::object one{{"RedfishId", nic.id}, {"@odata.id", nic.path}};
    if (!nic.description.empty()) one["Description"] = nic.description;
    if (nic.enabled) one["InterfaceEnabled"] = *nic.enabled;
    if (!nic.mac.empty()) one["MACAddress"] = nic.mac;
    if (!nic.permanent_mac.empty()) one["PermanentMACAddress"] = nic.permanent_mac;
    out.emplace_back(std::move(one));
  }
  return out;
}

json::object actions_of(std::string_view name, const cluster::BmcReset& reset) {
  if (reset.target.empty()) return {};
  json::array allowed;
  for (const std::string& kind : reset.allowed) allowed.emplace_back(kind);
  return {{name, json::object{{"ResetType@Redfish.AllowableValues", std::move(allowed)},
                              {"target", reset.target}}}};
}

/// The enclosure that a system's power is controlled through.
const cluster::BmcChassis* power_chassis(const ManagedBmc& bmc, const BmcSystem& system) {
  for (const cluster::BmcChassis& chassis : bmc.inventory->chassis) {
    const bool holds =
        std::ranges::find(chassis.systems, system.identity.path) != chassis.systems.end() ||
        std::ranges::find(system.chassis, chassis.identity.path) != system.chassis.end();
    if (holds && !chassis.power_controls.empty()) return &chassis;
  }
  return nullptr;
}

json::object base_of(const ManagedBmc& bmc, std::string_view id, std::string_view type,
                     std::string_view redfish, std::string_view kind, std::string_view uuid,
                     std::string_view path) {
  json::object out{{"ID", id}, {"Type", type}, {"RedfishType", redfish}, {"RedfishSubtype", kind}};
  if (!uuid.empty()) out["UUID"] = uuid;
  out["OdataID"] = path;
  out["RedfishEndpointID"] = bmc.name;
  out["Enabled"] = bmc.enabled;
  out["RedfishEndpointFQDN"] = bmc.address;
  out["RedfishURL"] = fmt::format("{}{}", bmc.address, path);
  return out;
}

json::object of_system(const ManagedBmc& bmc, const BmcSystem& system, std::string_view id) {
  json::object out =
      base_of(bmc, id, "Node", "ComputerSystem", system.kind.empty() ? "Physical" : system.kind,
              system.uuid, system.identity.path);
  out["ComponentEndpointType"] = "ComponentEndpointComputerSystem";
  json::object info{{"Name", system.identity.name},
                    {"Actions", actions_of("#ComputerSystem.Reset", system.reset)},
                    {"EthernetNICInfo", nics_of(system.nics)}};
  if (const auto* chassis = power_chassis(bmc, system)) {
    const std::string& control = chassis->power_controls.front().path;
    info["PowerURL"] = control.substr(0, control.find('#'));
    json::array controls;
    for (const auto& each : chassis->power_controls) {
      json::object one{{"@odata.id", each.path}, {"MemberId", each.id}};
      if (!each.name.empty()) one["Name"] = each.name;
      if (each.capacity_watts) one["PowerCapacityWatts"] = *each.capacity_watts;
      controls.emplace_back(std::move(one));
    }
    info["PowerControl"] = std::move(controls);
  }
  if (system.console.serial) {
    json::array protocols;
    for (const std::string& protocol : system.console.protocols) protocols.emplace_back(protocol);
    json::object console{{"ServiceEnabled", true}, {"ConnectTypesSupported", std::move(protocols)}};
    if (system.console.ssh_port) console["SSH"] = json::object{{"Port", *system.console.ssh_port}};
    info["SerialConsole"] = std::move(console);
  }
  out["RedfishSystemInfo"] = std::move(info);
  return out;
}

json::object of_manager(const ManagedBmc& bmc, const BmcManager& manager) {
  const auto xname = cluster::parse_xname(bmc.name);
  json::object out =
      base_of(bmc, bmc.name, enum_name(xname->type), "Manager",
              manager.kind.empty() ? "BMC" : manager.kind, manager.uuid, manager.identity.path);
  out["ComponentEndpointType"] = "ComponentEndpointManager";
  json::object info{{"Name", manager.identity.name},
                    {"Actions", actions_of("#Manager.Reset", manager.reset)},
                    {"EthernetNICInfo", nics_of(manager.nics)}};
  json::array protocols;
  for (const std::string& protocol : manager.console.protocols) protocols.emplace_back(protocol);
  if (manager.console.serial) {
    info["SerialConsole"] =
        json::object{{"ServiceEnabled", true}, {"ConnectTypesSupported", std::move(protocols)}};
  }
  if (manager.console.shell) {
    info["CommandShell"] =
        json::object{{"ServiceEnabled", true}, {"ConnectTypesSupported", json::array{"SSH"}}};
  }
  out["RedfishManagerInfo"] = std::move(info);
  return out;
}

json::object of_enclosure(const ManagedBmc& bmc, const cluster::BmcChassis& chassis,
                          const std::string& id) {
  const auto xname = cluster::parse_xname(id);
  json::object out =
      base_of(bmc, id, enum_name(xname->type), "Chassis",
              chassis.kind.empty() ? "Enclosure" : chassis.kind, "", chassis.identity.path);
  out["ComponentEndpointType"] = "ComponentEndpointChassis";
  out["RedfishChassisInfo"] = json::object{
      {"Name", chassis.identity.name}, {"Actions", actions_of("#Chassis.Reset", chassis.reset)}};
  return out;
}

/// Calls `each` with every component endpoint of a BMC, by xname.
template <typename F>
void endpoints_of(const ManagedBmc& bmc, F each) {
  if (!bmc.inventory || !cluster::parse_xname(bmc.name)) return;
  if (const BmcManager* manager = own_manager(*bmc.inventory)) {
    each(bmc.name, [&] { return of_manager(bmc, *manager); });
  }
  const BmcChassis* chassis = main_chassis(*bmc.inventory);
  const std::string around = enclosure_of(bmc.name);
  if (chassis != nullptr && !chassis->identity.path.empty() && cluster::parse_xname(around)) {
    each(around, [&] { return of_enclosure(bmc, *chassis, around); });
  }
  const auto components = components_of(bmc);
  for (size_t i = 0; i < components.size(); ++i) {
    each(components[i].id.text,
         [&, i] { return of_system(bmc, bmc.inventory->systems[i], components[i].id.text); });
  }
}

struct Wanted {
  Alternatives ids, endpoints, types, redfish_types;
  static Result<Wanted> of(const Query& query) {
    Wanted out;
    DROVER_CHECK_OK(out.ids.take(query, "id", as_xname));
    DROVER_CHECK_OK(out.endpoints.take(query, "redfish_ep", as_xname));
    DROVER_CHECK_OK(out.types.take(query, "type", as_type));
    DROVER_CHECK_OK(out.redfish_types.take(query, "redfish_type", as_lower));
    return out;
  }
};

void list(Services& services, const RequestPtr& request, std::string_view below) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, const Wanted wanted, Wanted::of(query));
  std::string out = R"({"ComponentEndpoints":[)";
  for (const auto& [name, bmc] : services.model.hardware().bmcs()) {
    if (!wanted.endpoints.fits(name)) continue;
    endpoints_of(bmc, [&](const std::string& id, auto make) {
      if (!wanted.ids.fits(id)) return;
      if (!below.empty() && !cluster::lies_in(id, below)) return;
      const json::object endpoint = make();
      if (!wanted.types.fits(endpoint.at("Type").as_string())) return;
      if (!wanted.redfish_types.fits(lower(endpoint.at("RedfishType").as_string()))) return;
      if (out.back() != '[') out += ',';
      out += to_text(endpoint);
    });
  }
  request->json(200, out + "]}");
}

void query(Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail({Code::invalid_argument, "invalid xname ID", {}, {}});
  list(services, request, xname->text);
}

void show(Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail(missing("no such xname."));
  const auto& bmcs = services.model.hardware().bmcs();
  std::string out;
  if (const auto bmc = bmcs.find(bmc_of_place(xname->text)); bmc != bmcs.end()) {
    endpoints_of(bmc->second, [&](const std::string& id, auto make) {
      if (id == xname->text) out = to_text(make());
    });
  }
  if (out.empty()) return request->fail(missing("no such xname."));
  request->json(200, std::move(out));
}

}  // namespace

void add_component_endpoints(Router& router, Services& services) {
  const std::vector<QueryParameter> filters{
      {.name = "id", .doc = "Only these xnames."},
      {.name = "redfish_ep", .doc = "Only those reached through these endpoints."},
      {.name = "type", .doc = "Only these types.", .example = "Node"},
      {.name = "redfish_type", .doc = "Only these types of Redfish."}};
  Route list_all = smd_route("GET", "/hsm/v2/Inventory/ComponentEndpoints",
                             "SMD: how components are reached through their BMCs.",
                             [&services](const RequestPtr& r) { list(services, r, ""); });
  Route below = smd_route("GET", "/hsm/v2/Inventory/ComponentEndpoints/Query/{xname}",
                          "SMD: how components at and below a place are reached.",
                          [&services](const RequestPtr& r) { query(services, r); });
  for (Route* route : {&list_all, &below}) {
    route->query = filters;
    route->gives = body_of<ComponentEndpointArray>();
    route->errors = {Code::invalid_argument};
    router.add(std::move(*route));
  }
  Route item = smd_route("GET", "/hsm/v2/Inventory/ComponentEndpoints/{xname}",
                         "SMD: how one component is reached.",
                         [&services](const RequestPtr& r) { show(services, r); });
  item.gives = body_of<ComponentEndpointForm>();
  item.errors = {Code::not_found};
  router.add(std::move(item));
}

}  // namespace drover::api::smd

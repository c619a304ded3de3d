// The bodies of SMD's /Inventory/RedfishEndpoints, ComponentEndpoints and EthernetInterfaces, for
// the contract. Requests are read member by member (endpoint_input.hpp).
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

struct DiscoveryForm {
  static constexpr std::string_view kTypeName = "SmdDiscoveryInfo";
  std::optional<std::string> attempt, status, version;
  void describe(Visitor& v);
};
struct EndpointForm {
  static constexpr std::string_view kTypeName = "SmdRedfishEndpoint";
  std::string id;
  std::optional<std::string> type, name, host_name, domain, fqdn, uuid, user, password, mac, ip,
      template_id;
  std::optional<bool> enabled, announces, mac_required, rediscover;
  std::optional<DiscoveryForm> look;
  std::optional<int64_t> schema_version;
  std::optional<RawJson> systems, managers, strip;
  void describe(Visitor& v);
};
/// Also one endpoint alone is taken.
struct EndpointArray {
  static constexpr std::string_view kTypeName = "SmdRedfishEndpoints";
  std::vector<EndpointForm> endpoints;
  void describe(Visitor& v);
};

struct ComponentEndpointForm {
  static constexpr std::string_view kTypeName = "SmdComponentEndpoint";
  std::string id, type, redfish_type, redfish_subtype, odata_id, endpoint_id, fqdn, url, kind;
  std::optional<std::string> uuid;
  bool enabled = true;
  std::optional<RawJson> system, manager, chassis, outlet;
  void describe(Visitor& v);
};
struct ComponentEndpointArray {
  static constexpr std::string_view kTypeName = "SmdComponentEndpoints";
  std::vector<ComponentEndpointForm> endpoints;
  void describe(Visitor& v);
};

struct AddressForm {
  static constexpr std::string_view kTypeName = "SmdIPAddress";
  std::string address;
  std::optional<std::string> network;
  void describe(Visitor& v);
};
struct InterfaceForm {
  static constexpr std::string_view kTypeName = "SmdEthernetInterface";
  std::optional<std::string> id, description, mac, updated, component, type;
  std::optional<std::vector<AddressForm>> addresses;
  void describe(Visitor& v);
};

}  // namespace drover::api::smd

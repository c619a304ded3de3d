// What is sent to SMD's /Inventory/RedfishEndpoints: plain endpoints, magellan's payloads with all
// systems and managers of a BMC (also made by `ochami discover static`), and power strips. What a
// BMC got wrong (addresses that are none) is left out with a warning; what the sender got wrong is
// an error.
#pragma once

#include "api/smd/manners.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "cluster/bmc/bmc.hpp"
#include "cluster/bmc/component.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

/// One endpoint as it was sent. Members that were not sent keep what is known.
struct EndpointSays {
  cluster::ManagedBmc bmc;  ///< with what was sent over what was given to the reader
  std::optional<std::string> password;
  bool has_inventory = false;  ///< systems and managers were sent: nodes follow from them
  std::vector<cluster::Component> outlets;  ///< of a power strip
};

struct EndpointInput {
  std::vector<EndpointSays> endpoints;
  std::string malformed;  ///< a member of the wrong type
};

/// One endpoint, over what is known of it (a new one is blank). `id`: as in the path; empty: as in
/// the body.
Result<EndpointSays> read_endpoint(const json::value& body, const cluster::ManagedBmc& known,
                                   std::string_view id, std::string& malformed);

/// The ID of a body, canonical; an error in SMD's words.
Result<std::string> endpoint_id(const json::value& body);

/// Host name and domain that follow from an address, and from them the address.
void complete_names(cluster::ManagedBmc& bmc);

/// The bodies in a POST: itself, or each of {"RedfishEndpoints":[..]}.
std::vector<const json::value*> endpoint_bodies(const json::value& body);

/// "/redfish/v1/Systems/1" of "https://10.0.0.1/redfish/v1/Systems/1".
std::string path_of_uri(std::string_view uri);

}  // namespace drover::api::smd

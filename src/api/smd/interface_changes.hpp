// Changes of SMD's /Inventory/EthernetInterfaces, one function a route.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "api/smd/interface_rows.hpp"

#include <optional>

namespace drover::api::smd {

/// The interface of the request's path; nothing: there is none.
std::optional<InterfaceRow> find_interface(const Services& services, const RequestPtr& request);
Error no_such_interface();

void post_interface(Services& services, const RequestPtr& request);
void patch_interface(Services& services, const RequestPtr& request);
void add_interface_address(Services& services, const RequestPtr& request);
/// Says on which network an address is, or takes it away.
void patch_interface_address(Services& services, const RequestPtr& request, bool remove);
void remove_interface(Services& services, const RequestPtr& request);
/// All but those of controllers.
void remove_all_interfaces(Services& services, const RequestPtr& request);

}  // namespace drover::api::smd

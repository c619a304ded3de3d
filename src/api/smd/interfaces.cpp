// SMD's /Inventory/EthernetInterfaces: where coresmd and BSS look for MACs and addresses. An
// interface of a node stands in the node; others are kept by their MAC.
#include "api/smd/alternatives.hpp"
#include "api/smd/endpoint_forms.hpp"
#include "api/smd/interface_changes.hpp"
#include "api/smd/interface_rows.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/routes.hpp"
#include "api/smd/smd.hpp"
#include "cluster/xname.hpp"

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::InterfaceAddress;

constexpr std::string_view kAll = "/hsm/v2/Inventory/EthernetInterfaces";

/// The component of an interface; empty: nobody's.
std::optional<std::string> as_owner(std::string_view text) {
  return text.empty() ? std::optional<std::string>("") : as_xname(text);
}
std::optional<std::string> as_id(std::string_view text) {
  return interface_id(text);
}

/// Times, MACs, addresses, components and types that a list is narrowed to.
class InterfaceFilter {
 public:
  static Result<InterfaceFilter> of(const Query& query) {
    InterfaceFilter out;
    DROVER_CHECK_OK(out.ids_.take(query, "id", as_id));
    DROVER_CHECK_OK(out.ids_.take(query, "macaddress", as_id));
    DROVER_CHECK_OK(out.addresses_.take(query, "ipaddress", as_address));
    DROVER_CHECK_OK(out.networks_.take(query, "network", as_any));
    DROVER_CHECK_OK(out.components_.take(query, "componentid", as_owner,
                                         "bad query param: ComponentID is not a valid xname"));
    DROVER_CHECK_OK(out.types_.take(query, "type", as_type, "bad query param: Type is not valid"));
    for (const auto& [key, into] :
         {std::pair{"olderthan", &out.older_}, {"newerthan", &out.newer_}}) {
      const auto found = query.find(key);
      if (found == query.end()) continue;
      *into = from_rfc3339(found->second.back());
      if (!*into) return bad(fmt::format("bad query param: {} is no time (RFC 3339)", key));
    }
    return out;
  }

  [[nodiscard]] bool accepts(const std::string& id, const InterfaceRow& row) const {
    if (!ids_.fits(id) || !components_.fits(row.component)) return false;
    if (!addresses_.fits_one_of(row.addresses, &InterfaceAddress::address)) return false;
    if (!networks_.fits_one_of(row.addresses, &InterfaceAddress::network)) return false;
    if (older_ && row.updated >= *older_) return false;
    if (newer_ && row.updated <= *newer_) return false;
    if (types_.empty()) return true;
    const auto xname = cluster::parse_xname(row.component);
    return xname && types_.fits(enum_name(xname->type));
  }

 private:
  Alternatives ids_, addresses_, networks_, components_, types_;
  std::optional<WallTime> older_, newer_;
};

void list(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, const InterfaceFilter filter, InterfaceFilter::of(query));
  std::string out = "[";
  for (const auto& [id, row] : interface_rows(services.model)) {
    if (!filter.accepts(id, row)) continue;
    if (out.size() > 1) out += ',';
    append_json(out, row);
  }
  request->json(200, out + "]");
}

void show(Services& services, const RequestPtr& request) {
  const auto row = find_interface(services, request);
  if (!row) return request->fail(no_such_interface());
  std::string out;
  append_json(out, *row);
  request->json(200, std::move(out));
}

void show_addresses(Services& services, const RequestPtr& request) {
  const auto row = find_interface(services, request);
  if (!row) return request->fail(no_such_interface());
  std::string out;
  append_json(out, row->addresses);
  request->json(200, std::move(out));
}

}  // namespace

void add_interfaces(Router& router, Services& services) {
  const std::string_view one = "/hsm/v2/Inventory/EthernetInterfaces/{id}";
  const std::string_view addresses = "/hsm/v2/Inventory/EthernetInterfaces/{id}/IPAddresses";
  const std::string_view address = "/hsm/v2/Inventory/EthernetInterfaces/{id}/IPAddresses/{ip}";
  Route all =
      smd_route("GET", kAll, "SMD: list interfaces; to anyone where smd.open_reads says so.",
                [&services](const RequestPtr& r) { list(services, r); });
  all.query = {{.name = "MACAddress", .doc = "Only these MACs."},
               {.name = "IPAddress", .doc = "Only with these addresses."},
               {.name = "Network", .doc = "Only on these networks."},
               {.name = "ComponentID", .doc = "Only of these components."},
               {.name = "Type", .doc = "Only of components of these types."},
               {.name = "OlderThan", .doc = "Only what was changed before this time."},
               {.name = "NewerThan", .doc = "Only what was changed after this time."}};
  all.gives = array_of<InterfaceForm>();
  all.errors = {Code::invalid_argument};
  all.open_when = [&services] { return services.model.settings().flag("smd.open_reads"); };
  router.add(std::move(all));
  Route made = smd_route("POST", kAll, "SMD: make an interface; a node's becomes part of the node.",
                         [&services](const RequestPtr& r) { post_interface(services, r); });
  made.takes = body_of<InterfaceForm>();
  made.gives = body_of<ResourceUri>();
  made.status = 201;
  made.location = true;
  made.errors = {Code::conflict};
  router.add(std::move(made));
  Route none = smd_route("DELETE", kAll, "SMD: remove all interfaces but those of controllers.",
                         [&services](const RequestPtr& r) { remove_all_interfaces(services, r); });
  none.gives = body_of<Outcome>();
  none.errors = {Code::not_found};
  router.add(std::move(none));
  Route item = smd_route("GET", one, "SMD: one interface.",
                         [&services](const RequestPtr& r) { show(services, r); });
  item.gives = body_of<InterfaceForm>();
  item.errors = {Code::not_found};
  router.add(std::move(item));
  Route patched = smd_route("PATCH", one, "SMD: change an interface.",
                            [&services](const RequestPtr& r) { patch_interface(services, r); });
  patched.takes = patched.gives = body_of<InterfaceForm>();
  patched.errors = {Code::not_found, Code::conflict};
  router.add(std::move(patched));
  Route gone = smd_route("DELETE", one, "SMD: remove an interface.",
                         [&services](const RequestPtr& r) { remove_interface(services, r); });
  gone.gives = body_of<Outcome>();
  gone.errors = {Code::not_found, Code::conflict};
  router.add(std::move(gone));
  Route listed = smd_route("GET", addresses, "SMD: an interface's addresses.",
                           [&services](const RequestPtr& r) { show_addresses(services, r); });
  listed.gives = array_of<AddressForm>();
  listed.errors = {Code::not_found};
  router.add(std::move(listed));
  Route added = smd_route("POST", addresses, "SMD: give an interface an address.",
                          [&services](const RequestPtr& r) { add_interface_address(services, r); });
  added.takes = body_of<AddressForm>();
  added.gives = body_of<ResourceUri>();
  added.status = 201;
  added.location = true;
  added.errors = {Code::not_found, Code::conflict};
  router.add(std::move(added));
  Route network =
      smd_route("PATCH", address, "SMD: say on which network an address is.",
                [&services](const RequestPtr& r) { patch_interface_address(services, r, false); });
  network.takes = body_of<AddressForm>();
  network.gives = body_of<Outcome>();
  network.errors = {Code::not_found};
  router.add(std::move(network));
  Route taken =
      smd_route("DELETE", address, "SMD: take an address from an interface.",
                [&services](const RequestPtr& r) { patch_interface_address(services, r, true); });
  taken.gives = body_of<Outcome>();
  taken.errors = {Code::not_found};
  router.add(std::move(taken));
}

}  // namespace drover::api::smd

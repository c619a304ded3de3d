// SMD's /Inventory/RedfishEndpoints: what magellan and ochami post and patch.
#include "api/smd/alternatives.hpp"
#include "api/smd/component_rows.hpp"
#include "api/smd/endpoint_forms.hpp"
#include "api/smd/endpoint_input.hpp"
#include "api/smd/endpoint_store.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/member_writer.hpp"
#include "api/smd/routes.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "cluster/hardware/bmc_access.hpp"

#include <array>
#include <functional>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::ManagedBmc;

constexpr std::string_view kAll = "/hsm/v2/Inventory/RedfishEndpoints";
/// The first thing that a client does with a collection of 64 MiB is out of reach: the server's
/// own.
constexpr size_t kMostAtOnce = 4096;

std::string_view type_of(const ManagedBmc& bmc) {
  const auto xname = cluster::parse_xname(bmc.name);
  return xname ? enum_name(xname->type) : std::string_view("NodeBMC");
}

std::string_view look_of(const ManagedBmc& bmc) {
  return bmc.look.status.empty() ? std::string_view("NotYetQueried") : bmc.look.status;
}

void append_json(std::string& out, const ManagedBmc& bmc) {
  MemberWriter writer(out);
  writer.text("ID", bmc.name)
      .text("Type", type_of(bmc))
      .known("Name", bmc.description)
      .text("Hostname", bmc.host_name)
      .text("Domain", bmc.domain)
      .text("FQDN", bmc.address)
      .truth("Enabled", bmc.enabled)
      .known("UUID", bmc.uuid)
      .text("User", bmc.user)
      .text("Password", "");
  if (bmc.announces) writer.truth("UseSSDP", true);
  if (bmc.mac_required) writer.truth("MACRequired", true);
  writer.known("MACAddr", bmc.mac)
      .known("IPAddress", bmc.ip)
      .truth("RediscoverOnUpdate", bmc.rediscover)
      .known("TemplateID", bmc.template_id)
      .begin("DiscoveryInfo");
  MemberWriter look(out);
  look.text("LastDiscoveryStatus", look_of(bmc));
  if (bmc.look.attempted != WallTime{}) look.time("LastDiscoveryAttempt", bmc.look.attempted);
  look.known("RedfishVersion", bmc.look.redfish_version).close();
  writer.close();
}

/// Filters of the list. A BMC without an xname has no place in SMD's world and is not shown.
class EndpointFilter {
 public:
  static Result<EndpointFilter> of(const Query& query) {
    EndpointFilter out;
    DROVER_CHECK_OK(out.ids_.take(query, "id", as_xname));
    DROVER_CHECK_OK(out.types_.take(query, "type", as_type));
    DROVER_CHECK_OK(out.fqdns_.take(query, "fqdn", as_lower));
    DROVER_CHECK_OK(out.uuids_.take(query, "uuid", as_lower));
    DROVER_CHECK_OK(out.macs_.take(query, "macaddr", as_mac));
    DROVER_CHECK_OK(out.ips_.take(query, "ipaddress", as_address));
    DROVER_CHECK_OK(out.looks_.take(query, "laststatus", as_lower));
    return out;
  }
  [[nodiscard]] bool accepts(const ManagedBmc& bmc) const {
    const std::array<std::string_view, 2> addresses{bmc.ip, bmc.address};
    return ids_.fits(bmc.name) && types_.fits(type_of(bmc)) && fqdns_.fits(bmc.address) &&
           uuids_.fits(lower(bmc.uuid)) && macs_.fits(bmc.mac) &&
           ips_.fits_one_of(addresses, std::identity()) && looks_.fits(lower(look_of(bmc)));
  }

 private:
  Alternatives ids_, types_, fqdns_, uuids_, macs_, ips_, looks_;
};

void list(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, const EndpointFilter filter, EndpointFilter::of(query));
  std::string out = R"({"RedfishEndpoints":[)";
  for (const auto& [name, bmc] : services.model.hardware().bmcs()) {
    if (!cluster::parse_xname(name) || !filter.accepts(bmc)) continue;
    if (out.back() != '[') out += ',';
    append_json(out, bmc);
  }
  request->json(200, out + "]}");
}

/// The endpoint of the path; nullptr: there is none.
const ManagedBmc* find(const Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return nullptr;
  const auto& bmcs = services.model.hardware().bmcs();
  const auto found = bmcs.find(xname->text);
  return found == bmcs.end() ? nullptr : &found->second;
}

void show(Services& services, const RequestPtr& request) {
  const ManagedBmc* bmc = find(services, request);
  if (bmc == nullptr) return request->fail(missing("no such xname."));
  std::string out;
  append_json(out, *bmc);
  request->json(200, std::move(out));
}

void query(Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail({Code::invalid_argument, "invalid xname ID", {}, {}});
  std::string out = R"({"RedfishEndpoints":[)";
  for (const auto& [name, bmc] : services.model.hardware().bmcs()) {
    if (!cluster::lies_in(name, xname->text)) continue;
    if (out.back() != '[') out += ',';
    append_json(out, bmc);
  }
  request->json(200, out + "]}");
}

/// The password for the BMC's address and user; empty when none was sent.
Result<std::string> seal_password(Services& services, const EndpointSays& says) {
  if (!says.password) return std::string();
  if (says.bmc.user.empty()) return bad("couldn't validate endpoint data: a Password needs a User");
  if (says.password->size() > cluster::kMaxBmcPassword) {
    return bad(fmt::format("couldn't validate endpoint data: a Password has at most {} bytes",
                           cluster::kMaxBmcPassword));
  }
  if (services.secrets == nullptr) return fail(Code::unsupported, "this master keeps no secrets");
  return services.secrets->seal(
      *says.password, cluster::bmc_credential_key(cluster::BmcScope::bmc, says.bmc.address),
      services.random);
}

/// Reads one body over what is known; false: it has been answered.
bool read_into(Services& services, const RequestPtr& request, const json::value& body,
               std::string_view id, bool keep, std::vector<EndpointTarget>& targets,
               ComponentRows& rows) {
  ManagedBmc known;
  if (keep) {
    const auto& bmcs = services.model.hardware().bmcs();
    const auto named = id.empty() ? endpoint_id(body) : Result<std::string>(std::string(id));
    const auto found = named ? bmcs.find(*named) : bmcs.end();
    if (found != bmcs.end()) known = found->second;
  }
  std::string malformed;
  auto says = read_endpoint(body, known, id, malformed);
  if (!malformed.empty()) {
    refuse_malformed(services, request, malformed);
    return false;
  }
  if (!says) {
    request->fail(says.error());
    return false;
  }
  EndpointTarget target{*std::move(says), {}, {}};
  if (auto sealed = seal_password(services, target.says)) {
    target.sealed = *std::move(sealed);
  } else {
    request->fail(sealed.error());
    return false;
  }
  if (target.says.has_inventory) {
    constexpr size_t kIdBytes = 16;
    target.nodes = targets_of(rows, components_of(target.says.bmc));
    for (ComponentTarget& node : target.nodes) {
      if (node.node.empty()) node.fresh_id = services.random.hex(kIdBytes);
    }
  }
  targets.push_back(std::move(target));
  return true;
}

/// All of them in one mutation: all are there, or none.
void write(Services& services, const RequestPtr& request, std::vector<EndpointTarget> targets,
           Callback<Existing(const EndpointTarget&)> existing, Callback<Reply()> reply) {
  std::vector<std::string> nodes;
  for (const EndpointTarget& target : targets) {
    for (const ComponentTarget& node : target.nodes) {
      nodes.push_back(node.node.empty() ? node.id.text : node.node);
    }
  }
  if (const Status may = authorize(request, nodes, true); !may) return request->fail(may.error());
  mutate(services, request,
         [targets = std::move(targets), existing = std::move(existing),
          reply = std::move(reply)](store::Transaction& tx) mutable -> Result<Reply> {
           EndpointStore endpoints(tx);
           for (const EndpointTarget& target : targets) {
             DROVER_CHECK_OK(endpoints.put(target, existing(target)));
           }
           DROVER_CHECK_OK(endpoints.finish());
           return reply();
         });
}

void post(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  const auto bodies = endpoint_bodies(*body);
  if (bodies.empty() || bodies.size() > kMostAtOnce) {
    return request->fail({Code::invalid_argument, "Missing RedfishEndpoints", {}, {}});
  }
  std::vector<EndpointTarget> targets;
  ComponentRows rows(services.model);
  std::string uris = "[";
  for (const json::value* each : bodies) {
    if (!read_into(services, request, *each, "", true, targets, rows)) return;
    if (uris.size() > 1) uris += ',';
    uris += uri_text(fmt::format("{}/{}", kAll, targets.back().says.bmc.name));
  }
  const std::string location = targets.size() == 1
                                   ? fmt::format("{}/{}", kAll, targets.front().says.bmc.name)
                                   : std::string(kAll);
  write(
      services, request, std::move(targets),
      // What magellan found again takes the place of what it found before.
      [](const EndpointTarget& target) {
        const bool found = target.says.has_inventory || !target.says.outlets.empty();
        return found ? Existing::replaced : Existing::refused;
      },
      [uris = uris + "]", location] { return Reply{201, uris, "", location}; });
}

void put(Services& services, const RequestPtr& request, bool patch) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname || !cluster::is_controller(xname->type)) {
    return request->fail({Code::invalid_argument, "invalid xname", {}, {}});
  }
  if (patch && find(services, request) == nullptr) return request->fail(missing("no such xname."));
  const auto body = body_of_request(services, request);
  if (!body) return;
  std::vector<EndpointTarget> targets;
  ComponentRows rows(services.model);
  if (!read_into(services, request, *body, xname->text, patch, targets, rows)) return;
  const auto says = targets.front().says;
  write(
      services, request, std::move(targets),
      [](const EndpointTarget&) { return Existing::replaced; },
      [bmc = says.bmc] {
        std::string out;
        append_json(out, bmc);
        return Reply{200, out, ""};
      });
}

void remove(Services& services, const RequestPtr& request) {
  const ManagedBmc* bmc = find(services, request);
  if (bmc == nullptr) return request->fail(missing("no such xname."));
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request, [name = bmc->name](store::Transaction& tx) -> Result<Reply> {
    DROVER_CHECK_OK(EndpointStore(tx).remove(name));
    return Reply{200, deleted_text(1), ""};
  });
}

void remove_all(Services& services, const RequestPtr& request) {
  std::vector<std::string> names;
  for (const auto& [name, bmc] : services.model.hardware().bmcs()) {
    if (cluster::parse_xname(name)) names.push_back(name);
  }
  if (names.empty()) return request->fail(missing("no entries to delete"));
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request, [names](store::Transaction& tx) -> Result<Reply> {
    EndpointStore endpoints(tx);
    for (const std::string& name : names) DROVER_CHECK_OK(endpoints.remove(name));
    return Reply{200, deleted_text(names.size()), ""};
  });
}

}  // namespace

void add_endpoints(Router& router, Services& services) {
  const std::string_view one = "/hsm/v2/Inventory/RedfishEndpoints/{xname}";
  Route all = smd_route("GET", kAll, "SMD: list Redfish endpoints; passwords are never shown.",
                        [&services](const RequestPtr& r) { list(services, r); });
  all.query = {{.name = "id", .doc = "Only these xnames."},
               {.name = "fqdn", .doc = "Only these names or addresses."},
               {.name = "type", .doc = "Only these types."},
               {.name = "uuid", .doc = "Only these UUIDs."},
               {.name = "macaddr", .doc = "Only these MACs."},
               {.name = "ipaddress", .doc = "Only these IP addresses."},
               {.name = "laststatus", .doc = "Only where the last look went so."}};
  all.gives = body_of<EndpointArray>();
  all.errors = {Code::invalid_argument};
  router.add(std::move(all));
  Route made =
      smd_route("POST", kAll,
                "SMD: make Redfish endpoints, as magellan and ochami post them: their systems "
                "become nodes.",
                [&services](const RequestPtr& r) { post(services, r); });
  made.takes = body_of<EndpointForm>();
  made.gives = array_of<ResourceUri>();
  made.status = 201;
  made.location = true;
  made.errors = {Code::conflict};
  made.body_limit = kListLimit;
  router.add(std::move(made));
  Route item = smd_route("GET", one, "SMD: one Redfish endpoint.",
                         [&services](const RequestPtr& r) { show(services, r); });
  item.gives = body_of<EndpointForm>();
  item.errors = {Code::not_found};
  router.add(std::move(item));
  Route below = smd_route("GET", "/hsm/v2/Inventory/RedfishEndpoints/Query/{xname}",
                          "SMD: Redfish endpoints at and below a place.",
                          [&services](const RequestPtr& r) { query(services, r); });
  below.gives = body_of<EndpointArray>();
  below.errors = {Code::invalid_argument};
  router.add(std::move(below));
  for (const bool patch : {false, true}) {
    Route change = smd_route(
        patch ? "PATCH" : "PUT", one,
        patch ? "SMD: change a Redfish endpoint." : "SMD: make or replace a Redfish endpoint.",
        [&services, patch](const RequestPtr& r) { put(services, r, patch); });
    change.takes = change.gives = body_of<EndpointForm>();
    change.errors = {Code::conflict};
    if (patch) change.errors.push_back(Code::not_found);
    change.body_limit = kListLimit;
    router.add(std::move(change));
  }
  Route gone = smd_route("DELETE", one, "SMD: remove a Redfish endpoint; nodes behind it stay.",
                         [&services](const RequestPtr& r) { remove(services, r); });
  gone.gives = body_of<Outcome>();
  gone.errors = {Code::not_found};
  router.add(std::move(gone));
  Route none = smd_route("DELETE", kAll, "SMD: remove all Redfish endpoints; nodes stay.",
                         [&services](const RequestPtr& r) { remove_all(services, r); });
  none.gives = body_of<Outcome>();
  none.errors = {Code::not_found};
  router.add(std::move(none));
}

}  // namespace drover::api::smd

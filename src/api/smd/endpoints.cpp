// SMD's /Inventory/RedfishEndpoints: what magellan and ochami post and patch.
#include "api/smd/component_rows.hpp"
#include "api/smd/endpoint_forms.hpp"
#include "api/smd/endpoint_input.hpp"
#include "api/smd/endpoint_store.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>

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

void append_text(std::string& out, std::string_view key, std::string_view value) {
  out += fmt::format(",\"{}\":", key);
  append_quoted(out, value);
}

void append_truth(std::string& out, std::string_view key, bool value) {
  out += fmt::format(",\"{}\":{}", key, value);
}

void append_json(std::string& out, const ManagedBmc& bmc) {
  out += R"({"ID":)";
  append_quoted(out, bmc.name);
  append_text(out, "Type", type_of(bmc));
  if (!bmc.description.empty()) append_text(out, "Name", bmc.description);
  append_text(out, "Hostname", bmc.host_name);
  append_text(out, "Domain", bmc.domain);
  append_text(out, "FQDN", bmc.address);
  append_truth(out, "Enabled", bmc.enabled);
  if (!bmc.uuid.empty()) append_text(out, "UUID", bmc.uuid);
  append_text(out, "User", bmc.user);
  append_text(out, "Password", "");
  if (bmc.announces) append_truth(out, "UseSSDP", true);
  if (bmc.mac_required) append_truth(out, "MACRequired", true);
  if (!bmc.mac.empty()) append_text(out, "MACAddr", bmc.mac);
  if (!bmc.ip.empty()) append_text(out, "IPAddress", bmc.ip);
  append_truth(out, "RediscoverOnUpdate", bmc.rediscover);
  if (!bmc.template_id.empty()) append_text(out, "TemplateID", bmc.template_id);
  out += R"(,"DiscoveryInfo":{"LastDiscoveryStatus":)";
  append_quoted(out, look_of(bmc));
  if (bmc.look.attempted != WallTime{}) {
    append_text(out, "LastDiscoveryAttempt", to_rfc3339(bmc.look.attempted));
  }
  if (!bmc.look.redfish_version.empty()) {
    append_text(out, "RedfishVersion", bmc.look.redfish_version);
  }
  out += "}}";
}

/// Filters of the list. A BMC without an xname has no place in SMD's world and is not shown.
class EndpointFilter {
 public:
  static Result<EndpointFilter> of(const Query& query) {
    EndpointFilter out;
    const auto values = [&](const char* key) {
      const auto found = query.find(key);
      return found == query.end() ? std::vector<std::string>() : found->second;
    };
    for (const std::string& id : values("id")) {
      const auto xname = cluster::parse_xname(id);
      if (!xname) return bad("bad query param: id is not a valid xname");
      out.ids_.push_back(xname->text);
    }
    for (const std::string& type : values("type")) {
      const auto known = cluster::xname_type_called(type);
      if (!known) return bad("bad query param: type is not valid");
      out.types_.emplace_back(enum_name(*known));
    }
    for (const std::string& fqdn : values("fqdn")) out.fqdns_.push_back(lower(fqdn));
    for (const std::string& uuid : values("uuid")) out.uuids_.push_back(lower(uuid));
    for (const std::string& mac : values("macaddr")) {
      out.macs_.push_back(cluster::canonical_mac(mac).value_or(mac));
    }
    for (const std::string& ip : values("ipaddress")) {
      out.ips_.push_back(cluster::canonical_address(ip).value_or(ip));
    }
    for (const std::string& status : values("laststatus")) out.looks_.push_back(lower(status));
    return out;
  }
  [[nodiscard]] bool accepts(const ManagedBmc& bmc) const {
    return fits(ids_, bmc.name) && fits(types_, type_of(bmc)) && fits(fqdns_, bmc.address) &&
           fits(uuids_, lower(bmc.uuid)) && fits(macs_, bmc.mac) &&
           (fits(ips_, bmc.ip) || fits(ips_, bmc.address)) && fits(looks_, lower(look_of(bmc)));
  }

 private:
  static bool fits(const std::vector<std::string>& wanted, std::string_view value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
  }
  std::vector<std::string> ids_, types_, fqdns_, uuids_, macs_, ips_, looks_;
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
  if (target.says.password) {
    const std::string label = bmc_secret_label(target.says.bmc.name);
    auto sealed = services.secrets == nullptr
                      ? Result<std::string>(fail(Code::unsupported, "this master keeps no secrets"))
                      : services.secrets->seal(*target.says.password, label, services.random);
    if (!sealed) {
      request->fail(sealed.error());
      return false;
    }
    target.sealed = *std::move(sealed);
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
  const auto route = [&](std::string_view method, std::string_view path, std::string_view summary,
                         Handler handler) {
    Route out;
    out.method = method;
    out.path = path;
    out.summary = summary;
    out.privilege = method == "GET" ? auth::Privilege::view : auth::Privilege::operate;
    out.on_nodes = method != "GET";
    out.dialect = Dialect::smd;
    out.handler = std::move(handler);
    return out;
  };
  Route all = route("GET", kAll, "SMD: list Redfish endpoints; passwords are never shown.",
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
  Route made = route("POST", kAll,
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
  Route item = route("GET", one, "SMD: one Redfish endpoint.",
                     [&services](const RequestPtr& r) { show(services, r); });
  item.gives = body_of<EndpointForm>();
  item.errors = {Code::not_found};
  router.add(std::move(item));
  Route below = route("GET", "/hsm/v2/Inventory/RedfishEndpoints/Query/{xname}",
                      "SMD: Redfish endpoints at and below a place.",
                      [&services](const RequestPtr& r) { query(services, r); });
  below.gives = body_of<EndpointArray>();
  below.errors = {Code::invalid_argument};
  router.add(std::move(below));
  for (const bool patch : {false, true}) {
    Route change = route(
        patch ? "PATCH" : "PUT", one,
        patch ? "SMD: change a Redfish endpoint." : "SMD: make or replace a Redfish endpoint.",
        [&services, patch](const RequestPtr& r) { put(services, r, patch); });
    change.takes = change.gives = body_of<EndpointForm>();
    change.errors = {Code::conflict};
    if (patch) change.errors.push_back(Code::not_found);
    change.body_limit = kListLimit;
    router.add(std::move(change));
  }
  Route gone = route("DELETE", one, "SMD: remove a Redfish endpoint; nodes behind it stay.",
                     [&services](const RequestPtr& r) { remove(services, r); });
  gone.gives = body_of<Outcome>();
  gone.errors = {Code::not_found};
  router.add(std::move(gone));
  Route none = route("DELETE", kAll, "SMD: remove all Redfish endpoints; nodes stay.",
                     [&services](const RequestPtr& r) { remove_all(services, r); });
  none.gives = body_of<Outcome>();
  none.errors = {Code::not_found};
  router.add(std::move(none));
}

}  // namespace drover::api::smd

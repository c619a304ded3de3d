// SMD's /Inventory/ServiceEndpoints: what services BMCs offer, of those that a look finds. Views.
#include "api/smd/alternatives.hpp"
#include "api/smd/hardware.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/member_writer.hpp"
#include "api/smd/routes.hpp"
#include "api/smd/words.hpp"
#include "base/describe.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/xname.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::ManagedBmc;

constexpr std::string_view kRoot = "/redfish/v1/";
/// DSP0268's services that SMD knows.
constexpr std::array<std::string_view, 5> kServices{
    "AccountService", "EventService", "SessionService", "TaskService", "UpdateService"};

struct ServiceForm {
  static constexpr std::string_view kTypeName = "SmdServiceEndpoint";
  std::string endpoint, kind, subtype, uuid, path, fqdn, url;
  RawJson info;
  void describe(Visitor& v) {
    v.field("RedfishEndpointID", endpoint, "The endpoint that offers it.");
    v.field("RedfishType", kind, "Which service: EventService, UpdateService ..");
    v.field("RedfishSubtype", subtype, "Empty.");
    v.field("UUID", uuid, "Empty.");
    v.field("OdataID", path, "Its path on the endpoint.");
    v.field("RedfishEndpointFQDN", fqdn, "The endpoint's name or address.");
    v.field("RedfishURL", url, "Both together.");
    v.field("ServiceInfo", info, "What is known of the service.", Presence::patch);
  }
};
struct ServiceArray {
  static constexpr std::string_view kTypeName = "SmdServiceEndpoints";
  std::vector<ServiceForm> services;
  void describe(Visitor& v) { v.field("ServiceEndpoints", services, "The services."); }
};

void append_service(std::string& out, const ManagedBmc& bmc, std::string_view kind,
                    std::string_view info) {
  const std::string path = fmt::format("{}{}", kRoot, kind);
  MemberWriter(out)
      .text("RedfishEndpointID", bmc.name)
      .text("RedfishType", kind)
      .text("RedfishSubtype", "")
      .text("UUID", "")
      .text("OdataID", path)
      .text("RedfishEndpointFQDN", bmc.address)
      .text("RedfishURL", fmt::format("{}{}", bmc.address, path))
      .raw("ServiceInfo", info)
      .close();
}

/// Calls `take` with the kind of each service and what is known of it, as JSON.
template <typename Take>
void services_of(const ManagedBmc& bmc, Take take) {
  if (!bmc.inventory || !cluster::parse_xname(bmc.name)) return;
  std::string info;
  if (!bmc.inventory->event_stream.empty()) {
    MemberWriter(info).text("ServerSentEventUri", bmc.inventory->event_stream).close();
    take(std::string_view("EventService"), info);
  }
  if (!bmc.inventory->update_target.empty()) {
    std::string action;
    MemberWriter(action).text("target", bmc.inventory->update_target).close();
    info = fmt::format(R"({{"Actions":{{"#UpdateService.SimpleUpdate":{}}}}})", action);
    take(std::string_view("UpdateService"), info);
  }
}

std::optional<std::string> as_service(std::string_view text) {
  const auto word = word_of(kServices, text);
  return word ? std::optional(std::string(*word)) : std::nullopt;
}

void answer_list(Services& services, const RequestPtr& request, const Alternatives& wanted) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  Alternatives endpoints;
  const Status read = endpoints.take(query, "redfish_ep", as_xname);
  if (!read) return request->fail(read.error());
  std::string out = R"({"ServiceEndpoints":[)";
  for (const auto& [name, bmc] : services.model.hardware().bmcs()) {
    if (!endpoints.fits(name)) continue;
    services_of(bmc, [&](std::string_view kind, std::string_view info) {
      if (!wanted.fits(kind)) return;
      if (out.back() != '[') out += ',';
      append_service(out, bmc, kind, info);
    });
  }
  request->json(200, out + "]}");
}

void list(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  Alternatives wanted;
  const Status read = wanted.take(query, "service", as_service);
  if (!read) return request->fail(read.error());
  answer_list(services, request, wanted);
}

void list_one_kind(Services& services, const RequestPtr& request) {
  Alternatives wanted;
  const Status read = wanted.take({{"service", {request->path("service")}}}, "service", as_service);
  if (!read) return request->fail(read.error());
  answer_list(services, request, wanted);
}

void show(Services& services, const RequestPtr& request) {
  const auto kind = as_service(request->path("service"));
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname || !kind) return request->fail(bad("invalid xname ID or service").value());
  const auto& bmcs = services.model.hardware().bmcs();
  const auto bmc = bmcs.find(xname->text);
  std::string out;
  if (bmc != bmcs.end()) {
    services_of(bmc->second, [&](std::string_view one, std::string_view info) {
      if (one == *kind) append_service(out, bmc->second, one, info);
    });
  }
  if (out.empty()) return request->fail(missing("no such service or xname."));
  request->json(200, std::move(out));
}

}  // namespace

void add_service_endpoints(Router& router, Services& services) {
  const QueryParameter endpoint{.name = "redfish_ep", .doc = "Only of these endpoints."};
  Route all =
      smd_route("GET", "/hsm/v2/Inventory/ServiceEndpoints", "SMD: what services BMCs offer.",
                [&services](const RequestPtr& r) { list(services, r); });
  all.query = {{.name = "service", .doc = "Only these services.", .example = "UpdateService"},
               endpoint};
  all.gives = body_of<ServiceArray>();
  all.errors = {Code::invalid_argument};
  router.add(std::move(all));
  Route kind = smd_route("GET", "/hsm/v2/Inventory/ServiceEndpoints/{service}",
                         "SMD: which BMCs offer a service.",
                         [&services](const RequestPtr& r) { list_one_kind(services, r); });
  kind.query = {endpoint};
  kind.gives = body_of<ServiceArray>();
  kind.errors = {Code::invalid_argument};
  router.add(std::move(kind));
  Route one = smd_route(
      "GET", "/hsm/v2/Inventory/ServiceEndpoints/{service}/RedfishEndpoints/{xname}",
      "SMD: a service of one BMC.", [&services](const RequestPtr& r) { show(services, r); });
  one.gives = body_of<ServiceForm>();
  one.errors = {Code::invalid_argument, Code::not_found};
  router.add(std::move(one));
}

}  // namespace drover::api::smd

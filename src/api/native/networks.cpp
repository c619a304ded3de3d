// GET and POST /networks; GET, PUT, PATCH and DELETE /networks/{name}.
#include "api/list_writer.hpp"
#include "api/native/boot.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/precondition.hpp"
#include "cluster/definition_writer.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct NetworkView {
  static constexpr std::string_view kTypeName = "NetworkView";
  cluster::Network network;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    network.describe(v);
    v.field("revision", revision, "For If-Match.");
  }
};

/// What PATCH takes, for the contract; null takes a field back to its default.
struct NetworkPatch {
  static constexpr std::string_view kTypeName = "NetworkPatch";
  std::optional<std::string> description;
  std::optional<std::string> prefix;
  std::optional<std::string> prefix6;
  std::optional<cluster::NetworkMode> mode;
  std::optional<std::string> pool;
  std::optional<std::string> gateway;
  std::optional<std::vector<std::string>> nameservers;
  std::optional<std::vector<std::string>> ntp_servers;
  std::optional<std::string> domain;
  std::optional<std::vector<std::string>> search;
  std::optional<uint16_t> mtu;
  std::optional<uint32_t> lease_seconds;
  std::optional<cluster::UnknownMachines> unknown;
  std::optional<std::string> number_nodes;
  std::optional<cluster::NumberBy> number_by;
  void describe(Visitor& v) {
    v.field("description", description, "Free text.", Presence::patch);
    v.field("prefix", prefix, "Its IPv4 addresses.", Presence::patch);
    v.field("prefix6", prefix6, "Its IPv6 addresses.", Presence::patch);
    v.field("mode", mode, "What the boot service does there.", Presence::patch);
    v.field("pool", pool, "Addresses for machines without one of their own.", Presence::patch);
    v.field("gateway", gateway, "The default route.", Presence::patch);
    v.field("nameservers", nameservers, "DNS servers that its machines are told of.",
            Presence::patch);
    v.field("ntp_servers", ntp_servers, "Time servers that its machines are told of.",
            Presence::patch);
    v.field("domain", domain, "The DNS domain of its machines.", Presence::patch);
    v.field("search", search, "Domains that its machines search.", Presence::patch);
    v.field("mtu", mtu, "Largest packet in bytes.", Presence::patch);
    v.field("lease_seconds", lease_seconds, "How long an address is given for.", Presence::patch);
    v.field("unknown", unknown, "Machines that no node is known by.", Presence::patch);
    v.field("number_nodes", number_nodes, "Names for unknown machines.", Presence::patch);
    v.field("number_by", number_by, "In what order they are given.", Presence::patch);
  }
};

void list_networks(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [name, defined] : services.model.networks()) {
    list.add(NetworkView{defined.value, defined.revision});
  }
  request->json(200, list.finish());
}

void show_network(Services& services, const RequestPtr& request) {
  const std::string& name = request->path("name");
  const auto found = services.model.networks().find(name);
  if (found == services.model.networks().end()) {
    return request->fail(no_definition("network", name));
  }
  const auto& defined = found->second;
  respond_tagged(request, encode(NetworkView{defined.value, defined.revision}), defined.revision);
}

Result<Reply> write_network(store::Transaction& tx, cluster::DefinitionWriter& writer,
                            const cluster::Network& network, int status) {
  DROVER_CHECK_OK(writer.put_network(network));
  DROVER_CHECK_OK(writer.finish());
  DROVER_TRY(const auto object, tx.get(cluster::kNetworkKind, network.name));
  if (!object) return fail(Code::internal, "the network that was written is not there");
  DROVER_TRY(const auto stored, decode_text<cluster::Network>(object->body, Unknown::ignore));
  Reply reply{status, encode(NetworkView{stored, object->revision}), etag_of(object->revision)};
  if (status == 201) reply.location = "/api/v1/networks/" + network.name;
  return reply;
}

void create_network(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, cluster::Network network, request->body<cluster::Network>());
  change(services, request,
         [network = std::move(network),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(must_be_new(tx, cluster::kNetworkKind, network.name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           return write_network(tx, writer, network, 201);
         });
}

void put_network(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, required_precondition_of(request->http()));
  DROVER_OR_FAIL(request, cluster::Network network,
                 named_body<cluster::Network>(request, request->path("name")));
  change(services, request,
         [before, network = std::move(network),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kNetworkKind, network.name));
           DROVER_TRY(const auto there, tx.get(cluster::kNetworkKind, network.name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           return write_network(tx, writer, network, there ? 200 : 201);
         });
}

void patch_network(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  DROVER_OR_FAIL(request, const std::string patch, merge_patch_of(request));
  change(services, request,
         [before, name = request->path("name"), patch,
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kNetworkKind, name));
           cluster::DefinitionWriter writer(tx);
           DROVER_TRY(const cluster::Network network, writer.network(name));
           DROVER_TRY(const cluster::Network changed, patched(network, patch));
           tx.explain(why);
           return write_network(tx, writer, changed, 200);
         });
}

void remove_network(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  change(services, request,
         [before, name = request->path("name"),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kNetworkKind, name));
           tx.explain(why);
           cluster::DefinitionWriter writer(tx);
           DROVER_CHECK_OK(writer.remove_network(name));
           DROVER_CHECK_OK(writer.finish());
           return Reply{204, "", ""};
         });
}

}  // namespace

void add_networks(Router& router, Services& services) {
  const std::string_view one = "/api/v1/networks/{name}";
  router.add({.method = "GET",
              .path = "/api/v1/networks",
              .privilege = auth::Privilege::view,
              .summary = "List networks.",
              .gives = list_of<NetworkView>(),
              .handler = [&services](const RequestPtr& r) { list_networks(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/networks",
              .privilege = auth::Privilege::operate,
              .summary = "Make a network.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<cluster::Network>(),
              .gives = body_of<NetworkView>(),
              .status = 201,
              .errors = {Code::already_exists},
              .etag = true,
              .location = true,
              .handler = [&services](const RequestPtr& r) { create_network(services, r); }});
  router.add({.method = "GET",
              .path = one,
              .privilege = auth::Privilege::view,
              .summary = "Show a network.",
              .gives = body_of<NetworkView>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_network(services, r); }});
  router.add({.method = "PUT",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Make a network what the body says, or create it.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<cluster::Network>(),
              .gives = body_of<NetworkView>(),
              .condition = Condition::required,
              .etag = true,
              .also = {{201, body_of<NetworkView>(), "application/json", "It was made."}},
              .handler = [&services](const RequestPtr& r) { put_network(services, r); }});
  router.add({.method = "PATCH",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Change fields of a network (JSON merge patch).",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<NetworkPatch>(),
              .gives = body_of<NetworkView>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { patch_network(services, r); }});
  router.add({.method = "DELETE",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Remove a network; the addresses of its machines stay.",
              .query = {dry_run_parameter(), why_parameter()},
              .condition = Condition::taken,
              .handler = [&services](const RequestPtr& r) { remove_network(services, r); }});
}

}  // namespace drover::api

// Secrets of /cloud-init; GET /nodes/{name}/cloud-init: what the node gets, and whose it is; GET
// /nodes/{name}/secrets: for the boot daemon that gives them to the booted node.
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "boot/cloudinit/node_documents.hpp"
#include "boot/site/membership.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/content/owner.hpp"

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace drover::api {
namespace {

struct SecretValue {
  static constexpr std::string_view kTypeName = "SecretValue";
  std::string value;
  void describe(Visitor& v) { v.field("value", value, "The secret; it is never shown again."); }
};

struct NodeSecrets {
  static constexpr std::string_view kTypeName = "NodeSecrets";
  std::map<std::string, std::string> secrets;
  void describe(Visitor& v) { v.field("secrets", secrets, "Values by name."); }
};

struct CloudInitOfNode {
  static constexpr std::string_view kTypeName = "NodeCloudInit";
  std::string node;
  std::string problem;
  boot::cloudinit::NodeDocuments documents;
  void describe(Visitor& v) {
    v.field("node", node, "Name of the node.");
    v.field("problem", problem, "Why it cannot be told anything; empty: it can.");
    v.field("parts", documents.parts, "What is told, and whose it is, weakest first.");
    v.field("meta_data", documents.meta_data, "The document meta-data, to the letter.");
    v.field("user_data", documents.user_data, "The document user-data.");
    v.field("vendor_data", documents.vendor_data, "The document vendor-data.");
    v.field("network_config", documents.network_config, "The document network-config.");
  }
};

std::string label_of(const std::string& secret) {
  return fmt::format("cloud-init-secret/{}", secret);
}

Error no_box() {
  return {Code::unsupported, "this master keeps no secrets", {}, {}};
}

Result<std::string> owner_of(const RequestPtr& request) {
  DROVER_TRY(const cluster::Owner owner,
             cluster::parse_owner(
                 "the path", fmt::format("{}/{}", request->path("kind"), request->path("name"))));
  return owner.text();
}

void put_secret(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  if (services.secrets == nullptr) return request->fail(no_box());
  DROVER_OR_FAIL(request, const std::string owner, owner_of(request));
  DROVER_OR_FAIL(request, const SecretValue given, request->body<SecretValue>());
  const std::string& secret = request->path("secret");
  if (given.value.empty() || given.value.size() > cluster::kMaxSecret) {
    return request->fail({Code::invalid_argument,
                          fmt::format("value: expected 1 to {} bytes, got {}", cluster::kMaxSecret,
                                      given.value.size()),
                          {},
                          {}});
  }
  DROVER_OR_FAIL(request, const std::string sealed,
                 services.secrets->seal(given.value, label_of(secret), services.random));
  change(services, request,
         [owner, secret, sealed, why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(why);
           DROVER_CHECK_OK(cluster::set_secret(tx, owner, secret, sealed));
           return Reply{204, "", ""};
         });
}

void remove_secret(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const std::string owner, owner_of(request));
  change(services, request,
         [owner, secret = request->path("secret"),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(why);
           DROVER_CHECK_OK(cluster::unset_secret(tx, owner, secret));
           return Reply{204, "", ""};
         });
}

void show_node(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  const boot::NetworkIndex networks(services.model.networks());
  CloudInitOfNode out;
  out.node = entry->node().name;
  auto documents = boot::cloudinit::documents_of(services.model, networks, entry->node(),
                                                 services.local.local().cluster);
  if (documents) {
    out.documents = *std::move(documents);
  } else {
    out.problem = documents.error().text();
  }
  request->json(200, encode(out));
}

void give_secrets(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  if (services.secrets == nullptr) return request->fail(no_box());
  const boot::NodeDefinitions definitions(services.model);
  auto named = boot::cloudinit::secrets_of(services.model,
                                           cluster::NodeAttributes(entry->node(), definitions));
  auto answer = std::make_shared<NodeSecrets>();
  services.store.read(
      [named = std::move(named), answer, box = services.secrets](store::Transaction& tx) -> Status {
        answer->secrets.clear();
        for (const auto& secret : named) {
          DROVER_TRY(const std::string sealed, cluster::read_secret(tx, secret.owner, secret.name));
          DROVER_TRY(answer->secrets[secret.name], box->open(sealed, label_of(secret.name)));
        }
        return {};
      },
      [answer, request](const Status& read) {
        if (!read) return request->fail(read.error());
        net::HttpResponse response;
        response.headers.add("Content-Type", "application/json");
        response.headers.add("Cache-Control", "no-store");
        response.body = encode(*answer) + "\n";
        request->respond(std::move(response));
      });
}

}  // namespace

void add_cloud_init(Router& router, Services& services) {
  const std::string_view secret = "/api/v1/cloud-init/{kind}/{name}/secrets/{secret}";
  router.add({.method = "PUT",
              .path = secret,
              .privilege = auth::Privilege::administer,
              .summary = "Set a secret that an owner's nodes fetch once while they boot.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<SecretValue>(),
              .errors = {Code::not_found},
              .takes_key = false,  // a digest of the body would be kept
              .handler = [&services](const RequestPtr& r) { put_secret(services, r); }});
  router.add({.method = "DELETE",
              .path = secret,
              .privilege = auth::Privilege::administer,
              .summary = "Take a secret away.",
              .query = {dry_run_parameter(), why_parameter()},
              .handler = [&services](const RequestPtr& r) { remove_secret(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/cloud-init",
              .privilege = auth::Privilege::view,
              .summary = "Show what cloud-init is told on a node, and whose each part is.",
              .gives = body_of<CloudInitOfNode>(),
              .handler = [&services](const RequestPtr& r) { show_node(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/secrets",
              .privilege = auth::Privilege::boot,
              .summary = "Give the secrets of a node to the boot daemon that has booted it.",
              .gives = body_of<NodeSecrets>(),
              .secrets = true,
              .handler = [&services](const RequestPtr& r) { give_secrets(services, r); }});
}

}  // namespace drover::api

// OpenCHAMI's /cloud-init/version and /cloud-init/openapi.json. Open to anyone, as there.
#include "api/openchami/cloud_init_service.hpp"

#include "api/openapi_text.hpp"
#include "base/json_values.hpp"
#include "base/yaml_read.hpp"

#include <string>
#include <string_view>

namespace drover::api {
namespace {

struct CloudInitVersion {
  static constexpr std::string_view kTypeName = "OpenChamiVersion";
  std::string version;
  void describe(Visitor& v) { v.field("version", version, "Version of the answering master."); }
};

/// The part of the contract that is below /cloud-init; empty when it cannot be read.
std::string contract_of_cloud_init() {
  auto document = parse_yaml(openapi_text());
  if (!document || !document->is_object()) return {};
  json::object& whole = document->get_object();
  const json::value* const paths = whole.if_contains("paths");
  if (paths == nullptr || !paths->is_object()) return {};
  json::object kept;
  for (const auto& [path, methods] : paths->get_object()) {
    if (std::string_view(path).starts_with("/cloud-init/")) kept[path] = methods;
  }
  whole["paths"] = std::move(kept);
  return json::serialize(whole) + "\n";
}

}  // namespace

void add_openchami_service(Router& router, LocalSource& local) {
  router.add({.method = "GET",
              .path = "/cloud-init/version",
              .privilege = auth::Privilege::open,
              .summary = "OpenCHAMI: the version.",
              .gives = body_of<CloudInitVersion>(),
              .handler = [&local](const RequestPtr& request) {
                request->json(200, encode(CloudInitVersion{local.local().version}));
              }});
  // Read once, when it is first asked for: that takes tens of milliseconds.
  router.add({.method = "GET",
              .path = "/cloud-init/openapi.json",
              .privilege = auth::Privilege::open,
              .summary = "OpenCHAMI: the contract of what is below /cloud-init.",
              .gives = text_body(),
              .content_type = "application/vnd.oai.openapi+json",
              .handler = [text = std::string()](const RequestPtr& request) mutable {
                if (text.empty()) text = contract_of_cloud_init();
                net::HttpResponse response;
                response.headers.add("Content-Type", "application/vnd.oai.openapi+json");
                response.body = text;
                request->respond(std::move(response));
              }});
}

}  // namespace drover::api

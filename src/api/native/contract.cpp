// GET /openapi.yaml: the contract of the answering master.
#include "api/native/native.hpp"

namespace drover::api {

void add_contract(Router& router, LocalSource& local) {
  router.add({.method = "GET",
              .path = "/api/v1/openapi.yaml",
              .privilege = auth::Privilege::open,
              .summary = "Show this contract.",
              .gives = text_body(),
              .content_type = "application/yaml",
              .handler = [&router, &local](const RequestPtr& request) {
                net::HttpResponse response;
                response.headers.add("Content-Type", "application/yaml");
                response.body = router.openapi(local.local().version);
                request->respond(std::move(response));
              }});
}

}  // namespace drover::api

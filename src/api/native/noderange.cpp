// GET /noderange/expand.
#include "api/native/native.hpp"
#include "api/node_selection.hpp"

namespace drover::api {
namespace {

struct ExpandedRange {
  static constexpr std::string_view kTypeName = "ExpandedNoderange";
  std::vector<std::string> items;
  uint64_t count = 0;
  void describe(Visitor& v) {
    v.field("items", items, "Names in natural order.");
    v.field("count", count, "How many.");
  }
};

void expand(Services& services, const RequestPtr& request) {
  const auto range = request->query("nodes");
  if (!range) {
    return request->fail({Code::invalid_argument, "query parameter nodes is required", "", ""});
  }
  DROVER_OR_FAIL(request, auto names, evaluate(*range, cluster::ModelNames(services.model)));
  const uint64_t count = names.size();
  request->json(200, encode(ExpandedRange{std::move(names), count}));
}

}  // namespace

void add_noderange(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/noderange/expand",
              .privilege = auth::Privilege::view,
              .summary = "List the nodes that a noderange names.",
              .query = {{"nodes", "Noderange."}},
              .gives = body_of<ExpandedRange>(),
              .handler = [&services](const RequestPtr& r) { expand(services, r); }});
}

}  // namespace drover::api

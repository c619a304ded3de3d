// GET /noderange/expand, GET /noderange/fold, GET /noderange/count.
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

struct FoldedRange {
  static constexpr std::string_view kTypeName = "FoldedNoderange";
  std::string nodes;
  uint64_t count = 0;
  void describe(Visitor& v) {
    v.field("nodes", nodes, "The same nodes, written the short way.");
    v.field("count", count, "How many.");
  }
};

struct RangeCount {
  static constexpr std::string_view kTypeName = "NoderangeCount";
  uint64_t count = 0;
  void describe(Visitor& v) { v.field("count", count, "How many nodes the noderange names."); }
};

Result<std::vector<std::string>> named(Services& services, const RequestPtr& request) {
  const auto range = request->query("nodes");
  if (!range) return fail(Code::invalid_argument, "query parameter nodes is required");
  return evaluate(*range, cluster::ModelNames(services.model));
}

void expand(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, auto names, named(services, request));
  const uint64_t count = names.size();
  request->json(200, encode(ExpandedRange{std::move(names), count}));
}

void fold(Services& services, const RequestPtr& request) {
  const std::string_view steps = request->query("steps").value_or("false");
  if (steps != "true" && steps != "false") {
    return request->fail(
        {Code::invalid_argument, "query parameter steps: expected true or false", "", ""});
  }
  DROVER_OR_FAIL(request, const auto names, named(services, request));
  request->json(200,
                encode(FoldedRange{fold_names(names, {.steps = steps == "true"}), names.size()}));
}

void count(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const auto names, named(services, request));
  request->json(200, encode(RangeCount{names.size()}));
}

}  // namespace

void add_noderange(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/noderange/expand",
              .privilege = auth::Privilege::view,
              .summary = "List the nodes that a noderange names.",
              .query = {{.name = "nodes", .doc = "Noderange.", .example = "n[1-8]"}},
              .gives = body_of<ExpandedRange>(),
              .handler = [&services](const RequestPtr& r) { expand(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/noderange/fold",
              .privilege = auth::Privilege::view,
              .summary = "Write the nodes that a noderange names the short way.",
              .query = {{"nodes", "Noderange."},
                        {.name = "steps",
                         .doc = "true: write n[1-9/2] too.",
                         .choices = {"true", "false"}}},
              .gives = body_of<FoldedRange>(),
              .handler = [&services](const RequestPtr& r) { fold(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/noderange/count",
              .privilege = auth::Privilege::view,
              .summary = "Count the nodes that a noderange names.",
              .query = {{"nodes", "Noderange."}},
              .gives = body_of<RangeCount>(),
              .handler = [&services](const RequestPtr& r) { count(services, r); }});
}

}  // namespace drover::api

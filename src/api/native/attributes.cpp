// GET /nodes/{name}/attributes, GET /attributes: effective attributes with blame.
#include "cluster/attributes.hpp"

#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "cluster/attribute_catalogue.hpp"

namespace drover::api {
namespace {

struct NodeAttribute {
  static constexpr std::string_view kTypeName = "NodeAttribute";
  std::string node;
  cluster::EffectiveAttribute attribute;
  void describe(Visitor& v) {
    v.field("node", node, "Name of the node.");
    attribute.describe(v);
  }
};

void list_of_one(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  const cluster::ModelDefinitions definitions(services.model);
  ListWriter list;
  for (const auto& attribute : cluster::NodeAttributes(entry->node(), definitions).all()) {
    list.add(attribute);
  }
  request->json(200, list.finish());
}

void list_of_many(Services& services, const RequestPtr& request) {
  const std::string wanted(request->query("name").value_or(""));
  if (!wanted.empty()) {
    const Status known = cluster::check_attribute_name("query parameter name", wanted);
    if (!known) return request->fail(known.error());
  }
  DROVER_OR_FAIL(request, const NodeSelection page, select_nodes(*request, services.model));
  const cluster::ModelDefinitions definitions(services.model);
  ListWriter list;
  for (const cluster::NodeEntry* entry : page.nodes) {
    for (auto& attribute : cluster::NodeAttributes(entry->node(), definitions).all()) {
      if (!wanted.empty() && attribute.name != wanted) continue;
      list.add(NodeAttribute{entry->node().name, std::move(attribute)});
    }
  }
  request->json(200, list.finish(page.next_page));
}

}  // namespace

void add_attributes(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/attributes",
              .privilege = auth::Privilege::view,
              .summary = "Show the effective attributes of a node, and where each comes from.",
              .gives = list_of<cluster::EffectiveAttribute>(),
              .handler = [&services](const RequestPtr& r) { list_of_one(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/attributes",
              .privilege = auth::Privilege::view,
              .summary = "Show the effective attributes of nodes, and where each comes from.",
              .query = {{"nodes", "Noderange; absent: all."},
                        {"name", "Only this attribute."},
                        {"limit", "Most nodes of a page.", true, 1, kMaxPage},
                        {"page", "A next_page of this list."}},
              .gives = list_of<NodeAttribute>(),
              .sortable = false,
              .handler = [&services](const RequestPtr& r) { list_of_many(services, r); }});
}

}  // namespace drover::api

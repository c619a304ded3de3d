// GET /states: one word per node, in the terms of CSM, Scyld, SMD or our own.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "cluster/state_views.hpp"

namespace drover::api {
namespace {

struct NodeState {
  static constexpr std::string_view kTypeName = "NodeState";
  std::string name;
  std::string state;
  std::string flag;
  bool confirmed = false;
  bool enabled = true;
  bool locked = false;
  WallTime since{};
  std::string why;
  void describe(Visitor& v) {
    v.field("name", name, "Name of the node.");
    v.field("state", state, "Its state in the words of the view.");
    v.field("flag", flag, "Its flag in the words of the view; empty where there is none.");
    v.field("confirmed", confirmed, "Whether somebody in touch vouches for the phase now.");
    v.field("enabled", enabled, "Whether the node takes part at all.");
    v.field("locked", locked, "Whether power and boot requests are refused.");
    v.field("since", since, "Since when the axis that decides stands there; null: unknown.",
            Presence::optional);
    v.field("why", why, "Why it got there.");
  }
};

void list_states(Services& services, const RequestPtr& request) {
  const auto view = enum_from_name<cluster::StateView>(request->query("view").value_or("native"));
  DROVER_OR_FAIL(request, const NodeSelection page, select_nodes(*request, services.model));
  ListWriter list;
  for (const cluster::NodeEntry* entry : page.nodes) {
    const cluster::Node& node = entry->node();
    const auto viewed = cluster::viewed_state(node, view.value_or(cluster::StateView::native));
    const bool by_service = view == cluster::StateView::csm || viewed.state == "unavailable";
    list.add(NodeState{node.name, std::string(viewed.state), std::string(viewed.flag),
                       entry->confirmed, node.enabled, node.locked,
                       by_service ? node.service.since : node.phase.since,
                       by_service ? node.service.why : node.phase.why});
  }
  request->json(200, list.finish(page.next_page));
}

}  // namespace

void add_states(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/states",
              .privilege = auth::Privilege::view,
              .summary = "List states of nodes in the words of CSM, Scyld, SMD or Drover.",
              .query = {{"nodes", "Noderange; absent: all."},
                        {.name = "view",
                         .doc = "Whose words; absent: native.",
                         .choices = {"native", "csm", "scyld", "smd"}},
                        {"limit", "Most items of a page.", true, 1, kMaxPage},
                        {"page", "A next_page of this list."}},
              .gives = list_of<NodeState>(),
              .handler = [&services](const RequestPtr& r) { list_states(services, r); }});
}

}  // namespace drover::api

// GET and POST /nodes/{name}/steps: what a node does before it is up, and how it went; GET
// /nodes/{name}/overlay and /overlay-status: its files, and who has theirs.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "api/node_up_source.hpp"
#include "boot/site/membership.hpp"
#include "cluster/content/effective.hpp"

#include <fmt/format.h>

namespace drover::api {

void OverlayState::describe(Visitor& v) {
  v.field("node", node, "Name of the node.");
  v.field("state", state, "none (it shall have none), current, pending, failed or unreached.");
  v.field("files", files, "How many files it shall have.");
  v.field("applied", applied, "When it had all of them; null: never.");
  v.field("why", why, "Why it has not.");
}

namespace {

struct StepsView {
  static constexpr std::string_view kTypeName = "StepsOfNode";
  std::string node;
  std::vector<cluster::EffectiveStep> steps;
  std::vector<std::string> hooks;
  std::optional<cluster::NodeUpRun> last;
  void describe(Visitor& v) {
    v.field("node", node, "Name of the node.");
    v.field("steps", steps, "What it does at its next boot, in this order.");
    v.field("hooks", hooks, "What the manager runs for it then.");
    v.field("last", last, "How it went last; null: it took none.");
  }
};

struct OverlayOfNode {
  static constexpr std::string_view kTypeName = "OverlayOfNode";
  OverlayState state;
  std::vector<cluster::EffectiveFile> files;
  void describe(Visitor& v) {
    state.describe(v);
    v.field("list", files, "The files, formulas evaluated.");
  }
};

void show_steps(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  const boot::NodeDefinitions definitions(services.model);
  StepsView view;
  view.node = entry->node().name;
  view.steps =
      cluster::steps_of(services.model, cluster::NodeAttributes(entry->node(), definitions));
  if (services.node_up != nullptr) {
    view.hooks = services.node_up->hooks();
    view.last = services.node_up->last_run(entry->node().name);
  }
  request->json(200, encode(view));
}

void run_steps(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  if (services.node_up == nullptr) {
    return request->fail({Code::unsupported, "this master orders nodes nothing", {}, {}});
  }
  if (const Status begun = services.node_up->run_again(entry->node().name); !begun) {
    return request->fail(begun.error());
  }
  net::HttpResponse response;
  response.status = 204;
  request->respond(std::move(response));
}

void show_overlay(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  const boot::NodeDefinitions definitions(services.model);
  cluster::NodeAttributes attributes(entry->node(), definitions);
  OverlayOfNode view;
  view.state.node = entry->node().name;
  view.state.state = "none";
  if (services.node_up != nullptr) view.state = services.node_up->overlay_state(entry->node().name);
  view.files = cluster::files_of(services.model, attributes);
  request->json(200, encode(view));
}

void list_states(Services& services, const RequestPtr& request) {
  std::vector<std::string> names;
  if (const auto range = request->query("nodes")) {
    DROVER_OR_FAIL(request, names, evaluate(*range, cluster::ModelNames(services.model)));
  } else {
    for (const auto& [name, entry] : services.model.nodes()) names.push_back(name);
  }
  ListWriter list(names.size());
  for (const std::string& name : names) {
    if (services.node_up != nullptr) list.add(services.node_up->overlay_state(name));
  }
  request->json(200, list.finish());
}

}  // namespace

void add_node_up(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/steps",
              .privilege = auth::Privilege::view,
              .summary = "Show what a node does before it is up, and how it went last.",
              .gives = body_of<StepsView>(),
              .handler = [&services](const RequestPtr& r) { show_steps(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/nodes/{name}/steps",
              .privilege = auth::Privilege::administer,
              .summary = "Have a running node take its steps again, and run its hooks.",
              .errors = {Code::conflict},
              .takes_key = false,
              .handler = [&services](const RequestPtr& r) { run_steps(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/overlay",
              .privilege = auth::Privilege::view,
              .summary = "Show the files that a node shall have, and whether it has them.",
              .gives = body_of<OverlayOfNode>(),
              .handler = [&services](const RequestPtr& r) { show_overlay(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/overlay-status",
              .privilege = auth::Privilege::view,
              .summary = "List whether nodes have the files that they shall have.",
              .query = {{.name = "nodes", .doc = "Noderange: only these; absent: all."}},
              .gives = list_of<OverlayState>(),
              .handler = [&services](const RequestPtr& r) { list_states(services, r); }});
}

}  // namespace drover::api

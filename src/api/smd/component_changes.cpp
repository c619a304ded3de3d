// Changes of SMD's /State/Components: POST, PUT, the PATCHes of one and of many, DELETE.
#include "api/smd/component_forms.hpp"
#include "api/smd/component_store.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/smd.hpp"
#include "base/json_values.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::api::smd {
namespace {

using Targets = std::vector<ComponentTarget>;

/// Answers what is wrong with the input; true when something is.
bool refused(const Services& services, const RequestPtr& request, const ComponentInput& input) {
  if (!input.malformed.empty()) {
    refuse_malformed(services, request, input.malformed);
    return true;
  }
  if (input.error) request->fail(*input.error);
  return input.error.has_value();
}

Status authorize_targets(const RequestPtr& request, const Targets& targets) {
  std::vector<std::string> nodes;
  bool beyond = false;
  for (const ComponentTarget& target : targets) {
    if (!is_node_type(target.id.type)) {
      beyond = true;
    } else {
      nodes.push_back(target.node.empty() ? target.id.text : target.node);
    }
  }
  return authorize(request, nodes, beyond);
}

/// Runs `each` for every target in one mutation, and answers.
void change_all(Services& services, const RequestPtr& request, Targets targets, Reply reply,
                Callback<Status(ComponentStore&, const ComponentTarget&)> each) {
  if (const Status may = authorize_targets(request, targets); !may) {
    return request->fail(may.error());
  }
  mutate(services, request,
         [targets = std::move(targets), reply = std::move(reply),
          each = std::move(each)](store::Transaction& tx) mutable -> Result<Reply> {
           ComponentStore components(tx);
           for (const ComponentTarget& target : targets) {
             DROVER_CHECK_OK(each(components, target));
           }
           DROVER_CHECK_OK(components.finish());
           return reply;
         });
}

void put_all(Services& services, const RequestPtr& request, ComponentInput input, bool force) {
  if (refused(services, request, input)) return;
  ComponentRows rows(services.model);
  Targets targets = targets_of(rows, input.components);
  constexpr size_t kIdBytes = 16;
  for (ComponentTarget& target : targets) {
    if (target.node.empty()) target.fresh_id = services.random.hex(kIdBytes);
  }
  change_all(services, request, std::move(targets), {204, "", ""},
             [force](ComponentStore& components, const ComponentTarget& target) {
               return components.put(target, force);
             });
}

void post(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members members(*body);
  const bool force = members.truth("Force").value_or(false);
  if (!members.wrong().empty()) return refuse_malformed(services, request, members.wrong());
  put_all(services, request, read_components(*body), force);
}

void put(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members members(*body);
  const bool force = members.truth("Force").value_or(false);
  if (!members.wrong().empty()) return refuse_malformed(services, request, members.wrong());
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail({Code::invalid_argument, "invalid xname", {}, {}});
  put_all(services, request, read_component(*body, *xname), force);
}

/// Changes of what is there. SMD is silent about what is not; here that is an error, unless the
/// site wants it so.
void patch_all(Services& services, const RequestPtr& request,
               const std::vector<NamedComponent>& components, bool force) {
  ComponentRows rows(services.model);
  Targets targets = targets_of(rows, components);
  const bool strict = is_strict(services);
  std::vector<std::string> unknown;
  std::erase_if(targets, [&](const ComponentTarget& target) {
    if (!target.known) unknown.push_back(target.id.text);
    return !target.known;
  });
  if (!unknown.empty() && !strict) {
    constexpr size_t kMostShown = 8;
    const size_t more = unknown.size() > kMostShown ? unknown.size() - kMostShown : 0;
    unknown.resize(unknown.size() - more);
    return request->fail(missing(fmt::format("no such xname: {}{}", fmt::join(unknown, ", "),
                                             more > 0 ? fmt::format(" and {} more", more) : "")));
  }
  const Transitions transitions = force    ? Transitions::forced
                                  : strict ? Transitions::ignored
                                           : Transitions::refused;
  change_all(services, request, std::move(targets), {204, "", ""},
             [transitions](ComponentStore& store, const ComponentTarget& target) {
               return store.patch(target, transitions);
             });
}

void patch_one(Services& services, const RequestPtr& request, PatchKind kind) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members members(*body);
  const bool force = members.truth("Force").value_or(false);
  std::string malformed = members.wrong();
  const auto says = read_patch(*body, kind, malformed);
  if (!malformed.empty()) return refuse_malformed(services, request, malformed);
  if (!says) return request->fail(says.error());
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail({Code::invalid_argument, "invalid xname ID", {}, {}});
  patch_all(services, request, {{*xname, std::make_shared<const ComponentSays>(*says)}}, force);
}

void patch_many(Services& services, const RequestPtr& request, PatchKind kind) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members members(*body);
  const bool force = members.truth("Force").value_or(false);
  const auto ids = members.texts("ComponentIDs");
  std::string malformed = members.wrong();
  const auto says = read_patch(*body, kind, malformed);
  if (!malformed.empty()) return refuse_malformed(services, request, malformed);
  if (!says) return request->fail(says.error());
  if (!ids || ids->empty()) {
    return request->fail({Code::invalid_argument, "Missing ComponentIDs", {}, {}});
  }
  const auto said = std::make_shared<const ComponentSays>(*says);
  std::vector<NamedComponent> components;
  components.reserve(ids->size());
  for (const std::string& id : *ids) {
    auto xname = cluster::parse_xname(id);
    if (!xname) return request->fail({Code::invalid_argument, "invalid xname ID", {}, {}});
    components.push_back({*std::move(xname), said});
  }
  patch_all(services, request, components, force);
}

void patch_nids(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  const ComponentInput input = read_nids(*body);
  if (refused(services, request, input)) return;
  patch_all(services, request, input.components, false);
}

void remove(Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail({Code::invalid_argument, "invalid xname", {}, {}});
  ComponentRows rows(services.model);
  Targets targets = targets_of(rows, {{*xname, std::make_shared<const ComponentSays>()}});
  if (!targets.front().known) return request->fail(missing("no such xname."));
  change_all(services, request, std::move(targets), {200, deleted_text(1), ""},
             [](ComponentStore& components, const ComponentTarget& target) -> Status {
               DROVER_TRY(const bool removed, components.remove(target));
               if (!removed) return tl::unexpected<Error>(missing("no such xname."));
               return {};
             });
}

/// Everything but the controllers of Redfish endpoints, which go with these.
void remove_all(Services& services, const RequestPtr& request) {
  ComponentRows rows(services.model);
  const auto nothing = std::make_shared<const ComponentSays>();
  std::vector<NamedComponent> all;
  for (const ComponentRow& row : rows.all()) {
    if (row.node == nullptr && row.component == nullptr) continue;
    all.push_back({{row.id, row.type}, nothing});
  }
  if (all.empty()) return request->fail(missing("no entries to delete"));
  Targets targets = targets_of(rows, all);
  const size_t count = targets.size();
  change_all(services, request, std::move(targets), {200, deleted_text(count), ""},
             [](ComponentStore& components, const ComponentTarget& target) -> Status {
               DROVER_CHECK_OK(components.remove(target));
               return {};
             });
}

struct PatchRoute {
  std::string_view one;
  std::string_view many;
  PatchKind kind;
};
constexpr std::array kPatches{
    PatchRoute{"/hsm/v2/State/Components/{xname}/StateData",
               "/hsm/v2/State/Components/BulkStateData", PatchKind::state_data},
    PatchRoute{"/hsm/v2/State/Components/{xname}/FlagOnly", "/hsm/v2/State/Components/BulkFlagOnly",
               PatchKind::flag_only},
    PatchRoute{"/hsm/v2/State/Components/{xname}/Enabled", "/hsm/v2/State/Components/BulkEnabled",
               PatchKind::enabled},
    PatchRoute{"/hsm/v2/State/Components/{xname}/SoftwareStatus",
               "/hsm/v2/State/Components/BulkSoftwareStatus", PatchKind::software_status},
    PatchRoute{"/hsm/v2/State/Components/{xname}/Role", "/hsm/v2/State/Components/BulkRole",
               PatchKind::role},
    PatchRoute{"/hsm/v2/State/Components/{xname}/NID", "/hsm/v2/State/Components/BulkNID",
               PatchKind::nid},
};
constexpr std::array kPatchSummaries{
    std::pair{"SMD: report a component's state and flag.",
              "SMD: report the state and flag of many components."},
    std::pair{"SMD: set a component's flag.", "SMD: set the flag of many components."},
    std::pair{"SMD: enable or disable a component.", "SMD: enable or disable many components."},
    std::pair{"SMD: say what a component's software says.",
              "SMD: say what many components' software says."},
    std::pair{"SMD: set a component's role.", "SMD: set the role of many components."},
    std::pair{"SMD: set a node's number.", "SMD: set the numbers of many nodes."},
};

Route changing(std::string_view method, std::string_view path, std::string_view summary) {
  Route route;
  route.method = method;
  route.path = path;
  route.privilege = auth::Privilege::operate;
  route.summary = summary;
  route.on_nodes = true;
  route.dialect = Dialect::smd;
  return route;
}

}  // namespace

void add_component_changes(Router& router, Services& services) {
  Route made = changing("POST", "/hsm/v2/State/Components",
                        "SMD: make components; with Force change those that are there.");
  made.takes = body_of<ComponentsPost>();
  made.errors = {Code::conflict};
  made.body_limit = kListLimit;
  made.handler = [&services](const RequestPtr& r) { post(services, r); };
  router.add(std::move(made));
  Route one = changing("PUT", "/hsm/v2/State/Components/{xname}",
                       "SMD: make a component, or with Force change it.");
  one.takes = body_of<ComponentPut>();
  one.errors = {Code::conflict};
  one.handler = [&services](const RequestPtr& r) { put(services, r); };
  router.add(std::move(one));
  for (size_t i = 0; i < kPatches.size(); ++i) {
    const PatchRoute& patch = kPatches.at(i);
    Route single = changing("PATCH", patch.one, kPatchSummaries.at(i).first);
    Route bulk = changing("PATCH", patch.many, kPatchSummaries.at(i).second);
    single.takes = bulk.takes = body_of<ComponentPatch>();
    single.errors = bulk.errors = {Code::not_found};
    if (patch.kind == PatchKind::nid) {
      single.errors.push_back(Code::conflict);
      bulk.errors.push_back(Code::conflict);
    }
    bulk.body_limit = kListLimit;
    single.handler = [&services, kind = patch.kind](const RequestPtr& r) {
      patch_one(services, r, kind);
    };
    if (patch.kind == PatchKind::nid) {
      bulk.handler = [&services](const RequestPtr& r) { patch_nids(services, r); };
    } else {
      bulk.handler = [&services, kind = patch.kind](const RequestPtr& r) {
        patch_many(services, r, kind);
      };
    }
    router.add(std::move(single));
    router.add(std::move(bulk));
  }
  Route gone = changing("DELETE", "/hsm/v2/State/Components/{xname}", "SMD: remove a component.");
  gone.gives = body_of<Outcome>();
  gone.errors = {Code::invalid_argument, Code::not_found, Code::conflict};
  gone.handler = [&services](const RequestPtr& r) { remove(services, r); };
  router.add(std::move(gone));
  Route all = changing("DELETE", "/hsm/v2/State/Components",
                       "SMD: remove all components, nodes among them.");
  all.gives = body_of<Outcome>();
  all.errors = {Code::not_found};
  all.handler = [&services](const RequestPtr& r) { remove_all(services, r); };
  router.add(std::move(all));
}

}  // namespace drover::api::smd

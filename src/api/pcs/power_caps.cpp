// PCS's /power-cap: tasks that read or set the limits of nodes' power, as operations of kind
// "power-cap".
#include "api/cap_operation.hpp"
#include "api/idempotency.hpp"
#include "api/operation_start.hpp"
#include "api/pcs/forms.hpp"
#include "api/pcs/locations.hpp"
#include "api/pcs/pcs.hpp"
#include "api/pcs/words.hpp"
#include "api/smd/manners.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::pcs {
namespace {

using cluster::CapRequest;
using cluster::Operation;

// --- what is asked for ---

struct Asked {
  Locations at;
  CapRequest request;
};

Result<Asked> read_snapshot(const Services& services, const json::value& body) {
  smd::Members from(body);
  const auto xnames = from.texts("xnames");
  if (!from.wrong().empty()) return smd::bad(from.wrong());
  if (!xnames || xnames->empty()) {
    return smd::bad("Xname list is empty. A list of xnames is required");
  }
  Asked out{Locations(services.model), {}};
  for (const std::string& xname : *xnames) DROVER_CHECK_OK(out.at.add(xname));
  return out;
}

Result<cluster::CapWishes> read_controls(const json::value& component, std::string_view xname) {
  const auto wrong = [&] {
    return smd::bad(
        fmt::format("Invalid control parameters for xnames detected {}", printable(xname)));
  };
  cluster::CapWishes out;
  const json::value* list = smd::Members(component).find("controls");
  const auto* controls = list == nullptr ? nullptr : list->if_array();
  if (controls == nullptr || controls->empty()) return wrong();
  for (const json::value& each : *controls) {
    smd::Members from(each);
    const auto name = from.text("name");
    const auto value = from.number("value");
    constexpr int64_t kMostWatts = 1'000'000;
    const bool fits = from.wrong().empty() && name && !name->empty() && value && *value >= 0 &&
                      *value <= kMostWatts;
    if (!fits) return wrong();
    out[*name] = static_cast<uint32_t>(*value);
  }
  return out;
}

Result<Asked> read_patch(const Services& services, const json::value& body) {
  const json::value* list = smd::Members(body).find("components");
  const auto* components = list == nullptr ? nullptr : list->if_array();
  if (components == nullptr) return smd::bad("components: expected a list");
  Asked out{Locations(services.model), {}};
  for (const json::value& each : *components) {
    smd::Members from(each);
    const std::string xname = from.text("xname").value_or("");
    if (!from.wrong().empty()) return smd::bad("components." + from.wrong());
    DROVER_TRY(auto wishes, read_controls(each, xname));
    DROVER_TRY(const auto node, out.at.add(xname));
    if (node) out.request.wishes[*node].merge(std::move(wishes));
  }
  return out;
}

void start(Services& services, const RequestPtr& request, std::string_view base, bool sets) {
  const auto body = parse_json(request->http().body);
  if (!body || !body->is_object()) {
    return request->fail({Code::invalid_argument, "the body: expected a JSON object", {}, {}});
  }
  DROVER_OR_FAIL(request, Asked asked,
                 sets ? read_patch(services, *body) : read_snapshot(services, *body));
  if (const Status may = request->authorize_nodes(
          asked.at.nodes(), sets ? auth::NodeUse::change : auth::NodeUse::run);
      !may) {
    return request->fail(may.error());
  }
  asked.request.left_out = asked.at.left_out();
  Operation operation = cap_operation(std::move(asked.request), asked.at.nodes(),
                                      operation_id(services, *request, kCapOperation, ""),
                                      request->actor(), services.operations->master());
  mutate(services, request,
         [operation = std::move(operation),
          base = std::string(base)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(fmt::format("{} on {}", operation.what, operation.nodes));
           DROVER_CHECK_OK(cluster::create_operation(tx, operation));
           const std::string id = uuid_of(operation.id);
           return Reply{200, json::serialize(json::object{{"taskID", id}}), "",
                        fmt::format("{}/{}", base, id)};
         });
}

// --- what is shown ---

json::object caps_of(const cluster::PowerCaps& caps) {
  json::array limits;
  for (const cluster::PowerCap& cap : caps.caps) {
    json::object one{{"name", cap.name}, {"currentValue", cap.limit}};
    if (cap.most) one["maximumValue"] = *cap.most;
    if (cap.least) one["minimumValue"] = *cap.least;
    limits.emplace_back(std::move(one));
  }
  json::object out;
  if (!caps.caps.empty()) {
    json::object host;
    if (caps.caps.front().most) host["hostLimitMax"] = *caps.caps.front().most;
    if (caps.caps.front().least) host["hostLimitMin"] = *caps.caps.front().least;
    out["limits"] = std::move(host);
  }
  out["powerCapLimits"] = std::move(limits);
  return out;
}

/// One operation as PCS shows it.
class CapView {
 public:
  CapView(const Services& services, const Operation& operation)
      : services_(services), operation_(operation) {}

  /// Nothing when it is none.
  std::optional<json::object> object(bool with_components) {
    const auto request = decode_text<CapRequest>(operation_.request.text, Unknown::ignore);
    if (operation_.kind != kCapOperation || !request) return std::nullopt;
    const bool over = cluster::has_ended(operation_.state);
    Counts counts;
    uint64_t settled = 0;
    for (const cluster::OperationGroup& group : operation_.groups) {
      counts.add(task_words(group, "").status, group.count);
      settled += group.count;
    }
    counts.add(over ? "failed" : "in-progress",
               operation_.total - std::min(settled, operation_.total));
    counts.add("failed", request->left_out.size());
    json::object out{{"taskID", uuid_of(operation_.id)},
                     {"type", request->sets() ? "patch" : "snapshot"},
                     {"taskCreateTime", to_rfc3339(operation_.created)},
                     {"automaticExpirationTime", expiry(operation_)},
                     {"taskStatus", over ? "completed" : "in-progress"},
                     {"taskCounts", counts.object()}};
    if (with_components) out["components"] = components(*request);
    return out;
  }

 private:
  json::array components(const CapRequest& request) const {
    json::array out;
    for (const cluster::OperationGroup& group : operation_.groups) {
      const auto names = expand_names(group.nodes);
      if (!names) continue;
      const auto caps = group.result
                            ? decode_text<cluster::PowerCaps>(*group.result, Unknown::ignore)
                            : Result<cluster::PowerCaps>(cluster::PowerCaps{});
      for (const std::string& name : *names) {
        const auto* entry = services_.model.find(name);
        json::object one{{"xname", entry == nullptr ? name : cluster::xname_of(entry->node())}};
        if (group.error) one["error"] = group.error->message;
        if (group.result && caps) {
          for (auto& [key, value] : caps_of(*caps)) one[key] = value;
        }
        out.emplace_back(std::move(one));
      }
    }
    for (const auto& [xname, why] : request.left_out) {
      out.emplace_back(json::object{{"xname", xname}, {"error", why}});
    }
    return out;
  }

  const Services& services_;
  const Operation& operation_;
};

void list(Services& services, const RequestPtr& request) {
  services.operations->when_ready([&services, request] {
    json::array tasks;
    for (const Operation& operation : services.operations->all()) {
      if (auto one = CapView(services, operation).object(false)) {
        tasks.emplace_back(*std::move(one));
      }
    }
    request->json(200, json::serialize(json::object{{"tasks", std::move(tasks)}}));
  });
}

void show(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const std::string id, id_in(request->path("task")));
  services.operations->when_ready([&services, request, id] {
    const auto operation = services.operations->find(id);
    auto shown = operation ? CapView(services, *operation).object(true) : std::nullopt;
    if (!shown) return request->fail(smd::missing("TaskID does not exist"));
    request->json(200, json::serialize(*shown));
  });
}

Route starts(std::string_view method, std::string_view path, std::string_view summary,
             auth::Privilege privilege, Handler handler) {
  Route route;
  route.method = method;
  route.path = path;
  route.privilege = privilege;
  route.summary = summary;
  route.gives = body_of<CapTaskMade>();
  route.on_nodes = true;
  route.location = true;
  route.body_limit = smd::kListLimit;
  route.dialect = Dialect::smd;
  route.handler = std::move(handler);
  return route;
}

}  // namespace

void add_power_caps(Router& router, Services& services, const Paths& paths) {
  Route snapshot =
      starts("POST", paths.snapshot, "PCS: read the limits of nodes' power, as a task.",
             auth::Privilege::use, [&services, base = paths.power_cap](const RequestPtr& r) {
               start(services, r, base, false);
             });
  snapshot.takes = body_of<CapSnapshotRequest>();
  router.add(std::move(snapshot));
  Route patch = starts(
      "PATCH", paths.power_cap, "PCS: limit nodes' power, as a task.", auth::Privilege::use,
      [&services, base = paths.power_cap](const RequestPtr& r) { start(services, r, base, true); });
  patch.takes = body_of<CapPatchRequest>();
  router.add(std::move(patch));
  router.add({.method = "GET",
              .path = paths.power_cap,
              .privilege = auth::Privilege::view,
              .summary = "PCS: list the tasks of limits.",
              .gives = body_of<CapTaskList>(),
              .handler = [&services](const RequestPtr& r) { list(services, r); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = paths.cap_task,
              .privilege = auth::Privilege::view,
              .summary = "PCS: show a task of limits and what it found.",
              .gives = body_of<CapTaskForm>(),
              .errors = {Code::invalid_argument, Code::not_found},
              .handler = [&services](const RequestPtr& r) { show(services, r); },
              .dialect = Dialect::smd});
}

}  // namespace drover::api::pcs

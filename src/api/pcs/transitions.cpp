// PCS's /transitions: power operations, begun, listed, shown and stopped.
#include "api/idempotency.hpp"
#include "api/operation_start.hpp"
#include "api/pcs/forms.hpp"
#include "api/pcs/locations.hpp"
#include "api/pcs/pcs.hpp"
#include "api/pcs/words.hpp"
#include "api/power_operation.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace drover::api::pcs {
namespace {

using cluster::Operation;
using cluster::PowerOrder;

// --- what is asked for ---

/// What a request names.
struct Asked {
  std::vector<std::string> nodes;
  PowerOrder order;
};

Status read_locations(const cluster::Model& model, const json::value& list, Asked& out) {
  const auto* array = list.if_array();
  if (array == nullptr) return smd::bad("location: expected a list");
  Locations at(model);
  for (const json::value& each : *array) {
    smd::Members from(each);
    const auto xname = from.text("xname");
    const auto deputy = from.text("deputyKey");
    if (!from.wrong().empty()) return smd::bad("location." + from.wrong());
    DROVER_TRY(const auto node, at.add(xname.value_or("")));
    if (node && deputy && !deputy->empty()) out.order.request.deputy_keys[*node] = *deputy;
  }
  out.nodes = at.nodes();
  out.order.left_out = at.left_out();
  return {};
}

Result<Asked> read(const Services& services, const RequestPtr& request) {
  auto body = parse_json(request->http().body);
  if (!body) return smd::bad(fmt::format("the body is no JSON: {}", body.error().message));
  if (!body->is_object()) return smd::bad("the body: expected an object");
  smd::Members from(*body);
  const auto operation = from.text("operation");
  const auto minutes = from.number("taskDeadlineMinutes");
  if (!from.wrong().empty()) return smd::bad(from.wrong());
  const auto action = action_called(operation.value_or(""));
  if (!action) {
    return smd::bad(fmt::format("invalid Operation type {}", printable(operation.value_or(""))));
  }
  Asked out;
  constexpr int64_t kDefaultMinutes = 5;
  if (const json::value* location = from.find("location")) {
    DROVER_CHECK_OK(read_locations(services.model, *location, out));
  }
  cluster::PowerRequest& power = out.order.request;
  power.action = *action;
  set_deadline(power, minutes.value_or(kDefaultMinutes));
  DROVER_CHECK_OK(check(power));
  auto left_out = std::move(out.order.left_out);
  out.order = power_order(std::move(power));
  out.order.left_out = std::move(left_out);
  return out;
}

void start(Services& services, const RequestPtr& request, std::string_view base) {
  DROVER_OR_FAIL(request, Asked asked, read(services, request));
  if (const Status allowed = request->authorize_nodes(asked.nodes); !allowed) {
    return request->fail(allowed.error());
  }
  const std::string word(operation_word(asked.order.request.action));
  Operation operation = power_operation(std::move(asked.order), asked.nodes,
                                        operation_id(services, *request, kPowerOperation, ""),
                                        request->actor(), services.operations->master());
  mutate(services, request,
         [operation = std::move(operation), word,
          base = std::string(base)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(fmt::format("{} on {}", operation.what, operation.nodes));
           DROVER_CHECK_OK(cluster::create_operation(tx, operation));
           const std::string id = uuid_of(operation.id);
           return Reply{200,
                        json::serialize(json::object{{"transitionID", id}, {"operation", word}}),
                        "", fmt::format("{}/{}", base, id)};
         });
}

// --- what is shown ---

/// One operation as PCS shows it.
class TransitionView {
 public:
  TransitionView(const Services& services, const Operation& operation)
      : services_(services), operation_(operation) {
    const auto order = decode_text<PowerOrder>(operation.request.text, Unknown::ignore);
    if (operation.kind != kPowerOperation || !order) return;
    word_ = operation_word(order->request.action);
    left_out_ = order->left_out;
  }
  [[nodiscard]] bool is_one() const { return !word_.empty(); }

  json::object object(bool with_tasks) {
    count();
    if (with_tasks) take_tasks();
    json::object out{{"transitionID", uuid_of(operation_.id)},
                     {"operation", word_},
                     {"createTime", to_rfc3339(operation_.created)},
                     {"automaticExpirationTime", expiry(operation_)},
                     {"transitionStatus", status_word(operation_.state)},
                     {"taskCounts", counts_.object()}};
    if (with_tasks && !tasks_.empty()) out["tasks"] = std::move(tasks_);
    return out;
  }

 private:
  [[nodiscard]] TaskWords rest() const {
    if (cluster::has_ended(operation_.state)) {
      return {"failed", "Failed to achieve transition", "it ended without a word"};
    }
    return {"in-progress", fmt::format("Applying transition, {}", smd::lower(word_)), {}};
  }

  /// By their numbers alone, since lists have many transitions of many nodes.
  void count() {
    uint64_t settled = 0;
    for (const cluster::OperationGroup& group : operation_.groups) {
      counts_.add(task_words(group, word_).status, group.count);
      settled += group.count;
    }
    counts_.add(rest().status, operation_.total - std::min(settled, operation_.total));
    counts_.add("failed", left_out_.size());
  }

  void take_tasks() {
    std::set<std::string, NaturalLess> open;
    if (const auto all = expand_names(operation_.nodes)) open.insert(all->begin(), all->end());
    for (const cluster::OperationGroup& group : operation_.groups) {
      const TaskWords words = task_words(group, word_);
      const auto names = expand_names(group.nodes);
      if (!names) continue;
      for (const std::string& name : *names) {
        if (open.erase(name) > 0) add(name, words);
      }
    }
    for (const std::string& name : open) add(name, rest());
    for (const auto& [xname, why] : left_out_) {
      push(xname, {"failed", "Failed to achieve transition", why});
    }
  }

  void add(const std::string& node, const TaskWords& words) {
    const auto* entry = services_.model.find(node);
    push(entry == nullptr ? node : cluster::xname_of(entry->node()), words);
  }

  void push(const std::string& xname, const TaskWords& words) {
    json::object task{{"xname", xname},
                      {"taskStatus", words.status},
                      {"taskStatusDescription", words.description}};
    if (!words.error.empty()) task["error"] = words.error;
    tasks_.emplace_back(std::move(task));
  }

  const Services& services_;
  const Operation& operation_;
  std::string_view word_;
  std::map<std::string, std::string> left_out_;
  Counts counts_;
  json::array tasks_;
};

void list(Services& services, const RequestPtr& request) {
  services.operations->when_ready([&services, request] {
    json::array all;
    for (const Operation& operation : services.operations->all()) {
      TransitionView view(services, operation);
      if (view.is_one()) all.emplace_back(view.object(false));
    }
    request->json(200, json::serialize(json::object{{"transitions", std::move(all)}}));
  });
}

/// The transition that the path names; an answer has been given when there is none.
std::optional<Operation> find(Services& services, const RequestPtr& request) {
  const auto id = id_in(request->path("transition"));
  if (!id) {
    request->fail(id.error());
    return std::nullopt;
  }
  auto operation = services.operations->find(*id);
  if (operation && TransitionView(services, *operation).is_one()) return operation;
  request->fail(smd::missing("TransitionID does not exist"));
  return std::nullopt;
}

void show(Services& services, const RequestPtr& request) {
  services.operations->when_ready([&services, request] {
    const auto operation = find(services, request);
    if (!operation) return;
    request->json(200, json::serialize(TransitionView(services, *operation).object(true)));
  });
}

void abort(Services& services, const RequestPtr& request) {
  services.operations->when_ready([&services, request] {
    const auto operation = find(services, request);
    if (!operation) return;
    const auto names = expand_names(operation->nodes);
    if (const Status may = request->authorize_nodes(names.value_or(std::vector<std::string>()),
                                                    auth::NodeUse::run);
        !may) {
      return request->fail(may.error());
    }
    const Reply accepted{202, R"({"abortStatus":"Accepted - abort initiated"})", ""};
    if (operation->state == cluster::OperationState::cancelled) {
      return request->json(accepted.status, accepted.body);
    }
    mutate(services, request,
           [id = operation->id, accepted](store::Transaction& tx) -> Result<Reply> {
             const auto stopped = cluster::cancel_operation(tx, id, "aborted");
             if (stopped) return accepted;
             if (stopped.error().code != Code::conflict) return tl::unexpected(stopped.error());
             return smd::bad("Transition is already finished and cannot be aborted.");
           });
  });
}

}  // namespace

void add_transitions(Router& router, Services& services, const Paths& paths) {
  router.add({.method = "POST",
              .path = paths.transitions,
              .privilege = auth::Privilege::use,
              .summary = "PCS: switch, shut down or restart nodes.",
              .takes = body_of<TransitionRequest>(),
              .gives = body_of<TransitionMade>(),
              .on_nodes = true,
              .location = true,
              .body_limit = smd::kListLimit,
              .handler = [&services, base = paths.transitions](
                             const RequestPtr& r) { start(services, r, base); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = paths.transitions,
              .privilege = auth::Privilege::view,
              .summary = "PCS: list transitions, whoever began them.",
              .gives = body_of<TransitionList>(),
              .handler = [&services](const RequestPtr& r) { list(services, r); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = paths.transition,
              .privilege = auth::Privilege::view,
              .summary = "PCS: show a transition and its components.",
              .gives = body_of<TransitionForm>(),
              .errors = {Code::invalid_argument, Code::not_found},
              .handler = [&services](const RequestPtr& r) { show(services, r); },
              .dialect = Dialect::smd});
  router.add({.method = "DELETE",
              .path = paths.transition,
              .privilege = auth::Privilege::use,
              .summary = "PCS: stop a transition; what its BMCs have begun goes on.",
              .gives = body_of<AbortForm>(),
              .status = 202,
              .on_nodes = true,
              .errors = {Code::invalid_argument, Code::not_found},
              .handler = [&services](const RequestPtr& r) { abort(services, r); },
              .dialect = Dialect::smd});
}

}  // namespace drover::api::pcs

// POST /calls: one request to many nodes, with folded answers.
#include "api/idempotency.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "auth/assertion.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr int64_t kDefaultCallMs = 5000;

struct CallRequest {
  static constexpr std::string_view kTypeName = "CallRequest";
  std::string method;
  std::string nodes;
  std::string payload;
  int64_t timeout_ms = kDefaultCallMs;
  void describe(Visitor& v) {
    v.field("method", method, "What to run: ping, identity, inventory.collect.");
    v.field("nodes", nodes, "Noderange of the nodes to ask.");
    v.field("payload", payload, "Passed to the method.", Presence::optional);
    v.field("timeout_ms", timeout_ms, "Time for all answers together.", Presence::optional);
  }
};

enum class CallOutcome : uint8_t { done, failed, unreached, timed_out };
std::span<const std::string_view> enum_names(CallOutcome) {
  static constexpr std::array<std::string_view, 4> kNames{"done", "failed", "unreached",
                                                          "timed_out"};
  return kNames;
}

struct CallError {
  static constexpr std::string_view kTypeName = "CallError";
  std::string code;
  std::string message;
  void describe(Visitor& v) {
    v.field("code", code, "Name of the kind of error.");
    v.field("message", message, "What failed, and why.");
  }
};

struct CallGroupView {
  static constexpr std::string_view kTypeName = "CallGroup";
  CallOutcome outcome = CallOutcome::done;
  std::string nodes;
  uint64_t count = 0;
  std::optional<std::string> result;
  std::optional<CallError> error;
  void describe(Visitor& v) {
    v.field("outcome", outcome, "How these nodes ended.");
    v.field("nodes", nodes, "Folded noderange of those that ended alike.");
    v.field("count", count, "How many they are.");
    v.field("result", result, "What they answered; null unless done.");
    v.field("error", error, "Why not; null when done.");
  }
};

struct CallView {
  static constexpr std::string_view kTypeName = "Call";
  std::string id;
  std::vector<CallGroupView> groups;
  std::map<std::string, uint64_t> totals;
  void describe(Visitor& v) {
    v.field("id", id, "The call's id.");
    v.field("groups", groups, "Nodes that ended alike, the biggest group first.");
    v.field("totals", totals, "How many nodes ended how.");
  }
};

CallView view_of(tree::CallReport& report) {
  CallView view;
  view.id = report.id;
  for (tree::CallGroup& group : report.groups) {
    CallGroupView shown;
    shown.outcome = static_cast<CallOutcome>(group.outcome);
    shown.nodes = std::move(group.nodes);
    shown.count = group.count;
    if (group.outcome == tree::Outcome::done) {
      shown.result = std::move(group.result);
    } else {
      shown.error = CallError{std::string(info(group.error.code).name), group.error.text()};
    }
    view.groups.push_back(std::move(shown));
  }
  for (size_t i = 0; i < tree::kOutcomes; ++i) {
    const auto outcome = static_cast<CallOutcome>(i);
    const uint64_t count = report.totals.of(static_cast<tree::Outcome>(i));
    if (count > 0) view.totals[std::string(enum_name(outcome))] = count;
  }
  return view;
}

/// With an Idempotency-Key the call's id follows from it, so that asking again after this master
/// died runs nothing twice: a node runs one id once.
std::string call_id(Services& services, const Request& request, const std::string& key) {
  constexpr size_t kIdBytes = 16;
  if (key.empty()) return services.random.hex(kIdBytes);
  return auth::request_hash("call", request.actor(), key).substr(0, 2 * kIdBytes);
}

Result<tree::CallSpec> spec_of(Services& services, const RequestPtr& request) {
  DROVER_TRY(CallRequest asked, request->body<CallRequest>());
  constexpr int64_t kMostMs = kLongestTimeout / std::chrono::milliseconds(1);
  if (asked.method.empty()) return fail(Code::invalid_argument, "method: is empty");
  if (asked.timeout_ms < 1 || asked.timeout_ms > kMostMs) {
    return fail(Code::invalid_argument,
                fmt::format("timeout_ms: expected 1 to {}, got {}", kMostMs, asked.timeout_ms));
  }
  if (asked.payload.size() > tree::kMaxCallPayload) {
    return fail(Code::too_large, fmt::format("payload: {} bytes; at most {}", asked.payload.size(),
                                             tree::kMaxCallPayload));
  }
  DROVER_TRY(const std::string key, request->idempotency_key());
  tree::CallSpec spec;
  DROVER_TRY(spec.targets, evaluate(asked.nodes, cluster::ModelNames(services.model)));
  if (spec.targets.empty()) {
    return fail(Code::invalid_argument, fmt::format("nodes: '{}' names no node", asked.nodes));
  }
  spec.id = call_id(services, *request, key);
  spec.method = std::move(asked.method);
  spec.payload = std::move(asked.payload);
  spec.budget = std::chrono::milliseconds(asked.timeout_ms);
  return spec;
}

void start_call(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, tree::CallSpec spec, spec_of(services, request));
  if (const Status allowed = request->authorize_nodes(spec.targets, auth::NodeUse::run); !allowed) {
    return request->fail(allowed.error());
  }
  constexpr Duration kGathering = std::chrono::seconds(5);  // the last answers on their way up
  request->allow(spec.budget + kGathering);
  once(services, request, [&services, spec = std::move(spec)](Finish finish) mutable {
    const auto shared = std::make_shared<Finish>(std::move(finish));
    const Status started = services.calls.start(std::move(spec), [shared](tree::CallReport report) {
      (*shared)(Reply{200, encode(view_of(report)), ""});
    });
    if (!started) (*shared)(tl::unexpected<Error>(started.error()));
  });
}

}  // namespace

void add_calls(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/calls",
              .privilege = auth::Privilege::use,
              .summary = "Run a method on nodes and gather their answers.",
              .takes = body_of<CallRequest>(),
              .gives = body_of<CallView>(),
              .on_nodes = true,
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { start_call(services, r); }});
}

}  // namespace drover::api

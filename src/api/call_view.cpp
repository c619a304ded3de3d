#include "api/call_view.hpp"

#include <array>

namespace drover::api {

void CallRequest::describe(Visitor& v) {
  v.field(
      "method", method,
      "What to run: ping, identity, inventory.collect, power.reboot, power.halt, power.poweroff.");
  v.field("nodes", nodes, "Noderange of the nodes to ask.");
  v.field("payload", payload, "Passed to the method.", Presence::optional);
  v.field("timeout_ms", timeout_ms, "Time for all answers together.", Presence::optional);
  v.field("why", why, "Why nodes are told to end; kept in their phases and in the history.",
          Presence::optional);
}

std::span<const std::string_view> enum_names(CallOutcome) {
  static constexpr std::array<std::string_view, 4> kNames{"done", "failed", "unreached",
                                                          "timed_out"};
  return kNames;
}

void CallError::describe(Visitor& v) {
  v.field("code", code, "Name of the kind of error.");
  v.field("message", message, "What failed, and why.");
}

void CallGroupView::describe(Visitor& v) {
  v.field("outcome", outcome, "How these nodes ended.");
  v.field("nodes", nodes, "Folded noderange of those that ended alike.");
  v.field("count", count, "How many they are.");
  v.field("result", result, "What they answered; null unless done.");
  v.field("error", error, "Why not; null when done.");
}

void CallView::describe(Visitor& v) {
  v.field("id", id, "The call's id.");
  v.field("groups", groups, "Nodes that ended alike, the biggest group first.");
  v.field("totals", totals, "How many nodes ended how.");
}

void CallEvent::describe(Visitor& v) {
  v.field("id", id, "The call's id.");
  v.field("group", group,
          "Nodes that ended alike since the last event; null: nothing new, the stream lives.");
  v.field("totals", totals, "How many nodes have ended how so far.");
  v.field("targets", targets, "How many were asked.");
  v.field("end", end, "Whether this is the last event.");
}

CallGroupView view_of(const tree::CallGroup& group) {
  CallGroupView shown;
  shown.outcome = static_cast<CallOutcome>(group.outcome);
  shown.nodes = group.nodes;
  shown.count = group.count;
  if (group.outcome == tree::Outcome::done) {
    shown.result = group.result;
  } else {
    shown.error = CallError{std::string(info(group.error.code).name), group.error.text()};
  }
  return shown;
}

std::map<std::string, uint64_t> totals_of(const tree::CallTotals& totals) {
  std::map<std::string, uint64_t> out;
  for (size_t i = 0; i < tree::kOutcomes; ++i) {
    const uint64_t count = totals.of(static_cast<tree::Outcome>(i));
    if (count > 0) out[std::string(enum_name(static_cast<CallOutcome>(i)))] = count;
  }
  return out;
}

CallView view_of(const tree::CallReport& report) {
  CallView view;
  view.id = report.id;
  for (const tree::CallGroup& group : report.groups) view.groups.push_back(view_of(group));
  view.totals = totals_of(report.totals);
  return view;
}

cluster::OperationGroup operation_group_of(const tree::CallGroup& group) {
  cluster::OperationGroup out;
  const bool cancelled =
      group.outcome == tree::Outcome::failed && group.error.code == Code::cancelled;
  out.outcome = cancelled ? cluster::OperationOutcome::cancelled
                          : static_cast<cluster::OperationOutcome>(group.outcome);
  out.nodes = group.nodes;
  out.count = group.count;
  if (group.outcome == tree::Outcome::done) {
    out.result = group.result;
  } else {
    out.error =
        cluster::OperationError{std::string(info(group.error.code).name), group.error.text()};
  }
  return out;
}

}  // namespace drover::api

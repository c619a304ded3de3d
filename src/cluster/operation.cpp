#include "cluster/operation.hpp"

#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {

std::span<const std::string_view> enum_names(OperationState) {
  static constexpr std::array<std::string_view, 6> kNames{"running", "cancelling", "done",
                                                          "failed",  "cancelled",  "interrupted"};
  return kNames;
}

std::span<const std::string_view> enum_names(OperationOutcome) {
  static constexpr std::array<std::string_view, 6> kNames{"done",      "failed",    "unreached",
                                                          "timed_out", "cancelled", "interrupted"};
  return kNames;
}

bool has_ended(OperationState state) {
  return state != OperationState::running && state != OperationState::cancelling;
}

void OperationError::describe(Visitor& v) {
  v.field("code", code, "Name of the kind of error.");
  v.field("message", message, "What failed, and why.");
}

void OperationGroup::describe(Visitor& v) {
  v.field("outcome", outcome, "How these nodes ended.");
  v.field("nodes", nodes, "Folded noderange of those that ended alike.");
  v.field("count", count, "How many they are.");
  v.field("result", result, "What they answered; null when nothing or not done.");
  v.field("error", error, "Why not; null when done.");
}

void Operation::describe(Visitor& v) {
  v.field("id", id, "Names it.");
  v.field("kind", kind, "What kind of operation it is.");
  v.field("what", what, "What it does, in words.");
  v.field("request", request, "What was asked.");
  v.field("who", who, "Who asked.");
  v.field("nodes", nodes, "Folded noderange of the nodes that it is about.");
  v.field("total", total, "How many they are.");
  v.field("state", state, "Where it stands.");
  v.field("why", why, "Why it was cancelled or interrupted; else empty.");
  v.field("groups", groups,
          "Nodes that ended alike: those not done first, then the biggest group.");
  v.field("settled", settled, "How many nodes have ended.");
  v.field("done", done, "How many of these are done.");
  v.field("created", created, "When it was asked for.");
  v.field("finished", finished, "When it ended; null while it runs.");
  v.field("master", master, "The master that runs it, and which start of that one.");
  v.field("taken_up", taken_up, "How often a master went on with it after one had died.");
}

Status create_operation(store::Transaction& tx, Operation operation) {
  DROVER_TRY(const auto there, tx.get(kOperationKind, operation.id));
  if (there) {
    return fail(Code::already_exists, fmt::format("operation {} exists", operation.id));
  }
  operation.created = from_unix_ms(tx.time_ms());
  DROVER_CHECK_OK(tx.put(kOperationKind, operation.id, encode(operation)));
  return {};
}

Result<Operation> read_operation(store::Transaction& tx, const std::string& id) {
  DROVER_TRY(const auto object, tx.get(kOperationKind, id));
  if (!object) {
    return fail(Code::not_found, fmt::format("there is no operation '{}'", printable(id)),
                "drover operation list shows those that are kept");
  }
  return decode_text<Operation>(object->body, Unknown::ignore);
}

Result<Operation> cancel_operation(store::Transaction& tx, const std::string& id,
                                   std::string_view why) {
  DROVER_TRY(Operation operation, read_operation(tx, id));
  if (has_ended(operation.state)) {
    return fail(Code::conflict,
                fmt::format("operation {} ended at {} as {}", id, to_rfc3339(operation.finished),
                            enum_name(operation.state)));
  }
  if (operation.state == OperationState::cancelling) return operation;
  operation.state = OperationState::cancelling;
  operation.why = fmt::format("cancelled by {}{}{}", tx.actor(), why.empty() ? "" : ": ", why);
  tx.explain(operation.why);
  DROVER_CHECK_OK(tx.put(kOperationKind, id, encode(operation)));
  return operation;
}

void shrink(Operation& operation) {
  if (encode(operation).size() <= kMaxOperation) return;
  const OperationTally whole(operation);
  std::vector<OperationGroup> groups = std::move(operation.groups);
  operation.groups.clear();
  size_t left = kMaxOperation / 2;
  std::vector<std::vector<std::string>> merged(enum_names(OperationOutcome{}).size());
  for (OperationGroup& group : groups) {
    const size_t size = encode(group).size();
    if (size < left) {
      left -= size;
      operation.groups.push_back(std::move(group));
      continue;
    }
    left = 0;  // the biggest groups come first; what is behind them goes together
    if (const auto names = expand_names(group.nodes)) {
      auto& into = merged[static_cast<size_t>(group.outcome)];
      into.insert(into.end(), names->begin(), names->end());
    }
  }
  for (size_t i = 0; i < merged.size(); ++i) {
    if (merged[i].empty()) continue;
    OperationGroup group{static_cast<OperationOutcome>(i), fold_names(merged[i]), merged[i].size(),
                         std::nullopt, std::nullopt};
    group.error = OperationError{std::string(info(Code::too_large).name),
                                 "their answers differ and are too many to be kept"};
    operation.groups.push_back(std::move(group));
  }
}

OperationTally::OperationTally(const Operation& operation) {
  if (auto names = expand_names(operation.nodes)) names_ = std::move(*names);
  settled_.resize(names_.size());
  remaining_ = names_.size();
  for (const OperationGroup& group : operation.groups) settle(group);
}

std::vector<std::string> OperationTally::remaining() const {
  std::vector<std::string> out;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (!settled_[i]) out.push_back(names_[i]);
  }
  return out;
}

std::optional<uint32_t> OperationTally::index_of(std::string_view name) const {
  const auto it = std::ranges::lower_bound(names_, name, NaturalLess());
  if (it == names_.end() || *it != name) return std::nullopt;
  return static_cast<uint32_t>(it - names_.begin());
}

OperationTally::Group& OperationTally::group_like(const OperationGroup& group) {
  for (Group& known : groups_) {
    if (known.like.outcome == group.outcome && known.like.result == group.result &&
        known.like.error == group.error) {
      return known;
    }
  }
  return groups_.emplace_back(Group{group, {}});
}

void OperationTally::settle(const OperationGroup& group) {
  const auto names = expand_names(group.nodes);
  if (!names) return;
  Group* into = nullptr;
  for (const std::string& name : *names) {
    const auto index = index_of(name);
    if (!index || settled_[*index]) continue;
    settled_[*index] = true;
    --remaining_;
    if (into == nullptr) into = &group_like(group);
    into->nodes.push_back(*index);
  }
}

void OperationTally::settle_rest(OperationOutcome outcome, const OperationError& error) {
  if (remaining_ == 0) return;
  OperationGroup rest{outcome, fold_names(remaining()), remaining_, std::nullopt, error};
  settle(rest);
}

void OperationTally::store_in(Operation& operation) const {
  operation.groups.clear();
  operation.settled = names_.size() - remaining_;
  operation.done = 0;
  for (const Group& group : groups_) {
    std::vector<std::string> names;
    names.reserve(group.nodes.size());
    for (const uint32_t index : group.nodes) names.push_back(names_[index]);
    OperationGroup shown = group.like;
    shown.nodes = fold_names(names);
    shown.count = names.size();
    if (shown.outcome == OperationOutcome::done) operation.done += shown.count;
    operation.groups.push_back(std::move(shown));
  }
  std::ranges::sort(operation.groups, [](const OperationGroup& a, const OperationGroup& b) {
    const bool a_done = a.outcome == OperationOutcome::done;
    const bool b_done = b.outcome == OperationOutcome::done;
    if (a_done != b_done) return b_done;
    if (a.count != b.count) return a.count > b.count;
    return natural_compare(a.nodes, b.nodes) < 0;
  });
}

}  // namespace drover::cluster

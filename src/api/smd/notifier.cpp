#include "api/smd/notifier.hpp"

#include "api/smd/manners.hpp"
#include "api/smd/words.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/bmc/smd_state.hpp"
#include "cluster/stored_node.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::ScnSubscription;

/// What subscribers may be told of.
struct Facts {
  std::string xname;
  std::string state, flag, role, sub_role, software;
  bool enabled = true;
};

std::string attribute(const cluster::Node& node, const char* name) {
  const auto found = node.spec.attributes.find(name);
  return found == node.spec.attributes.end() ? std::string() : found->second;
}

Facts facts_of(const cluster::Node& node) {
  Facts out;
  out.xname = cluster::xname_of(node);
  out.state = enum_name(cluster::smd_state_of(node));
  out.flag = enum_name(cluster::smd_flag_of(node));
  out.role = attribute(node, "smd_role");
  if (out.role.empty()) {
    out.role = node.role == cluster::NodeRole::utility ? "Application" : "Compute";
  }
  out.sub_role = attribute(node, "subrole");
  out.software = attribute(node, "software_status");
  out.enabled = node.enabled;
  return out;
}
Facts facts_of(const cluster::Component& component) {
  return {component.xname,    component.state,           component.flag,   component.role,
          component.sub_role, component.software_status, component.enabled};
}

/// Before and after; before is absent of what is new.
struct Step {
  std::optional<Facts> before;
  Facts after;
};

template <typename T>
std::optional<Step> step_of(const store::Change& change) {
  if (!change.after) return std::nullopt;
  Step out;
  const auto* known = dynamic_cast<const cluster::StoredNode*>(change.reading.pointer.get());
  if constexpr (std::is_same_v<T, cluster::Node>) {
    if (known != nullptr) out.after = facts_of(known->node);
  }
  if (out.after.xname.empty()) {
    const auto after = decode_text<T>(*change.after, Unknown::ignore);
    if (!after) return std::nullopt;
    out.after = facts_of(*after);
  }
  if (change.before) {
    if (const auto before = decode_text<T>(*change.before, Unknown::ignore)) {
      out.before = facts_of(*before);
    }
  }
  return out;
}

bool listed(const std::vector<std::string>& wanted, std::string_view value) {
  return std::ranges::any_of(wanted,
                             [&](const std::string& one) { return lower(one) == lower(value); });
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out += fmt::format(",\"{}\":", key);
  append_quoted(out, value);
}

/// What a subscriber is told of one step: the tails of messages, which begin with components.
std::vector<std::string> tails_of(const ScnSubscription& wanted, const Step& step) {
  std::vector<std::string> out;
  const Facts& now = step.after;
  const auto changed = [&](auto member) {
    return !step.before || (*step.before).*member != now.*member;
  };
  const auto tell = [&](auto fill) {
    std::string tail;
    fill(tail);
    out.push_back(std::move(tail));
  };
  if (changed(&Facts::state) && listed(wanted.states, now.state)) {
    tell([&](std::string& tail) {
      append_member(tail, "Flag", now.flag);
      append_member(tail, "State", now.state);
    });
  }
  if (wanted.enabled && step.before && changed(&Facts::enabled)) {
    tell([&](std::string& tail) { tail += fmt::format(",\"Enabled\":{}", now.enabled); });
  }
  const bool role = changed(&Facts::role) && listed(wanted.roles, now.role);
  const bool sub_role = changed(&Facts::sub_role) && listed(wanted.sub_roles, now.sub_role);
  if (role || sub_role) {
    tell([&](std::string& tail) {
      append_member(tail, "Role", now.role);
      append_member(tail, "SubRole", now.sub_role);
    });
  }
  if (changed(&Facts::software) && listed(wanted.software_status, now.software)) {
    tell([&](std::string& tail) { append_member(tail, "SoftwareStatus", now.software); });
  }
  return out;
}

std::string message(const std::vector<std::string>& xnames, std::string_view tail) {
  std::string out = R"({"Components":[)";
  for (const std::string& xname : xnames) {
    if (out.back() != '[') out += ',';
    append_quoted(out, xname);
  }
  out += ']';
  out += tail;
  return out + "}";
}

}  // namespace

ScnNotifier::ScnNotifier(Executor& executor, store::Store& store, const cluster::Model& model,
                         Log log, Webhooks& webhooks)
    : executor_(executor), model_(model), log_(std::move(log)), webhooks_(webhooks) {
  feed_ = store.subscribe([this](std::span<const store::Change> changes) { follow(changes); });
}

void ScnNotifier::follow(std::span<const store::Change> changes) {
  const auto& subscriptions = model_.hardware().subscriptions();
  if (subscriptions.empty()) return;
  std::map<std::pair<uint64_t, std::string>, std::vector<std::string>> told;
  for (const store::Change& change : changes) {
    std::optional<Step> step;
    if (change.kind == cluster::kNodeKind) step = step_of<cluster::Node>(change);
    if (change.kind == cluster::kComponentKind) step = step_of<cluster::Component>(change);
    if (!step) continue;
    for (const auto& [key, wanted] : subscriptions) {
      for (std::string& tail : tails_of(wanted, *step)) {
        told[{wanted.id, std::move(tail)}].push_back(step->after.xname);
      }
    }
  }
  std::set<uint64_t> awake;
  for (const auto& [what, xnames] : told) {
    Lane& lane = lanes_[what.first];
    if (lane.waiting.size() >= kMostWaiting) {
      log_.warning("a subscriber does not keep up: its oldest notification was dropped",
                   {{"subscription", std::to_string(what.first)}});
      // The first one may be under way.
      lane.waiting.erase(lane.waiting.begin() + 1);
    }
    lane.waiting.push_back(message(xnames, what.second));
    awake.insert(what.first);
  }
  for (const uint64_t id : awake) send(id);
}

void ScnNotifier::send(uint64_t id) {
  Lane& lane = lanes_[id];
  if (lane.busy || lane.waiting.empty()) return;
  const auto& subscriptions = model_.hardware().subscriptions();
  const auto found = subscriptions.find(std::to_string(id));
  if (found == subscriptions.end()) {
    lanes_.erase(id);
    return;
  }
  lane.busy = true;
  webhooks_.post(found->second.url, lane.waiting.front(),
                 [this, id, alive = std::weak_ptr<bool>(alive_)](const Status& status) {
                   if (!alive.expired()) sent(id, status);
                 });
}

void ScnNotifier::sent(uint64_t id, const Status& status) {
  Lane& lane = lanes_[id];
  ++lane.tries;
  const bool over = status.has_value() || lane.tries >= kTries;
  if (!over) {
    const auto wait = std::chrono::seconds(1) * (1 << (lane.tries - 1));
    lane.retry.after(executor_, wait, [this, id] {
      lanes_[id].busy = false;
      send(id);
    });
    return;
  }
  if (!status) {
    log_.warning("a notification could not be delivered and was dropped",
                 {{"subscription", std::to_string(id)}, {"why", status.error().text()}});
  }
  lane.busy = false;
  lane.tries = 0;
  lane.waiting.pop_front();
  send(id);
}

}  // namespace drover::api::smd

// The order goes out by a call, what becomes of it comes back as records: calls end with their
// master, records do not.
#include "daemons/nodeup/node_up_desk.hpp"

#include "base/noderange.hpp"
#include "daemons/nodeup/node_order.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using cluster::NodeUpRun;
using cluster::PhaseState;
using cluster::RunState;
using cluster::StepStatus;

constexpr Duration kBudget = std::chrono::seconds(60);
constexpr Duration kRetry = std::chrono::seconds(2);

}  // namespace

Status NodeUpDesk::restore(const std::vector<store::Object>& objects) {
  for (const store::Object& object : objects) {
    DROVER_TRY(NodeUpRun run, decode_text<NodeUpRun>(object.body, Unknown::ignore));
    if (run.state == RunState::running && run.hooks_begun) {
      run.state = RunState::failed;
      run.ended = parts_.executor.wall();
      run.why = "the master was restarted while its hooks ran: they are not run a second time";
    }
    runs_.emplace(object.key, std::move(run));
  }
  return {};
}

bool NodeUpDesk::is_new_boot(const cluster::Verdict& verdict) const {
  if (verdict.role != cluster::NodeRole::compute || verdict.boot_id.empty()) return false;
  const auto held = runs_.find(verdict.node);
  if (held != runs_.end()) return held->second.boot_id != verdict.boot_id;
  // Nothing is remembered: steps may have been defined while it ran.
  const cluster::NodeEntry* entry = parts_.model.find(verdict.node);
  if (entry == nullptr) return false;
  if (entry->agent) return entry->agent->boot_id != verdict.boot_id;
  return entry->node().phase.state != PhaseState::up;
}

bool NodeUpDesk::wants(const std::string& node) const {
  const cluster::NodeEntry* entry = parts_.model.find(node);
  if (entry == nullptr) return false;
  if (gives_orders(parts_.model)) {
    const auto order = order_of(parts_.model, entry->node());
    if (!order || !order->steps.empty() || !order->files.empty()) return true;
  }
  return !parts_.hooks.names().empty();
}

cluster::Gate NodeUpDesk::gate(const cluster::Verdict& verdict) const {
  if (is_new_boot(verdict)) {
    if (!wants(verdict.node)) return {};
    return {PhaseState::node_up, "its agent is heard; steps and hooks follow"};
  }
  const auto held = runs_.find(verdict.node);
  if (held == runs_.end() || held->second.boot_id != verdict.boot_id) return {};
  switch (held->second.state) {
    case RunState::done:
      return {};
    case RunState::failed:
      return {PhaseState::error, held->second.why};
    case RunState::running:
      break;
  }
  return {PhaseState::node_up, held->second.steps_done ? "its hooks run" : "its steps run"};
}

void NodeUpDesk::heard(const cluster::Verdict& verdict) {
  const auto held = runs_.find(verdict.node);
  const bool known = held != runs_.end() && held->second.boot_id == verdict.boot_id;
  if (known) {
    if (held->second.state != RunState::running) return parts_.overlays.heard(verdict.node);
    if (held->second.hooks_begun) return;
    return held->second.steps_done ? steps_done(verdict.node) : send_soon(verdict.node);
  }
  if (is_new_boot(verdict) && wants(verdict.node)) {
    return begin(verdict.node, verdict.boot_id, 1);
  }
  parts_.overlays.heard(verdict.node);
}

void NodeUpDesk::begin(const std::string& node, const std::string& boot_id, uint32_t attempt) {
  NodeUpRun run;
  run.boot_id = boot_id;
  run.attempt = attempt;
  run.begun = parts_.executor.wall();
  runs_[node] = std::move(run);
  // Reports are stored beside it: it must be there first.
  save(node, [this, node] { send_soon(node); });
}

void NodeUpDesk::send_soon(const std::string& node) {
  waiting_.insert(node);
  if (std::exchange(sending_, true)) return;
  parts_.executor.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) send();
  });
}

void NodeUpDesk::send() {
  sending_ = false;
  std::map<std::string, std::vector<std::string>> by_payload;
  for (const std::string& node : std::exchange(waiting_, {})) {
    const auto held = runs_.find(node);
    const cluster::NodeEntry* entry = parts_.model.find(node);
    const bool goes = entry != nullptr && held != runs_.end() && !under_way_.contains(node) &&
                      held->second.state == RunState::running && !held->second.steps_done;
    if (!goes) continue;
    auto order = order_of(parts_.model, entry->node());
    if (!order) {
      end(node, RunState::failed, order.error().text());
      continue;
    }
    if (order->steps.empty() && order->files.empty()) {
      steps_done(node);
      continue;
    }
    order->attempt = held->second.attempt;
    by_payload[encode(*order)].push_back(node);
  }
  for (auto& [payload, nodes] : by_payload) {
    tree::CallSpec spec;
    spec.id = "node-up-" + parts_.random.hex(12);
    spec.method = std::string(cluster::kNodeUpCall);
    spec.payload = payload;
    spec.budget = kBudget;
    spec.targets = nodes;
    const Status started = parts_.calls.start(
        std::move(spec), {},
        [this, alive = std::weak_ptr<bool>(alive_)](const tree::CallReport& report) {
          if (!alive.expired()) answered(report);
        });
    if (started) {
      under_way_.insert(nodes.begin(), nodes.end());
      continue;
    }
    const bool hopeless = started.error().code == Code::too_large;
    for (const std::string& node : nodes) {
      if (hopeless) {
        end(node, RunState::failed, started.error().text());
      } else {
        later_.insert(node);
      }
    }
  }
  if (!later_.empty()) retry_later();
}

void NodeUpDesk::retry_later() {
  if (std::exchange(retrying_, true)) return;
  retry_.after(parts_.executor, kRetry, [this] {
    retrying_ = false;
    for (const std::string& node : std::exchange(later_, {})) send_soon(node);
  });
}

/// That the node has its order, or why not; how it went comes as a record.
void NodeUpDesk::answered(const tree::CallReport& report) {
  for (const tree::CallGroup& group : report.groups) {
    const auto names = expand_names(group.nodes);
    if (!names) continue;
    for (const std::string& node : *names) {
      under_way_.erase(node);
      if (group.outcome == tree::Outcome::done) continue;
      const bool refused =
          group.outcome == tree::Outcome::failed &&
          (group.error.code == Code::unsupported || group.error.code == Code::invalid_argument);
      if (refused) {
        end(node, RunState::failed, "its agent takes no such order: " + group.error.text());
      } else {
        later_.insert(node);
      }
    }
  }
  if (!later_.empty()) retry_later();
}

void NodeUpDesk::reported(const std::string& node, const cluster::NodeUpReport& report) {
  const auto held = runs_.find(node);
  if (held == runs_.end() || !take_report(held->second, report)) return;
  if (report.state == RunState::running) return;
  if (report.state == RunState::done) return steps_done(node);
  parts_.log.warning("a node is not up", {{"node", node}, {"why", report.why}});
  parts_.reconsider(node);
}

void NodeUpDesk::steps_done(const std::string& node) {
  NodeUpRun& run = runs_.at(node);
  run.steps_done = true;
  if (parts_.hooks.names().empty()) return end(node, RunState::done, {});
  run.hooks_begun = true;
  // Durable before the first of them runs: after a crash they are not run again.
  save(node, [this, node] { run_hooks(node); });
}

void NodeUpDesk::run_hooks(const std::string& node) {
  const auto held = runs_.find(node);
  const cluster::NodeEntry* entry = parts_.model.find(node);
  if (held == runs_.end() || entry == nullptr) return;
  HookFacts facts{node, held->second.boot_id, entry->agent ? entry->agent->address : "",
                  parts_.cluster};
  parts_.hooks.run(
      std::move(facts),
      [this, alive = std::weak_ptr<bool>(alive_), node, boot_id = held->second.boot_id,
       attempt = held->second.attempt](std::vector<cluster::StepResult> results) {
        if (alive.expired()) return;
        const auto run = runs_.find(node);
        const bool mine =
            run != runs_.end() && run->second.boot_id == boot_id && run->second.attempt == attempt;
        if (!mine) return;
        run->second.hooks = std::move(results);
        for (const cluster::StepResult& hook : run->second.hooks) {
          if (hook.status == StepStatus::ok) continue;
          return end(node, RunState::failed, fmt::format("hook {}: {}", hook.name, hook.why));
        }
        end(node, RunState::done, {});
      });
}

void NodeUpDesk::end(const std::string& node, RunState state, std::string why) {
  const auto held = runs_.find(node);
  if (held == runs_.end()) return;  // the node was removed meanwhile
  NodeUpRun& run = held->second;
  run.state = state;
  run.why = std::move(why);
  run.ended = parts_.executor.wall();
  if (state == RunState::failed) {
    parts_.log.warning("a node is not up", {{"node", node}, {"why", run.why}});
  }
  // What a restarted master would not know, this one does not say.
  save(node, [this, node] {
    parts_.reconsider(node);
    parts_.overlays.heard(node);
  });
}

void NodeUpDesk::save(const std::string& node, Callback<void()> then) {
  parts_.store.write(
      parts_.author,
      [node, body = encode(runs_.at(node))](store::Transaction& tx) -> Status {
        return tx.put_quiet(cluster::kNodeUpKind, node, body);
      },
      [this, alive = std::weak_ptr<bool>(alive_), node,
       then = std::move(then)](const Result<store::Committed>& done) mutable {
        if (alive.expired()) return;
        if (!done) {
          parts_.log.error("a node's run could not be stored",
                           {{"node", node}, {"why", done.error().text()}});
        } else if (then) {
          then();
        }
      });
}

void NodeUpDesk::removed(const std::string& node) {
  if (runs_.erase(node) == 0) return;
  parts_.store.write(parts_.author,
                     [node](store::Transaction& tx) -> Status {
                       DROVER_CHECK_OK(tx.erase_quiet(cluster::kNodeUpKind, node));
                       return {};
                     },
                     {});
}

std::optional<NodeUpRun> NodeUpDesk::last_run(const std::string& node) {
  const auto held = runs_.find(node);
  if (held == runs_.end()) return std::nullopt;
  return held->second;
}

Status NodeUpDesk::run_again(const std::string& node) {
  const cluster::NodeEntry* entry = parts_.model.find(node);
  if (entry == nullptr || !entry->agent || entry->agent->primary.empty()) {
    return fail(Code::unreachable, fmt::format("{} is not linked", node), "drover health");
  }
  const auto held = runs_.find(node);
  const bool same = held != runs_.end() && held->second.boot_id == entry->agent->boot_id;
  if (same && held->second.state == RunState::running) {
    return fail(Code::conflict, fmt::format("{} takes its steps just now", node),
                fmt::format("drover node steps {}", node));
  }
  begin(node, entry->agent->boot_id, same ? held->second.attempt + 1 : 1);
  parts_.reconsider(node);
  return {};
}

}  // namespace drover::daemons

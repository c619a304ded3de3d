#include "api/call_operation.hpp"

#include "api/power_note.hpp"
#include "base/noderange.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::OperationError;
using cluster::OperationOutcome;
using RunPtr = std::shared_ptr<cluster::OperationRun>;

constexpr Duration kTryAgain = std::chrono::seconds(1);

OperationError error_of(const Error& error) {
  return {std::string(info(error.code).name), error.text()};
}

/// What is left of its time; zero when that is over.
Duration time_left(const cluster::Operation& operation, const CallRequest& asked, WallTime now) {
  // A clock that was set back gives nobody more time than was asked for, which would be refused.
  const Duration passed = std::max<Duration>(now - operation.created, Duration::zero());
  return std::max(Duration::zero(), std::chrono::milliseconds(asked.timeout_ms) - passed);
}

/// A master that has just started has no links yet: what it cannot reach so early is tried again.
constexpr Duration kLinksComeBack = std::chrono::seconds(30);

/// One operation under way here.
struct Running {
  RunPtr run;
  MonoTime patient_until{};  ///< until then "unreached" is not the last word
  Timer timer;
  std::unique_ptr<PowerNote> note;
};
using RunningPtr = std::shared_ptr<Running>;

void run_call(Services& services, const RunningPtr& running);

/// Tries again in a while; the wait ends with a cancellation.
void run_later(Services& services, const RunningPtr& running) {
  running->run->on_cancel([running] {
    running->timer.cancel();
    running->run->finish(OperationOutcome::cancelled, {std::string(info(Code::cancelled).name),
                                                       "cancelled before it could be sent"});
  });
  running->timer.after(services.executor, kTryAgain,
                       [&services, weak = std::weak_ptr<Running>(running)] {
                         if (const auto again = weak.lock()) run_call(services, again);
                       });
}

/// Notes the groups; those unreached only when that is the last word.
void settle(const RunningPtr& running, const tree::CallReport& report, MonoTime now) {
  running->note->take(report);
  for (const tree::CallGroup& group : report.groups) {
    const bool wait = group.outcome == tree::Outcome::unreached && now < running->patient_until;
    if (!wait) running->run->settle(operation_group_of(group));
  }
}

void end_call(Services& services, const RunningPtr& running, const tree::CallReport& report) {
  settle(running, report, services.executor.now());
  const bool patient = services.executor.now() < running->patient_until;
  if (patient && !running->run->remaining().empty()) return run_later(services, running);
  running->run->finish(OperationOutcome::failed, {std::string(info(Code::internal).name),
                                                  "the call ended without a word about this node"});
}

void run_call(Services& services, const RunningPtr& running) {
  const RunPtr& run = running->run;
  const cluster::Operation& operation = run->operation();
  const auto asked = decode_text<CallRequest>(operation.request.text, Unknown::ignore);
  if (!asked) return run->finish(OperationOutcome::failed, error_of(asked.error()));
  const Duration left = time_left(operation, *asked, services.executor.wall());
  if (!running->note) {
    running->note = std::make_unique<PowerNote>(services, asked->method, asked->why, operation.who);
  }
  tree::CallSpec spec;
  spec.id = operation.id;
  spec.method = asked->method;
  spec.payload = asked->payload;
  spec.budget = left;
  spec.targets = run->remaining();
  if (spec.targets.empty()) return run->finish(OperationOutcome::failed, {});
  if (left == Duration::zero()) {
    return run->finish(
        OperationOutcome::interrupted,
        {std::string(info(Code::timed_out).name),
         fmt::format("the {} ms of this call were over before it could go on", asked->timeout_ms)});
  }
  const Status started = services.calls.start(
      std::move(spec),
      [&services, running](const tree::CallReport& fresh) {
        settle(running, fresh, services.executor.now());
      },
      [&services, running](const tree::CallReport& report) {
        end_call(services, running, report);
      });
  if (started) {
    return run->on_cancel([&services, running, id = operation.id] {
      running->patient_until = {};
      (void)services.calls.cancel(id);
    });
  }
  // Too many run now: it waits, as long as its time lasts.
  if (started.error().code == Code::exhausted) return run_later(services, running);
  run->finish(OperationOutcome::failed, error_of(started.error()));
}

}  // namespace

cluster::Operation call_operation(const tree::CallSpec& spec, const std::string& why,
                                  const std::string& who, const std::string& master) {
  cluster::Operation out;
  out.id = spec.id;
  out.kind = kCallOperation;
  out.what = spec.method;
  out.who = who;
  out.nodes = fold_names(spec.targets);
  out.total = spec.targets.size();
  out.master = master;
  CallRequest asked;
  asked.method = spec.method;
  asked.nodes = out.nodes;
  asked.payload = spec.payload;
  asked.why = why;
  asked.timeout_ms = spec.budget / std::chrono::milliseconds(1);
  out.request.text = encode(asked);
  return out;
}

cluster::OperationKind call_operations(Services& services) {
  return {std::string(kCallOperation), true, [&services](const RunPtr& run) {
            const auto running = std::make_shared<Running>();
            running->run = run;
            const bool taken_up = run->operation().taken_up > 0;
            if (taken_up) running->patient_until = services.executor.now() + kLinksComeBack;
            run_call(services, running);
          }};
}

}  // namespace drover::api

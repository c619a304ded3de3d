#include "api/call_operation.hpp"

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

void run_call(Services& services, const RunPtr& run, const std::shared_ptr<Timer>& timer) {
  const cluster::Operation& operation = run->operation();
  const auto asked = decode_text<CallRequest>(operation.request.text, Unknown::ignore);
  if (!asked) return run->finish(OperationOutcome::failed, error_of(asked.error()));
  const Duration left = time_left(operation, *asked, services.executor.wall());
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
      [run](const tree::CallReport& fresh) {
        for (const tree::CallGroup& group : fresh.groups) run->settle(operation_group_of(group));
      },
      [run](const tree::CallReport& report) {
        for (const tree::CallGroup& group : report.groups) run->settle(operation_group_of(group));
        run->finish(OperationOutcome::failed, {std::string(info(Code::internal).name),
                                               "the call ended without a word about this node"});
      });
  if (started) {
    return run->on_cancel([&services, id = operation.id] { (void)services.calls.cancel(id); });
  }
  if (started.error().code != Code::exhausted) {
    return run->finish(OperationOutcome::failed, error_of(started.error()));
  }
  // Too many run now: it waits, as long as its time lasts.
  run->on_cancel([run, timer] {
    timer->cancel();
    run->finish(OperationOutcome::cancelled,
                {std::string(info(Code::cancelled).name), "cancelled before it was sent"});
  });
  timer->after(services.executor, kTryAgain, [&services, run, weak = std::weak_ptr<Timer>(timer)] {
    if (const auto again = weak.lock()) run_call(services, run, again);
  });
}

}  // namespace

cluster::Operation call_operation(const tree::CallSpec& spec, const std::string& who,
                                  const std::string& master) {
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
  asked.timeout_ms = spec.budget / std::chrono::milliseconds(1);
  out.request.text = encode(asked);
  return out;
}

cluster::OperationKind call_operations(Services& services) {
  // Timers of calls that wait for their turn; each lives as long as its closure does.
  auto timers = std::make_shared<std::map<std::string, std::shared_ptr<Timer>>>();
  return {std::string(kCallOperation), true, [&services, timers](const RunPtr& run) {
            std::shared_ptr<Timer>& timer = (*timers)[run->operation().id];
            std::erase_if(*timers, [&](const auto& entry) {
              return entry.second != nullptr && entry.second.use_count() == 1;
            });
            timer = std::make_shared<Timer>();
            run_call(services, run, timer);
          }};
}

}  // namespace drover::api

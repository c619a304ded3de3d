#include "tree/call_runner.hpp"

#include "base/text.hpp"
#include "proto/calls.pb.h"
#include "tree/call_wire.hpp"
#include "tree/fold.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::tree {
namespace {

constexpr size_t kMaxId = 128;
/// Links that wait for one running call: the primary, the secondary, and their successors.
constexpr size_t kMaxAskers = 4;

Answer refusal(Code code, std::string message) {
  return Answer::error(Outcome::failed, {code, std::move(message), {}, {}});
}

}  // namespace

struct CallRunner::Method {
  Repeat repeat = Repeat::never;
  CallHandler handler;
  Callback<void(const std::string& id)> cancelled;
};

struct CallRunner::Entry {
  std::string id;
  Method* method = nullptr;
  std::vector<std::string> askers;  ///< while running
  bool ended = false;
  bool forgotten = false;  ///< the result made room for newer ones
  Answer answer;
  MonoTime deadline{};
  MonoTime keep_until{};
  Timer timer;
};

/// One right to answer one call. Dropped unused, it says so, so that no call hangs on a handler's
/// slip.
struct CallRunner::Ticket {
  std::shared_ptr<CallRunner*> runner;
  std::string id;
  bool used = false;

  Ticket(std::shared_ptr<CallRunner*> r, std::string i) : runner(std::move(r)), id(std::move(i)) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    if (!used) use(fail(Code::internal, "the method ended without an answer"));
  }
  void use(Result<std::string> result) {
    used = true;
    if (*runner == nullptr) return;
    const Outcome outcome = result ? Outcome::done : Outcome::failed;
    (*runner)->finish(id, outcome, std::move(result));
  }
};

CallRunner::CallRunner(Executor& executor, const Log& log, Peers& askers, const Limits& limits)
    : executor_(executor),
      log_(log.with("calls")),
      askers_(askers),
      limits_(limits),
      started_(executor.now()),
      self_(std::make_shared<CallRunner*>(this)) {}

CallRunner::~CallRunner() {
  *self_ = nullptr;
}

void CallRunner::handle(std::string method, Repeat repeat, CallHandler handler,
                        Callback<void(const std::string& id)> cancelled) {
  auto& entry = methods_[std::move(method)];  // in place: running calls point to it
  if (!entry) entry = std::make_unique<Method>();
  entry->repeat = repeat;
  entry->handler = std::move(handler);
  entry->cancelled = std::move(cancelled);
}

void CallRunner::on_call(const std::string& asker, std::string_view payload) {
  proto::Call call;
  if (!call.ParseFromArray(payload.data(), static_cast<int>(payload.size())) || call.id().empty() ||
      call.id().size() > kMaxId) {
    log_.warning("a call that cannot be read was dropped", {{"from", asker}});
    return;
  }
  forget_old();
  const auto refuse = [&](Code code, std::string message) {
    std::ignore = askers_.send(asker, MessageType::call_answer,
                               encode_answer(call.id(), refusal(code, std::move(message))));
  };
  if (const auto known = entries_.find(call.id()); known != entries_.end()) {
    Entry& entry = *known->second;
    auto& askers = entry.askers;
    std::erase(askers, asker);
    if (askers.size() == kMaxAskers) askers.erase(askers.begin());
    askers.push_back(asker);
    if (entry.ended) answer(entry);
    return;
  }
  const auto method = methods_.find(call.method());
  if (method == methods_.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : methods_) names.push_back(name);
    return refuse(Code::unsupported, fmt::format("this daemon has no method '{}'; it has {}",
                                                 printable(call.method()), fmt::join(names, ", ")));
  }
  const Duration age = std::chrono::milliseconds(call.age_ms());
  if (method->second->repeat == Repeat::never && age > Duration::zero() &&
      executor_.now() - started_ < age) {
    return refuse(Code::conflict,
                  "the daemon has restarted since the call was first sent: it may have run before");
  }
  if (running_ >= limits_.running) {
    return refuse(Code::exhausted, fmt::format("{} calls are running here already", running_));
  }
  auto entry = std::make_shared<Entry>();
  entry->id = call.id();
  entry->method = method->second.get();
  entry->askers.push_back(asker);
  entry->deadline = executor_.now() + std::chrono::milliseconds(call.budget_ms());
  entries_.emplace(entry->id, entry);
  ++running_;
  run(entry, *method->second, std::move(*call.mutable_payload()));
}

void CallRunner::run(const EntryPtr& entry, Method& method, std::string payload) {
  const std::string id = entry->id;
  entry->timer.after(executor_, entry->deadline - executor_.now(), [this, id] {
    Method& late = *entries_.at(id)->method;
    finish(id, Outcome::timed_out, fail(Code::timed_out, "the node did not finish in time"));
    if (late.cancelled) late.cancelled(id);
  });
  auto ticket = std::make_unique<Ticket>(self_, id);
  method.handler({.id = id, .payload = std::move(payload), .deadline = entry->deadline},
                 [ticket = std::move(ticket)](Result<std::string> result) {
                   if (!ticket->used) ticket->use(std::move(result));
                 });
}

void CallRunner::on_cancel(std::string_view payload) {
  proto::CallCancel cancel;
  if (!cancel.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  const auto found = entries_.find(cancel.id());
  if (found == entries_.end() || found->second->ended) return;
  Method& method = *found->second->method;
  finish(cancel.id(), Outcome::failed,
         fail(Code::cancelled, "cancelled before it had finished; it may have run in part"));
  if (method.cancelled) method.cancelled(cancel.id());
}

void CallRunner::finish(const std::string& id, Outcome outcome, Result<std::string> result) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second->ended) return;  // too late: answered already
  const EntryPtr entry = found->second;
  if (result && result->size() > kMaxCallResult) {
    outcome = Outcome::failed;
    result = fail(Code::too_large,
                  fmt::format("the result is {} bytes long, more than the {} that a call carries",
                              result->size(), kMaxCallResult));
  }
  entry->answer =
      result ? Answer::done(*std::move(result)) : Answer::error(outcome, result.error());
  entry->ended = true;
  entry->timer.cancel();
  entry->keep_until = std::max(executor_.now() + limits_.remember_for, entry->deadline);
  --running_;
  answer(*entry);
  ended_.push_back(entry->id);
  if (const size_t bytes = entry->answer.result.size(); bytes > 0) {
    answered_.push_back(entry->id);
    kept_bytes_ += bytes;
  }
  forget_old();
}

void CallRunner::answer(Entry& entry) {
  const std::string message = encode_answer(
      entry.id, entry.forgotten ? refusal(Code::exhausted,
                                          "the call has run; its answer is no longer kept here")
                                : entry.answer);
  for (const std::string& asker : entry.askers) {
    // A link that is gone by now: whoever waits there asks again by another one.
    std::ignore = askers_.send(asker, MessageType::call_answer, message);
  }
  entry.askers.clear();
}

void CallRunner::forget_old() {
  const MonoTime now = executor_.now();
  while (kept_bytes_ > limits_.answer_bytes) {
    Entry& oldest = *entries_.at(answered_.front());
    kept_bytes_ -= std::exchange(oldest.answer.result, {}).size();
    oldest.forgotten = true;
    answered_.pop_front();
  }
  while (!ended_.empty()) {
    const auto oldest = entries_.find(ended_.front());
    if (ended_.size() <= limits_.remembered && now < oldest->second->keep_until) break;
    if (!answered_.empty() && answered_.front() == ended_.front()) {
      kept_bytes_ -= oldest->second->answer.result.size();
      answered_.pop_front();
    }
    entries_.erase(oldest);
    ended_.pop_front();
  }
}

}  // namespace drover::tree

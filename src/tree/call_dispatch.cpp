#include "tree/call_dispatch.hpp"

#include "base/noderange.hpp"
#include "proto/calls.pb.h"
#include "tree/call_wire.hpp"
#include "tree/fold.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include <fmt/core.h>

namespace drover::tree {
namespace {

constexpr size_t kMaxId = 128;

enum class State : uint8_t { stranded, placed, ended };

struct Target {
  State state = State::stranded;
  bool tried = false;         ///< a way was looked up and used once
  bool direct = false;        ///< placed: `via` is the target itself
  bool maybe_sent = false;    ///< a way broke while the target may have had the call
  bool never_linked = false;  ///< the last word about it: its aggregator has no link to it
  std::string via;            ///< placed: who has it
  MonoTime placed_at{};
  MonoTime stranded_at{};
  Error why;  ///< stranded: why
};

Status check(const CallSpec& spec) {
  if (spec.id.empty() || spec.id.size() > kMaxId) {
    return fail(Code::invalid_argument, fmt::format("a call's id is 1 to {} bytes long", kMaxId));
  }
  if (spec.method.empty()) return fail(Code::invalid_argument, "the call names no method");
  if (spec.targets.empty()) return fail(Code::invalid_argument, "the call has no targets");
  if (spec.budget <= Duration::zero() || spec.budget > kMaxCallBudget) {
    return fail(Code::invalid_argument, "a call's time is more than 0 and at most 24 hours");
  }
  if (spec.payload.size() > kMaxCallPayload) {
    return fail(Code::too_large,
                fmt::format("the payload is {} bytes long, more than the {} that a call carries",
                            spec.payload.size(), kMaxCallPayload));
  }
  if (spec.targets.size() > kMaxCallTargets) {
    return fail(Code::too_large, fmt::format("a call has at most {} targets", kMaxCallTargets));
  }
  return {};
}

}  // namespace

struct CallDispatch::Running {
  CallSpec spec;
  Progress progress;
  Done done;
  NameTable names;
  std::vector<Target> targets;  ///< by number
  AnswerFold answers{names};
  size_t open = 0;      ///< targets that have not ended
  size_t stranded = 0;  ///< of them, those without a way
  MonoTime started{};
  MonoTime deadline{};
  bool cancelled = false;
  bool delivering = false;
  Timer deadline_timer;
  Timer retry_timer;
  bool retry_armed = false;
};

CallDispatch::CallDispatch(Executor& executor, const Log& log, CallRoutes& routes, Peers& links,
                           const Limits& limits)
    : executor_(executor),
      log_(log.with("calls")),
      routes_(routes),
      links_(links),
      limits_(limits) {}

CallDispatch::~CallDispatch() = default;

size_t CallDispatch::running() const {
  return calls_.size();
}

std::vector<CallDispatch::CallPtr> CallDispatch::all() const {
  std::vector<CallPtr> out;
  out.reserve(calls_.size());
  for (const auto& [id, call] : calls_) out.push_back(call);
  return out;
}

Status CallDispatch::start(CallSpec spec, Progress progress, Done done) {
  DROVER_CHECK_OK(check(spec));
  if (calls_.contains(spec.id)) {
    return fail(Code::already_exists, "a call with this id is running already");
  }
  if (calls_.size() >= limits_.calls) {
    return fail(Code::exhausted, fmt::format("{} calls are running already", calls_.size()),
                "try again when some of them have ended");
  }
  auto call = std::make_shared<Running>();
  call->spec = std::move(spec);
  call->progress = std::move(progress);
  call->done = std::move(done);
  call->started = executor_.now();
  call->deadline = call->started + call->spec.budget;
  Nodes nodes;
  for (const std::string& target : call->spec.targets) {
    if (call->names.add(target) == nodes.size()) {
      nodes.push_back(static_cast<uint32_t>(nodes.size()));
    }
  }
  call->spec.targets = {};
  call->targets.resize(nodes.size());
  call->open = call->stranded = nodes.size();
  for (Target& target : call->targets) target.stranded_at = call->started;
  calls_.emplace(call->spec.id, call);
  call->deadline_timer.after(executor_, call->spec.budget,
                             [this, raw = call.get()] { expire(*raw); });
  place(*call, nodes, nullptr);
  settle(*call);
  return {};
}

/// Looks up a way for stranded targets and hands the call over. A target that has never been on its
/// way and has no way ends at once. Those whose way is `not_via` keep waiting.
void CallDispatch::place(Running& call, const Nodes& nodes, const std::string* not_via) {
  std::map<std::tuple<std::string, bool, bool>, Nodes> shares;  // via, direct, again
  for (const uint32_t node : nodes) {
    Target& target = call.targets[node];
    auto route = routes_.route(call.names.name(node));
    if (!route) {
      const bool hopeless = !target.tried || target.never_linked;
      if (hopeless && !target.maybe_sent) {
        end(call, node, Answer::error(Outcome::unreached, route.error()));
      }
      continue;
    }
    if (not_via != nullptr && route->via == *not_via) continue;
    shares[{std::move(route->via), route->direct, target.maybe_sent}].push_back(node);
  }
  for (const auto& [way, share] : shares) {
    const auto& [via, direct, again] = way;
    hand_over(call, via, direct, again, share);
  }
}

void CallDispatch::hand_over(Running& call, const std::string& via, bool direct, bool again,
                             const Nodes& nodes) {
  const MonoTime now = executor_.now();
  const Duration left = call.deadline - now;
  const Duration age = again ? std::max<Duration>(now - call.started, std::chrono::milliseconds(1))
                             : Duration::zero();
  const CallHead head{.id = call.spec.id,
                      .method = call.spec.method,
                      .payload = call.spec.payload,
                      .budget = left - hop_allowance(left),
                      .age = age};
  std::vector<std::string> messages;
  if (direct) {
    messages.push_back(encode_call(head));
  } else {
    messages = encode_calls(head, call.names, nodes);
  }
  Status sent;
  for (const std::string& message : messages) {
    sent = links_.send(via, MessageType::call, message);
    if (!sent) break;
  }
  for (const uint32_t node : nodes) {
    Target& target = call.targets[node];
    target.tried = true;
    target.placed_at = now;
    if (!sent) {
      if (!target.maybe_sent) target.why = sent.error();
      target.never_linked = false;
      continue;
    }
    target.state = State::placed;
    target.via = via;
    target.direct = direct;
    --call.stranded;
  }
}

void CallDispatch::strand(Running& call, uint32_t node, const Error& why, bool maybe_sent) {
  Target& target = call.targets[node];
  const MonoTime now = executor_.now();
  // A short stay with a way that was none does not start the wait anew.
  if (target.stranded_at == call.started || now - target.placed_at >= limits_.rehome_wait) {
    target.stranded_at = now;
  }
  target.state = State::stranded;
  target.never_linked = !maybe_sent;
  if (maybe_sent) target.maybe_sent = true;
  target.why = why;
  target.via.clear();
  ++call.stranded;
}

void CallDispatch::end(Running& call, uint32_t node, Answer answer) {
  Target& target = call.targets[node];
  if (target.state == State::stranded) --call.stranded;
  target.state = State::ended;
  target.via.clear();
  --call.open;
  answer.retry = Retry::final_word;
  call.answers.add(node, std::move(answer));
}

void CallDispatch::give_up(Running& call, uint32_t node) {
  const Target& target = call.targets[node];
  Error why = target.why;
  if (target.maybe_sent) why.message += "; the node may have got the call before";
  end(call, node, Answer::error(Outcome::unreached, why));
}

/// Those of `nodes` that are still stranded after their wait are unreached.
void CallDispatch::give_up_late(Running& call, const Nodes& nodes) {
  const MonoTime now = executor_.now();
  for (const uint32_t node : nodes) {
    const Target& target = call.targets[node];
    if (target.state != State::stranded) continue;
    const bool brief = target.never_linked && !target.maybe_sent;
    const Duration wait = brief ? limits_.reroute_wait : limits_.rehome_wait;
    if (now - target.stranded_at >= wait) give_up(call, node);
  }
}

void CallDispatch::try_stranded(Running& call) {
  if (call.stranded == 0) return;
  Nodes nodes;
  for (uint32_t node = 0; node < call.targets.size(); ++node) {
    if (call.targets[node].state == State::stranded) nodes.push_back(node);
  }
  place(call, nodes, nullptr);
  give_up_late(call, nodes);
}

Status CallDispatch::cancel(const std::string& id) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || found->second->open == 0) {
    return fail(Code::not_found, "no call with this id is running");
  }
  Running& call = *found->second;
  if (std::exchange(call.cancelled, true)) return {};
  std::vector<std::string> vias;
  for (uint32_t node = 0; node < call.targets.size(); ++node) {
    const Target& target = call.targets[node];
    if (target.state == State::placed) vias.push_back(target.via);
    if (target.state == State::stranded) {
      end(call, node, Answer::error(Outcome::failed, {Code::cancelled, "cancelled", {}, {}}));
    }
  }
  std::sort(vias.begin(), vias.end());
  vias.erase(std::unique(vias.begin(), vias.end()), vias.end());
  const std::string message = encode_cancel(id);
  for (const std::string& via : vias) {
    std::ignore = links_.send(via, MessageType::call_cancel, message);
  }
  call.deadline = std::min(call.deadline, executor_.now() + limits_.cancel_grace);
  call.deadline_timer.after(executor_, call.deadline - executor_.now(),
                            [this, raw = &call] { expire(*raw); });
  settle(call);
  return {};
}

void CallDispatch::on_answers(const std::string& via, std::string_view payload) {
  proto::CallAnswers message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("answers that cannot be read were dropped", {{"from", via}});
    return;
  }
  const auto found = calls_.find(message.id());
  if (found == calls_.end()) return;  // it has ended: a second answer, or a late one
  const CallPtr call = found->second;
  for (const auto& group : message.groups()) {
    auto answer = decode_answer(group);
    auto count = count_names(group.nodes());
    // More than our targets is no mistake: asked again for some, an aggregator tells of all whom it
    // had asked under this id for a master that died.
    if (!answer || !count || *count > kMaxCallTargets) {
      log_.warning("a group of answers that makes no sense was dropped",
                   {{"from", via}, {"id", message.id()}});
      continue;
    }
    auto names = expand_names(group.nodes());
    if (!names) continue;
    Nodes nodes;
    nodes.reserve(names->size());
    for (const std::string& name : *names) {
      if (const auto node = call->names.find(name)) nodes.push_back(*node);
    }
    take_group(*call, via, nodes, *answer);
  }
  settle(*call);
}

/// One group of `via`: the first last word about a target counts; a retry counts from whom has it.
void CallDispatch::take_group(Running& call, const std::string& via, const Nodes& nodes,
                              const Answer& answer) {
  Nodes moved;
  for (const uint32_t node : nodes) {
    Target& target = call.targets[node];
    if (target.state == State::ended) continue;
    if (answer.retry == Retry::final_word) {
      end(call, node, answer);
    } else if (target.state == State::placed && target.via == via) {
      strand(call, node, {answer.code, answer.message, {}, {}}, answer.retry == Retry::maybe_sent);
      moved.push_back(node);
    }
  }
  if (call.cancelled) {
    for (const uint32_t node : moved) give_up(call, node);
  } else {
    place(call, moved, &via);
    give_up_late(call, moved);
  }
}

void CallDispatch::on_answer(const std::string& via, std::string_view payload) {
  proto::CallAnswer message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("an answer that cannot be read was dropped", {{"from", via}});
    return;
  }
  const auto found = calls_.find(message.id());
  if (found == calls_.end()) return;
  const CallPtr call = found->second;
  auto answer = decode_answer(message);
  if (!answer) answer = Answer::error(Outcome::failed, answer.error());
  for (uint32_t node = 0; node < call->targets.size(); ++node) {
    const Target& target = call->targets[node];
    if (target.state == State::placed && target.direct && target.via == via) {
      end(*call, node, *answer);
    }
  }
  settle(*call);
}

void CallDispatch::on_link_lost(const std::string& via, const Error& why) {
  const Error reason{
      Code::unreachable, fmt::format("the link to {} was lost: {}", via, why.text()), {}, {}};
  for (const CallPtr& call : all()) {
    Nodes moved;
    for (uint32_t node = 0; node < call->targets.size(); ++node) {
      const Target& target = call->targets[node];
      if (target.state != State::placed || target.via != via) continue;
      strand(*call, node, reason, true);
      moved.push_back(node);
    }
    if (moved.empty()) continue;
    if (call->cancelled) {
      for (const uint32_t node : moved) give_up(*call, node);
    } else {
      place(*call, moved, &via);
    }
    settle(*call);
  }
}

void CallDispatch::paths_changed() {
  for (const CallPtr& call : all()) {
    if (call->stranded == 0) continue;
    try_stranded(*call);
    settle(*call);
  }
}

void CallDispatch::expire(Running& call) {
  Nodes late;
  for (uint32_t node = 0; node < call.targets.size(); ++node) {
    if (call.targets[node].state == State::stranded) give_up(call, node);
    if (call.targets[node].state == State::placed) late.push_back(node);
  }
  const Error why =
      call.cancelled
          ? Error{Code::cancelled, "cancelled; nobody has said whether it stopped", {}, {}}
          : Error{Code::timed_out, "no answer in time", {}, {}};
  for (const uint32_t node : late) {
    end(call, node, Answer::error(call.cancelled ? Outcome::failed : Outcome::timed_out, why));
  }
  settle(call);
}

/// After every change: arms the next try for stranded targets, and has the news delivered from the
/// executor, so that callbacks never run inside a call into this object.
void CallDispatch::settle(Running& call) {
  if (call.stranded > 0 && !call.retry_armed) {
    call.retry_armed = true;
    call.retry_timer.after(executor_, limits_.retry_interval, [this, &call] {
      call.retry_armed = false;
      try_stranded(call);
      settle(call);
    });
  }
  if (call.delivering || (call.open > 0 && !call.answers.has_fresh())) return;
  call.delivering = true;
  executor_.post([this, weak = std::weak_ptr<Running>(calls_.at(call.spec.id))] {
    if (const CallPtr ready = weak.lock()) deliver(ready);
  });
}

void CallDispatch::deliver(const CallPtr& call) {
  call->delivering = false;
  const bool last = call->open == 0;
  CallReport report{.id = call->spec.id,
                    .groups = {},
                    .totals = call->answers.totals(),
                    .targets = call->targets.size()};
  if (call->progress) {
    CallReport fresh = report;
    for (const FoldedGroup& group : call->answers.take_fresh()) {
      fresh.groups.push_back(to_group(group, call->names));
    }
    if (last) calls_.erase(call->spec.id);
    call->progress(fresh);
  } else if (last) {
    calls_.erase(call->spec.id);
  } else {
    std::ignore = call->answers.take_fresh();
  }
  if (!last) return;
  for (const FoldedGroup& group : call->answers.all()) {
    report.groups.push_back(to_group(group, call->names));
  }
  call->done(std::move(report));
}

}  // namespace drover::tree

#include "tree/call_relay.hpp"

#include "base/noderange.hpp"
#include "proto/calls.pb.h"
#include "tree/call_runner.hpp"
#include "tree/call_wire.hpp"
#include "tree/fold.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/core.h>

namespace drover::tree {
namespace {

constexpr size_t kMaxId = 128;
/// However long its deadline, an ended call is kept no longer than this.
constexpr Duration kKeepEnded = std::chrono::minutes(10);

enum class Target : uint8_t {
  fresh,        ///< named, not yet tried
  waiting,      ///< the node has the call
  handed_back,  ///< the master has been told that it may try another way
  answered,
};

}  // namespace

struct CallRelay::Gathering {
  std::string id;
  std::string method;
  MonoTime deadline{};
  NameTable names;
  std::vector<Target> targets;  ///< by number
  AnswerFold answers{names};
  AnswerFold back{names};  ///< handed back and not yet told
  uint32_t waiting = 0;
  std::string master;
  bool attached = false;
  bool told_complete = false;
  bool cancelled = false;
  bool ended = false;  ///< nothing waits; kept for a master that comes back
  Timer deadline_timer;
  Timer flush_timer;
  bool flush_armed = false;
  Duration flush_interval{};
};

CallRelay::CallRelay(Executor& executor, const Log& log, Peers& masters, Peers& nodes,
                     CallRunner* own, const Limits& limits)
    : executor_(executor),
      log_(log.with("calls")),
      masters_(masters),
      nodes_(nodes),
      own_(own),
      limits_(limits) {}

CallRelay::~CallRelay() = default;

size_t CallRelay::gathering() const {
  return calls_.size() - ended_.size();
}

void CallRelay::on_call(const std::string& master, std::string_view payload) {
  proto::Call message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      message.id().empty() || message.id().size() > kMaxId) {
    log_.warning("a call that cannot be read was dropped", {{"from", master}});
    return;
  }
  if (message.targets().empty()) {
    if (own_ != nullptr) own_->on_call(master, payload);
    return;
  }
  auto targets = expand_names(message.targets());
  if (!targets) {
    log_.error("a call whose targets cannot be read was dropped",
               {{"from", master}, {"id", message.id()}, {"why", targets.error().text()}});
    return;
  }
  auto found = calls_.find(message.id());
  if (found == calls_.end()) {
    if (gathering() >= limits_.calls) {
      return refuse(
          master, message.id(), *targets,
          {Code::exhausted, "the aggregator has too many calls to carry already", {}, {}});
    }
    found = calls_.emplace(message.id(), std::make_shared<Gathering>()).first;
    found->second->id = message.id();
    found->second->method = message.method();
    found->second->flush_interval = limits_.first_flush;
  }
  const CallPtr call = found->second;
  attach(*call, master);
  admit(*call, *targets, message);
  settle(*call);
}

void CallRelay::attach(Gathering& call, const std::string& master) {
  if (!call.attached || call.master != master) {
    call.answers.rewind();
    call.back.clear();  // the master names again whom it still waits for
  }
  call.master = master;
  call.attached = true;
  call.told_complete = false;
  unretire(call);
}

void CallRelay::admit(Gathering& call, const std::vector<std::string>& targets,
                      const proto::Call& message) {
  const Duration budget = std::chrono::milliseconds(message.budget_ms());
  if (!call.cancelled) {
    call.deadline = std::max(call.deadline, executor_.now() + budget);
    call.deadline_timer.after(executor_, call.deadline - executor_.now(),
                              [this, &call] { expire(call); });
  }
  std::vector<uint32_t> wanted;
  bool again = false;
  for (const std::string& target : targets) {
    const uint32_t number = call.names.add(target);
    if (number == call.targets.size()) call.targets.push_back(Target::fresh);
    const Target state = call.targets[number];
    if (state == Target::answered) again = true;
    if (state == Target::fresh || state == Target::handed_back) wanted.push_back(number);
  }
  if (again) call.answers.rewind();  // it asks for what it should know: tell all once more
  if (call.cancelled) {
    for (const uint32_t node : wanted) call.targets[node] = Target::answered;
    return call.answers.add(wanted,
                            Answer::error(Outcome::failed, {Code::cancelled, "cancelled", {}, {}}));
  }
  fan_out(call, wanted,
          {.id = call.id,
           .method = message.method(),
           .payload = message.payload(),
           .budget = budget - hop_allowance(budget),
           .age = std::chrono::milliseconds(message.age_ms())});
}

void CallRelay::fan_out(Gathering& call, const std::vector<uint32_t>& nodes, const CallHead& head) {
  if (nodes.empty()) return;
  const std::string encoded = encode_call(head);
  for (const uint32_t node : nodes) {
    const Status sent = nodes_.send(call.names.name(node), MessageType::call, encoded);
    if (sent) {
      call.targets[node] = Target::waiting;
      ++call.waiting;
    } else {
      call.targets[node] = Target::handed_back;
      call.back.add(node, Answer::error(Outcome::unreached, sent.error(), Retry::not_sent));
    }
  }
}

void CallRelay::on_answer(const std::string& node, std::string_view payload) {
  proto::CallAnswer message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("an answer that cannot be read was dropped", {{"from", node}});
    return;
  }
  const auto found = calls_.find(message.id());
  if (found == calls_.end()) return;  // too late, or never asked
  const CallPtr call = found->second;
  const auto number = call->names.find(node);
  if (!number) return;
  Target& target = call->targets[*number];
  if (target == Target::answered || target == Target::fresh) return;
  auto answer = decode_answer(message);
  if (target == Target::waiting) --call->waiting;
  target = Target::answered;
  unretire(*call);  // a node that had been handed back may answer a call that was over here
  call->answers.add(*number,
                    answer ? *std::move(answer) : Answer::error(Outcome::failed, answer.error()));
  settle(*call);
}

void CallRelay::on_node_lost(const std::string& node, const Error& why) {
  const std::vector<CallPtr> calls = active();
  for (const CallPtr& call : calls) {
    const auto number = call->names.find(node);
    if (!number || call->targets[*number] != Target::waiting) continue;
    --call->waiting;
    call->targets[*number] = Target::handed_back;
    call->back.add(*number,
                   Answer::error(Outcome::unreached, {why.code, "link lost: " + why.text(), {}, {}},
                                 Retry::maybe_sent));
    settle(*call);
  }
}

void CallRelay::on_master_lost(const std::string& master) {
  for (const auto& [id, call] : calls_) {
    if (call->master == master) detach(*call);
  }
}

void CallRelay::detach(Gathering& call) {
  call.attached = false;
  call.flush_timer.cancel();
  call.flush_armed = false;
}

std::vector<CallRelay::CallPtr> CallRelay::active() const {
  std::vector<CallPtr> out;
  for (const auto& [id, call] : calls_) {
    if (!call->ended) out.push_back(call);
  }
  return out;
}

void CallRelay::on_cancel(const std::string& master, std::string_view payload) {
  proto::CallCancel message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("a cancel that cannot be read was dropped", {{"from", master}});
    return;
  }
  if (own_ != nullptr) own_->on_cancel(payload);
  const auto found = calls_.find(message.id());
  if (found == calls_.end() || found->second->ended || found->second->cancelled) return;
  const CallPtr call = found->second;
  call->cancelled = true;
  for (uint32_t node = 0; node < call->targets.size(); ++node) {
    if (call->targets[node] == Target::waiting) {
      std::ignore = nodes_.send(call->names.name(node), MessageType::call_cancel, payload);
    }
  }
  call->deadline = std::min(call->deadline, executor_.now() + limits_.cancel_grace);
  call->deadline_timer.after(executor_, call->deadline - executor_.now(),
                             [this, raw = call.get()] { expire(*raw); });
}

void CallRelay::expire(Gathering& call) {
  const CallPtr keep = calls_.at(call.id);
  if (call.ended) {
    unretire(call);
    calls_.erase(call.id);
    return;
  }
  std::vector<uint32_t> late;
  for (uint32_t node = 0; node < call.targets.size(); ++node) {
    if (call.targets[node] != Target::waiting) continue;
    call.targets[node] = Target::answered;
    late.push_back(node);
  }
  call.waiting = 0;
  const Error why =
      call.cancelled
          ? Error{Code::cancelled, "cancelled; the node has not said whether it stopped", {}, {}}
          : Error{Code::timed_out, "the node has not answered in time", {}, {}};
  call.answers.add(late, Answer::error(call.cancelled ? Outcome::failed : Outcome::timed_out, why));
  settle(call);
}

/// After every change: what is complete goes up at once, the rest soon.
void CallRelay::settle(Gathering& call) {
  if (call.waiting == 0) {
    if (call.attached) flush(call);
    return retire(call);
  }
  const bool fresh = call.answers.has_fresh() || call.back.has_fresh();
  if (!fresh || !call.attached || call.flush_armed) return;
  call.flush_armed = true;
  call.flush_timer.after(executor_, call.flush_interval, [this, &call] {
    call.flush_armed = false;
    call.flush_interval = std::min(call.flush_interval * 2, limits_.slowest_flush);
    if (call.attached) flush(call);
  });
}

void CallRelay::flush(Gathering& call) {
  call.flush_timer.cancel();
  call.flush_armed = false;
  const bool complete = call.waiting == 0;
  std::vector<FoldedGroup> groups = call.answers.take_fresh();
  const std::vector<FoldedGroup> back = call.back.take_fresh();
  groups.insert(groups.end(), back.begin(), back.end());
  const bool news = !groups.empty() || (complete && !call.told_complete);
  if (!news) return;
  call.told_complete = complete;
  for (const std::string& message : encode_answers(call.id, groups, call.names, complete)) {
    if (masters_.send(call.master, MessageType::call_answers, message)) continue;
    detach(call);  // it asks again, and is told all, when its link is back
    break;
  }
  call.back.clear();
}

/// Nothing waits any more: the call is kept only for a master that comes back.
void CallRelay::retire(Gathering& call) {
  if (call.ended) return;
  const MonoTime now = executor_.now();
  call.ended = true;
  ended_.push_back(call.id);
  ended_bytes_ += call.answers.result_bytes();
  const Duration keep = std::clamp<Duration>(call.deadline - now, Duration::zero(), kKeepEnded);
  call.deadline_timer.after(executor_, keep, [this, &call] { expire(call); });
  while (ended_.size() > limits_.ended || ended_bytes_ > limits_.ended_bytes) {
    const auto oldest = calls_.find(ended_.front());
    ended_bytes_ -= oldest->second->answers.result_bytes();
    calls_.erase(oldest);
    ended_.pop_front();
  }
}

void CallRelay::unretire(Gathering& call) {
  if (!std::exchange(call.ended, false)) return;
  ended_.remove(call.id);
  ended_bytes_ -= call.answers.result_bytes();
}

void CallRelay::refuse(const std::string& master, std::string_view id,
                       const std::vector<std::string>& targets, const Error& why) {
  NameTable names;
  AnswerFold fold(names);
  std::vector<uint32_t> all;
  all.reserve(targets.size());
  for (const std::string& target : targets) all.push_back(names.add(target));
  fold.add(all, Answer::error(Outcome::unreached, why));
  for (const std::string& message : encode_answers(id, fold.take_fresh(), names, true)) {
    std::ignore = masters_.send(master, MessageType::call_answers, message);
  }
}

}  // namespace drover::tree

#include "tree/call_wire.hpp"

#include "tree/frame.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace drover::tree {
namespace {

/// Folded names of one group or call at most; with a payload of kMaxCallPayload they fit a frame.
constexpr size_t kMaxNamesText = size_t{384} << 10;
/// A message of groups is closed beyond this; one more group may still lie on top of it.
constexpr size_t kFullMessage = size_t{512} << 10;
static_assert(kMaxCallPayload + kMaxNamesText + 4096 < kMaxFramePayload);
static_assert(kFullMessage + kMaxNamesText + kMaxCallResult + 8192 < kMaxFramePayload);

/// Folds `nodes` into texts of bounded size, halving the list until each half fits.
void fold_bounded(const NameTable& names, const std::vector<uint32_t>& nodes,
                  std::vector<std::string>& out) {
  std::string text = names.fold(nodes);
  if (text.size() <= kMaxNamesText || nodes.size() < 2) {
    out.push_back(std::move(text));
    return;
  }
  const auto middle = nodes.begin() + static_cast<ptrdiff_t>(nodes.size() / 2);
  fold_bounded(names, {nodes.begin(), middle}, out);
  fold_bounded(names, {middle, nodes.end()}, out);
}

proto::Outcome to_wire(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return proto::DONE;
    case Outcome::failed:
      return proto::FAILED;
    case Outcome::unreached:
      return proto::UNREACHED;
    case Outcome::timed_out:
      return proto::TIMED_OUT;
  }
  return proto::OUTCOME_UNSPECIFIED;
}

proto::Retry to_wire(Retry retry) {
  switch (retry) {
    case Retry::final_word:
      return proto::FINAL;
    case Retry::not_sent:
      return proto::NOT_SENT;
    case Retry::maybe_sent:
      return proto::MAYBE_SENT;
  }
  return proto::FINAL;
}

Result<Outcome> from_wire(proto::Outcome outcome) {
  switch (outcome) {
    case proto::DONE:
      return Outcome::done;
    case proto::FAILED:
      return Outcome::failed;
    case proto::UNREACHED:
      return Outcome::unreached;
    case proto::TIMED_OUT:
      return Outcome::timed_out;
    default:
      return fail(Code::corrupt, "an answer without a known outcome");
  }
}

template <typename Message>
void fill(Message& message, const Answer& answer) {
  message.set_outcome(to_wire(answer.outcome));
  if (answer.outcome == Outcome::done) {
    message.set_result(answer.result);
  } else {
    message.set_code(std::string(info(answer.code).name));
    message.set_message(answer.message);
  }
}

template <typename Message>
Result<Answer> read(const Message& message) {
  DROVER_TRY(const Outcome outcome, from_wire(message.outcome()));
  if (outcome == Outcome::done) return Answer::done(message.result());
  return Answer::error(outcome, {code_from_name(message.code()), message.message(), {}, {}});
}

proto::Call to_message(const CallHead& head) {
  proto::Call message;
  message.set_id(std::string(head.id));
  message.set_method(std::string(head.method));
  message.set_payload(std::string(head.payload));
  message.set_budget_ms(to_wire_ms(head.budget));
  message.set_age_ms(to_wire_ms(head.age));
  return message;
}

}  // namespace

uint32_t to_wire_ms(Duration duration) {
  if (duration <= Duration::zero()) return 0;
  const int64_t ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<uint32_t>(std::min<int64_t>(ms, std::numeric_limits<uint32_t>::max()));
}

Duration hop_allowance(Duration budget) {
  return std::clamp<Duration>(budget / 10, std::chrono::milliseconds(1),
                              std::chrono::milliseconds(200));
}

std::string encode_call(const CallHead& head) {
  return to_message(head).SerializeAsString();
}

std::vector<std::string> encode_calls(const CallHead& head, const NameTable& names,
                                      const std::vector<uint32_t>& nodes) {
  proto::Call message = to_message(head);
  std::vector<std::string> texts;
  fold_bounded(names, nodes, texts);
  std::vector<std::string> out;
  out.reserve(texts.size());
  for (std::string& text : texts) {
    message.set_targets(std::move(text));
    out.push_back(message.SerializeAsString());
  }
  return out;
}

std::vector<std::string> encode_answers(std::string_view id, const std::vector<FoldedGroup>& groups,
                                        const NameTable& names, bool complete) {
  std::vector<std::string> out;
  proto::CallAnswers message;
  message.set_id(std::string(id));
  std::vector<std::string> texts;
  size_t size = 0;
  for (const FoldedGroup& group : groups) {
    texts.clear();
    fold_bounded(names, group.nodes, texts);
    for (std::string& text : texts) {
      if (size > kFullMessage) {
        out.push_back(message.SerializeAsString());
        message.clear_groups();
        size = 0;
      }
      auto* part = message.add_groups();
      size += text.size() + group.answer->result.size() + group.answer->message.size() + 64;
      part->set_nodes(std::move(text));
      fill(*part, *group.answer);
      part->set_retry(to_wire(group.answer->retry));
    }
  }
  message.set_complete(complete);
  if (complete || message.groups_size() > 0) out.push_back(message.SerializeAsString());
  return out;
}

std::string encode_answer(std::string_view id, const Answer& answer) {
  proto::CallAnswer message;
  message.set_id(std::string(id));
  fill(message, answer);
  return message.SerializeAsString();
}

std::string encode_cancel(std::string_view id) {
  proto::CallCancel message;
  message.set_id(std::string(id));
  return message.SerializeAsString();
}

Result<Answer> decode_answer(const proto::CallAnswer& message) {
  if (message.outcome() == proto::UNREACHED) {
    return fail(Code::corrupt, "a node cannot say of itself that it is unreached");
  }
  return read(message);
}

Result<Answer> decode_answer(const proto::CallAnswers::Group& message) {
  DROVER_TRY(Answer answer, read(message));
  if (message.retry() == proto::NOT_SENT) answer.retry = Retry::not_sent;
  if (message.retry() == proto::MAYBE_SENT) answer.retry = Retry::maybe_sent;
  return answer;
}

}  // namespace drover::tree

#include "cli/console/typing.hpp"

#include "base/base64.hpp"
#include "base/json_values.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace drover::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);
constexpr Duration kAgain = std::chrono::milliseconds(200);
/// Bytes of one request; the API takes 16 KiB of them encoded.
constexpr size_t kMostSent = size_t{8} << 10;
/// What waits while nothing gets through: more was hardly typed.
constexpr size_t kMostWaiting = size_t{16} << 20;

}  // namespace

void Typing::session(std::string session) {
  session_ = std::move(session);
  sequence_ = 0;
  again_.cancel();
  client_.loop().post([held = std::shared_ptr<net::HttpCall>(std::move(call_))] {});
  // Whether it was typed nobody knows: better not at all than twice.
  if (!std::exchange(sending_, {}).empty()) say_("the last keys may not have been typed");
  pump();
}

void Typing::stop() {
  again_.cancel();
  call_.reset();
}

void Typing::type(std::string_view bytes) {
  if (waiting_.size() + bytes.size() > kMostWaiting) return say_("not typed: too much waits");
  waiting_ += bytes;
  pump();
}

void Typing::send_break() {
  break_ = true;
  pump();
}

void Typing::pump() {
  if (session_.empty() || !sending_.empty() || (waiting_.empty() && !break_)) return;
  const size_t count = std::min(waiting_.size(), kMostSent);
  const bool breaks = break_ && count == waiting_.size();
  sending_ =
      to_text(json::object{{"session", session_},
                           {"sequence", ++sequence_},
                           {"data", to_base64url(std::string_view(waiting_).substr(0, count))},
                           {"break", breaks}});
  waiting_.erase(0, count);
  if (breaks) break_ = false;
  send();
}

void Typing::send() {
  head_ = {};
  net::HttpRequest request;
  request.method = "POST";
  request.target = fmt::format("/api/v1/nodes/{}/console/input", net::percent_encode(node_));
  request.headers.set("Content-Type", "application/json");
  request.body = sending_;
  net::HttpStreamEvents events;
  events.on_head = [this](const net::HttpResponse& head) { head_ = head; };
  events.on_chunk = [this](std::string_view chunk) {
    constexpr size_t kMostProblem = size_t{1} << 16;
    if (head_.body.size() < kMostProblem) head_.body += chunk;
  };
  events.on_end = [this](const Status& status) { answered(status); };
  call_ = client_.stream(std::move(request), kPatience, kPatience, std::move(events));
}

void Typing::answered(const Status& status) {
  client_.loop().post([held = std::shared_ptr<net::HttpCall>(std::move(call_))] {});
  constexpr int kTooMany = 429;
  constexpr int kServerError = 500;
  if (!status || head_.status == kTooMany || head_.status >= kServerError) {
    again_.after(client_.loop(), kAgain, [this] { send(); });
    return;
  }
  sending_.clear();
  if (head_.status >= 400) {
    --sequence_;  // it was not taken
    const Error why = problem_error(head_);
    say_("not typed: " + why.text() + (why.next.empty() ? "" : " - " + why.next));
  }
  pump();
}

}  // namespace drover::cli

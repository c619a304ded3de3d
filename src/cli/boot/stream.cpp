#include "cli/boot/stream.hpp"

#include "base/json_values.hpp"

namespace drover::cli {
namespace {

constexpr Duration kHead = std::chrono::seconds(10);
/// Streams say within 15 s that they live.
constexpr Duration kSilence = std::chrono::seconds(40);
constexpr Duration kAgain = std::chrono::milliseconds(500);
constexpr size_t kMaxProblem = size_t{1} << 20;

}  // namespace

void ApiStream::connect() {
  reader_ = {};
  head_ = {};
  partial_.clear();
  net::HttpStreamEvents events;
  events.on_head = [this](const net::HttpResponse& head) {
    head_ = head;
    lines_ = head.headers.get("Content-Type") == "application/jsonl";
    if (head.status == 200 && !std::exchange(there_, true) && events_.moved)
      events_.moved(true, {});
  };
  events.on_chunk = [this](std::string_view chunk) { take(chunk); };
  events.on_end = [this](const Status& status) { end(status); };
  call_ = client_.stream(events_.path(), kHead, kSilence, std::move(events));
}

void ApiStream::stop() {
  again_.cancel();
  client_.loop().post([held = std::shared_ptr<net::HttpCall>(std::move(call_))] {});
}

void ApiStream::take(std::string_view chunk) {
  if (head_.status != 200) {
    if (head_.body.size() < kMaxProblem) head_.body += chunk;
    return;
  }
  if (finished_) return;
  if (!lines_) {
    Callback<void(const net::SseEvent&)> sink = [this](const net::SseEvent& event) {
      const auto value = parse_json(event.data);
      if (value && !finished_) events_.take(*value, event);
    };
    (void)reader_.feed(chunk, sink);
    return;
  }
  partial_ += chunk;
  size_t from = 0;
  for (size_t at = partial_.find('\n'); at != std::string::npos; at = partial_.find('\n', from)) {
    const auto value = parse_json(std::string_view(partial_).substr(from, at - from));
    from = at + 1;
    if (value && !finished_) events_.take(*value, {});
  }
  partial_.erase(0, from);
}

void ApiStream::end(const Status& status) {
  if (finished_) return;
  constexpr int kServerError = 500;
  constexpr int kTooMany = 429;
  if (status && head_.status >= 400 && head_.status < kServerError && head_.status != kTooMany) {
    refused_ = problem_error(head_);
    return client_.loop().stop();
  }
  const std::string why = !status               ? status.error().text()
                          : head_.status != 200 ? problem_error(head_).text()
                                                : "closed by the server";
  if (std::exchange(there_, false) && events_.moved) events_.moved(false, why);
  again_.after(client_.loop(), kAgain, [this] { connect(); });
}

}  // namespace drover::cli

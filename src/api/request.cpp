#include "api/request.hpp"

#include "api/precondition.hpp"
#include "api/problem.hpp"
#include "api/whole_number.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api {

Request::Request(Facts facts, Clock& clock, std::unique_ptr<Answer> answer, OnAnswer on_answer)
    : facts_(std::move(facts)),
      clock_(clock),
      answer_(std::move(answer)),
      on_answer_(std::move(on_answer)),
      started_(clock.now()) {}

Request::~Request() {
  if (answer_ != nullptr) {
    fail({Code::internal, "the request was dropped unanswered", "",
          "report this with the trace id"});
  }
}

void Request::allow(Duration from_now) {
  if (http().headers.has(kTimeoutHeader) || from_now <= time_left() || answered()) return;
  facts_.timeout = age() + from_now;
  start();
}

void Request::start() {
  deadline_.after(clock_, time_left(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->fail({Code::timed_out,
                  fmt::format("no answer within {} ms; what was asked may still happen",
                              self->facts_.timeout / std::chrono::milliseconds(1)),
                  "", fmt::format("ask again, or allow more time ({})", kTimeoutHeader)});
    }
  });
}

Status Request::authorize_nodes(std::span<const std::string> names, auth::NodeUse use) {
  nodes_checked_ = true;
  if (check_nodes_ == nullptr || !*check_nodes_) {
    return drover::fail(Code::internal, "nobody here knows which nodes may be changed");
  }
  return (*check_nodes_)(principal(), standing_, names, use);
}

const std::string& Request::path(std::string_view name) const {
  static const std::string none;
  const auto it = facts_.path.find(name);
  return it == facts_.path.end() ? none : it->second;
}

std::optional<std::string_view> Request::query(std::string_view name) const {
  return facts_.target.get(name);
}

Result<uint64_t> Request::query_number(std::string_view name, uint64_t fallback, uint64_t least,
                                       uint64_t most) const {
  const auto text = query(name);
  if (!text) return fallback;
  const auto value = whole_number<uint64_t>(*text);
  if (!value || *value < least || *value > most) {
    return drover::fail(Code::invalid_argument,
                        fmt::format("query parameter {}: expected a whole number from {} to {}, "
                                    "got '{}'",
                                    name, least, most, text->substr(0, 40)));
  }
  return *value;
}

Duration Request::time_left() const {
  return std::max(Duration(0), facts_.timeout - age());
}

Result<std::string> Request::idempotency_key() const {
  const auto key = http().headers.get(kIdempotencyHeader);
  if (!key) return std::string();
  const bool visible = std::ranges::all_of(*key, [](char c) { return c > 0x20 && c < 0x7F; });
  if (key->empty() || key->size() > kMaxIdempotencyKey || !visible) {
    return drover::fail(Code::invalid_argument,
                        fmt::format("header {}: expected 1 to {} visible ASCII characters",
                                    kIdempotencyHeader, kMaxIdempotencyKey));
  }
  return std::string(*key);
}

void Request::respond(net::HttpResponse response) {
  respond(std::move(response), "");
}

void Request::respond(net::HttpResponse response, const std::string& why) {
  if (answer_ == nullptr) return;
  deadline_.cancel();
  const std::unique_ptr<Answer> answer = std::move(answer_);
  if (response.status == 200) shape(response);
  // The span id names our part of the trace; one part per request, so the trace's own tail will do.
  response.headers.set("Traceparent", fmt::format("00-{}-{}-01", trace_id(),
                                                  std::string_view(trace_id()).substr(16)));
  on_answer_(*this, response.status, why);
  answer->respond(std::move(response));
}

void Request::shape(net::HttpResponse& response) const {
  const bool reads = http().method == "GET" || http().method == "HEAD";
  if (!reads) return;
  const auto tag = response.headers.get("ETag");
  if (tag && is_unchanged(http(), *tag)) {
    response.status = 304;
    response.body.clear();
    response.headers.erase("Content-Type");
    return;
  }
  if (!facts_.shape || response.headers.get("Content-Type") != "application/json") return;
  if (response.body.ends_with('\n')) response.body.pop_back();
  facts_.shape->apply(response.body);
  response.body.push_back('\n');
}

void Request::json(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  response.body.push_back('\n');
  respond(std::move(response));
}

void Request::fail(const Error& error) {
  // That a body is too large the server says too, before anybody knows whose path it is.
  if (facts_.plain_problems && error.code != Code::too_large) {
    return respond(plain_problem(info(error.code).http_status, error.message), error.text());
  }
  respond(problem_response(error), error.text());
}

std::unique_ptr<Answer> Request::take_stream() {
  deadline_.cancel();
  if (answer_ != nullptr) on_answer_(*this, 200, "");
  return std::move(answer_);
}

std::optional<std::string> trace_id_of(std::string_view traceparent) {
  // W3C Trace Context section 3.2: version-traceid-parentid-flags.
  constexpr size_t kLength = 55;
  const auto is_hex = [](std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  };
  if (traceparent.size() < kLength || traceparent[2] != '-' || traceparent[35] != '-') {
    return std::nullopt;
  }
  const std::string_view id = traceparent.substr(3, 32);
  const bool zero = std::ranges::all_of(id, [](char c) { return c == '0'; });
  if (!is_hex(traceparent.substr(0, 2)) || !is_hex(id) || zero) return std::nullopt;
  return std::string(id);
}

}  // namespace drover::api

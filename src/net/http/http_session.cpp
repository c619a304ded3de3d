// A queue of requests; the first is on the wire, its answer settles it and begins the next.
#include "net/http/http_session.hpp"

#include "net/http/http_text.hpp"

#include <utility>

#include <fmt/core.h>

namespace drover::net {
namespace {

constexpr size_t kHeaderLimit = size_t{64} * 1024;

bool is_idempotent(std::string_view method) {
  return method != "POST" && method != "PATCH" && method != "CONNECT";
}

}  // namespace

HttpSession::HttpSession(Executor& executor, Net& net, Endpoint to,
                         std::shared_ptr<Security> security, HttpSessionOptions options)
    : executor_(executor),
      net_(net),
      to_(std::move(to)),
      security_(std::move(security)),
      options_(std::move(options)) {}

HttpSession::~HttpSession() {
  *alive_ = false;
}

void HttpSession::send(HttpRequest request, Callback<void(Result<HttpResponse>)> done) {
  const bool valid = is_token(request.method) && is_target(request.target);
  if (!valid || queue_.size() >= options_.queue_limit) {
    Error why{valid ? Code::exhausted : Code::invalid_argument,
              valid ? fmt::format("{} requests to {} wait already", queue_.size(), to_.text())
                    : "not a valid HTTP method or target",
              {},
              {}};
    executor_.post([alive = alive_, done = std::move(done), why = std::move(why)]() mutable {
      if (*alive) done(tl::unexpected(std::move(why)));
    });
    return;
  }
  const bool may_repeat = options_.repeat_unsafe || is_idempotent(request.method);
  queue_.push_back({std::move(request), std::move(done), may_repeat});
  if (queue_.size() > 1 || busy_) return;
  executor_.post([this, alive = alive_] {
    if (*alive && !busy_) begin();
  });
}

void HttpSession::begin() {
  if (queue_.empty()) return;
  busy_ = true;
  limit_.after(executor_, options_.timeout, [this] {
    settle(fail(Code::timed_out, stream_ ? "no whole answer in time" : "no connection in time"),
           false);
  });
  if (stream_) return write_first();
  connect();
}

void HttpSession::connect() {
  reused_ = false;
  connecting_ = net_.connect(to_, security_, options_.timeout,
                             [this](Result<std::unique_ptr<Stream>> stream) {
                               // Dropped at the end: this runs inside it.
                               const auto connecting = std::move(connecting_);
                               if (!stream) {
                                 settle(tl::unexpected(std::move(stream).error()), false);
                                 return;
                               }
                               stream_ = *std::move(stream);
                               if (options_.check_peer) {
                                 Status checked = (*options_.check_peer)(stream_->peer());
                                 if (!checked) {
                                   settle(tl::unexpected(std::move(checked).error()), false);
                                   return;
                                 }
                               }
                               stream_->set_handler(this);
                               write_first();
                             });
}

void HttpSession::write_first() {
  const HttpRequest& request = queue_.front().request;
  parser_ = std::make_unique<HttpResponseParser>(kHeaderLimit, request.method == "HEAD");
  in_.clear();
  body_.clear();
  stream_->write(request_head(request, to_.unix_path.empty() ? to_.text() : "localhost", false));
  stream_->write(request.body);
}

/// The last thing to do in any function: what `done` does may end this object.
void HttpSession::settle(Result<HttpResponse> answer, bool keep) {
  limit_.cancel();
  connecting_.reset();
  parser_.reset();
  if (!keep) stream_.reset();
  reused_ = true;
  busy_ = false;
  Entry first = std::move(queue_.front());
  queue_.pop_front();
  if (!answer && answer.error().context.empty()) {
    answer =
        fail_in(fmt::format("{} {} at {}", first.request.method, first.request.target, to_.text()),
                std::move(answer).error());
  }
  const auto alive = alive_;
  first.done(std::move(answer));
  if (*alive && !busy_) begin();
}

void HttpSession::on_data(std::string_view bytes) {
  if (!busy_ || !parser_) {  // an answer that nobody asked for
    stream_.reset();
    return;
  }
  in_.append(bytes);
  const auto taken = parser_->put(in_);
  if (!taken) return settle(fail(Code::corrupt, "bad answer: " + taken.error().why), false);
  in_.erase(0, *taken);
  if (!parser_->header_done()) return;
  body_ += parser_->take_body();
  if (body_.size() > options_.body_limit) {
    return settle(
        fail(Code::too_large, fmt::format("the answer is over {} bytes", options_.body_limit)),
        false);
  }
  if (!parser_->done()) return;
  HttpResponse response = parser_->head();
  response.body = std::move(body_);
  const bool keep = !response.headers.has_token("Connection", "close") && in_.empty();
  settle(std::move(response), keep);
}

void HttpSession::on_closed(const Error& why) {
  stream_.reset();
  if (!busy_) return;
  const bool unheard = in_.empty() && body_.empty() && !parser_->header_done();
  if (reused_ && unheard && std::exchange(queue_.front().fresh, false)) return connect();
  if (const auto whole = parser_->put_end(); whole && why.code == Code::cancelled) {
    HttpResponse response = parser_->head();
    body_ += parser_->take_body();
    response.body = std::move(body_);
    return settle(std::move(response), false);
  }
  settle(fail(Code::unreachable, "the connection ended: " + why.text()), false);
}

}  // namespace drover::net

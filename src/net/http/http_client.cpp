// HttpClient: one call is one connection, one request and one answer.
#include "net/http/http_client.hpp"

#include "net/http/http_parser.hpp"
#include "net/http/http_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/core.h>

namespace drover::net {
namespace {

constexpr size_t kHeaderLimit = size_t{64} * 1024;

/// What both forms of a call have in common; the forms differ in who hears of the answer. Each
/// told_ function may end with this object destroyed.
class Call : public HttpCall, private StreamHandler {
 public:
  Call(Executor& executor, HttpRequest request, const Endpoint& to)
      : executor_(executor),
        request_(std::move(request)),
        place_(fmt::format("{} {} at {}", request_.method, request_.target, to.text())),
        host_(to.unix_path.empty() ? to.text() : "localhost"),
        parser_(kHeaderLimit, request_.method == "HEAD") {}
  ~Call() override { *alive_ = false; }

  using PeerCheck = std::shared_ptr<Callback<Status(const Peer&)>>;
  void start(Net& net, const Endpoint& to, std::shared_ptr<Security> security, Duration timeout,
             PeerCheck check) {
    check_ = std::move(check);
    if (!is_token(request_.method) || !is_target(request_.target)) {
      executor_.post([this, alive = alive_] {
        if (*alive) end(fail(Code::invalid_argument, "not a valid HTTP method or target"));
      });
      return;
    }
    limit_.after(executor_, timeout, [this] {
      end(fail(Code::timed_out, stream_ ? "no whole answer in time" : "no connection in time"));
    });
    connecting_ = net.connect(to, std::move(security), timeout,
                              [this](Result<std::unique_ptr<Stream>> stream) {
                                // Dropped at the end: this runs inside it.
                                const auto connecting = std::move(connecting_);
                                connected(std::move(stream));
                              });
  }

  void pause(bool paused) override {
    if (stream_) stream_->pause_reading(paused);
  }

 protected:
  virtual void tell_head(HttpResponse head) = 0;
  virtual void tell_piece(std::string piece) = 0;
  virtual void tell_end(Status how) = 0;

  /// Ends the call; the last thing to do in any function.
  void end(Status how) {
    limit_.cancel();
    connecting_.reset();
    stream_.reset();
    if (!how && how.error().context.empty()) how = fail_in(place_, std::move(how).error());
    tell_end(std::move(how));
  }
  void limit(Duration time, std::string_view words) {
    limit_.after(executor_, time,
                 [this, words] { end(fail(Code::timed_out, std::string(words))); });
  }
  void no_limit() { limit_.cancel(); }
  /// Called before what came is told.
  virtual void heard() {}

 private:
  void connected(Result<std::unique_ptr<Stream>> stream) {
    if (!stream) return end(tl::unexpected(std::move(stream).error()));
    stream_ = *std::move(stream);
    if (check_) {
      if (Status checked = (*check_)(stream_->peer()); !checked) return end(std::move(checked));
    }
    stream_->set_handler(this);
    stream_->write(request_head(request_, host_));
    stream_->write(request_.body);
    request_.body = {};
  }

  void on_data(std::string_view bytes) override {
    const auto alive = alive_;
    in_.append(bytes);
    const auto taken = parser_.put(in_);
    if (!taken) return end(fail(Code::corrupt, "bad answer: " + taken.error().why));
    in_.erase(0, *taken);
    if (!parser_.header_done()) return;
    heard();
    if (!std::exchange(head_told_, true)) {
      tell_head(parser_.head());
      if (!*alive) return;
    }
    if (std::string piece = parser_.take_body(); !piece.empty()) {
      tell_piece(std::move(piece));
      if (!*alive || !stream_) return;
    }
    if (parser_.done()) end({});
  }

  void on_closed(const Error& why) override {
    const auto whole = parser_.put_end();
    // A body that lasts to the connection's end is whole only if that end was an orderly one.
    if (why.code != Code::cancelled) return end(tl::unexpected(why));
    if (whole) return end({});
    end(fail(Code::unreachable, "the server closed the connection: " + whole.error().why));
  }

  Executor& executor_;
  HttpRequest request_;
  std::string place_;
  std::string host_;
  HttpResponseParser parser_;
  PeerCheck check_;
  std::string in_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Stream> stream_;
  Timer limit_;
  bool head_told_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Collects the whole answer, under one time limit.
class WholeCall final : public Call {
 public:
  WholeCall(Executor& executor, HttpRequest request, const Endpoint& to, size_t body_limit,
            Callback<void(Result<HttpResponse>)> done)
      : Call(executor, std::move(request), to), body_limit_(body_limit), done_(std::move(done)) {}

 private:
  void tell_head(HttpResponse head) override {
    response_ = std::move(head);
    // A long answer that grew by copying would cost more than reading it does.
    const auto length = response_.headers.get("Content-Length").value_or("");
    size_t bytes = 0;
    std::from_chars(length.data(), length.data() + length.size(), bytes);
    response_.body.reserve(std::min(bytes, body_limit_));
  }
  void tell_piece(std::string piece) override {
    if (response_.body.size() + piece.size() > body_limit_) {
      return end(fail(Code::too_large, fmt::format("the answer is over {} bytes", body_limit_)));
    }
    response_.body += piece;
  }
  void tell_end(Status how) override {
    Callback<void(Result<HttpResponse>)> done = std::move(done_);
    if (how) {
      done(std::move(response_));
    } else {
      done(tl::unexpected(std::move(how).error()));
    }
  }

  size_t body_limit_;
  Callback<void(Result<HttpResponse>)> done_;
  HttpResponse response_;
};

/// Hands the answer on as it comes.
class StreamedCall final : public Call {
 public:
  StreamedCall(Executor& executor, HttpRequest request, const Endpoint& to, Duration silence,
               HttpStreamEvents events)
      : Call(executor, std::move(request), to),
        silence_(silence),
        events_(std::make_shared<HttpStreamEvents>(std::move(events))) {}

 private:
  void heard() override {
    if (silence_ > Duration::zero()) {
      limit(silence_, "the server fell silent in the middle of its answer");
    } else {
      no_limit();
    }
  }
  void tell_head(HttpResponse head) override {
    const auto events = events_;  // outlives this call, which may be destroyed in there
    if (events->on_head) events->on_head(head);
  }
  void tell_piece(std::string piece) override {
    const auto events = events_;
    if (events->on_chunk) events->on_chunk(piece);
  }
  void tell_end(Status how) override {
    const auto events = events_;
    if (events->on_end) events->on_end(std::move(how));
  }

  Duration silence_;
  std::shared_ptr<HttpStreamEvents> events_;
};

}  // namespace

std::unique_ptr<HttpCall> HttpClient::request(const Endpoint& to,
                                              std::shared_ptr<Security> security,
                                              HttpRequest request, Duration timeout,
                                              Callback<void(Result<HttpResponse>)> done,
                                              size_t body_limit) {
  auto call =
      std::make_unique<WholeCall>(executor_, std::move(request), to, body_limit, std::move(done));
  call->start(net_, to, std::move(security), timeout, check_);
  return call;
}

std::unique_ptr<HttpCall> HttpClient::stream(const Endpoint& to, std::shared_ptr<Security> security,
                                             HttpRequest request, Duration head_timeout,
                                             Duration silence_timeout, HttpStreamEvents events) {
  auto call = std::make_unique<StreamedCall>(executor_, std::move(request), to, silence_timeout,
                                             std::move(events));
  call->start(net_, to, std::move(security), head_timeout, check_);
  return call;
}

}  // namespace drover::net

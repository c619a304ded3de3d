// Many HTTP/1.1 requests to one server over one kept connection, in order: for a client that has
// small things to tell often.
#pragma once

#include "base/clock.hpp"
#include "net/http/http.hpp"
#include "net/http/http_parser.hpp"
#include "net/net.hpp"

#include <deque>
#include <memory>
#include <string>

namespace drover::net {

struct HttpSessionOptions {
  /// For one request, from its turn to its last byte, the connection included.
  Duration timeout = std::chrono::seconds(10);
  /// Answers with a longer body are too_large.
  size_t body_limit = size_t{1} << 20;
  /// Requests that wait at most; more are refused as exhausted.
  size_t queue_limit = 64;
  /// Hears whom each new connection has reached, before anything is sent; its error settles the
  /// request. Null: any peer will do.
  std::shared_ptr<Callback<Status(const Peer&)>> check_peer = {};
  /// Whether a request that may have been carried out, and is not idempotent (RFC 9110 section
  /// 9.2.2), is sent once more like the others. False: it fails as unreachable.
  bool repeat_unsafe = true;
};

/// One request is on the way at a time. The connection is made when there is something to send, is
/// kept, and is made anew when it has ended: a request whose kept connection turns out to be closed
/// before any byte of an answer came is sent once more on a new one. Executor's thread only.
class HttpSession final : private StreamHandler {
 public:
  /// The seams outlive this. `security` null: plain.
  HttpSession(Executor& executor, Net& net, Endpoint to, std::shared_ptr<Security> security,
              HttpSessionOptions options = {});
  ~HttpSession() override;

  /// `done` runs exactly once, never in here, unless the session is destroyed first.
  void send(HttpRequest request, Callback<void(Result<HttpResponse>)> done);
  /// Requests that have no answer yet.
  [[nodiscard]] size_t waiting() const { return queue_.size(); }
  [[nodiscard]] const Endpoint& to() const { return to_; }

 private:
  struct Entry {
    HttpRequest request;
    Callback<void(Result<HttpResponse>)> done;
    bool fresh = true;  ///< may be sent once more
  };
  void begin();
  void connect();
  void write_first();
  void settle(Result<HttpResponse> answer, bool keep);
  void on_data(std::string_view bytes) override;
  void on_closed(const Error& why) override;

  Executor& executor_;
  Net& net_;
  Endpoint to_;
  std::shared_ptr<Security> security_;
  HttpSessionOptions options_;
  std::deque<Entry> queue_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<HttpResponseParser> parser_;
  std::string in_;
  std::string body_;
  bool busy_ = false;    ///< the first of the queue is on its way
  bool reused_ = false;  ///< the connection has had an answer before
  Timer limit_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::net

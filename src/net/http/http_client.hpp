// An HTTP/1.1 client over the Net seam: one connection per request, whole or streamed answers.
#pragma once

#include "base/clock.hpp"
#include "net/http/http.hpp"
#include "net/net.hpp"

#include <memory>
#include <string_view>

namespace drover::net {

/// A request under way. Destroying it cancels: the connection is dropped and no callback follows.
class HttpCall {
 public:
  HttpCall() = default;
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;
  virtual ~HttpCall() = default;
  /// Stops and starts the reading of a streamed answer, to push back on the server.
  virtual void pause(bool paused) = 0;
};

/// What a streamed answer's reader hears, in this order: on_head once, on_chunk any number of
/// times, on_end once (with an error also before or without on_head). The HttpCall may be destroyed
/// in any.
struct HttpStreamEvents {
  Callback<void(const HttpResponse& head)> on_head = {};  ///< body empty
  Callback<void(std::string_view chunk)> on_chunk = {};   ///< lives only for this call
  Callback<void(Status)> on_end = {};  ///< an error when the answer was cut off before its end
};

/// Used from the executor's thread; stateless apart from its seams, which outlive the calls.
class HttpClient {
 public:
  HttpClient(Executor& executor, Net& net) : executor_(executor), net_(net) {}

  /// From now on `check` hears whom each call has reached before anything is sent; its error ends
  /// the call. A certificate of the right CA may still be the wrong daemon's.
  void check_peers(Callback<Status(const Peer&)> check) {
    check_ = std::make_shared<Callback<Status(const Peer&)>>(std::move(check));
  }

  /// Sends `request` to `to` (TLS with `security`, plain without) and collects the answer.
  /// `timeout` covers it all, from the connection to the last byte. Answers with a body over
  /// `body_limit` bytes are too_large. `done` runs exactly once, unless the call is destroyed,
  /// never in here. Host, Connection and Content-Length are added.
  std::unique_ptr<HttpCall> request(const Endpoint& to, std::shared_ptr<Security> security,
                                    HttpRequest request, Duration timeout,
                                    Callback<void(Result<HttpResponse>)> done,
                                    size_t body_limit = kDefaultBodyLimit);
  /// The same with the body handed on as it comes; `head_timeout` covers it up to the head, then
  /// `silence_timeout` (zero: none) is the longest wait between two reads.
  std::unique_ptr<HttpCall> stream(const Endpoint& to, std::shared_ptr<Security> security,
                                   HttpRequest request, Duration head_timeout,
                                   Duration silence_timeout, HttpStreamEvents events);

  static constexpr size_t kDefaultBodyLimit = size_t{64} * 1024 * 1024;

 private:
  Executor& executor_;
  Net& net_;
  std::shared_ptr<Callback<Status(const Peer&)>> check_;  ///< null: any peer will do
};

}  // namespace drover::net

// An HTTP/1.1 server over the Net seam: keep-alive, pipelining in order, streaming answers.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "net/http/http.hpp"
#include "net/http/http_body.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace drover::net {

struct HttpServerOptions {
  size_t header_limit = size_t{16} * 1024;      ///< bytes, of the request line and of the fields
  size_t body_limit = size_t{8} * 1024 * 1024;  ///< bytes of one request's body
  /// From the connection, or a later request's first byte, to the header's end.
  Duration header_time = std::chrono::seconds(10);
  Duration body_time = std::chrono::seconds(60);  ///< from the header's end to the body's
  Duration idle_time = std::chrono::seconds(60);  ///< between two requests of a connection
  size_t connection_limit = 4096;                 ///< open ones, of all listeners together
  size_t connections_per_address = 0;             ///< open ones of one client; 0: no limit
  /// A client that takes no byte of a body (send_body) for this long is dropped.
  Duration stall_time = std::chrono::seconds(60);
  std::string server_name = "drover";  ///< the Server field
};

class HttpConnection;

/// One request's answer, made by the handler: either respond(), or send_body(), or begin(),
/// write().., end().
/// Server's thread only. May be kept as long as needed; when the client has gone, calls do nothing.
/// Dropping it unanswered sends 500; dropping it between begin() and end() cuts the connection, so
/// that the client cannot take the answer for whole.
class HttpExchange {
 public:
  /// For the server.
  HttpExchange(std::weak_ptr<HttpConnection> connection, uint64_t id);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange();

  /// The whole answer. Server, Date, Content-Length and Connection are added; fields of `response`
  /// about framing are dropped.
  void respond(HttpResponse response);
  /// Starts an answer that comes in pieces: chunked, unless `headers` has a Content-Length, which
  /// must then be kept to. An HTTP/1.0 client without one gets the connection's end as the end.
  void begin(int status, HttpHeaders headers);
  void write(std::string_view piece);
  void end();
  /// The whole answer, with `length` bytes of `body` from `first` (not for a HEAD, which gets the
  /// same fields). Files go out by sendfile on plain connections; otherwise pieces are read as the
  /// client takes them, so that no answer is in memory whole. `sent` hears once how many bytes were
  /// given to the operating system, all of them or fewer when the client left; it may run in here,
  /// and does not when the server is destroyed.
  void send_body(int status, HttpHeaders headers, std::shared_ptr<const HttpBody> body,
                 uint64_t first, uint64_t length, Callback<void(uint64_t)> sent = {});
  /// Bytes written and not yet taken by the operating system, to push back on a fast source.
  [[nodiscard]] size_t unsent() const;
  /// Called each time unsent() has fallen to zero after it had been more.
  void on_drained(Callback<void()> drained) { drained_ = std::move(drained); }
  /// Called once if the client leaves, or the server cuts it off, before the answer is complete.
  /// Look at gone() first when this is set later than in the handler.
  void on_gone(Callback<void()> gone) { gone_ = std::move(gone); }
  [[nodiscard]] bool gone() const;

 private:
  friend class HttpConnection;
  [[nodiscard]] std::shared_ptr<HttpConnection> connection() const;

  std::weak_ptr<HttpConnection> connection_;
  uint64_t id_;
  Callback<void()> gone_;
  Callback<void()> drained_;
  bool begun_ = false;
  bool ended_ = false;
};

using HttpHandler = Callback<void(HttpRequest, std::shared_ptr<HttpExchange>)>;

/// Serves requests on any number of listeners. Bad input is answered (400, 408, 413, 431, 501, 505)
/// and never reaches the handler. Refused connections are logged. Destroying it, which the handler
/// may do, drops all connections; exchanges that are still held become inert and hear nothing. The
/// net and executor outlive it.
class HttpServer {
 public:
  HttpServer(Executor& executor, Net& net, Log log, HttpHandler handler,
             HttpServerOptions options = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// Adds a listener; see Net::listen for `security` (empty: plain). The bound endpoint.
  Result<Endpoint> listen(const Endpoint& at, Callback<std::shared_ptr<Security>()> security = {});
  /// Stops accepting, closes idle connections, lets requests in hand finish for up to `grace`
  /// (streams that never end are then cut), then calls `done`. `done` never runs inside this call.
  void stop(Duration grace, Callback<void()> done);
  [[nodiscard]] size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace drover::net

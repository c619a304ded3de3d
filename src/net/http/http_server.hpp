// An HTTP/1.1 server over the Net seam: keep-alive, pipelining in order, streaming answers.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "net/http/http.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace drover::net {

struct HttpServerOptions {
  size_t header_limit = size_t{16} * 1024;      ///< bytes of request line and header fields
  size_t body_limit = size_t{8} * 1024 * 1024;  ///< bytes of one request's body
  Duration header_limit_time =
      std::chrono::seconds(10);  ///< from a request's first byte to its header's end
  Duration body_limit_time = std::chrono::seconds(60);  ///< from there to the body's end
  Duration idle_limit_time = std::chrono::seconds(60);  ///< between two requests of a connection
  size_t connection_limit = 4096;      ///< open connections, of all listeners together
  std::string server_name = "drover";  ///< the Server header
};

class HttpConnection;

/// One request's answer, made by the handler: either respond(), or begin(), write().., end().
/// Server's thread only. May be kept as long as needed; when the client has gone, calls do nothing.
/// Dropping it unanswered sends 500; dropping it between begin() and end() cuts the connection, so
/// that the client cannot take the answer for whole.
class HttpExchange {
 public:
  explicit HttpExchange(std::weak_ptr<HttpConnection> connection, uint64_t id)
      : connection_(std::move(connection)), id_(id) {}
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange();

  /// The whole answer. Content-Length, Date, Server and Connection are added.
  void respond(HttpResponse response);
  /// Starts an answer of unknown length (chunked, or ended by closing for an HTTP/1.0 client).
  void begin(int status, HttpHeaders headers);
  void write(std::string_view chunk);
  void end();
  /// Bytes written and not yet taken by the operating system, to push back on a fast source.
  [[nodiscard]] size_t unsent() const;
  /// Called when unsent() has fallen to zero after it had been more.
  void on_drained(Callback<void()> drained);
  /// Called once if the client leaves before the answer is complete. Not called after.
  void on_gone(Callback<void()> gone);
  [[nodiscard]] bool gone() const { return connection_.expired(); }

 private:
  friend class HttpConnection;
  std::weak_ptr<HttpConnection> connection_;
  uint64_t id_;
  Callback<void()> gone_;
  Callback<void()> drained_;
  bool begun_ = false;
  bool ended_ = false;
};

using HttpHandler = Callback<void(HttpRequest, std::shared_ptr<HttpExchange>)>;

/// Serves requests on any number of listeners. Bad input is answered (400, 408, 413, 414, 417, 431,
/// 501, 505) and never reaches the handler. Destroying it drops all connections; exchanges that are
/// still held become inert. The net and executor outlive it.
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

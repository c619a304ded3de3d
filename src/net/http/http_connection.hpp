// One connection of the HTTP server: reads requests, one answer at a time, in order.
#pragma once

#include "net/http/http_parser.hpp"
#include "net/http/http_server.hpp"
#include "net/http/http_text.hpp"

#include <memory>
#include <optional>
#include <string>

namespace drover::net {

/// What connections need of their server.
class HttpConnectionOwner {
 public:
  HttpConnectionOwner() = default;
  HttpConnectionOwner(const HttpConnectionOwner&) = delete;
  HttpConnectionOwner& operator=(const HttpConnectionOwner&) = delete;
  virtual ~HttpConnectionOwner() = default;
  virtual Executor& executor() = 0;
  [[nodiscard]] virtual const HttpServerOptions& options() const = 0;
  virtual void handle(HttpRequest request, std::shared_ptr<HttpExchange> exchange) = 0;
  /// The connection has ended; its place is free.
  virtual void forget(uint64_t id) = 0;
};

/// Owned by the server, held weakly by its exchanges. detach() ends it for good.
class HttpConnection final : public std::enable_shared_from_this<HttpConnection>,
                             private StreamHandler {
 public:
  HttpConnection(std::weak_ptr<HttpConnectionOwner> owner, uint64_t id,
                 std::unique_ptr<Stream> stream);

  /// Starts reading. Apart from the constructor, as it needs the shared pointer.
  void start();
  /// Finishes the request in hand, takes no other, closes.
  void finish_up();
  /// Drops the stream; no event and no callback of an exchange follows.
  void detach();
  /// Drops the stream, gives up its place and tells the exchange in hand.
  void drop();

  // For the exchange with that id; others are ignored.
  void respond(uint64_t exchange, const HttpResponse& response);
  void send_body(uint64_t exchange, int status, const HttpHeaders& headers,
                 std::shared_ptr<const HttpBody> body, uint64_t first, uint64_t length,
                 Callback<void(uint64_t)> sent);
  void begin(uint64_t exchange, int status, const HttpHeaders& headers);
  void write(uint64_t exchange, std::string_view piece);
  void end(uint64_t exchange);
  /// The answer will never be completed.
  void cut(uint64_t exchange);
  [[nodiscard]] size_t unsent(uint64_t exchange) const;
  [[nodiscard]] bool answering(uint64_t exchange) const {
    return stream_ && busy_ && exchange == exchange_id_;
  }

 private:
  /// The body that is being sent.
  struct Sending {
    std::shared_ptr<const HttpBody> body;
    uint64_t next = 0;         ///< offset of what is read next
    uint64_t left = 0;         ///< not yet given to the stream
    uint64_t length = 0;       ///< of it all
    uint64_t left_before = 0;  ///< left and unsent when the stall timer was set
    Callback<void(uint64_t)> sent;
  };

  void on_data(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(const Error& why) override;

  void process();
  bool process_one();
  void dispatch();
  void refuse(const HttpFault& fault);
  void finish_answer();
  void send_more();
  void body_sent(uint64_t count);
  void check_stall();
  /// The client takes answers more slowly than it asks.
  [[nodiscard]] bool clogged() const;
  void close();
  void tell_gone();
  void limit(Duration time, void (HttpConnection::*expired)());
  void too_slow();
  std::string head(int status, const HttpHeaders& headers, Framing framing, size_t length);

  std::weak_ptr<HttpConnectionOwner> owner_;
  uint64_t id_;
  std::unique_ptr<Stream> stream_;  ///< null once dropped
  std::string in_;                  ///< bytes not yet parsed
  std::unique_ptr<HttpRequestParser> parser_;
  std::weak_ptr<HttpExchange> exchange_;
  uint64_t exchange_id_ = 0;
  std::unique_ptr<Sending> sending_;
  Timer timer_;
  Framing framing_ = Framing::none;  ///< of the answer in hand
  uint64_t body_left_ = 0;           ///< with Framing::given
  bool busy_ = false;                ///< a request is with the handler
  bool processing_ = false;          ///< process() is on the stack
  bool keep_alive_ = true;
  bool http10_ = false;
  bool to_head_ = false;
  bool continued_ = false;  ///< "100 Continue" is settled for this request
  bool in_body_ = false;
  bool finishing_ = false;
  bool closing_ = false;
};

}  // namespace drover::net

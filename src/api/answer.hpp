// Where an answer goes: an HTTP exchange in the programs, a recorder in tests.
#pragma once

#include "base/callback.hpp"
#include "net/http/http.hpp"
#include "net/http/http_server.hpp"

#include <memory>
#include <string_view>

namespace drover::api {

/// One request's answer: respond() once, or begin(), write() .., end(). Executor's thread only.
class Answer {
 public:
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  virtual ~Answer() = default;
  virtual void respond(net::HttpResponse response) = 0;
  virtual void begin(int status, net::HttpHeaders headers) = 0;
  virtual void write(std::string_view chunk) = 0;
  virtual void end() = 0;
  /// Bytes written that the client has not taken yet.
  [[nodiscard]] virtual size_t unsent() const = 0;
  /// Called whenever unsent() has fallen to zero after it had been more.
  virtual void on_drained(Callback<void()> drained) = 0;
  /// Called once when the client leaves before the end.
  virtual void on_gone(Callback<void()> gone) = 0;
};

/// The answer on a server's exchange.
class ExchangeAnswer final : public Answer {
 public:
  explicit ExchangeAnswer(std::shared_ptr<net::HttpExchange> exchange)
      : exchange_(std::move(exchange)) {}
  void respond(net::HttpResponse response) override { exchange_->respond(std::move(response)); }
  void begin(int status, net::HttpHeaders headers) override {
    exchange_->begin(status, std::move(headers));
  }
  void write(std::string_view chunk) override { exchange_->write(chunk); }
  void end() override { exchange_->end(); }
  [[nodiscard]] size_t unsent() const override { return exchange_->unsent(); }
  void on_drained(Callback<void()> drained) override { exchange_->on_drained(std::move(drained)); }
  void on_gone(Callback<void()> gone) override { exchange_->on_gone(std::move(gone)); }

 private:
  std::shared_ptr<net::HttpExchange> exchange_;
};

}  // namespace drover::api

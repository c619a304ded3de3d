// What is typed at a console, on its way: in order, each key once, whatever is asked again.
#pragma once

#include "base/callback.hpp"
#include "cli/client.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace drover::cli {

/// One request at a time; what is typed meanwhile goes with the next. The client's thread.
class Typing {
 public:
  /// `say` tells the person what was not typed, and why.
  Typing(Client& client, std::string node, Callback<void(const std::string&)> say)
      : client_(client), node_(std::move(node)), say_(std::move(say)) {}
  Typing(const Typing&) = delete;
  Typing& operator=(const Typing&) = delete;
  ~Typing() = default;

  /// The session of the stream that counts from now on; empty: there is none for now, and what is
  /// typed waits.
  void session(std::string session);
  void type(std::string_view bytes);
  void send_break();
  /// Nothing is on its way or waits.
  [[nodiscard]] bool idle() const { return waiting_.empty() && !break_ && sending_.empty(); }
  void stop();

 private:
  void pump();
  void send();
  void answered(const Status& status);

  Client& client_;
  std::string node_;
  Callback<void(const std::string&)> say_;
  std::string session_;
  uint64_t sequence_ = 0;
  std::string waiting_;  ///< typed and not sent
  bool break_ = false;   ///< behind that
  std::string sending_;  ///< the body of the request under way; empty: none is
  net::HttpResponse head_;
  Timer again_;
  std::unique_ptr<net::HttpCall> call_;
};

}  // namespace drover::cli

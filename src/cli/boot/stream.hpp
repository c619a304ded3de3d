// A stream of the API that is followed for as long as a command runs: connected again when it
// breaks, its lines or events handed on one by one.
#pragma once

#include "base/json.hpp"
#include "cli/client.hpp"
#include "net/http/sse.hpp"

#include <memory>
#include <optional>
#include <string>

namespace drover::cli {

/// JSON lines, or server-sent events by their Content-Type. The client's thread.
class ApiStream {
 public:
  struct Events {
    /// Where to go on from; asked for at each connection.
    Callback<std::string()> path;
    /// One line, or the data of an event called `name`, with its id.
    Callback<void(const json::value& value, const net::SseEvent& event)> take;
    /// Whether the stream is there: each time that this changes; `why` it is not.
    Callback<void(bool there, const std::string& why)> moved = {};
  };

  ApiStream(Client& client, Events events) : client_(client), events_(std::move(events)) {}

  void connect();
  void stop();
  /// A refusal that asking again does not mend; nothing while it goes on.
  [[nodiscard]] const std::optional<Error>& refused() const { return refused_; }
  /// It has delivered its head.
  [[nodiscard]] bool there() const { return there_; }
  /// It came to the end that it was to have, said by the stream itself: stops.
  void finish() {
    finished_ = true;
    stop();
  }
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  void take(std::string_view chunk);
  void end(const Status& status);

  Client& client_;
  Events events_;
  net::SseReader reader_;
  net::HttpResponse head_;
  bool lines_ = false;
  bool there_ = false;
  bool finished_ = false;
  std::string partial_;
  std::optional<Error> refused_;
  Timer again_;
  std::unique_ptr<net::HttpCall> call_;
};

}  // namespace drover::cli

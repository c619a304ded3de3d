// An answer that comes in lines of JSON for as long as its client stays.
#pragma once

#include "api/request.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::api {

inline constexpr std::string_view kJsonLines = "application/jsonl";

/// One executor's thread. Events never run inside calls into it; its owner may destroy it in any
/// but keeps the request no longer than it has to.
class LineAnswer {
 public:
  struct Events {
    Callback<void()> left;     ///< the client has gone
    Callback<void()> drained;  ///< what was written has been taken
    Callback<void()> pulse;    ///< every kPulse, so that those who pass it on see that it lives
  };
  static constexpr Duration kPulse = std::chrono::seconds(10);

  LineAnswer(Executor& executor, Events events) : executor_(executor), events_(std::move(events)) {}
  LineAnswer(const LineAnswer&) = delete;
  LineAnswer& operator=(const LineAnswer&) = delete;
  ~LineAnswer() { drop(); }

  /// Takes the answer over; false when it has been given already.
  bool begin(Request& request);
  /// One line, without its end.
  void write(std::string_view line);
  /// What the client has not taken yet is more than it should be.
  [[nodiscard]] bool full() const;
  [[nodiscard]] bool open() const { return answer_ != nullptr; }
  void end();

 private:
  void beat();
  void drop();

  Executor& executor_;
  Events events_;
  std::unique_ptr<Answer> answer_;
  Timer timer_;
};

}  // namespace drover::api

// The record of a simulated run: one line per log record, network event and fault. Two runs with
// the same seed have the same lines, which the running fingerprint proves without keeping them.
#pragma once

#include "base/clock.hpp"
#include "sim/sim_random.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace drover::sim {

class Trace {
 public:
  /// Appends "seconds.nanoseconds who text\n".
  void line(Duration time, std::string_view who, std::string_view text);
  /// Keeps every line from now on, for byte-wise comparison. Without it only the last
  /// kTailLines are kept, for the report of a failure.
  void keep_all() { keep_all_ = true; }

  [[nodiscard]] uint64_t fingerprint() const { return fingerprint_; }
  [[nodiscard]] uint64_t lines() const { return lines_; }
  /// Everything since keep_all().
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The last lines, oldest first.
  [[nodiscard]] std::string tail() const;

  static constexpr size_t kTailLines = 200;

 private:
  bool keep_all_ = false;
  uint64_t fingerprint_ = kFnvBasis;
  uint64_t lines_ = 0;
  std::string text_;
  std::deque<std::string> tail_;
};

}  // namespace drover::sim

#include "sim/trace.hpp"

#include <fmt/core.h>

namespace drover::sim {

void Trace::line(Duration time, std::string_view who, std::string_view text) {
  constexpr int64_t kSecond = 1'000'000'000;
  std::string entry =
      fmt::format("{}.{:09} {} {}\n", time.count() / kSecond, time.count() % kSecond, who, text);
  fingerprint_ = fnv1a(entry, fingerprint_);
  ++lines_;
  if (keep_all_) text_ += entry;
  if (tail_.size() == kTailLines) {
    // Reusing the oldest line's memory: this runs for every event of the world.
    std::string oldest = std::move(tail_.front());
    tail_.pop_front();
    oldest.assign(entry);
    tail_.push_back(std::move(oldest));
  } else {
    tail_.push_back(std::move(entry));
  }
}

std::string Trace::tail() const {
  std::string out;
  for (const std::string& entry : tail_) out += entry;
  return out;
}

}  // namespace drover::sim

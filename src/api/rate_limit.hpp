// How often a client may ask: a token bucket for each.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace drover::api {

/// Far above what people and scripts need; below what one client needs to slow the others down.
struct RateLimit {
  uint64_t per_second = 200;  ///< requests a second on the long run; 0: not limited
  uint64_t burst = 1000;      ///< requests at once after a pause
};

/// Executor's thread only. At most kMostClients buckets are held: a full bucket says nothing and is
/// forgotten.
class RateLimiter {
 public:
  static constexpr size_t kMostClients = 10'000;

  void set(const RateLimit& limit) { limit_ = limit; }
  [[nodiscard]] const RateLimit& limit() const { return limit_; }
  /// Zero: the request may go on. Otherwise how long to wait, and nothing was taken.
  Duration take(std::string_view client, MonoTime now);
  [[nodiscard]] size_t clients() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens = 0;
    MonoTime when{};
  };
  void forget_full(MonoTime now);
  [[nodiscard]] double tokens_at(const Bucket& bucket, MonoTime now) const;

  RateLimit limit_{0, 0};
  std::map<std::string, Bucket, std::less<>> buckets_;
};

/// Whole seconds, rounded up, at least 1: the value of Retry-After.
int64_t seconds_up(Duration wait);

}  // namespace drover::api

#include "api/rate_limit.hpp"

#include <algorithm>

namespace drover::api {

double RateLimiter::tokens_at(const Bucket& bucket, MonoTime now) const {
  const std::chrono::duration<double> passed = now - bucket.when;
  return std::min(static_cast<double>(limit_.burst),
                  bucket.tokens + (passed.count() * static_cast<double>(limit_.per_second)));
}

Duration RateLimiter::take(std::string_view client, MonoTime now) {
  if (limit_.per_second == 0) return Duration::zero();
  auto it = buckets_.find(client);
  if (it == buckets_.end()) {
    if (buckets_.size() >= kMostClients) forget_full(now);
    const auto full = static_cast<double>(std::max<uint64_t>(limit_.burst, 1));
    it = buckets_.emplace(client, Bucket{full, now}).first;
  }
  Bucket& bucket = it->second;
  bucket.tokens = std::max(tokens_at(bucket, now), 0.0);
  bucket.when = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return Duration::zero();
  }
  const std::chrono::duration<double> wait((1 - bucket.tokens) /
                                           static_cast<double>(limit_.per_second));
  return std::max(std::chrono::duration_cast<Duration>(wait), Duration(1));
}

void RateLimiter::forget_full(MonoTime now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return tokens_at(entry.second, now) >= static_cast<double>(limit_.burst);
  });
  // Ten thousand who are all in a hurry: the one that asked least lately goes.
  if (buckets_.size() < kMostClients) return;
  buckets_.erase(
      std::ranges::min_element(buckets_, {}, [](const auto& entry) { return entry.second.when; }));
}

int64_t seconds_up(Duration wait) {
  return std::max<int64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1);
}

}  // namespace drover::api

#include "boot/io/rate_limit.hpp"

#include <algorithm>
#include <functional>

namespace drover::boot::io {

void RateLimiter::set(RateLimit limit) {
  sets_.clear();
  per_packet_ = {};
  if (limit.per_second == 0) return;
  per_packet_ = Duration(std::chrono::seconds(1)) / limit.per_second;
  depth_ = per_packet_ * std::max<uint32_t>(limit.burst, 1);
  sets_.resize(kSets);
}

bool RateLimiter::allow(std::string_view sender, MonoTime now) {
  if (sets_.empty()) return true;
  const uint64_t key = std::hash<std::string_view>{}(sender) | 1;
  std::array<Bucket, kWays>& set = sets_[(key >> 8) % kSets];
  auto found =
      std::find_if(set.begin(), set.end(), [&](const Bucket& it) { return it.key == key; });
  if (found == set.end()) {
    found = std::min_element(set.begin(), set.end(), [](const Bucket& a, const Bucket& b) {
      return a.full_at < b.full_at;
    });
    *found = {key, now};
  }
  const MonoTime next = std::max(found->full_at, now) + per_packet_;
  if (next > now + depth_) return false;
  found->full_at = next;
  return true;
}

}  // namespace drover::boot::io

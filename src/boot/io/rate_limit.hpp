// A limit of packets per sender, in a table of fixed size: a flood of made-up senders costs no
// memory.
#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace drover::boot::io {

struct RateLimit {
  uint32_t per_second = 0;  ///< 0: no limit
  uint32_t burst = 1;
};

/// Token buckets by sender. Where more senders are active than the table has places, the one that
/// was silent longest in the same set gives up its place, with a full bucket for the newcomer.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimit limit) { set(limit); }
  void set(RateLimit limit);
  /// Whether one more packet of `sender` is within the limit now. Allocates nothing.
  bool allow(std::string_view sender, MonoTime now);

 private:
  struct Bucket {
    uint64_t key = 0;
    MonoTime full_at{};  ///< when the bucket will be full again
  };
  static constexpr size_t kWays = 4;
  static constexpr size_t kSets = 4096;

  Duration per_packet_{};
  Duration depth_{};
  std::vector<std::array<Bucket, kWays>> sets_;
};

}  // namespace drover::boot::io

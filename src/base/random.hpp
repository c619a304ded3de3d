// The Random seam: every draw of lots in the product comes from here.
// Real form: os/random (getrandom). Simulated form: one seed for the whole world.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace drover {

class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  virtual ~Random() = default;

  /// Fills `out` with random bytes, fit for secrets in the real form.
  virtual void fill(std::span<unsigned char> out) = 0;

  uint64_t next();
  /// Uniform in [0, bound); 0 when bound is 0.
  uint64_t below(uint64_t bound);
  /// Uniform in [from, to].
  Duration between(Duration from, Duration to);
  /// `bytes` random bytes as lower-case hex (2 characters each).
  std::string hex(size_t bytes);
};

/// Jittered exponential back-off: full jitter over [base/2, min(cap, base * 2^attempt)].
/// Every reconnect uses one; reset() after a success that lasted.
class Backoff {
 public:
  Backoff(Duration base, Duration cap) : base_(base), cap_(cap) {}
  Duration next(Random& random);
  void reset() { attempt_ = 0; }
  [[nodiscard]] uint32_t attempts() const { return attempt_; }

 private:
  Duration base_;
  Duration cap_;
  uint32_t attempt_ = 0;
};

}  // namespace drover

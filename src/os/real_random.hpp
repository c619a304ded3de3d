// RealRandom: the Random seam on the kernel's generator.
#pragma once

#include "base/random.hpp"

namespace drover::os {

/// getrandom(2): fit for keys and tokens. Blocks only before the kernel's generator is first
/// seeded. Thread-safe. Aborts when the kernel has no getrandom (older than 3.17): guessing is no
/// fallback.
class RealRandom final : public Random {
 public:
  void fill(std::span<unsigned char> out) override;
};

}  // namespace drover::os

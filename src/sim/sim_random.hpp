// The simulator's source of lots: xoshiro256** streams derived from one seed and a label, so that
// adding a process or a path never shifts the draws of the others.
#pragma once

#include "base/random.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace drover::sim {

/// FNV-1a, 64 bits; continues from `state`. For traces and for deriving streams, never for secrets.
inline constexpr uint64_t kFnvBasis = 0xcbf29ce484222325;
uint64_t fnv1a(std::string_view bytes, uint64_t state = kFnvBasis);

/// Deterministic Random. Not fit for secrets.
class SimRandom final : public Random {
 public:
  /// The stream named `label` of the world with `seed`.
  SimRandom(uint64_t seed, std::string_view label);

  void fill(std::span<unsigned char> out) override;
  /// True with probability `p` in [0, 1].
  bool chance(double p);

 private:
  uint64_t draw();
  std::array<uint64_t, 4> state_{};
};

}  // namespace drover::sim

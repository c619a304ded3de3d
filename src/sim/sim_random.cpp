#include "sim/sim_random.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace drover::sim {

uint64_t fnv1a(std::string_view bytes, uint64_t state) {
  for (const char c : bytes) {
    state ^= static_cast<unsigned char>(c);
    state *= 0x100000001b3;
  }
  return state;
}

SimRandom::SimRandom(uint64_t seed, std::string_view label) {
  // splitmix64 fills the state, as the authors of xoshiro256** advise (https://prng.di.unimi.it).
  uint64_t x = fnv1a(label) ^ (seed * 0x9e3779b97f4a7c15);
  for (uint64_t& word : state_) {
    x += 0x9e3779b97f4a7c15;
    uint64_t z = x;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t SimRandom::draw() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SimRandom::fill(std::span<unsigned char> out) {
  while (!out.empty()) {
    const uint64_t word = draw();
    const size_t n = std::min(out.size(), sizeof word);
    std::memcpy(out.data(), &word, n);
    out = out.subspan(n);
  }
}

bool SimRandom::chance(double p) {
  return static_cast<double>(draw() >> 11) * 0x1.0p-53 < p;
}

}  // namespace drover::sim

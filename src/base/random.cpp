#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace drover {

uint64_t Random::next() {
  std::array<unsigned char, 8> bytes{};
  fill(bytes);
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

uint64_t Random::below(uint64_t bound) {
  if (bound == 0) return 0;
  // Rejection keeps the draw uniform: the tail that does not fill a whole `bound` is drawn again.
  const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

Duration Random::between(Duration from, Duration to) {
  if (to <= from) return from;
  return from + Duration(below(static_cast<uint64_t>((to - from).count()) + 1));
}

std::string Random::hex(size_t bytes) {
  std::vector<unsigned char> raw(bytes);
  fill(raw);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes * 2);
  for (const unsigned char byte : raw) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

Duration Backoff::next(Random& random) {
  const uint32_t shift = std::min(attempt_, 20U);
  ++attempt_;
  const Duration ceiling = std::min(cap_, base_ * (int64_t{1} << shift));
  return random.between(base_ / 2, std::max(base_, ceiling));
}

}  // namespace drover

// For tests: databases that live through many power cuts, seed by seed, in lots that may run beside
// one another. A story is a class with
//   Story(uint64_t seed, bool careful);   // not careful: with the fault that its checker must find
//   std::string run();                    // empty, or what is wrong
//   struct Counts { Counts& operator+=(const Counts&); };  counts(): what happened on the way
#pragma once

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace drover::store::testing {

inline constexpr uint64_t kLots = 6;
inline constexpr uint64_t kSeedsOfALot = 50;

/// For INSTANTIATE_TEST_SUITE_P.
inline auto all_lots() {
  return ::testing::Range<uint64_t>(0, kLots);
}

/// Runs every seed of a lot with care and adds up what happened. The first seed with which
/// something is wrong fails the test and ends the lot.
template <typename Story>
typename Story::Counts run_lot(uint64_t lot) {
  typename Story::Counts out;
  for (uint64_t seed = lot * kSeedsOfALot; seed < (lot + 1) * kSeedsOfALot; ++seed) {
    Story story(seed, true);
    const std::string wrong = story.run();
    if (!wrong.empty()) {
      ADD_FAILURE() << "seed " << seed << ": " << wrong;
      break;
    }
    out += story.counts();
  }
  return out;
}

/// With how many of the first seeds the checker finds the fault.
template <typename Story>
uint64_t count_found(uint64_t seeds) {
  uint64_t found = 0;
  for (uint64_t seed = 0; seed < seeds; ++seed) found += Story(seed, false).run().empty() ? 0 : 1;
  return found;
}

}  // namespace drover::store::testing

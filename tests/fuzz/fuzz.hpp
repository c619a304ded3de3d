// What every fuzz target is made of: one function over one input. It must neither crash nor be
// slow, and what it accepts must survive the round trip.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace drover::fuzz {

/// Ends the run when a property does not hold; the fuzzer keeps the input.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property does not hold: %s\n", property);
  std::abort();
}

}  // namespace drover::fuzz

/// DROVER_FUZZ(input) { ... } defines the target; `input` is a std::string_view.
#define DROVER_FUZZ_TARGET(input)                                           \
  static void fuzz_one(std::string_view input);                             \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    fuzz_one({reinterpret_cast<const char*>(data), size});                  \
    return 0;                                                               \
  }                                                                         \
  static void fuzz_one(std::string_view input)

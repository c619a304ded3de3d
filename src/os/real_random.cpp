// RealRandom over getrandom(2).
#include "os/real_random.hpp"

#include <cerrno>
#include <cstdlib>

#include <sys/random.h>

namespace drover::os {

void RealRandom::fill(std::span<unsigned char> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();
    out = out.subspan(static_cast<size_t>(got));
  }
}

}  // namespace drover::os

#include "tree/call.hpp"

#include <numeric>

namespace drover::tree {

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return "done";
    case Outcome::failed:
      return "failed";
    case Outcome::unreached:
      return "unreached";
    case Outcome::timed_out:
      return "timed_out";
  }
  return "failed";
}

size_t CallTotals::answered() const {
  return std::accumulate(counts.begin(), counts.end(), size_t{0});
}

}  // namespace drover::tree

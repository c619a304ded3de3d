// One row by its number for each step.
#include "store/sqlite/change_chain.hpp"

#include <algorithm>

namespace drover::store {

void ChangeChain::begin_at(uint64_t sequence) {
  if (sequence != 0) newest_.push_back(sequence);
}

Result<std::optional<uint64_t>> ChangeChain::next() {
  while (!newest_.empty()) {
    const auto newest = std::ranges::max_element(newest_);
    const uint64_t sequence = *newest;
    auto run = link_.start();
    run.bind(sequence);
    DROVER_TRY(const bool kept, run.step());
    const uint64_t previous = kept ? run.number(0) : 0;
    if (previous == 0) {
      newest_.erase(newest);
    } else {
      *newest = previous;
    }
    if (kept && (id_.empty() || run.text(1) == id_)) return sequence;
  }
  return std::nullopt;
}

}  // namespace drover::store

// TimerHeap: a binary heap of (time, slot) over a table of callbacks.
#include "net/timer_heap.hpp"

#include <algorithm>

namespace drover::net {
namespace {
constexpr size_t kCompactFrom = 64;  // below this a rebuild saves nothing worth having
}  // namespace

Clock::TimerId TimerHeap::arm(MonoTime when, Callback<void()> fire) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].fire = std::move(fire);
  const uint32_t generation = slots_[slot].generation;
  heap_.push_back({when, next_sequence_++, slot, generation});
  std::ranges::push_heap(heap_, later);
  ++armed_;
  return (static_cast<uint64_t>(generation) << 32) | slot;
}

Callback<void()> TimerHeap::release(uint32_t slot) {
  Callback<void()> fire = std::move(slots_[slot].fire);
  if (++slots_[slot].generation == 0) slots_[slot].generation = 1;
  free_.push_back(slot);
  --armed_;
  return fire;
}

void TimerHeap::disarm(Clock::TimerId id) {
  const auto slot = static_cast<uint32_t>(id);
  const auto generation = static_cast<uint32_t>(id >> 32);
  if (slot >= slots_.size() || slots_[slot].generation != generation) return;
  // Dropped at the end of this scope: its destructor may arm or disarm others.
  const Callback<void()> dropped = release(slot);
  if (heap_.size() > kCompactFrom && heap_.size() > 2 * armed_) compact();
}

void TimerHeap::compact() {
  std::erase_if(heap_, [this](const Entry& entry) { return stale(entry); });
  std::ranges::make_heap(heap_, later);
}

void TimerHeap::pop() {
  std::ranges::pop_heap(heap_, later);
  heap_.pop_back();
}

void TimerHeap::drop_stale_top() {
  while (!heap_.empty() && stale(heap_.front())) pop();
}

std::optional<MonoTime> TimerHeap::next_due() {
  drop_stale_top();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

void TimerHeap::fire_due(MonoTime now) {
  const uint64_t limit = next_sequence_;
  for (;;) {
    drop_stale_top();
    if (heap_.empty() || heap_.front().when > now || heap_.front().sequence >= limit) return;
    const uint32_t slot = heap_.front().slot;
    pop();
    Callback<void()> fire = release(slot);
    fire();
  }
}

}  // namespace drover::net

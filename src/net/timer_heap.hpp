// A set of timers for one loop: arm in O(log n), disarm in O(1), 24 bytes and a slot each.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace drover::net {

/// Timers by due time; equal times fire in the order they were armed. A disarmed timer leaves a
/// stale heap entry behind, which is dropped when it surfaces or when stale ones outnumber the
/// rest.
class TimerHeap {
 public:
  TimerHeap() = default;
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;
  /// Closures that are dropped in here may still disarm timers.
  ~TimerHeap() { const std::vector<Slot> dropped = std::exchange(slots_, {}); }

  Clock::TimerId arm(MonoTime when, Callback<void()> fire);
  /// Ids that have fired or were never given are ignored.
  void disarm(Clock::TimerId id);
  /// When the next one is due; nothing when none is armed.
  [[nodiscard]] std::optional<MonoTime> next_due();
  /// Fires what is due at `now` and was armed before this call. Timers may be armed and disarmed in
  /// the callbacks.
  void fire_due(MonoTime now);
  [[nodiscard]] size_t armed() const { return armed_; }

 private:
  struct Entry {
    MonoTime when;
    uint64_t sequence = 0;
    uint32_t slot = 0;
    uint32_t generation = 0;
  };
  struct Slot {
    Callback<void()> fire;
    uint32_t generation = 1;  ///< never 0, so that no id is 0
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
  }
  [[nodiscard]] bool stale(const Entry& entry) const {
    return slots_[entry.slot].generation != entry.generation;
  }
  void drop_stale_top();
  void pop();
  void compact();
  Callback<void()> release(uint32_t slot);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  uint64_t next_sequence_ = 0;
  size_t armed_ = 0;
};

}  // namespace drover::net

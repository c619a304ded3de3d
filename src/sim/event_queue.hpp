// The simulator's agenda: callbacks ordered by virtual time, then by the order they were added.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace drover::sim {

/// A binary heap over a slab of events; cancelled entries are skipped when they come up.
class EventQueue {
 public:
  using Id = uint64_t;     ///< never 0; not reused
  using Owner = uint32_t;  ///< who the event belongs to; 0 is the world itself

  struct Due {
    Duration time;
    Id id;
    Owner owner;
  };

  Id push(Duration time, Owner owner, Callback<void()> run);
  /// Forgets an event; unknown or past ids are ignored.
  void cancel(Id id);
  /// The next event, left in the queue.
  std::optional<Due> peek();
  /// Removes the event that peek() returned and gives its callback.
  Callback<void()> take(const Due& due);
  /// Sets the event that peek() returned aside; it stays cancellable and waits for restore().
  void set_aside(const Due& due);
  /// Puts an event that was set aside back at `time`. Ignored when it was cancelled meanwhile.
  void restore(Id id, Duration time);
  /// Forgets all events of an owner.
  void purge(Owner owner);
  [[nodiscard]] size_t size() const { return live_; }

 private:
  struct Slot {
    Callback<void()> run;
    uint32_t generation = 1;
    Owner owner = 0;
    bool live = false;
  };
  struct Entry {
    Duration time;
    uint64_t sequence;
    Id id;
    bool operator<(const Entry& other) const {
      return time != other.time ? time > other.time : sequence > other.sequence;
    }
  };
  Slot* find(Id id);
  void add_entry(Duration time, Id id);
  Callback<void()> release(Id id);

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::vector<Entry> heap_;
  uint64_t sequence_ = 0;
  size_t live_ = 0;
};

}  // namespace drover::sim

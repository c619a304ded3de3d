#include "sim/event_queue.hpp"

#include <algorithm>

namespace drover::sim {

EventQueue::Slot* EventQueue::find(Id id) {
  const auto index = static_cast<uint32_t>(id);
  if (index >= slots_.size()) return nullptr;
  Slot& slot = slots_[index];
  return slot.live && slot.generation == static_cast<uint32_t>(id >> 32) ? &slot : nullptr;
}

void EventQueue::add_entry(Duration time, Id id) {
  heap_.push_back({time, sequence_++, id});
  std::push_heap(heap_.begin(), heap_.end());
}

EventQueue::Id EventQueue::push(Duration time, Owner owner, Callback<void()> run) {
  uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.run = std::move(run);
  slot.owner = owner;
  slot.live = true;
  ++live_;
  const Id id = (uint64_t{slot.generation} << 32) | index;
  add_entry(time, id);
  return id;
}

Callback<void()> EventQueue::release(Id id) {
  Slot* slot = find(id);
  if (slot == nullptr) return nullptr;
  // The callback leaves before the slot is reused: destroying it may come back into this queue.
  Callback<void()> run = std::move(slot->run);
  slot->run = nullptr;
  slot->live = false;
  ++slot->generation;
  free_.push_back(static_cast<uint32_t>(id));
  --live_;
  return run;
}

void EventQueue::cancel(Id id) {
  const auto dropped = release(id);
}

std::optional<EventQueue::Due> EventQueue::peek() {
  while (!heap_.empty()) {
    const Entry& top = heap_.front();
    if (const Slot* slot = find(top.id)) return Due{top.time, top.id, slot->owner};
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
  }
  return std::nullopt;
}

void EventQueue::set_aside(const Due& due) {
  if (heap_.empty() || heap_.front().id != due.id) return;
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
}

Callback<void()> EventQueue::take(const Due& due) {
  set_aside(due);
  return release(due.id);
}

void EventQueue::restore(Id id, Duration time) {
  if (find(id) != nullptr) add_entry(time, id);
}

void EventQueue::purge(Owner owner) {
  std::vector<Callback<void()>> dropped;
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.live && slot.owner == owner) {
      dropped.push_back(release((uint64_t{slot.generation} << 32) | i));
    }
  }
}

}  // namespace drover::sim

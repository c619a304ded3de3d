#include "boot/dns/answer_cache.hpp"

namespace drover::boot::dns {
namespace {

/// What an entry takes beside its bytes, about.
constexpr size_t kOverhead = 256;

size_t cost(const AnswerCache::Kept& kept) {
  return kOverhead + kept.key.size() + kept.message.size() +
         kept.facts.ttls.size() * sizeof(uint16_t);
}

}  // namespace

uint32_t AnswerCache::Kept::age(MonoTime now) const {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now - since).count());
}

const AnswerCache::Kept* AnswerCache::find(const std::string& key, MonoTime now) {
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) return nullptr;
  const Place place = it->second;
  if (place->age(now) >= place->facts.ttl) {
    drop(place);
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, place);
  return &*place;
}

void AnswerCache::put(const std::string& key, std::string_view message, const AnswerFacts& facts,
                      MonoTime now) {
  if (const auto it = by_key_.find(key); it != by_key_.end()) drop(it->second);
  if (facts.ttl == 0) return;
  kept_.push_front({key, std::string(message), facts, now});
  by_key_[kept_.front().key] = kept_.begin();
  bytes_ += cost(kept_.front());
  while (bytes_ > most_ && !kept_.empty()) drop(std::prev(kept_.end()));
}

void AnswerCache::drop(Place place) {
  bytes_ -= cost(*place);
  by_key_.erase(place->key);
  kept_.erase(place);
}

void AnswerCache::clear() {
  by_key_.clear();
  kept_.clear();
  bytes_ = 0;
}

}  // namespace drover::boot::dns

// Two look-ups: by kind, by key.
#include "store/readings.hpp"

namespace drover::store {

void Readings::keep(std::string_view kind, std::string_view key, uint64_t revision,
                    const std::shared_ptr<const Reading>& reading) {
  auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) {
    if (reading == nullptr) return;
    of_kind = kinds_.try_emplace(std::string(kind)).first;
  }
  ByKey& by_key = of_kind->second;
  auto known = by_key.find(key);
  if (reading == nullptr) {
    if (known != by_key.end()) by_key.erase(known);
    return;
  }
  if (known == by_key.end()) known = by_key.try_emplace(std::string(key)).first;
  known->second = {revision, reading};
}

std::shared_ptr<const Reading> Readings::find(std::string_view kind, std::string_view key,
                                              uint64_t revision) const {
  const auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) return nullptr;
  const auto known = of_kind->second.find(key);
  if (known == of_kind->second.end() || known->second.revision != revision) return nullptr;
  return known->second.reading.lock();
}

}  // namespace drover::store

// Two look-ups: by kind, by key.
#include "store/readings.hpp"

namespace drover::store {

Readings::Entry* Readings::entry(std::string_view kind, std::string_view key) {
  if (last_ != nullptr && last_->first == key && *last_kind_ == kind) return last_;
  const auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) return nullptr;
  const auto known = of_kind->second.find(key);
  if (known == of_kind->second.end()) return nullptr;
  last_kind_ = &of_kind->first;
  last_ = &*known;
  return last_;
}

void Readings::keep(std::string_view kind, std::string_view key, int64_t row, uint64_t revision,
                    std::string_view body, const std::shared_ptr<const Reading>& reading) {
  if (reading == nullptr) return forget(kind, key);
  Entry* known = entry(kind, key);
  if (known == nullptr) {
    auto of_kind = kinds_.find(kind);
    if (of_kind == kinds_.end()) of_kind = kinds_.try_emplace(std::string(kind)).first;
    known = &*of_kind->second.try_emplace(std::string(key)).first;
  }
  known->second.row = row;
  known->second.revision = revision;
  known->second.body.assign(body);
  known->second.reading = reading;
}

void Readings::note_row(std::string_view kind, std::string_view key, int64_t row,
                        uint64_t revision) {
  Entry* const known = entry(kind, key);
  if (known != nullptr && known->second.revision == revision) known->second.row = row;
}

void Readings::forget(std::string_view kind, std::string_view key) {
  const auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) return;
  const auto known = of_kind->second.find(key);
  if (known == of_kind->second.end()) return;
  last_ = nullptr;
  of_kind->second.erase(known);
}

void Readings::clear() {
  last_ = nullptr;
  kinds_.clear();
}

const Readings::Known* Readings::find(std::string_view kind, std::string_view key) {
  const Entry* const found = entry(kind, key);
  return found == nullptr || found->second.reading.expired() ? nullptr : &found->second;
}

std::shared_ptr<const Reading> Readings::reading(std::string_view kind, std::string_view key) {
  const Entry* const found = entry(kind, key);
  return found == nullptr ? nullptr : found->second.reading.lock();
}

}  // namespace drover::store

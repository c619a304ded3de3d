// Test support: a store transaction over a map, with the log of what it changed.
#pragma once

#include "store/store.hpp"

#include <map>
#include <string>
#include <vector>

namespace drover::cluster::testing {

/// Behaves as store::Transaction promises, without atomicity: an error does not undo what came
/// before.
class MemoryTransaction final : public store::Transaction {
 public:
  Result<std::optional<store::Object>> get(std::string_view kind, std::string_view key) override {
    const auto it = objects_.find({std::string(kind), std::string(key)});
    if (it == objects_.end()) return std::nullopt;
    return it->second;
  }
  Result<std::shared_ptr<const store::Reading>> reading(std::string_view kind,
                                                        std::string_view key) override {
    const auto it = objects_.find({std::string(kind), std::string(key)});
    return it == objects_.end() ? nullptr : it->second.reading.pointer;
  }
  Result<std::vector<store::Object>> list(const store::ListQuery& query) override {
    std::vector<store::Object> out;
    for (const auto& [id, object] : objects_) {
      if (object.kind == query.kind && object.key.starts_with(query.prefix)) out.push_back(object);
    }
    return out;
  }
  using store::Transaction::put;
  Result<uint64_t> put(std::string_view kind, std::string_view key, std::string_view body,
                       store::ReadingPointer reading) override {
    const auto [it, is_new] = objects_.try_emplace({std::string(kind), std::string(key)});
    store::Object& object = it->second;
    if (!is_new && object.body == body) return object.revision;
    store::Change change = note(kind, key);
    if (!is_new) change.before = object.body;
    change.after = std::string(body);
    change.reading = reading;
    object = {std::string(kind), std::string(key), std::string(body), change.sequence,
              std::move(reading)};
    changes.push_back(std::move(change));
    return object.revision;
  }
  Result<bool> erase(std::string_view kind, std::string_view key) override {
    const auto it = objects_.find({std::string(kind), std::string(key)});
    if (it == objects_.end()) return false;
    store::Change change = note(kind, key);
    change.operation = store::Operation::erase;
    change.before = it->second.body;
    changes.push_back(std::move(change));
    objects_.erase(it);
    return true;
  }
  Status put_quiet(std::string_view kind, std::string_view key, std::string_view body) override {
    objects_[{std::string(kind), std::string(key)}] = {
        std::string(kind), std::string(key), std::string(body), 0, {}};
    return {};
  }
  Result<bool> erase_quiet(std::string_view kind, std::string_view key) override {
    return objects_.erase({std::string(kind), std::string(key)}) > 0;
  }
  Status expect_revision(std::string_view, std::string_view, uint64_t) override { return {}; }
  Result<uint64_t> next_number(std::string_view) override { return 1; }
  void explain(std::string_view why) override { why_ = why; }
  [[nodiscard]] const std::string& actor() const override { return actor_; }
  [[nodiscard]] int64_t time_ms() const override { return time; }

  std::vector<store::Change> changes;
  int64_t time = 1'000'000;

 private:
  store::Change note(std::string_view kind, std::string_view key) {
    store::Change change;
    change.sequence = ++sequence_;
    change.time_ms = time;
    change.actor = actor_;
    change.kind = kind;
    change.key = key;
    change.why = why_;
    return change;
  }

  std::map<std::pair<std::string, std::string>, store::Object> objects_;
  std::string actor_ = "test";
  std::string why_;
  uint64_t sequence_ = 0;
};

}  // namespace drover::cluster::testing

// Answers of other servers for as long as they allow, within a bound: the least used goes first.
#pragma once

#include "base/clock.hpp"
#include "boot/dns/forwarding.hpp"

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace drover::boot::dns {

/// One thread.
class AnswerCache {
 public:
  /// `most`: bytes of answers, with what keeping them costs.
  explicit AnswerCache(size_t most) : most_(most) {}

  struct Kept {
    std::string key;
    std::string message;
    AnswerFacts facts;
    MonoTime since;
    /// Whole seconds that it is here.
    [[nodiscard]] uint32_t age(MonoTime now) const;
  };

  /// An answer that may still be given, or nullptr. Valid until the next call.
  const Kept* find(const std::string& key, MonoTime now);
  /// Keeps an answer if its facts allow; one that is here under the key is replaced.
  void put(const std::string& key, std::string_view message, const AnswerFacts& facts,
           MonoTime now);
  void clear();
  [[nodiscard]] size_t size() const { return by_key_.size(); }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  using Place = std::list<Kept>::iterator;
  void drop(Place place);

  size_t most_;
  size_t bytes_ = 0;
  std::list<Kept> kept_;  ///< the last used first
  std::unordered_map<std::string_view, Place> by_key_;
};

}  // namespace drover::boot::dns

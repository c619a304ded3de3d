// Regular expressions whose cost is bounded: time grows with pattern times text, never more.
#pragma once

#include "base/result.hpp"

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace drover {

/// A compiled regular expression over bytes: literals, ., [sets], \d \w \s, groups, |, * + ? {m,n},
/// ^ and $. No back-references, no captures. Unlike std::regex it neither throws, nor recurses on
/// the text, nor backtracks, so an expression from a user cannot stall a daemon (Thompson's
/// construction, R. Cox, "Regular Expression Matching Can Be Simple And Fast").
class TextPattern {
 public:
  /// invalid_argument says what is wrong and where; too_large when it needs over 4096 steps.
  static Result<TextPattern> compile(std::string_view pattern);
  /// Whether any part of `text` matches. Thread-safe.
  [[nodiscard]] bool matches(std::string_view text) const;
  /// Steps of the program, the factor of its cost per byte of text.
  [[nodiscard]] size_t size() const { return program_.size(); }

 private:
  friend class TextPatternCompiler;
  enum class Op : uint8_t { set, split, jump, begin, end, match };
  struct Step {
    Op op = Op::match;
    uint32_t x = 0;  ///< set: index into sets_; split, jump: next step
    uint32_t y = 0;  ///< split: other next step
  };
  struct Threads;
  void add(Threads& threads, uint32_t step, size_t position, size_t length) const;

  std::vector<Step> program_;
  std::vector<std::bitset<256>> sets_;
};

}  // namespace drover

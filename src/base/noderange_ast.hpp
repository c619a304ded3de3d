// The parts of a noderange expression, shared by its parser, evaluator and folder. Private to base.
#pragma once

#include "base/noderange.hpp"
#include "base/text_pattern.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace drover::noderange {

/// Longest name, of DNS (RFC 1035 section 2.3.4).
inline constexpr size_t kMaxNameBytes = 255;
/// Longest number that may stand in a span, in brackets or in a folded field; fits in 64 bits.
inline constexpr size_t kMaxDigits = 18;
/// Most bracketed or numbered fields in one name.
inline constexpr size_t kMaxFields = 32;

/// Numbers first, first+step, .. up to last, written with at least `width` digits.
struct NumberRange {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t step = 1;
  uint32_t width = 1;
};

/// A name with number fields: literals[0] fields[0] literals[1] .. literals[n].
struct Pattern {
  std::vector<std::string> literals;
  std::vector<std::vector<NumberRange>> fields;
};
/// How many names a pattern makes; saturates just above kMaxRangeNames.
size_t count_of(const Pattern& pattern);
/// Appends them, the last field counting fastest.
void append_names(const Pattern& pattern, std::vector<std::string>& out);
void append_number(std::string& out, uint64_t value, uint32_t width);

/// A mistake inside a span's text.
struct SpanMistake {
  std::string what;
};
/// Two names that differ in numbers alone, "n01-n16" or "n01:n16", or "n01+15" by `separator`.
/// Nothing when the text does not have that form; a mistake when it has but cannot be meant.
std::optional<tl::expected<Pattern, SpanMistake>> parse_span(std::string_view text, char separator);

/// Whether a byte may stand in a name that is not quoted.
constexpr bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

enum class Kind { word, pattern, quoted, group, group_pattern, regex, attribute, all, chain };
enum class Compare { equal, not_equal, matches, differs, less, less_equal, greater, greater_equal };
enum class SetOperator { unite, subtract, differ, intersect };

/// One node of the tree. `text` points into the expression's text.
struct Expression {
  Kind kind = Kind::chain;
  Compare compare = Compare::equal;
  size_t offset = 0;
  std::string_view text;  ///< word, group, attribute: its name
  /// word: plain ones that follow it in a union, so that a list of 100,000 names is one expression
  std::vector<std::string_view> more;
  std::string value;                 ///< quoted: the name; attribute: what it is compared with
  std::unique_ptr<Pattern> pattern;  ///< pattern, group_pattern
  std::unique_ptr<TextPattern> regex;
  std::vector<Expression> operands;    ///< chain, at least one
  std::vector<SetOperator> operators;  ///< chain, one fewer, applied from the left
};

tl::expected<Expression, RangeMistake> parse(std::string_view text);

/// `column 3, at "[1-3": what`.
Error mistake_error(std::string_view text, const RangeMistake& mistake);

}  // namespace drover::noderange

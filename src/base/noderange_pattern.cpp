// Names with number fields: making them from ranges, and reading a span's two ends.
#include "base/noderange_ast.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>

namespace drover::noderange {
namespace {

size_t count_of(const std::vector<NumberRange>& field) {
  size_t total = 0;
  for (const NumberRange& range : field) {
    const uint64_t count = (range.last - range.first) / range.step + 1;
    total =
        std::min<size_t>(total + std::min<uint64_t>(count, kMaxRangeNames + 1), kMaxRangeNames + 1);
  }
  return total;
}

/// A name cut at its numbers; literals has one more element than numbers.
struct Shape {
  std::vector<std::string_view> literals;
  std::vector<std::string_view> numbers;
};

Shape cut(std::string_view name) {
  Shape out;
  size_t at = 0;
  while (true) {
    const size_t start = at;
    while (at < name.size() && !is_digit(name[at])) ++at;
    out.literals.push_back(name.substr(start, at - start));
    if (at == name.size()) return out;
    const size_t number = at;
    while (at < name.size() && is_digit(name[at])) ++at;
    out.numbers.push_back(name.substr(number, at - number));
  }
}

bool too_long(const Shape& shape) {
  return shape.numbers.size() > kMaxFields ||
         std::any_of(shape.numbers.begin(), shape.numbers.end(),
                     [](std::string_view digits) { return digits.size() > kMaxDigits; });
}

uint64_t to_number(std::string_view digits) {
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

uint32_t width_of(std::string_view digits) {
  return digits.size() > 1 && digits.front() == '0' ? static_cast<uint32_t>(digits.size()) : 1;
}

using Span = std::optional<tl::expected<Pattern, SpanMistake>>;

Span mistake(std::string what) {
  return tl::unexpected(SpanMistake{std::move(what)});
}

Span parse_count(std::string_view name, std::string_view count) {
  if (count.empty() || count.size() > kMaxDigits ||
      !std::all_of(count.begin(), count.end(), is_digit)) {
    return mistake("expected a number of further nodes after +");
  }
  const Shape shape = cut(name);
  if (shape.numbers.empty()) return mistake("a name before + must have a number to count up");
  if (too_long(shape)) return mistake("a number has more than 18 digits");
  Pattern out;
  for (size_t i = 0; i < shape.numbers.size(); ++i) {
    const uint64_t first = to_number(shape.numbers[i]);
    const uint64_t more = i + 1 == shape.numbers.size() ? to_number(count) : 0;
    out.literals.emplace_back(shape.literals[i]);
    out.fields.push_back({{first, first + more, 1, width_of(shape.numbers[i])}});
  }
  out.literals.emplace_back(shape.literals.back());
  return out;
}

Span parse_ends(std::string_view left, std::string_view right) {
  const Shape from = cut(left);
  const Shape to = cut(right);
  if (from.literals != to.literals || from.numbers.empty()) return std::nullopt;
  if (too_long(from) || too_long(to)) return mistake("a number has more than 18 digits");
  Pattern out;
  for (size_t i = 0; i < from.numbers.size(); ++i) {
    const uint64_t first = to_number(from.numbers[i]);
    const uint64_t last = to_number(to.numbers[i]);
    if (last < first) {
      return mistake(
          fmt::format("the span is reversed: {} is after {}", from.numbers[i], to.numbers[i]));
    }
    const uint32_t width = width_of(from.numbers[i]);
    if (width_of(to.numbers[i]) > 1 && width_of(to.numbers[i]) != width) {
      return mistake(fmt::format("the two ends are padded differently: {} and {}", from.numbers[i],
                                 to.numbers[i]));
    }
    out.literals.emplace_back(from.literals[i]);
    out.fields.push_back({{first, last, 1, width}});
  }
  out.literals.emplace_back(from.literals.back());
  return out;
}

}  // namespace

size_t count_of(const Pattern& pattern) {
  size_t total = 1;
  for (const auto& field : pattern.fields) {
    total *= count_of(field);
    if (total > kMaxRangeNames) return kMaxRangeNames + 1;
  }
  return total;
}

void append_number(std::string& out, uint64_t value, uint32_t width) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const auto length = static_cast<size_t>(end - digits.data());
  if (length < width) out.append(width - length, '0');
  out.append(digits.data(), length);
}

void append_names(const Pattern& pattern, std::vector<std::string>& out) {
  // One level of the odometer per field: `name` holds everything up to and including field `depth`.
  struct Level {
    size_t range = 0;
    uint64_t value = 0;
    size_t length = 0;  ///< of the name before this field
  };
  const size_t depth = pattern.fields.size();
  std::string name = pattern.literals.front();
  if (depth == 0) {
    out.push_back(std::move(name));
    return;
  }
  std::vector<Level> levels(depth);
  const auto enter = [&](size_t level) {
    levels[level] = {0, pattern.fields[level].front().first, name.size()};
  };
  size_t level = 0;
  enter(0);
  while (true) {
    Level& here = levels[level];
    const auto& ranges = pattern.fields[level];
    if (here.range == ranges.size()) {
      if (level == 0) return;
      --level;
      continue;
    }
    const NumberRange& range = ranges[here.range];
    name.resize(here.length);
    append_number(name, here.value, range.width);
    name += pattern.literals[level + 1];
    if (range.last - here.value >= range.step) {
      here.value += range.step;
    } else if (++here.range < ranges.size()) {
      here.value = ranges[here.range].first;
    }
    if (level + 1 == depth) {
      out.push_back(name);
    } else {
      enter(++level);
    }
  }
}

std::optional<tl::expected<Pattern, SpanMistake>> parse_span(std::string_view text,
                                                             char separator) {
  if (separator != '-') {
    const size_t at = text.find(separator);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view left = text.substr(0, at);
    const std::string_view right = text.substr(at + 1);
    return separator == '+' ? parse_count(left, right) : parse_ends(left, right);
  }
  // The ends have the same text between their numbers, so as many dashes each: the middle one parts
  // them.
  const auto dashes = static_cast<size_t>(std::count(text.begin(), text.end(), '-'));
  if (dashes % 2 == 0) return std::nullopt;
  size_t at = 0;
  for (size_t i = 0; i <= dashes / 2; ++i) at = text.find('-', i == 0 ? 0 : at + 1);
  return parse_ends(text.substr(0, at), text.substr(at + 1));
}

}  // namespace drover::noderange

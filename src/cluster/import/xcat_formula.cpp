// A pattern is followed token by token, counting the numbers it passes, so that each capture is
// known as "the k-th number of the name".
#include "cluster/import/xcat_formula.hpp"

#include <vector>

#include <fmt/core.h>

namespace drover::cluster {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Which number of the name each capture holds; nothing for a pattern that is not understood.
std::optional<std::vector<size_t>> captures_of(std::string_view pattern) {
  std::vector<size_t> out;
  size_t numbers = 0;
  while (!pattern.empty()) {
    const bool capture = take(pattern, "(\\d+)") || take(pattern, "(\\d*)");
    if (capture || take(pattern, "\\d+")) {
      ++numbers;
      if (capture) out.push_back(numbers);
      continue;
    }
    const bool text = take(pattern, "\\D*?") || take(pattern, "\\D*") || take(pattern, "\\D+?") ||
                      take(pattern, "\\D+") || take(pattern, "[a-z]+") || take(pattern, "[a-z]*") ||
                      take(pattern, "[a-zA-Z]+") || take(pattern, "[A-Za-z]+") ||
                      take(pattern, "^") || take(pattern, "$") || take(pattern, "\\.") ||
                      take(pattern, "\\-");
    if (text) continue;
    const char c = pattern.front();
    const bool literal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (!literal) return std::nullopt;
    pattern.remove_prefix(1);
  }
  return out;
}

class Replacement {
 public:
  /// `captures` empty and `easy`: $k is the k-th number.
  Replacement(std::string_view text, std::vector<size_t> captures, bool easy, bool arithmetic)
      : text_(text), captures_(std::move(captures)), easy_(easy), arithmetic_(arithmetic) {}

  std::optional<std::string> formula() {
    std::string out;
    while (!text_.empty()) {
      const char c = text_.front();
      if (c == '$') {
        const auto name = variable();
        if (!name) return std::nullopt;
        out += fmt::format("${{{}}}", *name);
      } else if (c == '(' && arithmetic_) {
        const auto inner = parenthesis();
        if (!inner) return std::nullopt;
        out += fmt::format("${{{}}}", *inner);
      } else {
        if (c == '{' || c == '}') return std::nullopt;
        if (c == '\\' && text_.size() > 1) text_.remove_prefix(1);
        out.push_back(text_.front());
        text_.remove_prefix(1);
      }
    }
    return out;
  }

 private:
  /// "$2" or "${2}" as "number2".
  std::optional<std::string> variable() {
    text_.remove_prefix(1);
    const bool braces = take(text_, "{");
    size_t digits = 0;
    while (digits < text_.size() && digits < 2 && is_digit(text_[digits])) ++digits;
    if (digits == 0) return std::nullopt;
    size_t index = 0;
    for (size_t i = 0; i < digits; ++i) index = index * 10 + static_cast<size_t>(text_[i] - '0');
    text_.remove_prefix(digits);
    if (braces && !take(text_, "}")) return std::nullopt;
    if (index == 0) return std::nullopt;
    if (easy_) return fmt::format("number{}", index);
    if (index > captures_.size()) return std::nullopt;
    return fmt::format("number{}", captures_[index - 1]);
  }

  /// The arithmetic up to the parenthesis that closes this one.
  std::optional<std::string> parenthesis() {
    std::string out;
    size_t depth = 0;
    while (!text_.empty()) {
      const char c = text_.front();
      if (c == '$') {
        const auto name = variable();
        if (!name) return std::nullopt;
        out += *name;
        continue;
      }
      text_.remove_prefix(1);
      if (c == '(' && ++depth == 1) continue;
      if (c == ')' && --depth == 0) return out;
      const bool known = is_digit(c) || c == '+' || c == '-' || c == '*' || c == '/' || c == '%' ||
                         c == '(' || c == ')';
      if (!known && c != ' ') return std::nullopt;
      if (c != ' ') out.push_back(c);
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::vector<size_t> captures_;
  bool easy_;
  bool arithmetic_;
};

}  // namespace

bool is_xcat_rule(std::string_view value) {
  if (value.size() < 3 || value.front() != value.back()) return false;
  if (value.front() == '|') return true;
  // A path such as /install/ is none: a rule has a delimiter inside.
  return value.front() == '/' &&
         value.substr(1, value.size() - 2).find('/') != std::string_view::npos &&
         value.find("$") != std::string_view::npos;
}

std::optional<std::string> xcat_formula(std::string_view rule) {
  const char delimiter = rule.front();
  const std::string_view inner = rule.substr(1, rule.size() - 2);
  const size_t middle = inner.find(delimiter);
  if (middle == std::string_view::npos) {
    if (delimiter != '|') return std::nullopt;
    return Replacement(inner, {}, true, true).formula();
  }
  if (inner.find(delimiter, middle + 1) != std::string_view::npos) return std::nullopt;
  auto captures = captures_of(inner.substr(0, middle));
  if (!captures) return std::nullopt;
  return Replacement(inner.substr(middle + 1), *std::move(captures), false, delimiter == '|')
      .formula();
}

}  // namespace drover::cluster

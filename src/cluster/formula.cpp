#include "cluster/formula.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// What an expression is worth: always text, and an integer where it was computed.
struct Value {
  std::string text;
  std::optional<int64_t> number;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool continues_name(char c) {
  return begins_name(c) || is_digit(c) || c == '.';
}

std::optional<int64_t> to_integer(std::string_view text) {
  int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc{} || end != last) return std::nullopt;
  return value;
}

/// Reads one text from left to right. Without `variable` it checks the syntax and gathers the names
/// of the variables; nothing is computed then.
class Reader {
 public:
  Reader(std::string_view text, FormulaVariable* variable) : text_(text), variable_(variable) {}

  Result<std::string> run() {
    if (text_.size() > kMaxFormula) {
      return fail(Code::too_large,
                  fmt::format("a value with a formula is longer than {} bytes", kMaxFormula));
    }
    std::string out;
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("$${")) {
        out += "${";
        at_ += 3;
      } else if (text_.substr(at_).starts_with("${")) {
        at_ += 2;
        DROVER_TRY(const std::string value, formula());
        out += value;
      } else {
        out.push_back(text_[at_++]);
      }
      if (out.size() > kMaxFormula) {
        return fail(Code::too_large, fmt::format("the value of the formula '{}' is longer than {} "
                                                 "bytes",
                                                 printable(text_), kMaxFormula));
      }
    }
    return out;
  }
  std::vector<std::string> take_names() { return std::move(names_); }

 private:
  [[nodiscard]] bool computes() const { return variable_ != nullptr; }
  [[nodiscard]] tl::unexpected<Error> wrong(size_t at, std::string_view what) const {
    return fail(Code::invalid_argument,
                fmt::format("formula '{}', column {}: {}", printable(text_), at + 1, what));
  }
  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Result<std::string> formula() {
    const size_t start = at_;
    DROVER_TRY(Value value, sum());
    if (take(':')) {
      DROVER_TRY(value.text, formatted(start, value));
    }
    if (!take('}')) {
      return wrong(at_, peek() == '\0' ? "expected '}' at the end of the formula"
                                       : "expected an operator or '}'");
    }
    return std::move(value.text);
  }

  Result<std::string> formatted(size_t start, const Value& value) {
    const bool zeros = at_ < text_.size() && text_[at_] == '0';
    if (zeros) ++at_;
    size_t width = 0;
    const size_t digits = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      width = width * 10 + static_cast<size_t>(text_[at_++] - '0');
      if (at_ - digits > 2) return wrong(digits, "expected a width of at most two digits");
    }
    const char kind = at_ < text_.size() ? text_[at_] : '\0';
    if (kind != 'd' && kind != 'x' && kind != 'X') {
      return wrong(at_, "expected a format such as 03d or 02x");
    }
    ++at_;
    if (!computes()) return std::string();
    DROVER_TRY(const int64_t number, integer(start, value));
    const std::string spec =
        fmt::format("{{:{}{}{}}}", zeros ? "0" : "", width > 0 ? std::to_string(width) : "", kind);
    return fmt::format(fmt::runtime(spec), number);
  }

  Result<int64_t> integer(size_t at, const Value& value) {
    if (!computes()) return 0;
    if (value.number) return *value.number;
    if (const auto number = to_integer(value.text)) return *number;
    return wrong(at, fmt::format("'{}' is not an integer", printable(value.text)));
  }

  static Value number(int64_t value) { return {std::to_string(value), value}; }

  Result<Value> compute(char by, size_t at, int64_t left, int64_t right) {
    if (!computes()) return Value();
    int64_t out = 0;
    bool over = false;
    if (by == '+') over = __builtin_add_overflow(left, right, &out);
    if (by == '-') over = __builtin_sub_overflow(left, right, &out);
    if (by == '*') over = __builtin_mul_overflow(left, right, &out);
    if (by == '/' || by == '%') {
      if (right == 0) return wrong(at, "division by zero");
      over = left == std::numeric_limits<int64_t>::min() && right == -1;
      if (!over) {
        int64_t quotient = left / right;
        int64_t rest = left % right;
        if (rest != 0 && (rest < 0) != (right < 0)) {
          --quotient;
          rest += right;
        }
        out = by == '/' ? quotient : rest;
      }
    }
    if (over) return wrong(at, "the number does not fit into 64 bits");
    return number(out);
  }

  using Operand = Result<Value> (Reader::*)();
  Result<Value> chain(std::string_view operators, Operand operand) {
    const size_t start = at_;
    DROVER_TRY(Value left, (this->*operand)());
    for (char by = peek(); by != '\0' && operators.find(by) != std::string_view::npos;
         by = peek()) {
      const size_t at = at_++;
      DROVER_TRY(const int64_t first, integer(start, left));
      const size_t second_at = at_;
      DROVER_TRY(const Value right, (this->*operand)());
      DROVER_TRY(const int64_t second, integer(second_at, right));
      DROVER_TRY(left, compute(by, at, first, second));
    }
    return left;
  }
  Result<Value> sum() { return chain("+-", &Reader::product); }
  Result<Value> product() { return chain("*/%", &Reader::unary); }

  Result<Value> unary() {
    const char c = peek();
    if (depth_ >= kMaxFormulaDepth) return wrong(at_, "nested too deeply");
    ++depth_;
    Result<Value> out = c == '-' ? negative() : primary(c);
    --depth_;
    return out;
  }
  Result<Value> negative() {
    const size_t at = at_++;
    DROVER_TRY(const Value value, unary());
    DROVER_TRY(const int64_t operand, integer(at, value));
    return compute('-', at, 0, operand);
  }

  Result<Value> primary(char c) {
    const size_t start = at_;
    if (c == '(') {
      ++at_;
      DROVER_TRY(Value value, sum());
      if (!take(')')) return wrong(at_, "expected ')'");
      return value;
    }
    if (is_digit(c)) {
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      const std::string_view digits = text_.substr(start, at_ - start);
      const auto value = to_integer(digits);
      if (!value) return wrong(start, "the number does not fit into 64 bits");
      return Value{std::string(digits), value};
    }
    if (!begins_name(c)) return wrong(start, "expected a number, a variable or '('");
    while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
    const std::string name(text_.substr(start, at_ - start));
    if ((name == "min" || name == "max") && peek() == '(') return least_or_most(name == "min");
    if (std::ranges::find(names_, name) == names_.end()) names_.push_back(name);
    if (!computes()) return Value();
    DROVER_TRY(std::string text, (*variable_)(name));
    return Value{std::move(text), std::nullopt};
  }

  Result<Value> least_or_most(bool least) {
    ++at_;  // the parenthesis
    std::optional<int64_t> best;
    do {
      const size_t at = at_;
      DROVER_TRY(const Value value, sum());
      DROVER_TRY(const int64_t next, integer(at, value));
      best = !best ? next : least ? std::min(*best, next) : std::max(*best, next);
    } while (take(','));
    if (!take(')')) return wrong(at_, "expected ',' or ')'");
    return number(*best);
  }

  std::string_view text_;
  FormulaVariable* variable_;
  size_t at_ = 0;
  size_t depth_ = 0;
  std::vector<std::string> names_;
};

}  // namespace

bool has_formula(std::string_view text) {
  return text.find("${") != std::string_view::npos;
}

std::optional<size_t> number_variable(std::string_view name) {
  if (!name.starts_with("number")) return std::nullopt;
  name.remove_prefix(6);
  if (name.empty()) return 0;
  size_t index = 0;
  const char* last = name.data() + name.size();
  const auto [end, error] = std::from_chars(name.data(), last, index);
  if (error != std::errc{} || end != last || index == 0) return std::nullopt;
  return index;
}

Status check_formula(std::string_view text) {
  const auto read = Reader(text, nullptr).run();
  return read ? Status() : tl::unexpected<Error>(read.error());
}

std::vector<std::string> formula_variables(std::string_view text) {
  Reader reader(text, nullptr);
  if (!reader.run()) return {};
  return reader.take_names();
}

Result<std::string> evaluate_formula(std::string_view text, FormulaVariable& variable) {
  return Reader(text, &variable).run();
}

}  // namespace drover::cluster

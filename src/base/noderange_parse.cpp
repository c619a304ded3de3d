// From a noderange's text to its tree, by recursive descent; every mistake has its place.
#include "base/noderange_ast.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::noderange {
namespace {

template <typename T>
using Parsed = tl::expected<T, RangeMistake>;

#define RANGE_TRY(decl, expr)                                                   \
  auto DROVER_CONCAT(parsed_, __LINE__) = (expr);                               \
  if (!DROVER_CONCAT(parsed_, __LINE__))                                        \
    return tl::unexpected(std::move(DROVER_CONCAT(parsed_, __LINE__)).error()); \
  decl = *std::move(DROVER_CONCAT(parsed_, __LINE__))

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Parsed<Expression> parse() {
    RANGE_TRY(Expression out, range());
    if (at_ < text_.size()) return wrong(at_, "this parenthesis closes nothing");
    return out;
  }

 private:
  static tl::unexpected<RangeMistake> wrong(size_t offset, std::string what) {
    return tl::unexpected(RangeMistake{offset, std::move(what)});
  }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  void skip_commas() {
    skip_blanks();
    while (take(',')) skip_blanks();
  }

  Parsed<Expression> range() {
    Expression out;
    skip_commas();
    out.offset = at_;
    if (peek() == '-') return wrong(at_, "a range cannot begin with an exclusion; write *,-NAME");
    if (at_end() || peek() == ')') return wrong(at_, "a range is missing here");
    SetOperator by = SetOperator::unite;
    while (true) {
      RANGE_TRY(Expression operand, term());
      if (operand.kind == Kind::word && by == SetOperator::unite) further_words(operand.more);
      out.operands.push_back(std::move(operand));
      RANGE_TRY(const auto next, set_operator());
      if (!next) break;
      by = *next;
      out.operators.push_back(by);
    }
    if (out.operands.size() == 1) return std::move(out.operands.front());
    return out;
  }

  /// Names joined by single commas, as far as nothing else stands between or behind them. What it
  /// leaves is read as any other term.
  void further_words(std::vector<std::string_view>& out) {
    while (peek() == ',' && peek(1) != '-') {
      size_t end = at_ + 1;
      while (end < text_.size() && is_name_byte(text_[end])) ++end;
      const size_t length = end - at_ - 1;
      if (length == 0 || length > kMaxNameBytes) break;
      if (end < text_.size() && text_[end] != ',') break;
      out.push_back(text_.substr(at_ + 1, length));
      at_ = end;
    }
  }

  /// The operator before the next term; nothing at the end of this range.
  Parsed<std::optional<SetOperator>> set_operator() {
    skip_blanks();
    if (at_end() || peek() == ')') return std::nullopt;
    const size_t start = at_;
    if (take('!')) return SetOperator::subtract;
    if (take('^')) return SetOperator::differ;
    if (static_cast<unsigned char>(peek()) >= 0x80) return wrong(start, unexpected_byte());
    if (!take(',')) return wrong(start, "expected one of , ,- ! ^ @ & before this");
    skip_commas();
    if (take('-')) return SetOperator::subtract;
    if (at_end() || peek() == ')') return std::nullopt;
    return SetOperator::unite;
  }

  Parsed<Expression> term() {
    RANGE_TRY(Expression first, atom());
    skip_blanks();
    if (peek() != '@' && peek() != '&') return first;
    Expression out;
    out.offset = first.offset;
    out.operands.push_back(std::move(first));
    while (peek() == '@' || peek() == '&') {
      ++at_;
      RANGE_TRY(Expression next, atom());
      out.operands.push_back(std::move(next));
      out.operators.push_back(SetOperator::intersect);
      skip_blanks();
    }
    return out;
  }

  Parsed<Expression> atom() {
    skip_blanks();
    if (at_end()) return wrong(at_, "a name is missing at the end");
    switch (peek()) {
      case '(':
        return parenthesis();
      case '*': {
        Expression out = make(Kind::all);
        ++at_;
        return out;
      }
      case '@':
        return group();
      case '~':
        return regex();
      case '"':
        return quoted();
      case ']':
        return wrong(at_, "this bracket closes nothing");
      case ')':
        return wrong(at_, "a name is missing before this parenthesis");
      case '-':
        return wrong(at_, "a name cannot begin with -; exclude with ,-NAME or !NAME");
      case '^':
      case '!':
      case '&':
      case ',':
        return wrong(at_, fmt::format("a name is missing before {}", peek()));
      default:
        return word();
    }
  }

  [[nodiscard]] Expression make(Kind kind) const {
    Expression out;
    out.kind = kind;
    out.offset = at_;
    return out;
  }

  Parsed<Expression> parenthesis() {
    const size_t start = at_++;
    if (++depth_ > kMaxRangeDepth) return wrong(start, "parentheses nest deeper than 64");
    RANGE_TRY(Expression out, range());
    if (!take(')')) return wrong(start, "this parenthesis is not closed");
    --depth_;
    return out;
  }

  Parsed<Expression> group() {
    Expression out = make(Kind::group);
    ++at_;
    const size_t start = at_;
    if (peek() == '"') {
      RANGE_TRY(out.value, quotation());
      return out;
    }
    if (at_end()) return wrong(start, "a group's name is missing after @");
    RANGE_TRY(Expression name, word());
    if (name.kind == Kind::pattern) {
      name.kind = Kind::group_pattern;
      name.offset = out.offset;
      return name;
    }
    if (name.kind != Kind::word) return wrong(start, "expected a group's name after @");
    out.value = name.text;
    return out;
  }

  Parsed<Expression> quoted() {
    Expression out = make(Kind::quoted);
    RANGE_TRY(out.value, quotation());
    return out;
  }

  Parsed<std::string> quotation() {
    const size_t start = at_++;
    std::string out;
    while (!at_end()) {
      if (take('"')) return out;
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      out.push_back(text_[at_++]);
    }
    return wrong(start, "this quotation is not closed");
  }

  Parsed<Expression> regex() {
    Expression out = make(Kind::regex);
    ++at_;
    RANGE_TRY(out.regex, compiled_regex());
    return out;
  }

  Parsed<std::unique_ptr<TextPattern>> compiled_regex() {
    const size_t start = at_;
    RANGE_TRY(const std::string text, regex_text());
    if (text.empty()) return wrong(start, "a regular expression is missing");
    auto compiled = TextPattern::compile(text);
    if (!compiled) return wrong(start, compiled.error().message);
    return std::make_unique<TextPattern>(*std::move(compiled));
  }

  /// Up to the next operator that is not inside the expression's own brackets.
  Parsed<std::string> regex_text() {
    if (peek() == '"') return quotation();
    const size_t start = at_;
    std::string closers;
    for (; !at_end(); ++at_) {
      const char c = peek();
      if (c == '\\') {
        if (at_ + 1 < text_.size()) ++at_;
      } else if (!closers.empty() && c == closers.back()) {
        closers.pop_back();
      } else if (!closers.empty() && closers.back() == ']') {
        continue;
      } else if (c == '(' || c == '[' || c == '{') {
        if (closers.size() > kMaxRangeDepth) return wrong(at_, "brackets nest deeper than 64");
        closers.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
      } else if (closers.empty() && ends_value(c) && !(c == '^' && at_ == start)) {
        break;
      }
    }
    return std::string(text_.substr(start, at_ - start));
  }

  static bool ends_value(char c) {
    return std::string_view(",@&!^) \t\n\r").find(c) != std::string_view::npos;
  }

  Parsed<Expression> word() {
    Expression out = make(Kind::word);
    Pattern pattern;
    std::string literal;
    char span = '\0';
    size_t literal_bytes = 0;
    const size_t start = at_;
    while (!at_end()) {
      const char c = peek();
      if (is_name_byte(c)) {
        literal.push_back(c);
        if (++literal_bytes > kMaxNameBytes) return wrong(start, "a name is longer than 255 bytes");
      } else if ((c == ':' || c == '+') && at_ > start) {
        if (span == '\0') span = c;
      } else if (c == '[') {
        RANGE_TRY(auto field, brackets());
        if (pattern.fields.size() == kMaxFields) return wrong(start, "more than 32 brackets");
        pattern.literals.push_back(std::exchange(literal, {}));
        pattern.fields.push_back(std::move(field));
        continue;
      } else {
        break;
      }
      ++at_;
    }
    out.text = text_.substr(start, at_ - start);
    if (out.text.empty()) return wrong(start, unexpected_byte());
    if (at_comparison()) {
      if (span != '\0' || !pattern.fields.empty()) {
        return wrong(start, "the left side of a comparison must be an attribute's name");
      }
      return attribute(std::move(out));
    }
    if (!pattern.fields.empty()) {
      if (span != '\0') return wrong(start, fmt::format("{} cannot stand beside brackets", span));
      pattern.literals.push_back(std::move(literal));
      out.kind = Kind::pattern;
      out.pattern = std::make_unique<Pattern>(std::move(pattern));
      return out;
    }
    if (span != '\0') return explicit_span(std::move(out), span);
    return out;
  }

  [[nodiscard]] std::string unexpected_byte() const {
    const auto byte = static_cast<unsigned char>(peek());
    if (byte >= 0x80 || byte < 0x20) return "a name with this character must be quoted: \"..\"";
    return fmt::format("{} cannot stand here", peek());
  }

  static Parsed<Expression> explicit_span(Expression out, char separator) {
    auto span = parse_span(out.text, separator);
    if (!span) return wrong(out.offset, "the ends of a span may differ in numbers alone");
    if (!*span) return wrong(out.offset, std::move(*span).error().what);
    out.kind = Kind::pattern;
    out.pattern = std::make_unique<Pattern>(**std::move(span));
    return out;
  }

  [[nodiscard]] bool at_comparison() const {
    const char c = peek();
    return c == '=' || c == '<' || c == '>' || (c == '!' && (peek(1) == '=' || peek(1) == '~'));
  }

  Parsed<Expression> attribute(Expression out) {
    out.kind = Kind::attribute;
    if (take('<')) {
      out.compare = take('=') ? Compare::less_equal : Compare::less;
    } else if (take('>')) {
      out.compare = take('=') ? Compare::greater_equal : Compare::greater;
    } else if (take('!')) {
      out.compare = take('~') ? Compare::differs : Compare::not_equal;
      if (out.compare == Compare::not_equal) take('=');
    } else {
      take('=');
      out.compare = take('~') ? Compare::matches : Compare::equal;
      if (out.compare == Compare::equal) take('=');
    }
    if (out.compare == Compare::matches || out.compare == Compare::differs) {
      RANGE_TRY(out.regex, compiled_regex());
      return out;
    }
    if (peek() == '"') {
      RANGE_TRY(out.value, quotation());
      return out;
    }
    const size_t start = at_;
    while (!at_end() && !ends_value(peek())) ++at_;
    out.value = text_.substr(start, at_ - start);
    return out;
  }

  Parsed<std::vector<NumberRange>> brackets() {
    const size_t start = at_++;
    std::vector<NumberRange> out;
    do {
      skip_blanks();
      if (at_end()) return wrong(start, "this bracket is not closed");
      RANGE_TRY(const NumberRange range, number_range(start));
      out.push_back(range);
      skip_blanks();
    } while (take(','));
    if (at_end()) return wrong(start, "this bracket is not closed");
    if (!take(']')) return wrong(at_, "expected , - / or ] in the bracket");
    return out;
  }

  bool take_range_sign() {
    if (take('-') || take(':')) return true;
    if (peek() != '.' || peek(1) != '.') return false;
    at_ += 2;
    return true;
  }

  Parsed<NumberRange> number_range(size_t bracket) {
    const size_t start = at_;
    RANGE_TRY(const std::string_view first, number(bracket));
    NumberRange out;
    out.first = value_of(first);
    out.last = out.first;
    out.width = padding_of(first);
    if (!take_range_sign()) return out;
    RANGE_TRY(const std::string_view last, number(bracket));
    out.last = value_of(last);
    if (out.last < out.first) {
      return wrong(start, fmt::format("the span is reversed: {} is after {}", first, last));
    }
    if (padding_of(last) > 1 && padding_of(last) != out.width) {
      return wrong(start,
                   fmt::format("the two ends are padded differently: {} and {}", first, last));
    }
    if (take('/') || take(':')) {
      const size_t step_at = at_;
      RANGE_TRY(const std::string_view step, number(bracket));
      out.step = value_of(step);
      if (out.step == 0) return wrong(step_at, "a step of 0");
    }
    return out;
  }

  Parsed<std::string_view> number(size_t bracket) {
    const size_t start = at_;
    while (!at_end() && is_digit(peek())) ++at_;
    if (at_ == start) {
      if (at_end()) return wrong(bracket, "this bracket is not closed");
      return wrong(at_, "expected a number in the bracket");
    }
    if (at_ - start > kMaxDigits) return wrong(start, "a number has more than 18 digits");
    return text_.substr(start, at_ - start);
  }

  static uint64_t value_of(std::string_view digits) {
    uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  static uint32_t padding_of(std::string_view digits) {
    return digits.size() > 1 && digits.front() == '0' ? static_cast<uint32_t>(digits.size()) : 1;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

}  // namespace

tl::expected<Expression, RangeMistake> parse(std::string_view text) {
  if (text.size() > kMaxRangeText) {
    return tl::unexpected(RangeMistake{kMaxRangeText, "the range is longer than 4 MiB"});
  }
  return Parser(text).parse();
}

Error mistake_error(std::string_view text, const RangeMistake& mistake) {
  constexpr size_t kShown = 24;
  std::string message = fmt::format("noderange, column {}", mistake.offset + 1);
  if (mistake.offset < text.size()) {
    const std::string_view rest = text.substr(mistake.offset);
    message += fmt::format(", at \"{}{}\"", printable(rest.substr(0, kShown)),
                           rest.size() > kShown ? ".." : "");
  } else if (!text.empty()) {
    message += ", at the end";
  }
  return Error{Code::invalid_argument,
               message + ": " + mistake.what,
               {},
               "drover explain noderange   shows the grammar"};
}

}  // namespace drover::noderange

namespace drover {

std::optional<RangeMistake> find_mistake(std::string_view range) {
  auto parsed = noderange::parse(range);
  if (parsed) return std::nullopt;
  return std::move(parsed).error();
}

}  // namespace drover

// Compiles a regular expression to steps and runs all their threads side by side over the text.
#include "base/text_pattern.hpp"

#include <memory>
#include <optional>

#include <fmt/core.h>

namespace drover {
namespace {

constexpr size_t kMaxSteps = 4096;
constexpr size_t kMaxNesting = 64;
constexpr size_t kMaxStacked = 4;  // a**** and the like
constexpr uint32_t kMaxRepeat = 1000;

using ByteSet = std::bitset<256>;

struct Part {
  enum class Kind : uint8_t { set, begin, end, sequence, choice, repeat };
  Kind kind = Kind::sequence;
  ByteSet bytes;
  std::vector<Part> parts;
  uint32_t least = 0;
  std::optional<uint32_t> most;  ///< repeat; nothing: no upper bound
};

void add_range(ByteSet& set, unsigned char first, unsigned char last) {
  for (unsigned c = first; c <= last; ++c) set.set(c);
}

ByteSet class_of(char letter) {
  ByteSet set;
  switch (letter) {
    case 'd':
    case 'D':
      add_range(set, '0', '9');
      break;
    case 'w':
    case 'W':
      add_range(set, '0', '9');
      add_range(set, 'a', 'z');
      add_range(set, 'A', 'Z');
      set.set('_');
      break;
    default:
      for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'})
        set.set(static_cast<unsigned char>(c));
  }
  return letter >= 'a' ? set : ~set;
}

bool is_class_letter(char c) {
  return std::string_view("dDwWsS").find(c) != std::string_view::npos;
}

/// Recursive descent over the pattern's text.
class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(text) {}

  Result<Part> parse() {
    DROVER_TRY(Part part, choice());
    if (position_ < text_.size()) return wrong("this parenthesis closes nothing");
    return part;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::invalid_argument,
                fmt::format("regular expression, column {}: {}", position_ + 1, what));
  }
  [[nodiscard]] bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  bool take(char c) {
    if (!at(c)) return false;
    ++position_;
    return true;
  }

  Result<Part> choice() {
    Part out{Part::Kind::choice, {}, {}, 0, {}};
    do {
      DROVER_TRY(Part part, sequence());
      out.parts.push_back(std::move(part));
    } while (take('|'));
    if (out.parts.size() == 1) return std::move(out.parts.front());
    return out;
  }

  Result<Part> sequence() {
    Part out;
    while (position_ < text_.size() && !at('|') && !at(')')) {
      DROVER_TRY(Part part, atom());
      DROVER_CHECK_OK(repeats(part));
      out.parts.push_back(std::move(part));
    }
    return out;
  }

  Result<Part> atom() {
    const char c = text_[position_];
    Part out{Part::Kind::set, {}, {}, 0, {}};
    switch (c) {
      case '(':
        return group();
      case '[':
        return bracket();
      case '*':
      case '+':
      case '?':
      case '{':
        return wrong("nothing to repeat");
      case '.':
        out.bytes.set();
        break;
      case '^':
        out.kind = Part::Kind::begin;
        break;
      case '$':
        out.kind = Part::Kind::end;
        break;
      case '\\': {
        ++position_;
        if (position_ == text_.size()) return wrong("a backslash at the end");
        DROVER_TRY(out.bytes, escaped());
        return out;
      }
      default:
        out.bytes.set(static_cast<unsigned char>(c));
    }
    ++position_;
    return out;
  }

  Result<ByteSet> escaped() {
    const char c = text_[position_];
    if (is_class_letter(c)) {
      ++position_;
      return class_of(c);
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      return wrong(fmt::format("\\{} is not supported", c));
    }
    ++position_;
    ByteSet set;
    set.set(static_cast<unsigned char>(c));
    return set;
  }

  Result<Part> group() {
    if (++nesting_ > kMaxNesting) return wrong("parentheses nest too deep");
    ++position_;
    if (take('?') && !take(':')) return wrong("only (?: may follow an opening parenthesis");
    DROVER_TRY(Part part, choice());
    if (!take(')')) return wrong("a parenthesis is not closed");
    --nesting_;
    return part;
  }

  Result<Part> bracket() {
    ++position_;
    Part out{Part::Kind::set, {}, {}, 0, {}};
    const bool negated = take('^');
    bool first = true;
    while (first || !at(']')) {
      if (position_ >= text_.size()) return wrong("a bracket is not closed");
      DROVER_CHECK_OK(bracket_item(out.bytes));
      first = false;
    }
    ++position_;
    if (negated) out.bytes.flip();
    return out;
  }

  Status bracket_item(ByteSet& set) {
    DROVER_TRY(const auto first, bracket_byte(set));
    if (!first) return {};
    const bool range = at('-') && position_ + 1 < text_.size() && text_[position_ + 1] != ']';
    if (!range) {
      set.set(*first);
      return {};
    }
    ++position_;
    DROVER_TRY(const auto last, bracket_byte(set));
    if (!last || *last < *first) return wrong("a range of characters that is reversed");
    add_range(set, *first, *last);
    return {};
  }

  /// One byte of a bracket; nothing when it was a class such as \d, which is added at once.
  Result<std::optional<unsigned char>> bracket_byte(ByteSet& set) {
    char c = text_[position_++];
    if (c == '\\') {
      if (position_ == text_.size()) return wrong("a backslash at the end");
      c = text_[position_++];
      if (is_class_letter(c)) {
        set |= class_of(c);
        return std::nullopt;
      }
    }
    return static_cast<unsigned char>(c);
  }

  Status repeats(Part& part) {
    size_t stacked = 0;
    while (position_ < text_.size()) {
      uint32_t least = 0;
      std::optional<uint32_t> most;
      if (take('*')) {
      } else if (take('+')) {
        least = 1;
      } else if (take('?')) {
        most = 1;
      } else if (take('{')) {
        DROVER_CHECK_OK(bounds(least, most));
      } else {
        return {};
      }
      Part outer{Part::Kind::repeat, {}, {}, least, most};
      outer.parts.push_back(std::move(part));
      part = std::move(outer);
      if (++stacked > kMaxStacked) return wrong("repetitions of repetitions");
    }
    return {};
  }

  Status bounds(uint32_t& least, std::optional<uint32_t>& most) {
    DROVER_TRY(least, number());
    most = least;
    if (take(',')) {
      most.reset();
      if (!at('}')) {
        DROVER_TRY(most, number());
        if (*most < least) return wrong("repetition bounds are reversed");
      }
    }
    if (!take('}')) return wrong("a repetition is not closed");
    return {};
  }

  Result<uint32_t> number() {
    uint32_t value = 0;
    const size_t start = position_;
    while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
      value = value * 10 + static_cast<uint32_t>(text_[position_++] - '0');
      if (value > kMaxRepeat) return wrong("a repetition over 1000");
    }
    if (position_ == start) return wrong("expected a number of repetitions");
    return value;
  }

  std::string_view text_;
  size_t position_ = 0;
  size_t nesting_ = 0;
};

}  // namespace

/// Turns the tree of parts into steps.
class TextPatternCompiler {
 public:
  Status emit(TextPattern& out, const Part& part) {
    // Parts are counted, not steps alone: (((){1000}){1000}){1000} has no steps and takes for ever.
    if (++emitted_ > kMaxSteps) {
      return fail(Code::too_large, "regular expression: too many repetitions");
    }
    switch (part.kind) {
      case Part::Kind::set:
        push(out, TextPattern::Op::set, out.sets_.size());
        out.sets_.push_back(part.bytes);
        return {};
      case Part::Kind::begin:
        push(out, TextPattern::Op::begin);
        return {};
      case Part::Kind::end:
        push(out, TextPattern::Op::end);
        return {};
      case Part::Kind::sequence:
        for (const Part& inner : part.parts) DROVER_CHECK_OK(emit(out, inner));
        return {};
      case Part::Kind::choice:
        return choice(out, part);
      case Part::Kind::repeat:
        return repeat(out, part);
    }
    return {};
  }
  static void finish(TextPattern& out) { push(out, TextPattern::Op::match); }

 private:
  static size_t push(TextPattern& out, TextPattern::Op op, size_t x = 0) {
    out.program_.push_back({op, static_cast<uint32_t>(x), 0});
    return out.program_.size() - 1;
  }
  static uint32_t here(const TextPattern& out) {
    return static_cast<uint32_t>(out.program_.size());
  }

  Status choice(TextPattern& out, const Part& part) {
    std::vector<size_t> ends;
    for (size_t i = 0; i + 1 < part.parts.size(); ++i) {
      const size_t split = push(out, TextPattern::Op::split);
      out.program_[split].x = here(out);
      DROVER_CHECK_OK(emit(out, part.parts[i]));
      ends.push_back(push(out, TextPattern::Op::jump));
      out.program_[split].y = here(out);
    }
    DROVER_CHECK_OK(emit(out, part.parts.back()));
    for (const size_t end : ends) out.program_[end].x = here(out);
    return {};
  }

  Status repeat(TextPattern& out, const Part& part) {
    const Part& inner = part.parts.front();
    for (uint32_t i = 0; i < part.least; ++i) DROVER_CHECK_OK(emit(out, inner));
    if (!part.most) {
      const size_t split = push(out, TextPattern::Op::split);
      out.program_[split].x = here(out);
      DROVER_CHECK_OK(emit(out, inner));
      push(out, TextPattern::Op::jump, split);
      out.program_[split].y = here(out);
      return {};
    }
    std::vector<size_t> splits;
    for (uint32_t i = part.least; i < *part.most; ++i) {
      splits.push_back(push(out, TextPattern::Op::split));
      out.program_[splits.back()].x = here(out);
      DROVER_CHECK_OK(emit(out, inner));
    }
    for (const size_t split : splits) out.program_[split].y = here(out);
    return {};
  }

  size_t emitted_ = 0;
};

/// The steps that wait for the next byte, each once; `seen` holds the round a step was last added
/// in.
struct TextPattern::Threads {
  explicit Threads(size_t size) : seen(size, 0) {}
  std::vector<uint32_t> waiting;
  std::vector<uint64_t> seen;
  std::vector<uint32_t> stack;
  uint64_t round = 0;
  bool matched = false;
};

Result<TextPattern> TextPattern::compile(std::string_view pattern) {
  DROVER_TRY(const Part part, PatternParser(pattern).parse());
  TextPattern out;
  DROVER_CHECK_OK(TextPatternCompiler().emit(out, part));
  TextPatternCompiler::finish(out);
  return out;
}

void TextPattern::add(Threads& threads, uint32_t step, size_t position, size_t length) const {
  threads.stack.push_back(step);
  while (!threads.stack.empty()) {
    const uint32_t at = threads.stack.back();
    threads.stack.pop_back();
    if (threads.seen[at] == threads.round) continue;
    threads.seen[at] = threads.round;
    const Step& s = program_[at];
    switch (s.op) {
      case Op::set:
        threads.waiting.push_back(at);
        break;
      case Op::split:
        threads.stack.push_back(s.y);
        threads.stack.push_back(s.x);
        break;
      case Op::jump:
        threads.stack.push_back(s.x);
        break;
      case Op::begin:
        if (position == 0) threads.stack.push_back(at + 1);
        break;
      case Op::end:
        if (position == length) threads.stack.push_back(at + 1);
        break;
      case Op::match:
        threads.matched = true;
        break;
    }
  }
}

bool TextPattern::matches(std::string_view text) const {
  Threads threads(program_.size());
  std::vector<uint32_t> stepping;
  for (size_t position = 0;; ++position) {
    ++threads.round;
    stepping.swap(threads.waiting);
    threads.waiting.clear();
    if (position > 0) {
      const auto byte = static_cast<unsigned char>(text[position - 1]);
      for (const uint32_t at : stepping) {
        if (sets_[program_[at].x].test(byte)) add(threads, at + 1, position, text.size());
      }
    }
    add(threads, 0, position, text.size());
    if (threads.matched) return true;
    if (position == text.size()) return false;
  }
}

}  // namespace drover

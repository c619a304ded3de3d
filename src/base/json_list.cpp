// Quotes and brackets are all that is looked at: by this a long list is read through little memory.
#include "base/json_list.hpp"

#include "base/json_values.hpp"

#include <array>

#include <fmt/format.h>

namespace drover {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// Bytes of which the walk takes notice inside a value.
constexpr std::array<bool, 256> kMarks = [] {
  std::array<bool, 256> out{};
  for (const char c : std::string_view("\"{}[],: \t\r\n"))
    out.at(static_cast<unsigned char>(c)) = true;
  return out;
}();

class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  [[nodiscard]] size_t at() const { return at_; }
  char next() {
    at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  /// A string, quotes included; empty when none stands here.
  std::string_view string() {
    if (next() != '"') return {};
    const size_t from = at_++;
    for (; at_ < text_.size(); ++at_) {
      at_ = std::min(text_.find_first_of("\"\\", at_), text_.size());
      if (at_ >= text_.size()) break;
      if (text_[at_] == '"') return text_.substr(from, ++at_ - from);
      ++at_;  // what is escaped
    }
    return {};
  }
  /// A value of any kind, up to the comma or bracket behind it; empty when there is none.
  std::string_view value() {
    const char first = next();
    if (first == '"') return string();
    const size_t from = at_;
    size_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (!kMarks[static_cast<unsigned char>(c)]) continue;
      if (c == '"') {
        if (string().empty()) return {};
        --at_;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        if (depth == 0) break;
        if (--depth == 0) return text_.substr(from, ++at_ - from);
      } else if (depth == 0) {
        break;
      }
    }
    return depth == 0 ? text_.substr(from, at_ - from) : std::string_view();
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

tl::unexpected<Error> not_json(const Walk& walk) {
  return fail(Code::invalid_argument, fmt::format("not valid JSON at byte {}", walk.at()));
}

Result<size_t> walk_items(Walk& walk, Callback<Status(std::string_view item)>& each) {
  size_t count = 0;
  if (walk.take(']')) return count;
  do {
    const std::string_view item = walk.value();
    if (item.empty()) return not_json(walk);
    DROVER_CHECK_OK(each(item));
    ++count;
  } while (walk.take(','));
  if (!walk.take(']')) return not_json(walk);
  return count;
}

}  // namespace

Result<ItemsText::Page> each_item(std::string_view document,
                                  Callback<Status(std::string_view item)> each) {
  Walk walk(document);
  if (!walk.take('{')) {
    DROVER_TRY([[maybe_unused]] const json::value value, parse_json(document));
    return fail(Code::corrupt, "it is not a list");
  }
  ItemsText::Page page;
  bool found = false;
  if (!walk.take('}')) {
    do {
      const std::string_view key = walk.string();
      if (key.empty() || !walk.take(':')) return not_json(walk);
      if (key == "\"items\"" && walk.next() == '[') {
        walk.take('[');
        DROVER_TRY(page.count, walk_items(walk, each));
        found = true;
        continue;
      }
      const std::string_view value = walk.value();
      if (value.empty()) return not_json(walk);
      if (key != "\"next_page\"") continue;
      DROVER_TRY(const json::value next, parse_json(value));
      if (next.is_string()) page.next_page = next.get_string();
    } while (walk.take(','));
    if (!walk.take('}')) return not_json(walk);
  }
  if (walk.next() != '\0' || walk.at() < document.size()) return not_json(walk);
  if (!found) return fail(Code::corrupt, "it is not a list");
  return page;
}

}  // namespace drover

#include "base/yaml.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace drover {
namespace {

/// Words that some YAML reader takes for a null, a boolean or a number (YAML 1.1 types).
constexpr std::array<std::string_view, 12> kWords{"null", "~",   "true", "false", "yes",  "no",
                                                  "on",   "off", "y",    "n",     ".inf", ".nan"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_in_lower(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, {}, lower);
}

/// Begins as a number, a date or a time might: quoted on suspicion, which costs two characters.
bool may_read_as_number(std::string_view text) {
  // An IPv4 address is what people write bare, and no reader takes two dots for a number.
  if (std::count(text.begin(), text.end(), '.') == 3 && text.front() != '.' &&
      text.find_first_not_of("0123456789.") == std::string_view::npos) {
    return false;
  }
  if (text.front() == '+' || text.front() == '-' || text.front() == '.') text.remove_prefix(1);
  return !text.empty() && text.front() >= '0' && text.front() <= '9' &&
         text.find_first_not_of("0123456789abcdefABCDEFxXoOtTzZ_.:+-") == std::string_view::npos;
}

/// Whether some reader takes `text` for one of kWords.
bool may_read_as_word(std::string_view text) {
  constexpr std::string_view kInfinity = ".inf";
  constexpr size_t kLongest = 5;
  if (text.size() >= kInfinity.size() &&
      equal_in_lower(text.substr(text.size() - kInfinity.size()), kInfinity)) {
    return true;
  }
  return text.size() <= kLongest && std::ranges::any_of(kWords, [&](std::string_view word) {
           return equal_in_lower(text, word);
         });
}

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Letters, digits and _ - . / by their bytes.
constexpr std::array<bool, 256> kSimple = [] {
  std::array<bool, 256> out{};
  for (size_t i = 0; i < out.size(); ++i) {
    const char c = static_cast<char>(i);
    out.at(i) =
        is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  }
  return out;
}();

/// What nearly every key and most texts are: letters, digits and _ - . / after a letter.
bool is_simple(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [](char c) { return kSimple[static_cast<unsigned char>(c)]; });
}

/// Whether `text` means itself when written bare, in block style (YAML 1.2 section 7.3.3).
bool is_plain(std::string_view text) {
  if (is_simple(text)) return !may_read_as_word(text);
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (!is_plain_ascii(text) && printable(text) != text) return false;
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`=<";
  if (kIndicators.find(text.front()) != std::string_view::npos) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) {
    return false;
  }
  if (text.starts_with("...")) return false;
  return !may_read_as_word(text) && !may_read_as_number(text);
}

/// Double-quoted form (YAML 1.2 section 7.3.1), every unsafe character escaped.
std::string quoted(std::string_view text) {
  if (is_plain_ascii(text) && text.find_first_of("\"\\") == std::string_view::npos) {
    return fmt::format("\"{}\"", text);
  }
  // JSON's escapes are YAML's too; what JSON leaves bare and a terminal might obey is escaped
  // after.
  const std::string inner = json::serialize(json::string_view(text));
  std::string out;
  for (size_t at = 0; at < inner.size();) {
    const auto lead = static_cast<unsigned char>(inner[at]);
    const size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const std::string_view piece = std::string_view(inner).substr(at, length);
    std::string safe = printable(piece);
    if (lead == 0x7f) {
      safe = "\\x7f";
    } else if (safe != piece && safe.starts_with("\\u{")) {
      const std::string digits = safe.substr(3, safe.size() - 4);
      safe = fmt::format("\\U{:0>8}", digits);
    }
    out += safe;
    at += length;
  }
  return out;
}

/// Several lines that a literal block keeps exactly: no control characters, no line that begins or
/// ends with a blank, exactly one newline at the end.
bool fits_literal(std::string_view text) {
  if (text.size() < 2 || text.back() != '\n' || text[text.size() - 2] == '\n') return false;
  if (text.front() == ' ' || text.front() == '\n' || text.front() == '\t') return false;
  if (text.find(" \n") != std::string_view::npos) return false;
  return printable(text, true) == text && text.find('\t') == std::string_view::npos;
}

void walk(const json::value& value, YamlText& to) {
  if (const auto* object = value.if_object()) {
    to.object_begins();
    for (const auto& member : *object) {
      to.key(member.key());
      walk(member.value(), to);
    }
    to.ends();
  } else if (const auto* array = value.if_array()) {
    to.array_begins();
    for (const auto& element : *array) walk(element, to);
    to.ends();
  } else if (const auto* text = value.if_string()) {
    to.text(*text);
  } else if (value.is_double()) {
    to.real(value.get_double(), {});
  } else {
    to.word(to_text(value));
  }
}

}  // namespace

void YamlText::begins(bool array) {
  Level level{array, std::exchange(after_key_, false), true};
  if (!level.keyed) lead();
  levels_.push_back(level);
}

void YamlText::ends() {
  const Level level = levels_.back();
  levels_.pop_back();
  if (!level.empty) return;
  if (level.keyed) out_.push_back(' ');
  out_ += level.array ? "[]\n" : "{}\n";
}

/// Before a key, and before an element of an array.
void YamlText::lead() {
  if (levels_.empty()) return;
  Level& level = levels_.back();
  const bool first = std::exchange(level.empty, false);
  if (first && level.keyed) out_.push_back('\n');
  if (!first || level.keyed) out_.append((levels_.size() - 1) * 2, ' ');
  if (level.array) out_ += "- ";
}

void YamlText::before_value() {
  if (std::exchange(after_key_, false)) {
    out_.push_back(' ');
  } else {
    lead();
  }
}

void YamlText::bare_or_quoted(std::string_view text) {
  if (is_plain(text)) {
    out_ += text;
  } else {
    out_ += quoted(text);
  }
}

void YamlText::key(std::string_view text) {
  lead();
  bare_or_quoted(text);
  out_.push_back(':');
  after_key_ = true;
}

void YamlText::text(std::string_view text) {
  before_value();
  if (fits_literal(text)) return literal(text);
  bare_or_quoted(text);
  out_.push_back('\n');
}

void YamlText::literal(std::string_view text) {
  out_ += "|\n";
  const size_t margin = std::max<size_t>(levels_.size() * 2, 2);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end > 0) out_.append(margin, ' ');
    out_ += text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  }
}

void YamlText::word(std::string_view text) {
  before_value();
  out_ += text;
  out_.push_back('\n');
}

void YamlText::real(double value, std::string_view /*text*/) {
  before_value();
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

std::string to_yaml(const json::value& value) {
  std::string out;
  YamlText text(out);
  walk(value, text);
  return out;
}

Result<std::string> yaml_of_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  YamlText yaml(out);
  DROVER_CHECK_OK(read_json(text, yaml));
  return out;
}

}  // namespace drover

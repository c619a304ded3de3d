#include "base/yaml.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/core.h>

namespace drover {
namespace {

/// Words that some YAML reader takes for a null, a boolean or a number (YAML 1.1 types).
constexpr std::array<std::string_view, 12> kWords{"null", "~",   "true", "false", "yes",  "no",
                                                  "on",   "off", "y",    "n",     ".inf", ".nan"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
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
  constexpr size_t kLongest = 5;
  const std::string end = lower(text.substr(text.size() - std::min(text.size(), kLongest)));
  if (end.ends_with(".inf")) return true;
  return text.size() <= kLongest && std::find(kWords.begin(), kWords.end(), end) != kWords.end();
}

/// What nearly every key and most texts are: letters, digits and _ - . / after a letter.
bool is_simple(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  });
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

class Writer {
 public:
  std::string document(const json::value& value) {
    const bool block = is_block(value);
    write(value, 0);
    if (!block) out_.push_back('\n');
    return std::move(out_);
  }

 private:
  static bool is_block(const json::value& value) {
    if (const auto* object = value.if_object()) return !object->empty();
    if (const auto* array = value.if_array()) return !array->empty();
    if (const auto* text = value.if_string()) return fits_literal(*text);
    return false;
  }

  /// Blocks end in a newline of their own; scalars do not.
  void write(const json::value& value, size_t indent) {
    switch (value.kind()) {
      case json::kind::object:
        object(value.get_object(), indent);
        break;
      case json::kind::array:
        array(value.get_array(), indent);
        break;
      case json::kind::string:
        text(value.get_string(), indent);
        break;
      case json::kind::double_:
        out_ += fmt::format("{}", value.get_double());
        break;
      default:
        out_ += to_text(value);
    }
  }

  void bare_or_quoted(std::string_view text) {
    if (is_plain(text)) {
      out_ += text;
    } else {
      out_ += quoted(text);
    }
  }

  void object(const json::object& object, size_t indent) {
    if (object.empty()) {
      out_ += "{}";
      return;
    }
    bool first = true;
    for (const auto& [key, value] : object) {
      if (!std::exchange(first, false)) out_.append(indent, ' ');
      bare_or_quoted(key);
      out_.push_back(':');
      const bool container = is_block(value) && !value.is_string();
      if (container) {
        out_.push_back('\n');
        out_.append(indent + 2, ' ');
      } else {
        out_.push_back(' ');
      }
      write(value, indent + 2);
      if (!is_block(value)) out_.push_back('\n');
    }
  }

  void array(const json::array& array, size_t indent) {
    if (array.empty()) {
      out_ += "[]";
      return;
    }
    bool first = true;
    for (const auto& value : array) {
      if (!std::exchange(first, false)) out_.append(indent, ' ');
      out_ += "- ";
      write(value, indent + 2);
      if (!is_block(value)) out_.push_back('\n');
    }
  }

  void text(std::string_view text, size_t indent) {
    if (!fits_literal(text)) {
      bare_or_quoted(text);
      return;
    }
    out_ += "|\n";
    const size_t margin = std::max<size_t>(indent, 2);
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (end > 0) out_.append(margin, ' ');
      out_ += text.substr(0, end + 1);
      text.remove_prefix(end + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string to_yaml(const json::value& value) {
  return Writer().document(value);
}

}  // namespace drover

// What JSON needs between and around the events: commas, colons, quotes, indentation.
#include "base/json_text.hpp"

#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace drover {
namespace {

/// Bytes that a JSON text must escape (RFC 8259 section 7).
constexpr std::array<bool, 256> kEscaped = [] {
  std::array<bool, 256> out{};
  for (size_t i = 0; i < 0x20; ++i) out.at(i) = true;
  out['"'] = true;
  out['\\'] = true;
  return out;
}();

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!kEscaped[byte]) continue;
    out.append(text.substr(done, i - done));
    done = i + 1;
    constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    if (const size_t at = kNamed.find(text[i]); at != std::string_view::npos) {
      out.append({'\\', kLetters[at]});
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
    }
  }
  out.append(text.substr(done)).push_back('"');
}

}  // namespace

void JsonText::begins(char bracket, char end) {
  before_value();
  out_.push_back(bracket);
  levels_.push_back({end, true});
}

void JsonText::ends() {
  const Level level = levels_.back();
  levels_.pop_back();
  if (!level.empty) indent();
  out_.push_back(level.end);
  after_value();
}

void JsonText::key(std::string_view text) {
  separate();
  append_quoted(out_, text);
  out_ += indented_ ? ": " : ":";
  after_key_ = true;
}

void JsonText::text(std::string_view text) {
  before_value();
  append_quoted(out_, text);
  after_value();
}

void JsonText::word(std::string_view text) {
  before_value();
  out_ += text;
  after_value();
}

void JsonText::indent() {
  if (!indented_) return;
  out_.push_back('\n');
  out_.append(levels_.size() * 2, ' ');
}

/// Before a key, and before a value that has none.
void JsonText::separate() {
  if (levels_.empty()) return;
  if (!std::exchange(levels_.back().empty, false)) out_.push_back(',');
  indent();
}

void JsonText::before_value() {
  if (!std::exchange(after_key_, false)) separate();
}

void JsonText::after_value() {
  if (levels_.empty()) out_.push_back('\n');
}

}  // namespace drover

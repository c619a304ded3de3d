#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/core.h>

namespace drover {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A number's digits without leading zeros, and where it ends.
struct Number {
  std::string_view digits;
  size_t end = 0;
};

Number number_at(std::string_view text, size_t start) {
  size_t end = start;
  while (end < text.size() && is_digit(text[end])) ++end;
  size_t first = start;
  while (first + 1 < end && text[first] == '0') ++first;
  return {text.substr(first, end - first), end};
}

int sign(int value) {
  return (value > 0) - (value < 0);
}

int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return sign(a.compare(b));
}

/// One code point at `at`; `length` 0 marks an invalid sequence (RFC 3629).
struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;
};

CodePoint decode(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > text.size()) return {};
  uint32_t value = lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (byte(at + i) & 0x3fU);
  }
  constexpr std::array<uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast.at(length) || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
    return {};
  return {value, length};
}

/// C1 controls and the characters that reorder or hide text (Unicode: bidirectional formatting,
/// zero-width, line and paragraph separators, byte order mark, tags).
bool is_treacherous(uint32_t c) {
  return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

bool is_combining(uint32_t c) {
  return (c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) ||
         (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff) ||
         (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xfe20 && c <= 0xfe2f);
}

bool is_wide(uint32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
         (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
         (c >= 0x20000 && c <= 0x3fffd);
}

/// Insertions, deletions, changes and swaps of neighbours (optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);  // the row before the last one
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

int natural_compare(std::string_view a, std::string_view b) {
  size_t i = 0;
  size_t j = 0;
  while (true) {
    // Skip what is equal, then step back to the start of the number that the difference lies in.
    const size_t from = i;
    while (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i;
      ++j;
    }
    if (i == a.size() && j == b.size()) return sign(a.compare(b));
    size_t back = 0;
    while (i - back > from && is_digit(a[i - back - 1])) ++back;
    const int a_next = i < a.size() ? static_cast<unsigned char>(a[i]) : -1;
    const int b_next = j < b.size() ? static_cast<unsigned char>(b[j]) : -1;
    const bool a_digit = a_next >= '0' && a_next <= '9';
    const bool b_digit = b_next >= '0' && b_next <= '9';
    const bool in_number = back > 0 ? a_digit || b_digit : a_digit && b_digit;
    if (!in_number) return a_next < b_next ? -1 : 1;
    const char a_first = back > 0 ? a[i - back] : a[i];
    const char b_first = back > 0 ? b[j - back] : b[j];
    if (a_first != '0' && b_first != '0') {  // the usual case: the longer number is the greater
      size_t more = 0;
      while (i + more < a.size() && j + more < b.size() && is_digit(a[i + more]) &&
             is_digit(b[j + more]))
        ++more;
      const bool a_longer = i + more < a.size() && is_digit(a[i + more]);
      const bool b_longer = j + more < b.size() && is_digit(b[j + more]);
      if (a_longer != b_longer) return b_longer ? -1 : 1;
      return a_next < b_next ? -1 : 1;
    }
    const Number left = number_at(a, i - back);
    const Number right = number_at(b, j - back);
    const int order = compare_numbers(left.digits, right.digits);
    if (order != 0) return order;
    i = left.end;
    j = right.end;
  }
}

bool is_plain_ascii(std::string_view text) {
  bool plain = true;
  for (const char c : text) plain &= c >= 0x20 && c < 0x7f;  // no early end: it is done by vectors
  return plain;
}

std::string printable(std::string_view text, bool keep_lines) {
  if (is_plain_ascii(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte < 0x7f) {
      out.push_back(text[at++]);
      continue;
    }
    const CodePoint point = decode(text, at);
    if (keep_lines && (byte == '\n' || byte == '\t')) {
      out.push_back(text[at]);
    } else if (point.length <= 1) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (is_treacherous(point.value)) {
      out += fmt::format("\\u{{{:04x}}}", point.value);
    } else {
      out += text.substr(at, point.length);
    }
    at += std::max<size_t>(point.length, 1);
  }
  return out;
}

size_t display_width(std::string_view text) {
  if (is_plain_ascii(text)) return text.size();
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text, at);
    if (!is_combining(point.value)) width += is_wide(point.value) ? 2 : 1;
    at += std::max<size_t>(point.length, 1);
  }
  return width;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace drover

// Text helpers of the host readers.
#include "os/host/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace drover::os {
namespace {

constexpr size_t kMaxText = 256;
constexpr size_t kMaxListed = 65536;

/// Length of the UTF-8 character at the front of `text`, 0 when there is none (RFC 3629 section 4).
size_t utf8_length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  size_t length = 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) length = 2;
  if (first >= 0xe0 && first <= 0xef) length = 3;
  if (first >= 0xf0 && first <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool outside = (first == 0xed && at(1) > 0x9f) || (first == 0xf4 && at(1) > 0x8f);
  return overlong || outside ? 0 : length;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string clean(std::string_view text) {
  text = trim(text);
  std::string out;
  while (!text.empty()) {
    size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    const bool bad = length == 0 || first < 0x20 || first == 0x7f;
    length = std::max<size_t>(length, 1);
    if (out.size() + length > kMaxText) break;
    if (bad) {
      out.push_back('?');
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out.resize(trim(out).size());  // the cut may have come after a blank
  return out;
}

std::string clean_identity(std::string_view text) {
  // Seen in the field; see also dmidecode's and lshw's lists of the same.
  constexpr std::array<std::string_view, 18> kFillers{"to be filled by o.e.m.",
                                                      "default string",
                                                      "not specified",
                                                      "not available",
                                                      "not applicable",
                                                      "not provided",
                                                      "system serial number",
                                                      "system product name",
                                                      "system manufacturer",
                                                      "chassis serial number",
                                                      "base board serial number",
                                                      "no dimm",
                                                      "no asset tag",
                                                      "unknown",
                                                      "none",
                                                      "n/a",
                                                      "empty",
                                                      "oem"};
  std::string value = clean(text);
  std::string lower = value;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool one_letter = lower.find_first_not_of("0") == std::string::npos ||
                          lower.find_first_not_of("?") == std::string::npos ||
                          lower.find_first_not_of("x") == std::string::npos ||
                          lower.find_first_not_of(".") == std::string::npos;
  if (one_letter || std::find(kFillers.begin(), kFillers.end(), lower) != kFillers.end()) return {};
  return value;
}

std::optional<uint64_t> parse_number(std::string_view text) {
  text = trim(text);
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<uint32_t> parse_list(std::string_view text) {
  text = trim(text);
  std::vector<uint32_t> numbers;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const size_t dash = item.find('-');
    const auto first = parse_number(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(item.substr(dash + 1));
    if (!first || !last || *last < *first || *last > UINT32_MAX) return {};
    if (numbers.size() + (*last - *first) + 1 > kMaxListed) return {};
    for (uint64_t i = *first; i <= *last; ++i) numbers.push_back(static_cast<uint32_t>(i));
  }
  return numbers;
}

std::string format_list(const std::vector<uint32_t>& numbers) {
  std::string out;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    if (!out.empty()) out.push_back(',');
    out += std::to_string(numbers[i]);
    if (end > i) out += "-" + std::to_string(numbers[end]);
    i = end + 1;
  }
  return out;
}

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  size_t end = 0;
  while (end < text.size() && !is_blank(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

}  // namespace drover::os

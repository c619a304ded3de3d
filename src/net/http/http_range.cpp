#include "net/http/http_range.hpp"

#include "net/http/http.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::net {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Digits alone. A number too large for 64 bits is beyond every body's end.
std::optional<uint64_t> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : UINT64_MAX;
}

}  // namespace

RangeRequest parse_range(std::string_view field, uint64_t size) {
  using Kind = RangeRequest::Kind;
  const RangeRequest whole;
  const size_t equals = field.find('=');
  if (equals == std::string_view::npos || !equal_ignoring_case(field.substr(0, equals), "bytes")) {
    return whole;
  }
  const std::string_view spec = trim(field.substr(equals + 1));
  const size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return whole;
  const std::string_view from = spec.substr(0, dash);
  const std::string_view to = spec.substr(dash + 1);
  if (from.empty()) {  // the last so many bytes
    const auto count = number(to);
    if (!count) return whole;
    if (*count == 0 || size == 0) return {Kind::unsatisfiable, 0, 0};
    return {Kind::part, size - std::min(*count, size), size - 1};
  }
  const auto first = number(from);
  const auto last = to.empty() ? std::optional(UINT64_MAX) : number(to);
  if (!first || !last || *last < *first) return whole;
  if (*first >= size) return {Kind::unsatisfiable, 0, 0};
  return {Kind::part, *first, std::min(*last, size - 1)};
}

std::string content_range(const RangeRequest& range, uint64_t size) {
  if (range.kind == RangeRequest::Kind::unsatisfiable) return fmt::format("bytes */{}", size);
  return fmt::format("bytes {}-{}/{}", range.first, range.last, size);
}

}  // namespace drover::net

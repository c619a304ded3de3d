// Numbers in headers and query parameters.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace drover::api {

/// All of `text` as a decimal number without sign or blanks before it; nothing otherwise.
template <std::integral T>
std::optional<T> whole_number(std::string_view text) {
  T value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace drover::api

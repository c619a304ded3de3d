// Cuts are made between characters, so that the text stays text for whoever looks into the
// database.
#include "store/body_difference.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace drover::store {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// How many bytes are the same in front. By blocks first: it is done for every body written.
size_t equal_bytes_ahead(std::string_view a, std::string_view b) {
  constexpr size_t kBlock = 64;
  const size_t shorter = std::min(a.size(), b.size());
  size_t equal = 0;
  while (equal + kBlock <= shorter &&
         std::memcmp(a.data() + equal, b.data() + equal, kBlock) == 0) {
    equal += kBlock;
  }
  while (equal < shorter && a[equal] == b[equal]) ++equal;
  return equal;
}

/// The same from the end, of texts that long at least.
size_t equal_bytes_behind(std::string_view a, std::string_view b, size_t at_most) {
  constexpr size_t kBlock = 64;
  const char* const a_end = a.data() + a.size();
  const char* const b_end = b.data() + b.size();
  size_t equal = 0;
  while (equal + kBlock <= at_most &&
         std::memcmp(a_end - equal - kBlock, b_end - equal - kBlock, kBlock) == 0) {
    equal += kBlock;
  }
  while (equal < at_most && a[a.size() - 1 - equal] == b[b.size() - 1 - equal]) ++equal;
  return equal;
}

/// A length and the comma behind it, taken from the front of `rest`.
bool take_length(std::string_view& rest, size_t& length) {
  const char* const end = rest.data() + rest.size();
  const auto [behind, error] = std::from_chars(rest.data(), end, length);
  if (error != std::errc() || behind == end || *behind != ',') return false;
  rest.remove_prefix(static_cast<size_t>(behind - rest.data()) + 1);
  return true;
}

}  // namespace

std::string difference_to(std::string_view before, std::string_view after) {
  const size_t shorter = std::min(before.size(), after.size());
  size_t head = equal_bytes_ahead(before, after);
  while (head > 0 && head < before.size() && continues(before[head])) --head;
  size_t tail = equal_bytes_behind(before, after, shorter - head);
  while (tail > 0 && continues(before[before.size() - tail])) --tail;
  std::string out = fmt::format("{}{},{},{}", kDifferenceMark, head, tail,
                                before.substr(head, before.size() - head - tail));
  const bool plain_is_clear = before.empty() || before.front() != kDifferenceMark;
  return plain_is_clear && before.size() <= out.size() ? std::string(before) : out;
}

Result<std::string> undo_difference(std::string_view difference, std::string_view after) {
  if (difference.empty() || difference.front() != kDifferenceMark) return std::string(difference);
  std::string_view rest = difference.substr(1);
  size_t head = 0;
  size_t tail = 0;
  if (!take_length(rest, head) || !take_length(rest, tail) || head > after.size() ||
      tail > after.size() - head) {
    return fail(Code::corrupt,
                "the change log's record of what was before does not fit what came after");
  }
  return fmt::format("{}{}{}", after.substr(0, head), rest, after.substr(after.size() - tail));
}

}  // namespace drover::store

#include "cluster/field_rules.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

tl::unexpected<Error> bad_field(std::string_view field, std::string_view value,
                                std::string_view rule) {
  constexpr size_t kShown = 80;
  const std::string shown = printable(value.substr(0, kShown));
  return fail(Code::invalid_argument, fmt::format("{}: '{}{}' is not valid: {}", field, shown,
                                                  value.size() > kShown ? "..." : "", rule));
}

Status check_plain_text(std::string_view field, std::string_view value, size_t most) {
  if (value.size() > most) {
    return bad_field(field, value,
                     fmt::format("expected at most {} bytes, got {}", most, value.size()));
  }
  const bool plain = std::ranges::none_of(
      value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return plain ? Status() : bad_field(field, value, "expected one line without control characters");
}

Status check_set_name(std::string_view field, std::string_view name) {
  if (name.empty()) return bad_field(field, name, "expected a name, got nothing");
  if (name.size() > kMaxSetName) {
    return bad_field(field, name, fmt::format("expected at most {} characters", kMaxSetName));
  }
  const bool known = std::ranges::all_of(
      name, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; });
  if (!known) return bad_field(field, name, "expected letters, digits, '.', '_' and '-' alone");
  if (is_letter(name.front()) || name.front() == '_') return {};
  return bad_field(field, name, "expected a letter or '_' at the beginning");
}

Status check_set_names(std::string_view field, const std::vector<std::string>& names) {
  constexpr size_t kMost = 64;
  if (names.size() > kMost) {
    return bad_field(field, fmt::format("{} names", names.size()),
                     fmt::format("expected at most {}", kMost));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string place = fmt::format("{}[{}]", field, i);
    DROVER_CHECK_OK(check_set_name(place, names[i]));
    const auto earlier = names.begin() + static_cast<ptrdiff_t>(i);
    if (std::find(names.begin(), earlier, names[i]) != earlier) {
      return bad_field(place, names[i], "expected each name once");
    }
  }
  return {};
}

Status check_account(std::string_view field, std::string_view name) {
  constexpr size_t kMost = 64;
  const bool known = std::ranges::all_of(name, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("._-@$").find(c) != std::string::npos;
  });
  if (!name.empty() && name.size() <= kMost && known && name.front() != '-') return {};
  return bad_field(field, name,
                   "expected a login name, a number or 'any': 1 to 64 letters, digits and ._-@$");
}

}  // namespace drover::cluster

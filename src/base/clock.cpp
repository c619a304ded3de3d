#include "base/clock.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <fmt/core.h>

namespace drover {

int64_t to_unix_ms(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime from_unix_ms(int64_t ms) {
  // Nanoseconds in 64 bits reach 292 years either way; a number from outside may be any.
  constexpr int64_t kMost = std::chrono::floor<std::chrono::milliseconds>(Duration::max()).count();
  return WallTime(std::chrono::milliseconds(std::clamp(ms, -kMost, kMost)));
}

namespace {

/// Writes the last digits of `value` in front of `end`; returns where they begin.
char* put_digits(char* end, unsigned value, int width) {
  for (; width > 0; --width, value /= 10) *--end = static_cast<char>('0' + value % 10);
  return end;
}

}  // namespace

// By hand: three of these stand in the body of every node, and bodies are written by the ten
// thousand.
std::string to_rfc3339(WallTime time) {
  using std::chrono::floor;
  const auto since = std::chrono::milliseconds(to_unix_ms(time));
  const auto whole_days = floor<std::chrono::days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days(whole_days)};
  const std::chrono::hh_mm_ss clock(since - whole_days);
  const auto number = [](auto count) { return static_cast<unsigned>(count); };
  std::string out = "0000-00-00T00:00:00.000Z";
  put_digits(&out[4], number(static_cast<int>(date.year())), 4);
  put_digits(&out[7], number(date.month()), 2);
  put_digits(&out[10], number(date.day()), 2);
  put_digits(&out[13], number(clock.hours().count()), 2);
  put_digits(&out[16], number(clock.minutes().count()), 2);
  put_digits(&out[19], number(clock.seconds().count()), 2);
  put_digits(&out[23], number(clock.subseconds().count()), 3);
  return out;
}

namespace {

/// Takes `width` digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc() || end != text.data() + width || text.front() == '-')
    return std::nullopt;
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// ".123" to nanoseconds; digits past the ninth are dropped.
std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return Duration(0);
  int64_t value = 0;
  int64_t unit = 1'000'000'000;
  size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    ++digits;
    unit /= 10;
    value += unit * (text.front() - '0');
  }
  if (digits == 0) return std::nullopt;
  return Duration(value);
}

/// "Z" or "+hh:mm", as what must be taken off the local time to get UTC.
std::optional<Duration> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return Duration(0);
  const bool minus = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return minus ? -offset : offset;
}

}  // namespace

std::optional<WallTime> from_rfc3339(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || *year < 1970 || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  // Nanoseconds of a 64-bit WallTime end in the year 2262.
  if (*year > 2261) return std::nullopt;
  return WallTime(std::chrono::sys_days(date).time_since_epoch()) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second) + *fraction - *offset;
}

}  // namespace drover

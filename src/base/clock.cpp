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

std::string to_rfc3339(WallTime time) {
  const int64_t ms = to_unix_ms(time);
  const auto seconds = static_cast<time_t>((ms - ((ms % 1000) + 1000) % 1000) / 1000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     ((ms % 1000) + 1000) % 1000);
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

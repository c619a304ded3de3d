#include "base/clock.hpp"

#include <ctime>

#include <fmt/core.h>

namespace drover {

int64_t to_unix_ms(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime from_unix_ms(int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

std::string to_rfc3339(WallTime time) {
  const int64_t ms = to_unix_ms(time);
  const auto seconds = static_cast<time_t>((ms - ((ms % 1000) + 1000) % 1000) / 1000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     ((ms % 1000) + 1000) % 1000);
}

}  // namespace drover

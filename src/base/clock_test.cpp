// Times as text, beside what the C library says of the same times.
#include "base/clock.hpp"

#include <ctime>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover {
namespace {

std::string as_the_library_says(int64_t ms) {
  const int64_t fraction = ((ms % 1000) + 1000) % 1000;
  const auto seconds = static_cast<time_t>((ms - fraction) / 1000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     fraction);
}

TEST(Rfc3339, IsWhatTheLibrarySaysAndIsReadBack) {
  // Every 11 days and some hours over all that a WallTime holds in both directions, so that leap
  // years, ends of months and the time before 1970 come by. What is before 1970 is not read.
  constexpr int64_t kCentury = 100LL * 365 * 24 * 3600 * 1000;
  for (int64_t ms = -2 * kCentury; ms < 2 * kCentury; ms += 11LL * 24 * 3600 * 1000 + 8'130'457) {
    const std::string text = to_rfc3339(from_unix_ms(ms));
    ASSERT_EQ(text, as_the_library_says(ms)) << ms;
    if (ms >= 0) {
      ASSERT_EQ(from_rfc3339(text), from_unix_ms(ms)) << ms;
    }
  }
  for (const int64_t ms : {0LL, -1LL, 1LL, 999LL, 951'782'399'999LL, 951'782'400'000LL}) {
    EXPECT_EQ(to_rfc3339(from_unix_ms(ms)), as_the_library_says(ms)) << ms;
  }
}

}  // namespace
}  // namespace drover

// Which lines of a log are one boot, and the times of each.
#include "cli/boot/boot_trace.hpp"

#include "cli/output.hpp"

#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

json::value line(const char* time, const char* text, const char* node = "n1") {
  return json::object{{"time", fmt::format("2026-01-01T00:{}Z", time)},
                      {"node", node},
                      {"source", "boot"},
                      {"text", text}};
}

/// "boot after+step text" of each line, the boot as minutes and seconds.
std::vector<std::string> rows(const json::array& lines, bool all = false) {
  std::vector<std::string> out;
  for (const json::value& row : trace_of(lines, all)) {
    out.push_back(fmt::format("{} {}+{} {}", text_at(row, "boot").substr(14, 5),
                              text_at(row, "after_ms"), text_at(row, "step_ms"),
                              text_at(row, "text")));
  }
  return out;
}

using Rows = std::vector<std::string>;

TEST(BootTrace, FirmwareAndLoaderAreOneBootAndEachLineHasItsTime) {
  const json::array lines{line("00:01.000", "DHCP DISCOVER"), line("00:01.250", "TFTP ipxe"),
                          line("00:03.250", "DHCP DISCOVER"),
                          line("00:03.300", "was given its boot script at 10.0.0.1"),
                          line("00:09.000", "init: network up on eth0")};
  EXPECT_EQ(rows(lines), (Rows{"00:01 0+0 DHCP DISCOVER", "00:01 250+250 TFTP ipxe",
                               "00:01 2250+2000 DHCP DISCOVER",
                               "00:01 2300+50 was given its boot script at 10.0.0.1",
                               "00:01 8000+5700 init: network up on eth0"}));
}

TEST(BootTrace, ANewBootBeginsAfterASystemThatRanOrALongSilence) {
  const json::array lines{line("00:01", "DHCP DISCOVER"),      line("00:05", "was enrolled"),
                          line("01:00", "DHCP DISCOVER"),      line("01:01", "TFTP ipxe"),
                          line("09:00", "DHCP DISCOVER"),      line("09:01", "refused x to y: z"),
                          line("09:30", "DHCP REQUEST"),       line("59:00", "refused x to y: z"),
                          line("00:02", "DHCP DISCOVER", "n2")};
  EXPECT_EQ(rows(lines),
            (Rows{"09:00 0+0 DHCP DISCOVER", "09:00 1000+1000 refused x to y: z",
                  "09:00 30000+29000 DHCP REQUEST", "09:00 3000000+2970000 refused x to y: z",
                  "00:02 0+0 DHCP DISCOVER"}));
  EXPECT_EQ(rows(lines, true).size(), lines.size());
  EXPECT_EQ(rows(lines, true)[2], "01:00 0+0 DHCP DISCOVER");
}

TEST(BootTrace, WhatIsNoLineIsLeftOut) {
  EXPECT_TRUE(rows({json::value(7), json::object{{"time", "soon"}}, nullptr}).empty());
  EXPECT_EQ(rows({line("00:01", "was enrolled")}), Rows{"00:01 0+0 was enrolled"})
      << "a log that was turned over";
}

}  // namespace
}  // namespace drover::cli

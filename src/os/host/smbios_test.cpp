// The SMBIOS parser on tables built byte by byte, whole and broken.
#include "os/host/smbios.hpp"

#include "os/host/test_smbios.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

using testing::MemoryDevice;
using testing::SmbiosBuilder;

TEST(Smbios, ReadsPopulatedAndEmptyDimms) {
  const std::string bytes =
      SmbiosBuilder()
          .memory_device(
              {.locator = "DIMM_A1", .size = 0x7fff, .extended_mib = 65536, .type = 0x22})
          .memory_device({.locator = "DIMM_A2", .size = 0})
          .memory_device({.locator = "DIMM_B1", .size = 16384, .type = 0x1a})
          .memory_device({.locator = "DIMM_B2", .size = 0xffff})
          .memory_device({.locator = "FLASH", .size = 0x8000 | 2048})
          .end();
  const SmbiosTable table = parse_smbios(bytes);
  EXPECT_EQ(table.problem, "");
  const DimmList list = dimms_of(table);
  EXPECT_EQ(list.slots, 5U);
  ASSERT_EQ(list.populated.size(), 3U);
  EXPECT_EQ(list.populated[0].locator, "DIMM_A1");
  EXPECT_EQ(list.populated[0].size_mib, 65536U);
  EXPECT_EQ(list.populated[0].type, "DDR5");
  EXPECT_EQ(list.populated[0].form_factor, "DIMM");
  EXPECT_EQ(list.populated[0].speed_mts, 4800U);
  EXPECT_EQ(list.populated[0].configured_mts, 4400U);
  EXPECT_EQ(list.populated[0].ranks, 2U);
  EXPECT_EQ(list.populated[0].total_bits, 80U);
  EXPECT_EQ(list.populated[1].type, "DDR4");
  EXPECT_EQ(list.populated[1].size_mib, 16384U);
  EXPECT_EQ(list.populated[2].size_mib, 2U) << "bit 15 says KiB";
}

TEST(Smbios, OldShortStructuresHaveNoNewFields) {
  // SMBIOS 2.1 ends a memory device at 0x15: no speed, maker, serial.
  const std::string bytes =
      SmbiosBuilder().memory_device({.locator = "A", .size = 512, .length = 0x15}).end();
  const DimmList list = dimms_of(parse_smbios(bytes));
  ASSERT_EQ(list.populated.size(), 1U);
  EXPECT_EQ(list.populated[0].size_mib, 512U);
  EXPECT_EQ(list.populated[0].serial, "");
  EXPECT_FALSE(list.populated[0].speed_mts);
}

TEST(Smbios, SpeedsAboveTheWordAreInTheExtendedField) {
  std::string bytes =
      SmbiosBuilder().memory_device({.locator = "A", .size = 512, .speed = 0xffff}).end();
  bytes[0x54] = '\x70';  // 70,000 MT/s
  bytes[0x55] = '\x11';
  bytes[0x56] = '\x01';
  EXPECT_EQ(dimms_of(parse_smbios(bytes)).populated[0].speed_mts, 70000U);
}

TEST(Smbios, EveryTruncationKeepsWhatStandsBeforeIt) {
  const std::string bytes = SmbiosBuilder()
                                .memory_device({.locator = "A", .size = 512})
                                .memory_device({.locator = "B", .size = 512})
                                .end();
  const size_t second = bytes.find(std::string("A\0", 2)) + 1;
  for (size_t length = 0; length < bytes.size(); ++length) {
    // A copy of exactly that size, so that the address sanitizer sees any read past it.
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    const SmbiosTable table = parse_smbios({cut.data(), cut.size()});
    EXPECT_LE(table.structures.size(), 2U);
    for (const Dimm& dimm : dimms_of(table).populated) EXPECT_FALSE(dimm.locator.empty());
    if (length > 0 && length < second) EXPECT_NE(table.problem, "") << length;
  }
}

TEST(Smbios, ImpossibleLengthsAndEndlessStringsStopTheWalk) {
  const auto problem = [](std::string_view bytes) { return parse_smbios(bytes).problem; };
  EXPECT_NE(problem(std::string_view("\x11\x03\0\0\0\0", 6)).find("at byte 0"), std::string::npos);
  EXPECT_NE(problem(std::string_view("\x11\xff\0\0\0\0", 6)).find("length"), std::string::npos);
  EXPECT_NE(problem(std::string_view("\x11\x04\0\0AAAA", 8)).find("no end"), std::string::npos);
  EXPECT_EQ(problem(""), "");
}

TEST(Smbios, StringNumbersBeyondTheSetAreEmpty) {
  const std::string_view bytes("\x01\x08\0\0\x01\x02\xff\0only\0\0\x7f\x04\0\0\0\0", 20);
  const SmbiosTable table = parse_smbios(bytes);
  ASSERT_EQ(table.structures.size(), 1U);
  EXPECT_EQ(table.structures[0].string(4), "only");
  EXPECT_EQ(table.structures[0].string(5), "");
  EXPECT_EQ(table.structures[0].string(6), "");
  EXPECT_EQ(table.structures[0].string(200), "");
  EXPECT_FALSE(table.structures[0].dword(5));
}

TEST(Smbios, AFloodOfStructuresIsCutOff) {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += std::string("\x02\x04\0\0\0\0", 6);
  const SmbiosTable table = parse_smbios(bytes);
  EXPECT_EQ(table.structures.size(), 8192U);
  EXPECT_NE(table.problem.find("too many"), std::string::npos);
}

TEST(Smbios, UuidHasItsFirstFieldsTurned) {
  const std::string_view raw("\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
                             16);
  EXPECT_EQ(smbios_uuid(raw), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(smbios_uuid(std::string(16, '\0')), "");
  EXPECT_EQ(smbios_uuid(std::string(16, '\xff')), "");
  EXPECT_EQ(smbios_uuid("short"), "");
}

}  // namespace
}  // namespace drover::os

// The inventory's form on the wire: canonical, exact about mistakes, bounded.
#include "os/host/inventory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::os {
namespace {

using ::testing::HasSubstr;

TEST(InventoryJson, EqualPartsGiveEqualBytesAndComeBack) {
  const std::vector<Part> parts{{"cpu", "socket0", "", {{"cores", "8"}, {"model", "x \"y\""}}},
                                {"disk", "sda", "S1", {}}};
  const std::string text = encode_inventory(parts);
  EXPECT_EQ(text, R"({"parts":[{"kind":"cpu","slot":"socket0","serial":"","attributes":)"
                  R"({"cores":"8","model":"x \"y\""}},)"
                  R"({"kind":"disk","slot":"sda","serial":"S1","attributes":{}}]})");
  EXPECT_EQ(decode_inventory(text).value(), parts);
}

TEST(InventoryJson, UnknownMembersOfNewerAgentsAreLeftOutAndOrderIsMended) {
  const auto parts =
      decode_inventory(R"({"version":2,"parts":[{"kind":"nic","slot":"b","new":1},)"
                       R"({"kind":"nic","slot":"a","attributes":{"z":"1","a":"2"}}]})");
  ASSERT_TRUE(parts) << parts.error().text();
  EXPECT_EQ((*parts)[0].slot, "a");
  EXPECT_EQ((*parts)[0].attributes[0].first, "a");
  EXPECT_EQ((*parts)[1].serial, "");
}

struct Bad {
  std::string text;
  Code code;
  std::string says;
};

class InventoryJsonRefuses : public ::testing::TestWithParam<Bad> {};

TEST_P(InventoryJsonRefuses, AndNamesThePlace) {
  const auto parts = decode_inventory(GetParam().text);
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, GetParam().code);
  EXPECT_THAT(parts.error().text(), HasSubstr(GetParam().says));
}

std::string many_parts(size_t count) {
  std::string text = R"({"parts":[)";
  for (size_t i = 0; i < count; ++i) {
    text +=
        (i == 0 ? "" : ",") + std::string(R"({"kind":"k","slot":")") + std::to_string(i) + "\"}";
  }
  return text + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    All, InventoryJsonRefuses,
    ::testing::Values(
        Bad{"", Code::invalid_argument, "not valid JSON"},
        Bad{R"({"parts":[}")", Code::invalid_argument, "at byte"},
        Bad{"[]", Code::invalid_argument, "inventory: must be an object"},
        Bad{"{}", Code::invalid_argument, "parts: must be an array"},
        Bad{R"({"parts":[7]})", Code::invalid_argument, "parts[0]: must be an object"},
        Bad{R"({"parts":[{"slot":"a"}]})", Code::invalid_argument, "parts[0].kind: is missing"},
        Bad{R"({"parts":[{"kind":"CPU","slot":"a"}]})", Code::invalid_argument, "parts[0].kind"},
        Bad{R"({"parts":[{"kind":"cpu","slot":""}]})", Code::invalid_argument,
            "parts[0].slot: must not be empty"},
        Bad{R"({"parts":[{"kind":"cpu","slot":"a","serial":1}]})", Code::invalid_argument,
            "parts[0].serial: must be a string"},
        Bad{R"({"parts":[{"kind":"cpu","slot":"a","attributes":[]}]})", Code::invalid_argument,
            "parts[0].attributes: must be an object"},
        Bad{R"({"parts":[{"kind":"cpu","slot":"a","attributes":{"mhz":2100}}]})",
            Code::invalid_argument, "parts[0].attributes.mhz: must be a string"},
        Bad{R"({"parts":[{"kind":"cpu","slot":"a"},{"kind":"cpu","slot":"a"}]})",
            Code::invalid_argument, "cpu a appears twice"},
        Bad{R"({"parts":[{"kind":"cpu","slot":")" + std::string(5000, 'x') + "\"}]}",
            Code::too_large, "parts[0].slot"},
        Bad{many_parts(10'001), Code::too_large, "more than 10000"},
        Bad{std::string((size_t{16} << 20) + 1, ' '), Code::too_large, "larger than"}));

TEST(InventoryJson, TheLargestAllowedIsRead) {
  EXPECT_EQ(decode_inventory(many_parts(10'000)).value().size(), 10'000U);
}

}  // namespace
}  // namespace drover::os

// Text from files and firmware, made safe; numbers and CPU lists.
#include "os/host/text.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

TEST(HostText, CleanKeepsUtf8AndReplacesTheRest) {
  EXPECT_EQ(clean("  a b \n"), "a b");
  EXPECT_EQ(clean("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(clean("a\x01\x7f\xff"
                  "b"),
            "a???b");
  EXPECT_EQ(clean("\xc3"), "?");
  EXPECT_EQ(clean("\xe0\x80\x80"), "???") << "overlong";
  EXPECT_EQ(clean("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(clean(std::string(255, 'x') + "\xc3\xa9"), std::string(255, 'x'))
      << "no half character";
  EXPECT_EQ(clean(std::string(255, 'x') + " y"), std::string(255, 'x')) << "no blank at the cut";
  EXPECT_EQ(clean(std::string_view("a\0b", 3)), "a?b");
}

TEST(HostText, FillersAreNoIdentity) {
  EXPECT_EQ(clean_identity("To Be Filled By O.E.M."), "");
  EXPECT_EQ(clean_identity("00000000"), "");
  EXPECT_EQ(clean_identity("Not Specified"), "");
  EXPECT_EQ(clean_identity(" S64HNE0R602114 "), "S64HNE0R602114");
  EXPECT_EQ(clean_identity("0x0"), "0x0");
}

TEST(HostText, NumbersAreWholeOrNothing) {
  EXPECT_EQ(parse_number(" 42\n"), 42U);
  EXPECT_EQ(parse_number("0x1f"), 31U);
  for (const char* bad : {"", "0x", "-1", "4 2", "4K", "99999999999999999999"}) {
    EXPECT_FALSE(parse_number(bad)) << bad;
  }
}

TEST(HostText, ListsReadAndWrite) {
  const std::vector<uint32_t> numbers{0, 1, 2, 3, 8, 10, 11};
  EXPECT_EQ(parse_list("0-3,8,10-11\n"), numbers);
  EXPECT_EQ(format_list(numbers), "0-3,8,10-11");
  EXPECT_EQ(format_list({}), "");
  for (const char* bad : {"3-1", "a", "1,,2", "0-4294967295", "0-", "-"}) {
    EXPECT_TRUE(parse_list(bad).empty()) << bad;
  }
}

}  // namespace
}  // namespace drover::os

#include "base/text.hpp"

#include <array>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace drover {
namespace {

TEST(Text, NaturalOrderComparesNumbersAsNumbers) {
  const std::array<std::string_view, 13> ordered{"",     "1",   "9",  "10",  "a",    "a-1", "a1",
                                                 "a01b", "a1b", "a2", "a10", "a10b", "ab"};
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t j = 0; j < ordered.size(); ++j) {
      const int expected = i < j ? -1 : i > j ? 1 : 0;
      EXPECT_EQ(natural_compare(ordered.at(i), ordered.at(j)), expected)
          << ordered.at(i) << " and " << ordered.at(j);
    }
  }
  EXPECT_LT(natural_compare("n01", "n1"), 0);
  EXPECT_LT(natural_compare("n1", "n02"), 0);
  EXPECT_GT(natural_compare("n123456789012345678901234567891", "n123456789012345678901234567890"),
            0);
}

TEST(Text, NaturalOrderIsATotalOrder) {
  EXPECT_TRUE(rc::check("total", [] {
    const auto text = rc::gen::container<std::string>(rc::gen::element('0', '1', '9', 'a', '-'));
    const std::string a = *text;
    const std::string b = *text;
    const std::string c = *text;
    RC_ASSERT(natural_compare(a, b) == -natural_compare(b, a));
    RC_ASSERT((natural_compare(a, b) == 0) == (a == b));
    if (natural_compare(a, b) < 0 && natural_compare(b, c) < 0)
      RC_ASSERT(natural_compare(a, c) < 0);
  }));
}

TEST(Text, PrintableDisarmsWhatSteersATerminal) {
  EXPECT_EQ(printable("plain caf\xc3\xa9 \xe2\x9c\x93"), "plain caf\xc3\xa9 \xe2\x9c\x93");
  EXPECT_EQ(printable("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(printable("a\r\nb\tc"), "a\\x0d\\x0ab\\x09c");
  EXPECT_EQ(printable("a\r\nb\tc", true), "a\\x0d\nb\tc");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u{009b}31m");  // CSI as a C1 control
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\u{202e}b");  // right-to-left override
  EXPECT_EQ(printable("\xff\xc0\xaf\xed\xa0\x80"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80");  // cut short
  EXPECT_EQ(printable("\x7f"), "\\x7f");
}

TEST(Text, DisplayWidthCountsColumns) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("caf\xc3\xa9"), 4U);
  EXPECT_EQ(display_width("cafe\xcc\x81"), 4U);
  EXPECT_EQ(display_width("\xe7\xaf\x80\xe7\x82\xb9"), 4U);
}

TEST(Text, NearestSuggestsTypingMistakesOnly) {
  const std::array<std::string_view, 3> known{"socket", "data_dir", "listen"};
  EXPECT_EQ(nearest("sokcet", known), "socket");
  EXPECT_EQ(nearest("lsiten", known), "listen");
  EXPECT_EQ(nearest("datadir", known), "data_dir");
  EXPECT_EQ(nearest("colour", known), "");
}

}  // namespace
}  // namespace drover

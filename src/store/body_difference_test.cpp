#include "store/body_difference.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover::store {
namespace {

TEST(BodyDifference, SaysTheCommonBeginningAndEnd) {
  EXPECT_EQ(difference_to(R"({"name":"n1","flag":"ok","id":"0123456789"})",
                          R"({"name":"n1","flag":"warning","id":"0123456789"})"),
            "\x01"
            "21,20,ok");
}

TEST(BodyDifference, WhatIsNoShorterStaysAsItIs) {
  EXPECT_EQ(difference_to("[1]", "{}"), "[1]");
  EXPECT_EQ(difference_to("", "{}"), "");
  EXPECT_EQ(undo_difference("[1]", "{}").value(), "[1]");
}

TEST(BodyDifference, CutsBetweenCharacters) {
  // U+00FC and U+00F6 share their first byte, U+00FC and U+013C their last.
  for (const auto& [before, after] :
       {std::pair("aaaaaaaaaaaa\xC3\xBCzzzzzzzzzzzz", "aaaaaaaaaaaa\xC3\xB6zzzzzzzzzzzz"),
        std::pair("aaaaaaaaaaaa\xC3\xBCzzzzzzzzzzzz", "aaaaaaaaaaaa\xC4\xBCzzzzzzzzzzzz")}) {
    const std::string cut = difference_to(before, after);
    EXPECT_EQ(cut,
              "\x01"
              "12,12,\xC3\xBC");
    EXPECT_EQ(undo_difference(cut, after).value(), before);
  }
}

TEST(BodyDifference, WhatDoesNotFitIsRefused) {
  for (const char* bad : {"\x01",
                          "\x01"
                          "1",
                          "\x01"
                          "1,",
                          "\x01"
                          "1,2",
                          "\x01"
                          "9,0,x",
                          "\x01"
                          "0,9,x",
                          "\x01"
                          "2,2,x",
                          "\x01"
                          "-1,0,x",
                          "\x01"
                          "99999999999999999999,0,x",
                          "\x01"
                          "a,b,c"}) {
    const auto got = undo_difference(bad, "abc");
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code, Code::corrupt);
  }
}

RC_GTEST_PROP(BodyDifference, IsUndone, ()) {
  const auto text =
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("\x01,1{a\xC3\xBC")));
  const std::string before = *text;
  const std::string after = *text;
  RC_ASSERT(undo_difference(difference_to(before, after), after).value() == before);
  const std::string head = *text;
  const std::string tail = *text;
  RC_ASSERT(
      undo_difference(difference_to(head + before + tail, head + after + tail), head + after + tail)
          .value() == head + before + tail);
}

}  // namespace
}  // namespace drover::store

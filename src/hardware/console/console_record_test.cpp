#include "hardware/console/console_record.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using Texts = std::vector<std::string>;

WallTime at(int ms) {
  return from_unix_ms(1'767'225'600'000 + ms);
}

TEST(ConsoleText, EveryByteComesBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::string text = escape_console(all);
  EXPECT_EQ(unescape_console(text), all);
  for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << int{c};
  EXPECT_EQ(escape_console("a\\b\r\n\x1b[1m\xff"), "a\\\\b\\r\\n\\e[1m\\xff");
}

TEST(ConsoleText, WhatNobodyEscapedComesBackAsItIs) {
  for (const char* text : {"\\", "\\q", "\\x", "\\x1", "\\xg0", "\\x0g", "a\\"}) {
    EXPECT_EQ(unescape_console(text), text);
  }
}

TEST(ConsoleCutter, PiecesEndWithLinesAndSilence) {
  ConsoleCutter cutter;
  std::vector<ConsoleCutter::Piece> out;
  cutter.add(at(0), "one\r\ntwo\nlog", out);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].bytes, "one\r\n");
  EXPECT_EQ(out[1].bytes, "two\n");
  cutter.add(at(5), "in: ", out);
  EXPECT_EQ(out.size(), 2U);
  EXPECT_FALSE(cutter.take_before(at(0))) << "it began then";
  const auto rest = cutter.take_before(at(100));
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->bytes, "login: ");
  EXPECT_EQ(rest->time, at(0));
  EXPECT_FALSE(cutter.waits());
  EXPECT_FALSE(cutter.take_before(at(1000)));
}

TEST(ConsoleCutter, AFloodWithoutALineIsCut) {
  ConsoleCutter cutter;
  std::vector<ConsoleCutter::Piece> out;
  cutter.add(at(0), std::string(3 * ConsoleCutter::kLongest + 1, '\xfe'), out);
  ASSERT_EQ(out.size(), 3U);
  for (const auto& piece : out) {
    EXPECT_EQ(piece.bytes.size(), ConsoleCutter::kLongest);
    EXPECT_LE(escape_console(piece.bytes).size(), 2048U) << "more is cut off where it is kept";
  }
}

class Lines : public ::testing::Test {
 protected:
  Texts put(const std::string& bytes) {
    std::vector<ConsoleLines::Line> out;
    lines_.add(at(ms_++), bytes, out);
    Texts texts;
    for (const auto& line : out) texts.push_back(line.text);
    return texts;
  }
  ConsoleLines lines_;
  int ms_ = 0;
};

TEST_F(Lines, AreMadeOfPiecesWithoutColours) {
  EXPECT_EQ(put("[\x1b[0;32m  OK  \x1b[0m] Started s"), Texts());
  EXPECT_EQ(put("shd.\r\n\r\nlogin: "), (Texts{"[  OK  ] Started sshd."}));
  const auto rest = lines_.rest();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->text, "login: ");
  EXPECT_EQ(rest->time, at(1));
  EXPECT_FALSE(lines_.rest());
}

TEST_F(Lines, SequencesAreLeftOutWhereverTheyAreCut) {
  EXPECT_EQ(put("a\x1b"), Texts());
  EXPECT_EQ(put("["), Texts());
  EXPECT_EQ(put("31;1"), Texts());
  EXPECT_EQ(put("mb\x1b]0;title\x07"
                "c\x1b]8;;x\x1b\\d\x1b(Be\x1b"
                "7f\n"),
            (Texts{"abcdef"}));
}

TEST_F(Lines, NothingIsHiddenForGood) {
  EXPECT_EQ(put("\x1b]0;never ended\nnext\n"), (Texts{"next"}));
  EXPECT_EQ(put("\x1b[" + std::string(400, '1') + "tail\n"),
            (Texts{std::string(146, '1') + "tail"}));
  EXPECT_EQ(put("real\rfake\n"), (Texts{"real", "fake"})) << "one line over another";
}

TEST_F(Lines, OtherBytesAreEscapedAndLinesBounded) {
  EXPECT_EQ(put("a\x07\x08\xff\xe2\x80\xae z\n"), (Texts{"a\\x07\\x08\\xff\\u{202e} z"}));
  const auto cut = put(std::string(2500, 'x') + "\n");
  ASSERT_EQ(cut.size(), 3U);
  EXPECT_EQ(cut[0].size(), ConsoleLines::kLongest);
}

}  // namespace
}  // namespace drover::hardware

#include "cli/console/escape_keys.hpp"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using Kind = ConsoleKey::Kind;
using Keys = std::vector<ConsoleKey>;

Keys typed(const std::string& text) {
  return {{Kind::typed, text}};
}

TEST(EscapeKeysTest, WhatIsTypedGoesToTheMachine) {
  EscapeKeys keys;
  EXPECT_EQ(keys.feed("ls -l\r"), typed("ls -l\r"));
  EXPECT_EQ(keys.feed(std::string("\0\xff\x1b[A", 5)), typed(std::string("\0\xff\x1b[A", 5)));
  EXPECT_EQ(keys.feed("c."), typed("c.")) << "nothing stood before it";
  EXPECT_EQ(keys.feed(""), Keys());
}

TEST(EscapeKeysTest, TheSequencesAreOurs) {
  EscapeKeys keys;
  EXPECT_EQ(keys.feed("\x05"
                      "c."),
            (Keys{{Kind::leave}}));
  EXPECT_EQ(keys.feed("\x05"
                      "c?"),
            (Keys{{Kind::help}}));
  EXPECT_EQ(keys.feed("\x05"
                      "cw"),
            (Keys{{Kind::who}}));
  EXPECT_EQ(keys.feed("\x05"
                      "cs"),
            (Keys{{Kind::spy}}));
  EXPECT_EQ(keys.feed("\x05"
                      "ca"),
            (Keys{{Kind::write}}));
  EXPECT_EQ(keys.feed("\x05"
                      "cl0"),
            (Keys{{Kind::send_break}}));
  EXPECT_EQ(keys.feed("\x05"
                      "cl1"),
            (Keys{{Kind::unknown, "l1"}}));
  EXPECT_EQ(keys.feed("\x05"
                      "cx"),
            (Keys{{Kind::unknown, "x"}}));
  EXPECT_EQ(keys.feed("a\x05"
                      "c.b"),
            (Keys{{Kind::typed, "a"}, {Kind::leave}, {Kind::typed, "b"}}));
}

TEST(EscapeKeysTest, TheyMayComeKeyByKey) {
  EscapeKeys keys;
  EXPECT_EQ(keys.feed("\x05"), Keys());
  EXPECT_TRUE(keys.waits());
  EXPECT_EQ(keys.feed("c"), Keys());
  EXPECT_FALSE(keys.waits()) << "that is no key of a machine any more";
  EXPECT_EQ(keys.pause(), Keys());
  EXPECT_EQ(keys.feed("l"), Keys());
  EXPECT_EQ(keys.feed("0"), (Keys{{Kind::send_break}}));
}

TEST(EscapeKeysTest, CtrlEIsTheMachinesToo) {
  EscapeKeys keys;
  EXPECT_EQ(keys.feed("\x05x"), typed("\x05x"));
  EXPECT_EQ(keys.feed("\x05\x05"
                      "c."),
            (Keys{{Kind::typed, "\x05"}, {Kind::leave}}));
  EXPECT_EQ(keys.feed("\x05"
                      "ce"),
            typed("\x05"
                  "c"));
  EXPECT_EQ(keys.feed("\x05"), Keys());
  EXPECT_EQ(keys.pause(), typed("\x05"));
  EXPECT_EQ(keys.feed("c."), typed("c."));
}

}  // namespace
}  // namespace drover::cli

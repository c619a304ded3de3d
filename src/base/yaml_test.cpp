#include "base/yaml.hpp"

#include "base/json_values.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

std::string yaml(std::string_view json) {
  return to_yaml(parse_json(json).value());
}

TEST(Yaml, WritesBlocks) {
  EXPECT_EQ(yaml(R"({"name":"n1","phase":{"state":"up","why":"heartbeat"},"tags":["a","b"],
                     "empty":{},"none":[],"parts":[{"slot":"1","n":2},["x",["y"]]],"null":null})"),
            "name: n1\n"
            "phase:\n"
            "  state: up\n"
            "  why: heartbeat\n"
            "tags:\n"
            "  - a\n"
            "  - b\n"
            "empty: {}\n"
            "none: []\n"
            "parts:\n"
            "  - slot: \"1\"\n"
            "    \"n\": 2\n"
            "  - - x\n"
            "    - - \"y\"\n"
            "\"null\": null\n");
  EXPECT_EQ(yaml("[]"), "[]\n");
  EXPECT_EQ(yaml("[1,true,1.5]"), "- 1\n- true\n- 1.5\n");
  EXPECT_EQ(yaml("\"x\""), "x\n");
}

TEST(Yaml, QuotesWhatWouldBeMisread) {
  for (const std::string_view text : {
           "",
           " a",
           "a ",
           "yes",
           "No",
           "ON",
           "null",
           "~",
           "true",
           "1",
           "-1",
           "+1",
           "0x1f",
           "0o7",
           "1e3",
           ".5",
           "1:30",
           "2026-11-21",
           "2026-11-21T21:33:17.123Z",
           "1_000",
           ".inf",
           "-.INF",
           ".NaN",
           "a: b",
           "a #b",
           "#a",
           "- a",
           "-a",
           "? a",
           "[a",
           "{a",
           "&a",
           "*a",
           "!a",
           "|",
           ">",
           "'a",
           "\"a",
           "%a",
           "@a",
           "`a",
           "a:",
           "---",
           "...",
           "=",
           "<<",
           "tab\there",
           "\x1b[31m",
       }) {
    const std::string out = to_yaml(json::value(text));
    EXPECT_EQ(out.front(), '"') << out;
    EXPECT_EQ(out.find('\x1b'), std::string::npos);
  }
  for (const std::string_view text : {"n1", "a-b", "a:b", "http://x/y", "it's", "caf\xc3\xa9",
                                      "n[1-3]", "a, b", "10 GbE", "x=1", "10.0.0.1"}) {
    EXPECT_EQ(to_yaml(json::value(text)), std::string(text) + "\n");
  }
  EXPECT_EQ(to_yaml(json::value("a\xe2\x80\xae"
                                "b")),
            "\"a\\U0000202eb\"\n");
  EXPECT_EQ(to_yaml(json::value("\x7f")), "\"\\x7f\"\n");
}

TEST(Yaml, KeepsLinesInLiteralBlocksWhereExact) {
  EXPECT_EQ(yaml(R"({"motd":"one\n\ntwo\n","after":1})"), "motd: |\n  one\n\n  two\nafter: 1\n");
  EXPECT_EQ(yaml(R"({"a":["one\ntwo\n"]})"), "a:\n  - |\n    one\n    two\n");
  EXPECT_EQ(yaml(R"({"a":"one\ntwo"})"), "a: \"one\\ntwo\"\n");
  EXPECT_EQ(yaml(R"({"a":" one\n"})"), "a: \" one\\n\"\n");
  EXPECT_EQ(yaml(R"("one\ntwo\n")"), "|\n  one\n  two\n");
}

TEST(Yaml, TextGivesWhatItsValuesGive) {
  for (
      const std::string_view text :
      {R"({"a":{"b":[{"c":1,"d":[]},[[{}],"two\nlines\n",1.50,-0.0,1e3]],"e":null},"f \u00e9":true})",
       "[]", "{}", "[[]]", "[{}]", "7", "\"x\"", R"("one\ntwo\n")",
       "[[1,[2]],{\"k\":{\"l\":[]}}]"}) {
    EXPECT_EQ(yaml_of_json(text).value(), yaml(text)) << text;
  }
  EXPECT_FALSE(yaml_of_json("{\"a\":"));
  EXPECT_FALSE(yaml_of_json("[1e999]"));
}

}  // namespace
}  // namespace drover

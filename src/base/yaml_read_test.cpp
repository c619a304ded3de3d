#include "base/yaml_read.hpp"

#include "base/json_values.hpp"
#include "base/yaml.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drover {
namespace {

std::string read(std::string_view yaml, YamlScalars scalars = YamlScalars::typed) {
  const auto value = parse_yaml(yaml, scalars);
  return value ? to_text(*value) : "error: " + value.error().message;
}

TEST(YamlRead, TypesPlainScalarsByTheCoreSchema) {
  EXPECT_EQ(read("{a: 1, b: -2, c: +3, d: 0o17, e: 0x1F, f: 1.5, g: 1e3, h: true, i: ~, j: ,"
                 " k: yes, l: '1', m: 0755, n: 18446744073709551615, o: .inf, p: 1:30}"),
            R"({"a":1,"b":-2,"c":3,"d":15,"e":31,"f":1.5E0,"g":1E3,"h":true,"i":null,"j":null,)"
            R"("k":"yes","l":"1","m":755,"n":18446744073709551615,"o":".inf","p":"1:30"})");
}

TEST(YamlRead, KeepsTheSpellingWhereTextIsWanted) {
  EXPECT_EQ(
      read("{a: 1.10, b: 0755, c: true, d: null, e: 'null', f: !!str null}", YamlScalars::text),
      R"({"a":"1.10","b":"0755","c":"true","d":null,"e":"null","f":"null"})");
}

TEST(YamlRead, ReadsWhatPeopleWrite) {
  EXPECT_EQ(read(""), "null");
  EXPECT_EQ(read("# only a comment\n"), "null");
  EXPECT_EQ(read("---\na: &x [1, 2]\nb: *x\n...\n"), R"({"a":[1,2],"b":[1,2]})");
  EXPECT_EQ(read("base: &b {x: 1, y: 2}\nn1:\n  <<: *b\n  y: 3\nn2:\n  <<: [*b, {z: 9, x: 0}]\n"),
            R"({"base":{"x":1,"y":2},"n1":{"y":3,"x":1},"n2":{"x":1,"y":2,"z":9}})");
  EXPECT_EQ(read("text: |\n  one\n  two\nfolded: >-\n  one\n  two\n"),
            R"({"text":"one\ntwo\n","folded":"one two"})");
  EXPECT_EQ(read(R"({"json": ["is", {"yaml": null}]})"), R"({"json":["is",{"yaml":null}]})");
}

TEST(YamlRead, NamesThePlaceOfAMistake) {
  EXPECT_EQ(read("a: 1\nb: [1\nc: 2\n").substr(0, 39), "error: line 3, column 2: not valid YAML");
  EXPECT_EQ(read("a: 1\nb: 2\na: 3\n"), "error: line 3, column 1: the key a comes twice");
  EXPECT_EQ(read("? [a]\n: 1\n"), "error: line 1, column 3: a key must be a plain or quoted text");
  EXPECT_EQ(read("a: 1\n---\nb: 1\n"),
            "error: line 2, column 1: a second document begins here; expected one");
  EXPECT_EQ(read("a: !secret x\n"), "error: line 1, column 4: the tag !secret is not known here");
  EXPECT_EQ(read("a: *x\n"), "error: line 1, column 4: *x has no &x before it");
  EXPECT_EQ(read("a: {<<: 1}\n"), "error: line 1, column 5: << takes a map or a list of maps");
  EXPECT_NE(read("a: \xff\xfe").find("not valid YAML"), std::string::npos);
}

TEST(YamlRead, BoundsWhatHostileTextCosts) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  const auto bomb = parse_yaml(laughs);
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().code, Code::too_large);
  EXPECT_NE(read(std::string(100'000, '[')).find("nested deeper than 64"), std::string::npos);
  EXPECT_EQ(parse_yaml(std::string(kMaxYamlText + 1, ' ')).error().code, Code::too_large);
}

TEST(YamlRead, KnowsTheLineOfEveryValue) {
  LineMap lines;
  ASSERT_TRUE(
      parse_yaml("nodes:\n  n1:\n    role: x\n  a/b~c:\n    list:\n      - one\n      - two\n",
                 YamlScalars::typed, &lines));
  EXPECT_EQ(line_of(lines, "/nodes/n1/role"), 3U);
  EXPECT_EQ(line_of(lines, "/nodes/" + pointer_token("a/b~c") + "/list/1"), 7U);
  EXPECT_EQ(line_of(lines, "/nodes/n1/missing/deep"), 2U);
  EXPECT_EQ(line_of(lines, ""), 1U);
  EXPECT_EQ(line_of({}, "/x"), 0U);
}

/// Any JSON whose texts are valid UTF-8, with what YAML might misread among them.
rc::Gen<json::value> any_json(int depth) {
  const auto text = rc::gen::map(
      rc::gen::oneOf(rc::gen::element<std::string>(
                         "", "null", "~", "yes", "0x1f", "1e3", "-", "? a", "a: b", "a #b", "<<",
                         "2026-11-22", "one\ntwo\n", "\n", " x", "x ", "caf\xc3\xa9", "\x7f", "*a",
                         "\xe2\x80\xa8", "1:30", "0755", "[", "'", "\""),
                     rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127))),
      [](const std::string& held) { return json::value(json::string_view(held)); });
  const auto scalar = rc::gen::oneOf(
      text,
      rc::gen::map(rc::gen::arbitrary<int64_t>(),
                   [](int64_t number) { return json::value(number); }),
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool truth) { return json::value(truth); }),
      rc::gen::just(json::value(nullptr)));
  if (depth == 0) return scalar;
  const auto inner = rc::gen::lazy([depth] { return any_json(depth - 1); });
  const auto few = rc::gen::inRange<size_t>(0, 4);
  const auto list = rc::gen::mapcat(few, [inner](size_t count) {
    return rc::gen::map(rc::gen::container<std::vector<json::value>>(count, inner),
                        [](const std::vector<json::value>& held) {
                          return json::value(json::array(held.begin(), held.end()));
                        });
  });
  const auto map = rc::gen::map(rc::gen::pair(list, list), [](const auto& both) {
    json::object out;
    size_t index = 0;
    for (const json::value& value : both.first.get_array()) {
      const bool named = index < both.second.get_array().size();
      std::string key = named && both.second.get_array()[index].is_string()
                            ? std::string(both.second.get_array()[index].get_string())
                            : "k" + std::to_string(index);
      ++index;
      // "<<" as a quoted key is a key; the writer quotes it.
      out[key] = value;
    }
    return json::value(out);
  });
  return rc::gen::oneOf(scalar, list, map);
}

RC_GTEST_PROP(YamlRead, ReadsWhatTheWriterWrote, ()) {
  const json::value value = *any_json(3);
  const std::string text = to_yaml(value);
  const auto back = parse_yaml(text);
  if (!back) RC_FAIL("refused: " + back.error().message + "\n" + text);
  RC_ASSERT(to_text(*back) == to_text(value));
}

}  // namespace
}  // namespace drover

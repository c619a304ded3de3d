#include "base/json_items.hpp"

#include "base/json_values.hpp"
#include "base/yaml.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace drover {
namespace {

using Layout = ItemsText::Layout;

constexpr std::string_view kItems =
    R"([{"name":"n1","empty":{},"none":[],"deep":{"a":[1,[2,{}],"x"],"b":null},"yes":true,)"
    R"("odd \"\\\b\f\n\r\t\u0001\u007fé\u20ac":"line\nfeed \"quoted\" \\ ü"},7,-8,"text",null,)"
    R"([],{},[[],[{"k":false}]],18446744073709551615])";

/// What a whole row of pages gives.
struct Written {
  explicit Written(Layout layout)
      : text(layout, [this](const std::string& piece) { out += piece; }) {}
  Result<ItemsText::Page> add(std::string_view document) { return text.add(document); }
  std::string finish() {
    text.finish();
    return out;
  }
  std::string out;
  ItemsText text;
};

std::string page(std::string_view items, std::string_view rest = "") {
  return "{\"items\":" + std::string(items) + std::string(rest) + "}";
}

TEST(ItemsText, IndentsAsTheWriterOfValuesDoes) {
  const std::string document = page(kItems);
  Written text(Layout::indented);
  const auto added = text.add(document);
  ASSERT_TRUE(added) << added.error().text();
  EXPECT_EQ(added->count, 9U);
  EXPECT_EQ(added->next_page, "");
  EXPECT_EQ(text.finish(), to_pretty_text(parse_json(document).value()));
}

TEST(ItemsText, WritesYamlAsTheWriterOfValuesDoes) {
  for (const std::string& document : {page(kItems), page("[]"), page("[{}]"), page("[1.0, 2e3]")}) {
    Written text(Layout::yaml);
    ASSERT_TRUE(text.add(document)) << document;
    EXPECT_EQ(text.finish(), to_yaml(parse_json(document).value()));
  }
}

TEST(ItemsText, HandsLongListsOverInPieces) {
  const std::string item = R"({"name":"n1","note":")" + std::string(1000, 'x') + "\"}";
  std::string items = item;
  for (int i = 1; i < 1000; ++i) items += "," + item;
  std::vector<std::string> pieces;
  ItemsText text(Layout::lines, [&](std::string piece) { pieces.push_back(std::move(piece)); });
  ASSERT_EQ(text.add(page("[" + items + "]")).value().count, 1000U);
  EXPECT_GT(pieces.size(), 2U);
  text.finish();
  std::string whole;
  for (const std::string& piece : pieces) {
    EXPECT_TRUE(piece.ends_with("}\n"));
    whole += piece;
  }
  EXPECT_EQ(whole.size(), 1000 * (item.size() + 1));
}

TEST(ItemsText, WritesOneItemALine) {
  Written text(Layout::lines);
  ASSERT_TRUE(text.add(page(kItems)));
  std::string wanted;
  const json::value items = parse_json(kItems).value();
  for (const json::value& item : items.get_array()) wanted += to_text(item) + "\n";
  EXPECT_EQ(text.finish(), wanted);
}

TEST(ItemsText, NumbersKeepTheirDigits) {
  Written text(Layout::lines);
  ASSERT_TRUE(text.add(page("[0.5, 1.0, 1e3, 0.30000000000000004, 123456789012345678901, -0.0]")));
  EXPECT_EQ(text.finish(), "0.5\n1.0\n1e3\n0.30000000000000004\n123456789012345678901\n-0.0\n");
}

TEST(ItemsText, JoinsPages) {
  Written text(Layout::indented);
  const auto first = text.add(page("[1,2]", R"(,"other":{"items":[9],"next_page":"x"},)"
                                            R"("next_page":"a\"b")"));
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->next_page, "a\"b");
  EXPECT_EQ(text.add(page("[]")).value().count, 0U);
  EXPECT_EQ(text.add("{\"total\": 3, \"items\": [ 3 ] }").value().count, 1U);
  EXPECT_EQ(text.finish(), "{\n  \"items\": [\n    1,\n    2,\n    3\n  ]\n}\n");
}

TEST(ItemsText, NothingIsAnEmptyList) {
  Written indented(Layout::indented);
  ASSERT_TRUE(indented.add(page("[]")));
  EXPECT_EQ(indented.finish(), to_pretty_text(parse_json(page("[]")).value()));
  Written lines(Layout::lines);
  ASSERT_TRUE(lines.add(page("[]")));
  EXPECT_EQ(lines.finish(), "");
}

TEST(ItemsText, RefusesWhatIsNoList) {
  for (const std::string_view document :
       {"", "{\"items\":[1,2", "{\"items\":[1]} x", "{\"items\":[1e999]}", "{\"items\":[\"\xff\"]}",
        "{\"items\":[nul]}"}) {
    const auto added = Written(Layout::lines).add(document);
    ASSERT_FALSE(added) << document;
    EXPECT_EQ(added.error().code, Code::invalid_argument) << document;
  }
  for (const std::string_view document :
       {"{}", "[]", "7", "[{\"items\":[1]}]", "{\"items\":{}}", "{\"a\":{\"items\":[1]}}"}) {
    const auto added = Written(Layout::lines).add(document);
    ASSERT_FALSE(added) << document;
    EXPECT_EQ(added.error().code, Code::corrupt) << document;
  }
  const std::string deep = page(std::string(100, '[') + std::string(100, ']'));
  EXPECT_FALSE(Written(Layout::lines).add(deep));
}

}  // namespace
}  // namespace drover

#include "base/json_list.hpp"

#include "base/json_values.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover {
namespace {

struct Walked {
  std::vector<std::string> items;
  Result<ItemsText::Page> page = ItemsText::Page();
};

Walked walked(std::string_view document) {
  Walked out;
  out.page = each_item(document, [&out](std::string_view item) -> Status {
    out.items.emplace_back(item);
    return {};
  });
  return out;
}

TEST(JsonList, CutsItems) {
  const Walked list =
      walked(R"( {"total" : 3, "items": [ {"a":"]},\"{","b":[1,{"c":[]}]}, "x\\", 7 ,)"
             R"( null,[] ] , "next_page":"a\"b" } )");
  ASSERT_TRUE(list.page) << list.page.error().text();
  EXPECT_EQ(list.items, (std::vector<std::string>{R"({"a":"]},\"{","b":[1,{"c":[]}]})", R"("x\\")",
                                                  "7", "null", "[]"}));
  EXPECT_EQ(list.page->count, 5U);
  EXPECT_EQ(list.page->next_page, "a\"b");
  EXPECT_EQ(walked(R"({"items":[]})").page->count, 0U);
  EXPECT_EQ(walked(R"({"items":[1],"next_page":null})").page->next_page, "");
}

TEST(JsonList, RefusesWhatIsNoList) {
  for (const std::string_view document :
       {"", "{", "{\"items\"", "{\"items\":[1", "{\"items\":[1,]}", "{\"items\":[1]",
        "{\"items\":[\"a]}", "{\"items\":[{]}", "{\"items\":[1]} x", "{\"items\":[1]}{",
        "{items:[1]}", "{\"items\":[1] 2}", "{\"items\":[1],}", "{\"items\":[1 2]}"}) {
    const auto page = walked(document).page;
    ASSERT_FALSE(page) << document;
    EXPECT_EQ(page.error().code, Code::invalid_argument) << document;
  }
  for (const std::string_view document :
       {"{}", "[]", "7", "[{\"items\":[1]}]", "{\"items\":{}}", "{\"a\":{\"items\":[1]}}"}) {
    const auto page = walked(document).page;
    ASSERT_FALSE(page) << document;
    EXPECT_EQ(page.error().code, Code::corrupt) << document;
  }
}

TEST(JsonList, EndsWithTheErrorOfItsCaller) {
  size_t calls = 0;
  const auto page = each_item("{\"items\":[1,2,3]}", [&calls](std::string_view) -> Status {
    return ++calls < 2 ? Status() : fail(Code::cancelled, "enough");
  });
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::cancelled);
  EXPECT_EQ(calls, 2U);
}

}  // namespace
}  // namespace drover

#include "base/json_reader.hpp"

#include "base/json_values.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(JsonReader, ReadsOneDocumentAfterTheOther) {
  JsonReader reader;
  json::value kept;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = "{\"name\":\"n" + std::to_string(i) + "\",\"long\":\"" +
                             std::string(static_cast<size_t>(i) * 100, 'x') +
                             "\",\"list\":[1,[2]]}";
    const auto value = reader.read(text);
    ASSERT_TRUE(value) << value.error().text();
    ASSERT_EQ(to_text(**value), text);
    if (i == 7) kept = json::value(**value, {});
    (*value)->get_object()["more"] = json::array{i};
  }
  EXPECT_EQ(kept.at("name"), "n7");
}

TEST(JsonReader, GoesOnBehindAnError) {
  JsonReader reader;
  for (const std::string_view bad : {"", "{", "[1,]", "{} x", "nul", "\"\xff\"", "[1e999]"}) {
    const auto refused = reader.read(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_EQ(to_text(**reader.read("[1]")), "[1]");
  }
  EXPECT_FALSE(reader.read(std::string(100, '[') + std::string(100, ']')));
}

}  // namespace
}  // namespace drover

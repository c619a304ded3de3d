// The examples of RFC 7396, appendix A.
#include "base/merge_patch.hpp"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(MergePatch, DoesAsTheStandardsExamples) {
  struct Case {
    std::string_view target;
    std::string_view patch;
    std::string_view result;
  };
  constexpr std::array cases{
      Case{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      Case{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      Case{R"({"a":"b"})", R"({"a":null})", R"({})"},
      Case{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      Case{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      Case{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      Case{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      Case{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      Case{R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      Case{R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      Case{R"({"a":"foo"})", "null", "null"},
      Case{R"({"a":"foo"})", R"("bar")", R"("bar")"},
      Case{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      Case{R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      Case{R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const Case& c : cases) {
    const auto merged = merge_patch_text(c.target, c.patch);
    ASSERT_TRUE(merged) << c.target;
    EXPECT_EQ(*merged, c.result) << c.target << " with " << c.patch;
  }
  EXPECT_FALSE(merge_patch_text("{}", "{"));
}

}  // namespace
}  // namespace drover

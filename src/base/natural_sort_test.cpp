#include "base/natural_sort.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace drover {
namespace {

using Names = std::vector<std::string>;

Names by_compare(Names names) {
  std::sort(names.begin(), names.end(), NaturalLess{});
  return names;
}

TEST(NaturalSort, IsTheNaturalOrder) {
  Names names{"n10",
              "n9",
              "n1",
              "n01",
              "n",
              "n1a",
              "n-1",
              "n:",
              "0",
              "00",
              "a",
              "",
              "n1-2",
              "n01-1",
              "x1000c0s0b0n0",
              "x1000c0s0b0n00",
              std::string(300, '9'),
              std::string(299, '9') + "8",
              "1" + std::string(300, '0'),
              "n\xff",
              std::string("n\0", 2),
              std::string("n\0b", 3)};
  const Names expected = by_compare(names);
  sort_natural(names);
  EXPECT_EQ(names, expected);
}

TEST(NaturalSort, AgreesWithTheComparisonOnAnything) {
  EXPECT_TRUE(rc::check("sort_natural == std::sort by NaturalLess", [] {
    const auto part =
        rc::gen::element<std::string>("n", "rack", "0", "00", "1", "01", "9", "10", "-", ".", ":",
                                      "999999999999", "\xc3\xa9", "a1b2c3d4e5");
    const auto name = rc::gen::map(rc::gen::container<Names>(part), [](const Names& parts) {
      std::string out;
      for (const std::string& text : parts) out += text;
      return out;
    });
    const auto wild = rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    Names names = *rc::gen::container<Names>(rc::gen::oneOf(name, wild));
    const Names expected = by_compare(names);
    sort_natural(names);
    RC_ASSERT(names == expected);
  }));
}

}  // namespace
}  // namespace drover

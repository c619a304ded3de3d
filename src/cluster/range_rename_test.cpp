// Noderanges in which a group gets another name.
#include "cluster/range_rename.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

std::string renamed(std::string_view range, bool bare_is_node = false) {
  const auto out = renamed_in(range, {"gpu", "accel", bare_is_node});
  return out ? *out : out.error().message.substr(out.error().message.find("' names") + 2);
}

TEST(RangeRename, WritesTheNewNameWhereTheGroupIsMeant) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"@gpu", "@accel"},
      {"@gpu,n1", "@accel,n1"},
      {"n[1-8],@gpu,-@rack1", "n[1-8],@accel,-@rack1"},
      {"(@gpu&@rack1),@gpu", "(@accel&@rack1),@accel"},
      {"@rack1@@gpu", "@rack1@@accel"},
      {"@gpu & rack=3", "@accel & rack=3"},
      {"@gpu2,@gpus,@x-gpu,@gpu-x,@gpu.x,gpus", "@gpu2,@gpus,@x-gpu,@gpu-x,@gpu.x,gpus"},
      {"image=gpu,n1", "image=gpu,n1"},
      {"~gpu[0-9]", "~gpu[0-9]"},
      {"*", "*"},
      {"", ""}};
  for (const auto& [before, after] : cases) EXPECT_EQ(renamed(before), after) << before;
}

TEST(RangeRename, RefusesWhatItCannotRewriteForCertain) {
  const std::string refused = "names the group 'gpu' in a way that cannot be rewritten for certain";
  for (const char* range : {"gpu", "n1,gpu", "@rack1&gpu", "~x[0-9],@gpu", "\"@gpu\",@gpu"}) {
    EXPECT_EQ(renamed(range), refused) << range;
  }
  const auto made = renamed_in("@g[1-2]", {"g1", "h1", false});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::conflict);
}

TEST(RangeRename, WithoutTheAtANodeOfTheSameNameIsMeantAndStays) {
  EXPECT_EQ(renamed("gpu,@gpu", true), "gpu,@accel");
  EXPECT_EQ(renamed("gpu", true), "gpu");
}

}  // namespace
}  // namespace drover::cluster

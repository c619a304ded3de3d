#include "base/roff.hpp"

#include <gtest/gtest.h>

namespace drover::roff {
namespace {

TEST(Roff, TextKeepsItsMeaning) {
  EXPECT_EQ(plain("--dry-run"), "\\-\\-dry\\-run");
  EXPECT_EQ(plain("a\\b"), "a\\eb");
  EXPECT_EQ(plain(".SH\n'x'\n a.b"), "\\&.SH\n\\&'x'\n a.b");
  EXPECT_EQ(bold("a-b"), "\\fBa\\-b\\fR");
}

TEST(Roff, PartsOfAPage) {
  EXPECT_EQ(title("drover-node", "1", "Drover 1"),
            ".TH DROVER\\-NODE 1 \"\" \"Drover 1\" \"Drover Manual\"\n");
  EXPECT_EQ(item(bold("-x"), "Does x."), ".TP\n\\fB\\-x\\fR\nDoes x.\n");
  EXPECT_EQ(item("x", ""), ".TP\nx\n\\&\n");
  EXPECT_EQ(example("drover x\n"), ".PP\n.nf\n.RS\ndrover x\n.RE\n.fi\n");
  EXPECT_EQ(section("see also"), ".SH SEE ALSO\n");
}

}  // namespace
}  // namespace drover::roff

#include "os/editor.hpp"

#include "os/test_folder.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

TEST(Editor, GivesBackWhatTheEditorLeft) {
  EXPECT_EQ(edit_text("one\n", "true").value(), "one\n");
  EXPECT_EQ(edit_text("one\n", "sed -i s/one/two/").value(), "two\n") << "sed -i renames";
  EXPECT_EQ(edit_text("", "f() { echo new > \"$1\"; }; f").value(), "new\n");
}

TEST(Editor, RefusesWhatAFailedEditorLeft) {
  const auto failed = edit_text("one\n", "false");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::cancelled);
  EXPECT_FALSE(edit_text("one\n", "rm")) << "the file is gone";
}

TEST(Editor, LeavesNoFileBehindAndShowsItToNobody) {
  const testing::TestFolder folder;
  const std::string seen = folder / "seen";
  ASSERT_TRUE(edit_text("secret", "f() { stat -c '%a %n' \"$1\" > " + seen + "; }; f"));
  const auto shown = edit_text("", "f() { cp " + seen + " \"$1\"; }; f").value();
  EXPECT_EQ(shown.substr(0, 4), "600 ");
  const std::string path = shown.substr(4, shown.size() - 5);
  EXPECT_FALSE(edit_text("", "test -e " + path + " && true"));
}

}  // namespace
}  // namespace drover::os

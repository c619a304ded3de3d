#include "os/placed_file.hpp"

#include "os/test_folder.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <unistd.h>

namespace drover::os {
namespace {

namespace fs = std::filesystem;

class PlacedFiles : public ::testing::Test {
 protected:
  std::string root() const { return folder_.path(); }
  PlacedFile file(const std::string& path, const std::string& content, uint32_t mode = 0644) const {
    return {path, content, mode, std::to_string(::geteuid()), std::to_string(::getegid())};
  }
  std::string read(const std::string& path) const {
    std::ifstream in(root() + path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  testing::TestFolder folder_;
};

TEST_F(PlacedFiles, AreMadeWithTheirFoldersAndReplaced) {
  ASSERT_TRUE(place_file(file("/etc/a/b", "one", 0600), root()));
  EXPECT_EQ(read("/etc/a/b"), "one");
  EXPECT_EQ(fs::status(root() + "/etc/a/b").permissions(), fs::perms{0600});
  ASSERT_TRUE(place_file(file("/etc/a/b", "two", 0755), root()));
  EXPECT_EQ(read("/etc/a/b"), "two");
  EXPECT_EQ(fs::status(root() + "/etc/a/b").permissions(), fs::perms{0755});
  EXPECT_EQ(std::distance(fs::directory_iterator(root() + "/etc/a"), {}), 1) << "nothing beside it";
  EXPECT_TRUE(is_placed("/etc/a/b", root()));
}

TEST_F(PlacedFiles, FollowNoLink) {
  fs::create_directories(root() + "/real");
  fs::create_directory_symlink("real", root() + "/link");
  EXPECT_EQ(place_file(file("/link/x", "bad"), root()).error().code, Code::denied);
  fs::create_symlink("/etc/passwd", root() + "/real/passwd");
  EXPECT_EQ(place_file(file("/real/passwd", "bad"), root()).error().code, Code::denied);
  EXPECT_EQ(remove_placed("/real/passwd", root()).error().code, Code::denied);
  EXPECT_TRUE(fs::is_symlink(root() + "/real/passwd"));
  EXPECT_FALSE(is_placed("/link/passwd", root()));
}

TEST_F(PlacedFiles, RefuseWhatIsNoPlainPath) {
  for (const char* path : {"", "/", "etc/x", "/a/../b", "/a/./b", "/a//b", "/a/"}) {
    EXPECT_FALSE(place_file(file(path, "x"), root())) << path;
  }
  fs::create_directories(root() + "/folder");
  EXPECT_EQ(place_file(file("/folder", "x"), root()).error().code, Code::denied);
  std::ofstream(root() + "/plain") << "x";
  EXPECT_FALSE(place_file(file("/plain/x", "x"), root()));
}

TEST_F(PlacedFiles, SayWhichAccountIsMissing) {
  PlacedFile one = file("/x", "x");
  one.user = "no-such-user-here";
  EXPECT_EQ(place_file(one, root()).error().text(), "this machine has no user 'no-such-user-here'");
  EXPECT_FALSE(is_placed("/x", root()));
}

TEST_F(PlacedFiles, AreRemovedOnce) {
  ASSERT_TRUE(place_file(file("/a/x", "x"), root()));
  EXPECT_TRUE(remove_placed("/a/x", root()));
  EXPECT_TRUE(remove_placed("/a/x", root()));
  EXPECT_TRUE(remove_placed("/none/at/all", root()));
  EXPECT_EQ(remove_placed("/a", root()).error().code, Code::denied);
}

}  // namespace
}  // namespace drover::os

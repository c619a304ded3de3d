#include "os/public_file.hpp"

#include "os/test_folder.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace drover::os {
namespace {

using testing::TestFolder;

std::string text_of(const std::string& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(PublicFile, IsReadableWhateverTheUmaskAndReplacesTheLast) {
  const TestFolder folder;
  const std::string path = folder.path() + "/names";
  const mode_t before = ::umask(0077);
  EXPECT_TRUE(write_public_file(path, "one"));
  EXPECT_TRUE(write_public_file(path, "another"));
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
  EXPECT_EQ(text_of(path), "another");
  EXPECT_NE(::stat((path + ".new").c_str(), &status), 0);
}

TEST(PublicFile, DoesNotWriteThroughALinkThatLiesInWait) {
  const TestFolder folder;
  const std::string victim = folder.path() + "/victim";
  ASSERT_TRUE(write_public_file(victim, "kept"));
  ASSERT_EQ(::symlink(victim.c_str(), (folder.path() + "/names.new").c_str()), 0);
  EXPECT_TRUE(write_public_file(folder.path() + "/names", "new"));
  EXPECT_EQ(text_of(victim), "kept");
}

TEST(PublicFile, SaysWhereItCannotBe) {
  const Status written = write_public_file("/nowhere/names", "x");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().text().find("/nowhere/names.new"), std::string::npos);
}

}  // namespace
}  // namespace drover::os

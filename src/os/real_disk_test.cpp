// RealDisk on a real folder: what it writes is there, and every refusal names the path.
#include "os/real_disk.hpp"

#include "os/test_folder.hpp"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace drover::os {
namespace {

class RealDiskTest : public ::testing::Test {
 protected:
  testing::TestFolder folder_;
  RealDisk disk_;
};

TEST_F(RealDiskTest, WritesReadsAndTruncatesAtPositions) {
  auto file = disk_.open(folder_ / "a", true, 0600);
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_TRUE((*file)->write(0, "hello"));
  ASSERT_TRUE((*file)->write(10, "world"));
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ((*file)->size().value(), 15U);
  std::string buffer(20, '?');
  EXPECT_EQ((*file)->read(3, buffer).value(), 12U);
  EXPECT_EQ(buffer.substr(0, 12), std::string("lo\0\0\0\0\0world", 12));
  ASSERT_TRUE((*file)->truncate(4));
  EXPECT_EQ((*file)->read(4, buffer).value(), 0U);
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(RealDiskTest, AbsentFilesAreNotFoundAndNamed) {
  const auto file = disk_.open(folder_ / "absent", false, 0);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Code::not_found);
  EXPECT_NE(file.error().text().find("absent"), std::string::npos);
  EXPECT_FALSE(disk_.exists(folder_ / "absent").value());
  EXPECT_TRUE(disk_.remove(folder_ / "absent"));
  EXPECT_EQ(disk_.list(folder_ / "absent").error().code, Code::not_found);
  EXPECT_EQ(disk_.sync_dir(folder_ / "absent").error().code, Code::not_found);
  EXPECT_EQ(disk_.rename(folder_ / "absent", folder_ / "b").error().code, Code::not_found);
}

TEST_F(RealDiskTest, ALockKeepsEverybodyElseOutUntilTheFileIsClosed) {
  auto first = disk_.open(folder_ / "a", true, 0600);
  auto second = disk_.open(folder_ / "a", false, 0);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE((*first)->lock());
  ASSERT_TRUE((*first)->lock()) << "having it already is fine";
  const Status refused = (*second)->lock();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().text().find(folder_ / "a"), std::string::npos);
  first->reset();
  EXPECT_TRUE((*second)->lock());
}

TEST_F(RealDiskTest, MakesDirectoriesOnTheWayAndListsSorted) {
  const std::string deep = folder_ / "x/y//z";
  ASSERT_TRUE(disk_.make_dirs(deep, 0700));
  ASSERT_TRUE(disk_.make_dirs(deep, 0700)) << "making it again succeeds";
  folder_.write("x/b", "");
  folder_.write("x/a", "");
  EXPECT_EQ(disk_.list(folder_ / "x").value(), (std::vector<std::string>{"a", "b", "y"}));
  const Status over_a_file = disk_.make_dirs(folder_ / "x/a/c", 0700);
  ASSERT_FALSE(over_a_file);
  EXPECT_NE(over_a_file.error().text().find("x/a"), std::string::npos);
}

TEST_F(RealDiskTest, AtomicWriteReplacesAndLeavesNoTemporary) {
  ASSERT_TRUE(disk_.write_atomic(folder_ / "f", "one", 0644));
  ASSERT_TRUE(disk_.write_atomic(folder_ / "f", "two", 0644));
  EXPECT_EQ(disk_.read_all(folder_ / "f").value(), "two");
  EXPECT_EQ(disk_.list(folder_.path()).value(), std::vector<std::string>{"f"});
  EXPECT_EQ(disk_.read_all(folder_ / "f", 2).error().code, Code::too_large);
}

TEST_F(RealDiskTest, AFullDiskIsExhaustedWithWhatToDo) {
  const auto full = disk_.open("/dev/full", false, 0);
  ASSERT_TRUE(full) << full.error().text();
  const Status written = (*full)->write(0, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::exhausted);
  EXPECT_FALSE(written.error().next.empty());
}

TEST_F(RealDiskTest, DescriptorsDoNotLeakIntoChildren) {
  const auto file = disk_.open(folder_ / "a", true, 0600);
  ASSERT_TRUE(file);
  int found = 0;
  const auto open_fds = disk_.list("/proc/self/fd");
  ASSERT_TRUE(open_fds);
  for (const std::string& fd : *open_fds) {
    std::array<char, 512> target{};
    const ssize_t length =
        ::readlink(("/proc/self/fd/" + fd).c_str(), target.data(), target.size());
    if (length < 0) continue;  // the descriptor of the listing itself
    if (std::string_view(target.data(), static_cast<size_t>(length)) != folder_ / "a") continue;
    ++found;
    EXPECT_NE(::fcntl(std::stoi(fd), F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(found, 1);
}

TEST_F(RealDiskTest, AProgramThatRunsCanBeRead) {
  RealDisk disk;
  const auto bytes = disk.read_all(std::filesystem::read_symlink("/proc/self/exe"));
  ASSERT_TRUE(bytes) << bytes.error().text();
  EXPECT_TRUE(bytes->starts_with("\x7f"));
}

}  // namespace
}  // namespace drover::os

#include "daemons/nodeup/file_keeper.hpp"

#include "daemons/nodeup/real_step_host.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

namespace drover::daemons {
namespace {

class FileKeepers : public ::testing::Test {
 protected:
  FileKeepers() { EXPECT_TRUE(disk_.make_dirs("/state", 0700)); }
  static cluster::OrderedFile file(const std::string& path, const std::string& content) {
    cluster::OverlayFile out;
    out.content = content;
    out.user = std::to_string(::geteuid());
    out.group = std::to_string(::getegid());
    return {path, out};
  }
  cluster::FilesResult apply(const std::vector<cluster::OrderedFile>& files) {
    FileKeeper keeper(disk_, "/state", root_.path());
    auto result = keeper.apply(files);
    EXPECT_TRUE(result) << (result ? "" : result.error().text());
    return result.value_or(cluster::FilesResult{});
  }
  std::string read(const std::string& path) {
    std::ifstream in(root_.path() + path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  sim::SimDisk disk_;
  os::testing::TestFolder root_;
};

TEST_F(FileKeepers, WriteWhatChangedAndRemoveWhatIsGone) {
  EXPECT_EQ(apply({file("/etc/a", "1"), file("/etc/b", "1")}).placed.size(), 2U);
  const auto again = apply({file("/etc/a", "1"), file("/etc/b", "2")});
  EXPECT_EQ(again.placed, std::vector<std::string>{"/etc/b"});
  EXPECT_EQ(again.unchanged, 1U);
  EXPECT_EQ(apply({file("/etc/b", "2")}).removed, std::vector<std::string>{"/etc/a"});
  EXPECT_FALSE(std::filesystem::exists(root_ / "etc/a"));
  EXPECT_EQ(apply({}).removed, std::vector<std::string>{"/etc/b"});
}

TEST_F(FileKeepers, LeaveAnEditAloneUntilTheDefinitionChanges) {
  apply({file("/a", "1")});
  std::ofstream(root_ / "a") << "edited";
  EXPECT_EQ(apply({file("/a", "1")}).unchanged, 1U);
  EXPECT_EQ(read("/a"), "edited");
  std::filesystem::remove(root_ / "a");
  EXPECT_EQ(apply({file("/a", "1")}).placed.size(), 1U) << "one that is gone is put back";
  EXPECT_EQ(apply({file("/a", "2")}).placed.size(), 1U);
  EXPECT_EQ(read("/a"), "2");
}

TEST_F(FileKeepers, TellWhatTheyCannotPlaceAndTryAgain) {
  root_.link("link", "/etc");
  const auto result = apply({file("/link/x", "1"), file("/ok", "1")});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_TRUE(result.problems[0].starts_with("/link/x: ")) << result.problems[0];
  EXPECT_EQ(result.placed, std::vector<std::string>{"/ok"});
  std::filesystem::remove(root_ / "link");
  EXPECT_EQ(apply({file("/link/x", "1"), file("/ok", "1")}).placed.size(), 1U);
}

TEST_F(FileKeepers, RememberAfterACrashWhatTheyMayHaveWritten) {
  apply({file("/a", "1")});
  disk_.detach();
  EXPECT_EQ(apply({}).removed, std::vector<std::string>{"/a"});
}

TEST(RealSteps, MountOptionsAreSplitFromFlags) {
  const MountOptions options = parse_mount_options("ro,nosuid,size=10m,,mode=0700,defaults");
  EXPECT_EQ(options.flags, static_cast<unsigned long>(MS_RDONLY | MS_NOSUID));
  EXPECT_EQ(options.data, "size=10m,mode=0700");
}

TEST(RealSteps, RunCommandsAndTellHowTheyEnd) {
  sim::SimDisk disk;
  RealStepHost host(disk, "/state", "n1");
  cluster::Step step;
  step.name = "hello";
  step.command = {"/bin/sh", "-c", "echo $DROVER_NODE $DROVER_STEP; exit 2"};
  const auto result = host.run(step);
  EXPECT_EQ(result.status, cluster::StepStatus::failed);
  EXPECT_EQ(result.why, "it ended with status 2");
  EXPECT_EQ(result.output, "n1 hello\n");
  step.command = {"sleep", "600"};
  step.timeout_s = 1;
  EXPECT_EQ(host.run(step).status, cluster::StepStatus::timed_out);
  step.command = {"no-such-program"};
  EXPECT_NE(host.run(step).why.find("not installed"), std::string::npos);
  step.kind = cluster::StepKind::module;
  step.module = "no_such_module";
  EXPECT_NE(host.run(step).why.find("there is no module no_such_module"), std::string::npos);
}

}  // namespace
}  // namespace drover::daemons

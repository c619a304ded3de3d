// Running other programs: output, status, environment, and programs that are not there.
#include "os/command.hpp"

#include "os/test_folder.hpp"

#include <array>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace drover::os {
namespace {

Result<CommandOutput> shell(const std::string& script) {
  CommandLine command;
  command.program = "sh";
  command.arguments = {"-c", script};
  return run_command(std::move(command));
}

TEST(CommandTest, GivesBackBothOutputs) {
  const auto output = shell("echo to out; echo to err >&2; cat");
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->out, "to out\n");
  EXPECT_EQ(output->err, "to err\n");
}

// As where one thread has written a script and another forks before the script is closed.
TEST(CommandTest, WaitsForAProgramThatIsStillBeingWritten) {
  const testing::TestFolder folder;
  const std::string path = folder.path() + "/script";
  std::ofstream(path) << "#!/bin/sh\necho ran\n";
  ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
  const int writing = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(writing, 0);
  std::thread writer([writing] {
    ::poll(nullptr, 0, 30);
    ::close(writing);
  });
  CommandLine command;
  command.program = path;
  const auto output = run_command(std::move(command));
  writer.join();
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->out, "ran\n");
}

TEST(CommandTest, FailuresSayWhatTheProgramSaid) {
  const auto failed = shell("echo the disk is full >&2; exit 3");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::io);
  EXPECT_EQ(failed.error().text(), "sh failed with status 3: the disk is full");
  EXPECT_EQ(shell("kill -9 $$").error().code, Code::cancelled);
  CommandLine missing;
  missing.program = "drover-has-no-such-program";
  const auto gone = run_command(std::move(missing));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::not_found);
  EXPECT_EQ(gone.error().text(), "the program drover-has-no-such-program is not installed");
}

TEST(CommandTest, KeepsTheEndOfALongOutput) {
  const auto output = shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  ASSERT_TRUE(output);
  EXPECT_LE(output->out.size(), 2 * kCommandOutput);
  EXPECT_TRUE(output->out.ends_with("line 19999\n"));
}

TEST(CommandTest, ArgumentsPassNoShell) {
  CommandLine command;
  command.program = "printf";
  command.arguments = {"%s", "$(id) `id` \"x\" ; y"};
  EXPECT_EQ(run_command(std::move(command))->out, "$(id) `id` \"x\" ; y");
}

TEST(CommandTest, RunsWhereAndWithWhatItIsTold) {
  CommandLine command;
  command.program = "/bin/sh";
  command.arguments = {"-c", "pwd; echo $DROVER_TEST $HOME ${LANG-none}"};
  command.environment = {"DROVER_TEST=yes", "HOME=/nowhere", "LANG"};
  command.directory = "/usr";
  int calls = 0;
  command.progress = [&] { ++calls; };
  EXPECT_EQ(run_command(std::move(command))->out, "/usr\nyes /nowhere none\n");
  EXPECT_GT(calls, 0);
}

TEST(CommandTest, KnowsWhatIsInstalled) {
  EXPECT_TRUE(has_program("sh"));
  EXPECT_FALSE(has_program("drover-has-no-such-program"));
}

/// What a descriptor says until `words` are there, within five seconds.
std::string read_until(const UniqueFd& fd, const std::string& words) {
  std::string out;
  pollfd watched{fd.get(), POLLIN, 0};
  while (out.find(words) == std::string::npos && ::poll(&watched, 1, 5000) > 0) {
    std::array<char, 256> buffer{};
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count <= 0) break;
    out.append(buffer.data(), static_cast<size_t>(count));
  }
  return out;
}

TEST(CommandTest, AProgramIsTalkedTo) {
  CommandLine command;
  command.program = "sh";
  command.arguments = {"-c",
                       "read line; echo \"got $line\"; ps -o tty= -p $$ >&2; read more; exit 3"};
  auto program = start_talking(command);
  ASSERT_TRUE(program) << program.error().text();
  ASSERT_EQ(::write(program->talk.get(), "words\n", 6), 6);
  EXPECT_EQ(read_until(program->talk, "\n"), "got words\n");
  EXPECT_EQ(read_until(program->errors, "\n"), "?\n") << "it has a terminal";
  pollfd ended{program->end.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 0), 0) << "it runs still";
  program->talk.reset();  // the end of its input is the end of it
  ASSERT_EQ(::poll(&ended, 1, 5000), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(program->pid, &status, 0), program->pid);
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(CommandTest, AProgramThatIsNotThereCannotBeTalkedTo) {
  CommandLine missing;
  missing.program = "drover-has-no-such-program";
  const auto program = start_talking(missing);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, Code::not_found);
}

}  // namespace
}  // namespace drover::os

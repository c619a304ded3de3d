// Running other programs: output, status, environment, and programs that are not there.
#include "os/command.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace drover::os

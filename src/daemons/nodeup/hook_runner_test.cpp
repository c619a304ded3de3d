#include "daemons/nodeup/hook_runner.hpp"

#include "net/loop.hpp"
#include "os/test_folder.hpp"

#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using namespace std::chrono_literals;
using cluster::StepResult;
using cluster::StepStatus;

class Hooks : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& script,
           std::filesystem::perms mode = std::filesystem::perms{0755}) {
    folder_.write(name, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(folder_ / name, mode);
  }
  std::vector<StepResult> run(const std::string& node = "n1") {
    HookRunner runner(*loop_, Log(sink_, "test"), folder_.path(), 300ms);
    std::optional<std::vector<StepResult>> got;
    runner.run({node, "boot-1", "10.77.0.11", "lab"},
               [&](std::vector<StepResult> results) { got = std::move(results); });
    EXPECT_TRUE(loop_->run_until([&] { return got.has_value(); }, 20s));
    return got.value_or(std::vector<StepResult>());
  }
  struct Silent final : LogSink {
    void write(const LogRecord&) override {}
  } sink_;
  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  os::testing::TestFolder folder_;
};

TEST_F(Hooks, RunInLexicalOrderWithTheNodeAsTheirArgument) {
  put("20-second", "echo second $1 $#");
  put("03first", "echo first $DROVER_NODE $DROVER_STATE $DROVER_BOOT_ID $DROVER_ADDRESS $HOME");
  put("notes", "exit 1");
  put("30-off", "exit 1", std::filesystem::perms{0644});
  put("40-old.bak", "exit 1");
  const auto results = run();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].name, "03first");
  EXPECT_EQ(results[0].output, "first n1 node_up boot-1 10.77.0.11\n");
  EXPECT_EQ(results[1].output, "second n1 1\n");
  EXPECT_EQ(results[1].status, StepStatus::ok);
}

TEST_F(Hooks, GetWhatANodeIsCalledAsItIs) {
  put("10-a", "echo \"<$1>\"");
  EXPECT_EQ(run("n1; touch " + (folder_ / "x")).at(0).output,
            "<n1; touch " + (folder_ / "x") + ">\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(Hooks, TheFirstThatFailsEndsIt) {
  put("10-a", "echo why; exit 3");
  put("20-b", "touch " + (folder_ / "ran"));
  const auto results = run();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].why, "it ended with status 3");
  EXPECT_EQ(results[0].output, "why\n");
  EXPECT_EQ(results[1].status, StepStatus::skipped);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "ran"));
}

TEST_F(Hooks, HaveALimitedTime) {
  put("10-a", "sleep 600");
  EXPECT_EQ(run().at(0).status, StepStatus::timed_out);
}

TEST_F(Hooks, ThatOthersMayWriteAreNotRun) {
  put("10-a", "touch " + (folder_ / "ran"), std::filesystem::perms{0777});
  const auto results = run();
  EXPECT_EQ(results.at(0).status, StepStatus::failed);
  EXPECT_NE(results.at(0).why.find("may be written by others"), std::string::npos)
      << results[0].why;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "ran"));
}

TEST_F(Hooks, AFolderThatIsNotThereHasNone) {
  EXPECT_TRUE(HookRunner(*loop_, Log(sink_, "test"), folder_ / "none", 1s).names().empty());
  EXPECT_TRUE(HookRunner(*loop_, Log(sink_, "test"), "", 1s).names().empty());
}

}  // namespace
}  // namespace drover::daemons

// ipmitool as a process: what it is given, and what its words become. A script stands for it here;
// tests/e2e has the real one beside an emulated BMC.
#include "hardware/ipmi/ipmi_tool.hpp"

#include "net/loop.hpp"
#include "os/test_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;

class IpmiToolTest : public ::testing::Test {
 protected:
  void script(const std::string& body) {
    const std::string path = folder_.path() + "/ipmitool";
    std::ofstream(path) << "#!/bin/sh\nlog=" << folder_.path() << "/log\n" << body;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  Result<std::string> run(IpmiToolOptions options = {}) {
    if (options.program == "ipmitool") options.program = folder_.path() + "/ipmitool";
    if (!tool_) tool_.emplace(*loop_, options);
    std::optional<Result<std::string>> result;
    tool_->run({.host = "10.1.0.7", .port = 9623, .user = "root", .password = "s3cret \"'"},
               {"chassis", "power", "status"},
               [&](Result<std::string> got) { result = std::move(got); });
    EXPECT_TRUE(loop_->run_until([&] { return result.has_value(); }, 60s));
    return *std::move(result);
  }
  std::string log() {
    std::stringstream text;
    text << std::ifstream(folder_.path() + "/log").rdbuf();
    return text.str();
  }

  os::testing::TestFolder folder_;
  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  std::optional<IpmiToolProcesses> tool_;
};

TEST_F(IpmiToolTest, GetsThePasswordByTheEnvironmentAlone) {
  script(
      "echo \"$*\" > $log; printf '%s\\n' \"$IPMITOOL_PASSWORD\" >> $log; echo Chassis Power is "
      "on");
  EXPECT_EQ(run().value(), "Chassis Power is on\n");
  EXPECT_EQ(log(),
            "-v -I lanplus -H 10.1.0.7 -p 9623 -U root -E -C 17 -N 2 -R 2 chassis power status\n"
            "s3cret \"'\n");
}

TEST_F(IpmiToolTest, FallsBackToTheOldCipherSuiteAndRemembersIt) {
  script(
      "echo \"$*\" >> $log\ncase \"$*\" in *'-C 17'*) echo 'Error in open session response message "
      ": invalid authentication algorithm' >&2; echo 'Error: Unable to establish IPMI v2 / RMCP+ "
      "session' >&2; exit 1;; esac\necho good\n");
  EXPECT_EQ(run().value(), "good\n");
  EXPECT_EQ(run().value(), "good\n");
  const std::string asked = log();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), '\n'), 3) << asked;
}

TEST_F(IpmiToolTest, ARefusedPasswordIsTriedOnce) {
  script(
      "echo x >> $log; echo '> RAKP 2 HMAC is invalid'; echo 'Error: Unable to establish IPMI v2 "
      "/ RMCP+ session'; exit 1");
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
  EXPECT_EQ(refused.error().message.find("s3cret"), std::string::npos);
  EXPECT_EQ(log(), "x\n");
}

TEST_F(IpmiToolTest, OneThatHangsIsEnded) {
  script("sleep 600");
  EXPECT_EQ(run({.limit = 200ms}).error().code, Code::timed_out);
}

TEST_F(IpmiToolTest, WithoutTheProgramTheErrorSaysWhatToInstall) {
  const auto missing = run({.program = folder_.path() + "/nowhere"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_EQ(missing.error().next, "apt install ipmitool");
}

TEST(IpmiError, IsWhatTheWordsStandFor) {
  const IpmiAccess access{.host = "b1", .user = "root\x1b[31m", .password = "x"};
  const auto code = [&](std::string_view said) { return ipmi_error(access, said).code; };
  const std::string_view no_session = "Error: Unable to establish IPMI v2 / RMCP+ session\n";
  EXPECT_EQ(code(no_session), Code::unreachable);
  EXPECT_EQ(code("RAKP 2 message indicates an error : unauthorized name\n"), Code::unauthenticated);
  EXPECT_EQ(code("Error in open session response message : invalid authentication algorithm\n"),
            Code::unsupported);
  EXPECT_EQ(code("Set Chassis Power Control to Up/On failed: Invalid command\n"),
            Code::unsupported);
  EXPECT_EQ(code("Set Chassis Power Control to Up/On failed: Node busy\n"), Code::io);
  EXPECT_EQ(code(""), Code::io);
  const Error refused = ipmi_error(access, "RAKP 2 HMAC is invalid");
  EXPECT_EQ(refused.message.find('\x1b'), std::string::npos);
  EXPECT_EQ(ipmi_error(access, "one\nthe \x1b[2J last\n\n").message.find('\x1b'),
            std::string::npos);
}

}  // namespace
}  // namespace drover::hardware

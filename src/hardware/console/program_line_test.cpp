// Consoles of programs: real processes on a real loop, and what words mean.
#include "hardware/console/program_line.hpp"

#include "net/loop.hpp"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

ProgramPlan script(const std::string& text) {
  ProgramPlan plan;
  plan.way = {"test", "here"};
  plan.command.program = "sh";
  plan.command.arguments = {"-c", text};
  plan.open_words = "[open";
  plan.opens_on_output = true;
  plan.explain = [](std::string_view words) {
    return Error{Code::conflict, "it said: " + std::string(words), {}, {}};
  };
  return plan;
}

class ProgramLineTest : public ::testing::Test {
 protected:
  void run(ProgramPlan plan) {
    ConsoleLineEvents events;
    events.on_open = [this](const ConsoleWay& way) { opened_ = way.kind; };
    events.on_bytes = [this](std::string_view bytes) { seen_ += bytes; };
    events.on_closed = [this](const Error& why) {
      closed_ = why;
      line_.reset();
    };
    line_ = run_console_program(*loop_, programs_, std::move(plan), std::move(events));
  }
  bool until(Callback<bool()> done) { return loop_->run_until(std::move(done), kPatience); }

  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  RealConsolePrograms programs_{*loop_};
  std::string opened_;
  std::string seen_;
  std::optional<Error> closed_;
  std::unique_ptr<ConsoleLine> line_;
};

TEST_F(ProgramLineTest, TheConsoleBeginsBehindTheProgramsOwnWords) {
  run(script("echo starting; echo '[open. Use ~? for help]'; printf 'login: '; cat"));
  ASSERT_TRUE(until([&] { return seen_ == "login: "; })) << seen_;
  EXPECT_EQ(opened_, "test");
  line_->write("~root\r~x~y");
  ASSERT_TRUE(until([&] { return seen_ == "login: ~~root\r~~x~y"; })) << seen_;
  ASSERT_FALSE(line_->send_break()) << "not in the middle of a line";
  line_->write("\r");
  EXPECT_TRUE(line_->send_break());
  ASSERT_TRUE(until([&] { return seen_.ends_with("~y\r~B"); })) << seen_;
}

TEST_F(ProgramLineTest, OneThatSaysItOnItsErrors) {
  ProgramPlan plan =
      script("printf 'banner '; echo 'Authenticated to x' >&2; sleep 0.1; echo more; cat");
  plan.opens_on_output = false;
  plan.open_words = "Authenticated to ";
  run(std::move(plan));
  ASSERT_TRUE(until([&] { return seen_ == "banner more\n"; })) << seen_;
  EXPECT_EQ(opened_, "test");
}

TEST_F(ProgramLineTest, ItsLastWordsSayWhyItEnded) {
  run(script("echo 'somebody else has it' >&2; exit 1"));
  ASSERT_TRUE(until([&] { return closed_.has_value(); }));
  EXPECT_EQ(closed_->message, "it said: somebody else has it\n");
  EXPECT_EQ(opened_, "");
}

TEST_F(ProgramLineTest, OneThatIsNotThereAndOneThatDoesNotOpen) {
  ProgramPlan missing = script("");
  missing.command.program = "drover-has-no-such-program";
  run(std::move(missing));
  ASSERT_TRUE(until([&] { return closed_.has_value(); }));
  EXPECT_EQ(closed_->code, Code::not_found);
  closed_.reset();
  ProgramPlan silent = script("cat");
  silent.limit = std::chrono::milliseconds(50);
  run(std::move(silent));
  ASSERT_TRUE(until([&] { return closed_.has_value(); }));
  EXPECT_EQ(closed_->code, Code::timed_out);
}

TEST_F(ProgramLineTest, LettingGoEndsTheProgram) {
  ProgramPlan plan = script("trap 'echo ended >&2' EXIT; echo '[open]'; cat; echo ended");
  run(std::move(plan));
  ASSERT_TRUE(until([&] { return !opened_.empty(); }));
  line_.reset();
  EXPECT_FALSE(loop_->run_until([&] { return closed_.has_value(); }, std::chrono::milliseconds(50)))
      << "no event follows";
}

TEST(EscapeGuardTest, DoublesWhatBeginsALine) {
  EscapeGuard guard;
  EXPECT_EQ(guard.guard("~."), "~~.");
  EXPECT_EQ(guard.guard("~~"), "~~");
  EXPECT_EQ(guard.guard("\r"), "\r");
  EXPECT_EQ(guard.guard("~~."), "~~~.");
  EXPECT_EQ(guard.guard("\n\n~B"), "\n\n~~B");
}

TEST(SolWords, BecomeErrorsWithTheirNextSteps) {
  const IpmiAccess access{"10.0.0.7", 623, "root", "secret"};
  const auto of = [&](const char* words) { return sol_error(access, words); };
  const Error taken = of("Info: SOL payload already active on another session\n");
  EXPECT_EQ(taken.code, Code::conflict);
  EXPECT_NE(taken.next.find("sol deactivate"), std::string::npos);
  EXPECT_EQ(of("Error: No response to keepalive - Terminating session").code, Code::unreachable);
  EXPECT_EQ(of("> RAKP 2 HMAC is invalid\nError: Unable to establish IPMI v2 / RMCP+ session").code,
            Code::unauthenticated);
  EXPECT_EQ(of("Error: Unable to establish IPMI v2 / RMCP+ session").code, Code::unreachable);
  EXPECT_EQ(of("stdbuf: failed to run command 'ipmitool': No such file").code, Code::not_found);
  EXPECT_EQ(of("Info: SOL payload disabled").code, Code::conflict);
  const ProgramPlan plan = sol_plan(access, 17);
  for (const std::string& word : plan.command.arguments) {
    EXPECT_EQ(word.find("secret"), std::string::npos) << "everybody on this host can read them";
  }
}

TEST(SshWords, BecomeErrorsWithTheirNextSteps) {
  const SshAccess access{"10.0.0.7", 2200, "root", "secret", "", "/k", "/a"};
  const auto of = [&](const char* words) { return ssh_error(access, words); };
  EXPECT_EQ(of("root@10.0.0.7: Permission denied (password).\r\n").code, Code::unauthenticated);
  const Error changed = of("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nx\n");
  EXPECT_EQ(changed.code, Code::conflict);
  EXPECT_EQ(changed.next, "if it was replaced: ssh-keygen -f /k -R '[10.0.0.7]:2200'");
  EXPECT_EQ(of("ssh: connect to host 10.0.0.7 port 2200: Connection refused\r\n").code,
            Code::unreachable);
  EXPECT_EQ(of("").message, "10.0.0.7:2200: the BMC ended the session");
  EXPECT_EQ(of("odd \x1b[2J words").message.find('\x1b'), std::string::npos);
  SshAccess hostile = access;
  hostile.user = "-oProxyCommand=x";
  hostile.host = "-oProxyCommand=y";
  const ProgramPlan plan = ssh_plan(hostile);
  const auto& words = plan.command.arguments;
  const auto end = std::ranges::find(words, "--");
  ASSERT_NE(end, words.end());
  EXPECT_EQ(*(end + 1), hostile.host) << "no option";
  for (const std::string& word : words) EXPECT_EQ(word.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace drover::hardware

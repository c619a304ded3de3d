// drover console against a daemon that says what the test says; terminals are the matter of
// tests/e2e/test_console.py.
#include "base/base64.hpp"
#include "cli/test_daemon.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::json_response;
using testing::problem;
using testing::Ran;
using testing::TestDaemon;
using ExchangePtr = std::shared_ptr<net::HttpExchange>;

constexpr const char* kOpen =
    R"({"session":"abc","console":null,"data":"","end":0,"lost":0,"over":""})"
    "\n"
    R"({"session":"","console":{"node":"n1","state":"open","since":null,"why":"","next":"",)"
    R"("kind":"ipmi","to":"10.0.0.7:623","held":false,"bytes":0,"viewers":[)"
    R"({"who":"a","origin":"","writes":true,"since":null},)"
    R"({"who":"b","origin":"","writes":false,"since":null}]},"data":"","end":0,"lost":0,"over":""})"
    "\n";

std::string said(const std::string& bytes, size_t end) {
  return fmt::format(R"({{"data":"{}","end":{}}})", to_base64url(bytes), end) + "\n";
}

/// A daemon with one console, which answers input with `statuses` in turn and then with 204.
struct Console {
  explicit Console(std::vector<int> answers)
      : statuses(std::move(answers)),
        daemon([this](const net::HttpRequest& request, const ExchangePtr& exchange) {
          if (request.target.starts_with("/api/v1/nodes/n1/console?")) {
            exchange->begin(200, {{"Content-Type", "application/jsonl"}});
            exchange->write(kOpen + said("login: \x1b[1m", 10));
            held.push_back(exchange);
          } else if (request.target == "/api/v1/nodes/n1/console/input") {
            const int status = next < statuses.size() ? statuses[next++] : 204;
            exchange->respond(status == 204
                                  ? net::HttpResponse{204, {}, ""}
                                  : problem(status, "conflict", "it is not open", "wait"));
          } else if (request.target.starts_with("/api/v1/nodes/n2/console")) {
            exchange->respond(problem(409, "conflict", "it has no BMC", "set one"));
          } else if (request.target.starts_with("/api/v1/nodes/n1/console/recording")) {
            exchange->begin(200, {{"Content-Type", "application/jsonl"}});
            exchange->write(R"({"time":"2026-01-01T00:00:00.000Z","data":"YQ","note":""})"
                            "\n"
                            R"({"time":"2026-01-01T00:00:00.500Z","data":"","note":"x came"})"
                            "\n"
                            R"({"time":"2026-01-01T05:00:00.000Z","data":"Yg","note":""})"
                            "\n"
                            R"({"time":null,"data":"","note":"","end":true})"
                            "\n");
            exchange->end();
          } else if (request.target == "/api/v1/consoles") {
            exchange->respond(json_response(
                R"({"items":[{"node":"n1","state":"waiting","since":"2026-01-01T00:00:00.000Z",)"
                R"("why":"10.0.0.7: no\u001b[2J","next":"","kind":"","to":"","held":true,)"
                R"("bytes":0,"viewers":[{"who":"a","writes":true},{"who":"b","writes":false}]}]})"));
          } else {
            exchange->respond(json_response("{}"));
          }
        }) {
    drover.environment["DROVER_SOCKET"] = daemon.socket();
  }
  std::vector<int> statuses;
  size_t next = 0;  ///< of the daemon's thread, as the next
  std::vector<ExchangePtr> held;
  CommandLine drover;
  TestDaemon daemon;
};

std::vector<std::string> inputs(TestDaemon& daemon) {
  std::vector<std::string> out;
  for (const std::string& request : daemon.requests()) {
    if (request.starts_with("POST")) out.push_back(request.substr(request.find('{')));
  }
  return out;
}

TEST(ConsoleCommand, WhatIsPipedInIsTypedOnceWhateverIsAskedAgain) {
  Console console({429, 503});
  console.drover.input = "date\r";
  const Ran ran = console.drover({"console", "n1"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "login: \x1b[1m") << "raw, as consoles are";
  EXPECT_NE(ran.err.find("[n1: open by ipmi to 10.0.0.7:623]\n"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("[n1: here: a (typing), b (looking on)]\n"), std::string::npos) << ran.err;
  const auto sent = inputs(console.daemon);
  const std::string body = fmt::format(
      R"({{"session":"abc","sequence":1,"data":"{}","break":false}})", to_base64url("date\r"));
  EXPECT_EQ(sent, (std::vector<std::string>{body, body, body}));
}

TEST(ConsoleCommand, WhatIsNotTypedIsSaid) {
  Console console({409});
  console.drover.input = "date\r";
  const Ran ran = console.drover({"console", "n1"});
  EXPECT_NE(ran.err.find("[n1: not typed: it is not open - wait]"), std::string::npos) << ran.err;
  EXPECT_EQ(inputs(console.daemon).size(), 1U);
}

TEST(ConsoleCommand, ARefusalEndsIt) {
  Console console({});
  const Ran ran = console.drover({"console", "n2", "--spy"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_NE(ran.err.find("it has no BMC"), std::string::npos);
  EXPECT_NE(ran.err.find("set one"), std::string::npos);
}

TEST(ConsoleCommand, ARecordingIsPlayedWithItsPausesCut) {
  Console console({});
  const Ran fast = console.drover({"console", "n1", "--replay", "--speed", "1000"});
  EXPECT_EQ(fast.code, 0);
  EXPECT_EQ(fast.out, "ab");
  EXPECT_EQ(console.drover({"console", "n1", "--replay", "--speed", "0"}).out, "ab");
}

TEST(ConsoleCommand, TheListIsSafeToLookAt) {
  Console console({});
  const Ran ran = console.drover({"console"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_NE(ran.out.find("a+ b"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
  EXPECT_NE(ran.out.find("\\x1b[2J"), std::string::npos) << ran.out;
}

TEST(ConsoleCommand, OptionsThatDoNotFitAreRefused) {
  const CommandLine drover;
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"console", "--spy"},
                                             {"console", "n1", "--follow"},
                                             {"console", "n1", "--log", "--speed", "2"},
                                             {"console", "n1", "--replay", "--grep", "x"},
                                             {"console", "n1", "--log", "--replay"},
                                             {"console", "n1", "--replay", "--speed", "fast"},
                                             {"console", "n1", "--replay", "--speed", "-1"},
                                             {"console", "n1", "--log", "--grep", "("},
                                             {"console", "n[", "--log"},
                                             {"console", "n1", "--log", "--since", "yesterday"}}) {
    EXPECT_EQ(drover(arguments).code, 2) << arguments.back();
  }
}

}  // namespace
}  // namespace drover::cli

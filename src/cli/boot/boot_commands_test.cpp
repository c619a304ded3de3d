// drover boot watch and drover boot log against an HTTP server that says what the test says.
#include "cli/test_daemon.hpp"

#include <atomic>

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

std::string node(const std::string& name, const std::string& phase, int second) {
  return fmt::format(
      R"({{"name":"{}","phase":{{"state":"{}","since":"2030-01-01T00:00:{:02}.000Z","why":"seen"}}}})",
      name, phase, second);
}
std::string change(int sequence, const std::string& after) {
  return fmt::format("id: {}\nevent: change\ndata: {{\"kind\":\"node\",\"after\":{}}}\n\n",
                     sequence, after);
}
std::string line(int second, const std::string& text, const std::string& name = "n1") {
  return fmt::format(
      R"({{"line":{{"time":"2026-01-01T00:00:{:02}.000Z","node":"{}","source":"kernel",)"
      R"("text":"{}","daemon":"boot1"}},"problem":null,"caught_up":false,"end":false}})"
      "\n",
      second, name, text);
}
constexpr const char* kEnd = "{\"line\":null,\"problem\":null,\"caught_up\":false,\"end\":true}\n";

/// A cluster whose nodes' phases a test moves.
struct Booting {
  explicit Booting(std::string first, std::string changes)
      : daemon([this, first = std::move(first), changes = std::move(changes)](
                   const net::HttpRequest& request, const ExchangePtr& exchange) {
          if (request.target.starts_with("/api/v1/nodes?")) {
            exchange->respond(json_response("{\"items\":[" + first + "]}"));
          } else if (request.target.starts_with("/api/v1/watch")) {
            exchange->begin(200, {{"Content-Type", "text/event-stream"}});
            exchange->write(changes);
            held.push_back(exchange);
          } else if (request.target.starts_with("/api/v1/boot/progress")) {
            exchange->begin(200, {{"Content-Type", "application/jsonl"}});
            exchange->write(
                R"({"boot":{"node":"n1","stage":"kernel","since":"2030-01-01T00:00:01.000Z",)"
                R"("why":"fetches","item":"kernel","done":1048576,"total":2097152,)"
                R"("deadline":null,"daemon":"boot1"},"ended":""})"
                "\n"
                R"({"problem":{"daemon":"boot2","why":"is not linked: away"}})"
                "\n");
            held.push_back(exchange);
          } else {
            exchange->respond(json_response("{}"));
          }
        }) {
    drover.environment["DROVER_SOCKET"] = daemon.socket();
  }
  CommandLine drover;
  std::vector<ExchangePtr> held;  ///< of the daemon's thread
  TestDaemon daemon;
};

TEST(BootWatchCommand, EndsWhenEachIsUpAndWritesEveryPhase) {
  Booting cluster(node("n1", "kernel", 1) + "," + node("n2", "up", 0),
                  change(7, node("n1", "init", 2)) + change(8, node("n1", "up", 3)));
  const Ran ran = cluster.drover({"boot", "watch", "n[1-2]", "-o", "jsonl"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find(R"({"node":"n1","phase":"up","since":"2030-01-01T00:00:03.000Z")"),
            std::string::npos)
      << ran.out;
  const auto requests = cluster.daemon.requests();
  EXPECT_NE(std::ranges::find(requests, "GET /api/v1/watch?kind=node&nodes=n%5B1-2%5D"),
            requests.end());
}

TEST(BootWatchCommand, AFailedBootIsExitStatusOne) {
  Booting cluster(node("n1", "kernel", 1), change(7, node("n1", "error", 2)));
  const Ran ran = cluster.drover({"boot", "watch", "n1"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.out.find("n1  error      seen"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("not up: n1 error"), std::string::npos) << ran.err;
}

TEST(BootWatchCommand, UntilUpTheLimitEndsIt) {
  Booting cluster(node("n1", "error", 1), "");
  const Ran ran = cluster.drover({"boot", "watch", "n1", "--until-up", "--limit", "300ms"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("not every node is up after 300ms: n1 error"), std::string::npos)
      << ran.err;
}

TEST(BootWatchCommand, ATerminalGetsBarsInPlace) {
  Booting cluster(node("n1", "kernel", 1), "");
  cluster.drover.terminal = true;
  cluster.drover.width = 100;
  cluster.drover.height = 24;
  const Ran ran = cluster.drover({"boot", "watch", "n1", "--limit", "500ms"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.out.find("[##########..........]  50%  1.0/2.0 MiB"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\r\x1b[2A"), std::string::npos) << "drawn over what was there";
  EXPECT_NE(ran.err.find("boot daemon boot2 is not linked: away"), std::string::npos) << ran.err;
}

TEST(BootWatchCommand, WhatIsRefusedIsSaid) {
  TestDaemon daemon([](const net::HttpRequest& request, const ExchangePtr& exchange) {
    if (request.target == "/api/v1/version") return exchange->respond(json_response("{}"));
    exchange->respond(problem(404, "not-found", "no such node: nosuch", "drover node list"));
  });
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"boot", "watch", "nosuch"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("no such node: nosuch"), std::string::npos) << ran.err;
  EXPECT_EQ(drover({"boot", "watch", "n[1-"}).code, 2);
  EXPECT_EQ(drover({"boot", "watch", "n1", "--limit", "soon"}).code, 2);
}

/// Answers requests for a log in turn.
struct Logs {
  explicit Logs(std::vector<std::string> answers)
      : daemon([this, answers = std::move(answers)](const net::HttpRequest& request,
                                                    const ExchangePtr& exchange) {
          if (!request.target.starts_with("/api/v1/boot/log")) {
            return exchange->respond(json_response("{}"));
          }
          exchange->begin(200, {{"Content-Type", "application/jsonl"}});
          exchange->write(answers.at(std::min<size_t>(asked++, answers.size() - 1)));
          exchange->end();
        }) {
    drover.environment["DROVER_SOCKET"] = daemon.socket();
  }
  size_t asked = 0;  ///< of the daemon's thread
  CommandLine drover;
  TestDaemon daemon;
};

TEST(BootLogCommand, PrintsLinesAndAsksForWhatWasSaid) {
  Logs logs({line(1, "one") + line(2, "a\\u001b[31mb", "n2") + kEnd});
  const Ran ran = logs.drover({"boot", "log", "n[1-2]", "--grep", "o|a", "--lines", "5", "--since",
                               "2026-01-01T00:00:00Z"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "2026-01-01T00:00:01.000Z n1 kernel: one\n"
            "2026-01-01T00:00:02.000Z n2 kernel: a\\x1b[31mb\n");
  EXPECT_EQ(logs.daemon.requests().back(),
            "GET /api/v1/boot/log?nodes=n%5B1-2%5D&grep=o%7Ca&lines=5&since="
            "2026-01-01T00%3A00%3A00.000Z");
}

TEST(BootLogCommand, OtherFormsAreLists) {
  Logs logs({line(1, "one") + kEnd});
  EXPECT_EQ(logs.drover({"boot", "log", "n1", "-o", "csv"}).out,
            "time,node,source,text,daemon\n2026-01-01T00:00:01.000Z,n1,kernel,one,boot1\n");
  EXPECT_EQ(logs.drover({"boot", "log", "n1", "-o", "jsonl"}).out.substr(0, 9), "{\"time\":\"");
}

TEST(BootLogCommand, FollowedItGoesOnAfterABreakAndShowsNothingTwice) {
  Logs logs(
      {line(1, "one") + line(2, "two"), line(2, "two") + line(2, "too") + line(3, "three"), kEnd});
  const Ran ran = logs.drover({"boot", "log", "n1", "--follow"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out,
            "2026-01-01T00:00:01.000Z n1 kernel: one\n2026-01-01T00:00:02.000Z n1 kernel: two\n"
            "2026-01-01T00:00:02.000Z n1 kernel: too\n2026-01-01T00:00:03.000Z n1 kernel: three\n");
  EXPECT_EQ(logs.daemon.requests().at(2),
            "GET /api/v1/boot/log?nodes=n1&follow=true&since=2026-01-01T00%3A00%3A02.000Z");
}

TEST(BootTraceCommand, ShowsTheStepsOfTheLastBoot) {
  Logs logs({line(1, "was enrolled") + line(2, "DHCP DISCOVER") + line(4, "TFTP x") + kEnd});
  const Ran ran = logs.drover({"boot", "trace", "n1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("was enrolled"), std::string::npos) << "that was the boot before";
  EXPECT_NE(ran.out.find("AFTER_MS"), std::string::npos) << ran.out;
  EXPECT_EQ(logs.daemon.requests().back(),
            "GET /api/v1/boot/log?nodes=n1&grep=%5E%28boot%7Cpanic%29%3A%20");
  const Ran all = logs.drover({"boot", "trace", "n1", "--all", "-o", "csv"});
  EXPECT_EQ(all.out,
            "time,node,after_ms,step_ms,text,source,boot,daemon\n"
            "2026-01-01T00:00:01.000Z,n1,0,0,was enrolled,kernel,2026-01-01T00:00:01.000Z,boot1\n"
            "2026-01-01T00:00:02.000Z,n1,0,0,DHCP DISCOVER,kernel,2026-01-01T00:00:02.000Z,boot1\n"
            "2026-01-01T00:00:04.000Z,n1,2000,2000,TFTP x,kernel,2026-01-01T00:00:02.000Z,boot1\n");
  EXPECT_EQ(logs.drover({"boot", "trace", "n[1-"}).code, 2);
  EXPECT_EQ(logs.drover({"boot", "trace", "n1", "--since", "soon"}).code, 2);
}

TEST(BootLogCommand, ADaemonThatIsAwayIsToldAndCounts) {
  Logs logs({R"({"problem":{"daemon":"boot2","why":"is not linked: silent"}})"
             "\n" +
             line(1, "one") + kEnd});
  const Ran ran = logs.drover({"boot", "log", "n1"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("boot daemon boot2 is not linked: silent"), std::string::npos);
}

TEST(BootLogCommand, ALogThatBreaksOffIsNotWhole) {
  Logs logs({line(1, "one")});
  const Ran ran = logs.drover({"boot", "log", "n1"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.err.find("the log broke off"), std::string::npos) << ran.err;
}

TEST(BootLogCommand, MistakesAreSaidBeforeAnybodyIsAsked) {
  Logs logs({kEnd});
  EXPECT_EQ(logs.drover({"boot", "log", "n1", "--grep", "("}).code, 2);
  EXPECT_EQ(logs.drover({"boot", "log", "n1", "--since", "yesterday"}).code, 2);
  EXPECT_EQ(logs.drover({"boot", "log", "n1", "--follow", "-o", "yaml"}).code, 2);
  EXPECT_TRUE(logs.daemon.requests().empty());
}

TEST(BootLeasesCommand, ShowsWhatEveryDaemonSaysAndWhoIsSilent) {
  TestDaemon daemon([](const net::HttpRequest& request, const ExchangePtr& exchange) {
    if (!request.target.starts_with("/api/v1/boot/leases")) {
      return exchange->respond(json_response("{}"));
    }
    const bool all = request.target.ends_with("?all=true");
    exchange->begin(200, {{"Content-Type", "application/jsonl"}});
    exchange->write(
        R"({"lease":{"address":"10.0.0.200","state":"leased","client":"02:00:00:00:00:01",)"
        R"("name":"probe","since":"2026-01-01T00:00:00.000Z","until":"2026-01-01T01:00:00.000Z",)"
        R"("daemon":"boot1"}})"
        "\n");
    if (all) {
      exchange->write(R"({"problem":{"daemon":"boot2","why":"is not linked: away"}})"
                      "\n");
    }
    exchange->write("{\"end\":true}\n");
    exchange->end();
  });
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"boot", "leases", "-o", "csv"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("10.0.0.200,leased,02:00:00:00:00:01,probe"), std::string::npos)
      << ran.out;
  const Ran all = drover({"boot", "leases", "--all"});
  EXPECT_EQ(all.code, 1) << "one of them did not say";
  EXPECT_NE(all.err.find("boot daemon boot2 is not linked"), std::string::npos) << all.err;
}

}  // namespace
}  // namespace drover::cli

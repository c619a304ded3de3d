// drover watch against a real HTTP server on a Unix socket.
#include "base/json_values.hpp"
#include "cli/command.hpp"
#include "cli/test_daemon.hpp"
#include "net/http/target.hpp"

#include <atomic>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::Answers;
using testing::CommandLine;
using testing::from_table;
using testing::json_response;
using testing::problem;
using testing::Ran;
using testing::run_against;
using testing::TestDaemon;

std::string event(int sequence) {
  return fmt::format(
      "id: {0}\nevent: change\ndata: "
      R"({{"sequence":{0},"time":"2026-01-01T00:00:00.000Z","kind":"node","key":"n{0}","operation":"put","before":null,"after":{{}}}})"
      "\n\n",
      sequence);
}

TEST(Cli, WatchGoesOnWithoutAGapAfterABreak) {
  std::atomic<int> streams = 0;
  TestDaemon daemon([&streams](const net::HttpRequest& request, const auto& exchange) {
    if (request.target == "/api/v1/version") return exchange->respond(json_response("{}"));
    exchange->begin(200, {{"Content-Type", "text/event-stream"}});
    if (++streams == 1) {
      exchange->write(event(11) + event(12) + "id: 13\nevent: change\ndata: {\"cut");
      // Dropped once it is sent: the connection breaks in the middle of an event.
      auto held = std::make_shared<std::shared_ptr<net::HttpExchange>>(exchange);
      exchange->on_drained([held] { held->reset(); });
      return;
    }
    exchange->write("id: 12\nevent: bookmark\ndata: {}\n\n" + event(12) + event(13) + event(14));
    exchange->end();
  });
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"watch", "--since", "10", "--count", "4"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "00:00:00 #11 node/n11 created\n00:00:00 #12 node/n12 created\n"
            "00:00:00 #13 node/n13 created\n00:00:00 #14 node/n14 created\n");
  EXPECT_NE(ran.err.find("going on after #12"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("connected again, nothing was missed"), std::string::npos) << ran.err;
  EXPECT_EQ(daemon.requests(),
            (std::vector<std::string>{"GET /api/v1/version", "GET /api/v1/watch?since=10",
                                      "GET /api/v1/watch?since=12"}));
}

TEST(Cli, WatchEndsWhereTheLogNoLongerReaches) {
  const Ran ran = run_against(
      {{"GET /api/v1/version", json_response("{}")},
       {"GET /api/v1/watch", problem(410, "too-old", "the log begins at 500", "drover node list")}},
      {"watch", "--since", "3"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "drover: the log begins at 500\nnext: drover node list\n");
}

TEST(Cli, WatchFilters) {
  TestDaemon daemon([](const net::HttpRequest& request, const auto& exchange) {
    if (request.target == "/api/v1/version") return exchange->respond(json_response("{}"));
    exchange->begin(200, {{"Content-Type", "text/event-stream"}});
    exchange->write(event(1) + event(2) + event(3));
    exchange->end();
  });
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"watch", "node/n2", "--count", "1", "-o", "jsonl"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(parse_json(ran.out).value().at("sequence"), 2);
}

}  // namespace
}  // namespace drover::cli

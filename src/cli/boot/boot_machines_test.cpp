// drover boot leases, trace, unknown, approve and ignore: what is asked and what is shown.
#include "cli/test_daemon.hpp"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::json_response;
using testing::problem;
using testing::Ran;
using testing::TestDaemon;

/// Answers every request with one body.
struct Fixed {
  explicit Fixed(net::HttpResponse answer)
      : daemon([answer = std::move(answer)](const net::HttpRequest&, const auto& exchange) {
          exchange->respond(answer);
        }) {
    drover.environment["DROVER_SOCKET"] = daemon.socket();
  }
  CommandLine drover;
  TestDaemon daemon;
};

TEST(BootMachineCommands, LeasesAreATableAndTheDegradedAreNamed) {
  net::HttpResponse answer = json_response(
      R"({"items":[{"address":"10.0.0.200","mac":"52:54:00:77:00:01","node":"","network":"boot",)"
      R"("state":"leased","name":"","since":null,"expires":"2026-01-01T00:00:00.000Z",)"
      R"("daemon":"boot1"},{"address":"10.0.0.11","mac":"52:54:00:77:00:02","node":"n1",)"
      R"("network":"boot","state":"reserved","name":"","since":null,"expires":null,)"
      R"("daemon":"boot1"}]})");
  answer.headers.add("Drover-Degraded", "boot daemon boot2 is not linked: silent");
  Fixed cluster(answer);
  const Ran all = cluster.drover({"boot", "leases"});
  EXPECT_EQ(all.code, 0);
  EXPECT_NE(all.out.find("10.0.0.11"), std::string::npos) << all.out;
  EXPECT_NE(all.err.find("boot daemon boot2 is not linked"), std::string::npos) << all.err;
  const Ran dynamic = cluster.drover({"boot", "leases", "--dynamic"});
  EXPECT_NE(dynamic.out.find("10.0.0.200"), std::string::npos);
  EXPECT_EQ(dynamic.out.find("10.0.0.11"), std::string::npos) << dynamic.out;
}

TEST(BootMachineCommands, ATraceIsOfANodeOrOfAMac) {
  Fixed cluster(json_response(R"({"items":[]})"));
  EXPECT_EQ(cluster.drover({"boot", "trace", "n1", "--events", "9"}).code, 0);
  EXPECT_EQ(cluster.drover({"boot", "trace", "52:54:00:77:00:01"}).code, 0);
  const auto requests = cluster.daemon.requests();
  EXPECT_NE(requests.at(0).find("/boot/trace?node=n1&events=9"), std::string::npos);
  EXPECT_NE(requests.at(1).find("/boot/trace?mac=52%3A54%3A00%3A77%3A00%3A01"), std::string::npos);
}

TEST(BootMachineCommands, ApproveSaysWhoAMachineIs) {
  Fixed cluster(json_response(R"({"mac":"52:54:00:77:00:01","node":"n1","problem":""})"));
  const Ran ran = cluster.drover(
      {"boot", "approve", "52:54:00:77:00:01", "--as", "n1", "--replace", "--why", "new board"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "52:54:00:77:00:01 is n1\n");
  EXPECT_EQ(cluster.daemon.requests().back(),
            R"(POST /api/v1/boot/unknown/52%3A54%3A00%3A77%3A00%3A01/approve )"
            R"({"node":"n1","replace":true,"why":"new board"})");
}

TEST(BootMachineCommands, AutoNamesAllAndTellsWhoGotNone) {
  Fixed cluster(json_response(
      R"({"items":[{"mac":"52:54:00:77:00:01","node":"n1","problem":""},)"
      R"({"mac":"52:54:00:77:00:02","node":"","problem":"each of the 1 names has a machine"}]})"));
  const Ran ran = cluster.drover({"boot", "approve", "--auto", "n1", "--by", "port", "--dry-run"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "52:54:00:77:00:01 would be n1\n");
  EXPECT_NE(ran.err.find("each of the 1 names"), std::string::npos);
  EXPECT_EQ(cluster.daemon.requests().back(),
            R"(POST /api/v1/boot/number?dry_run=true {"nodes":"n1","why":"","by":"port"})");
}

TEST(BootMachineCommands, IgnoreAndItsUndoing) {
  Fixed cluster(json_response(R"({"mac":"52:54:00:77:00:01","ignored":true})"));
  EXPECT_EQ(cluster.drover({"boot", "ignore", "52:54:00:77:00:01"}).out,
            "52:54:00:77:00:01 is ignored\n");
  EXPECT_EQ(cluster.drover({"boot", "ignore", "52:54:00:77:00:01", "--undo"}).out,
            "52:54:00:77:00:01 is no longer ignored\n");
  EXPECT_NE(cluster.daemon.requests().back().find(R"("ignored":false)"), std::string::npos);
}

TEST(BootMachineCommands, MistakesAreSaidBeforeAnybodyIsAsked) {
  Fixed cluster(json_response("{}"));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"approve"},
           {"approve", "52:54:00:77:00:01"},
           {"approve", "nomac", "--as", "n1"},
           {"approve", "52:54:00:77:00:01", "--auto", "n1"},
           {"approve", "52:54:00:77:00:01", "--as", "n1", "--by", "port"},
           {"approve", "--auto", "n[1-"},
           {"ignore", "nomac"},
           {"ignore", "52:54:00:77:00:01", "--undo", "--forget"}}) {
    std::vector<std::string> line{"boot"};
    line.insert(line.end(), words.begin(), words.end());
    EXPECT_EQ(cluster.drover(line).code, 2) << words.back();
  }
  EXPECT_TRUE(cluster.daemon.requests().empty());
}

}  // namespace
}  // namespace drover::cli

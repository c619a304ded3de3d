// drover boot unknown, approve and ignore: what is asked and what is shown.
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

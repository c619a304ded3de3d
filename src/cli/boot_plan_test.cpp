// drover boot show and set, and drover network, against a daemon that answers from a table.
#include "cli/test_daemon.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::Answers;
using testing::CommandLine;
using testing::from_table;
using testing::json_response;
using testing::Ran;
using testing::run_against;
using testing::TestDaemon;

constexpr const char* kExpand = R"({"items":["n1","n2"],"count":2})";
constexpr const char* kDone =
    R"({"results":[{"nodes":"n[1-2]","count":2,"status":200,"problem":null}],"done":2,"failed":0,
        "dry_run":false})";

TEST(BootPlan, IsShownWithItsOrigins) {
  const Answers answers{
      {"GET /api/v1/nodes/n1/boot",
       json_response(R"({"node":"n1","problem":"","fix":"","from":"network","mode":"lean",
         "loader":"ipxe","image":"rocky","interface":"eth0","mac":"52:54:00:77:00:01",
         "network":"boot","once":true,"values":[{"name":"image","value":"rocky",
         "origin":"profile gpu of node"}],"script":"#!ipxe\nboot\n"})")}};
  const Ran shown = run_against(answers, {"boot", "show", "n1"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out,
            "n1 boots rocky (lean mode) by eth0, 52:54:00:77:00:01, on boot, this once\n"
            "WHAT   VALUE  FROM\nimage  rocky  profile gpu of node\n");
  EXPECT_EQ(run_against(answers, {"boot", "show", "n1", "--script"}).out, "#!ipxe\nboot\n");
}

TEST(BootPlan, FailsWhereTheNodeCannotBoot) {
  const Answers answers{
      {"GET /api/v1/nodes/n1/boot",
       json_response(R"({"node":"n1","problem":"the node has no image","fix":"drover boot set",
                         "values":[],"script":""})")}};
  const Ran shown = run_against(answers, {"boot", "show", "n1"});
  EXPECT_EQ(shown.code, 1);
  EXPECT_NE(shown.err.find("n1 cannot boot: the node has no image"), std::string::npos);
  EXPECT_NE(shown.err.find("drover boot set"), std::string::npos);
}

TEST(BootPlan, IsSetForGoodOrOnce) {
  const Answers answers{{"GET /api/v1/noderange/expand", json_response(kExpand)},
                        {"PATCH /api/v1/nodes", json_response(kDone)},
                        {"POST /api/v1/boot-next", json_response(kDone)},
                        {"DELETE /api/v1/boot-next", json_response(kDone)}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"boot", "set", "n[1-2]", "--image", "rocky:stable", "--mode", "image",
                    "--profile", "gpu", "--why", "new"})
                .out,
            "n[1-2]: changed\n");
  EXPECT_EQ(daemon.requests().back(),
            R"(PATCH /api/v1/nodes?nodes=n%5B1-2%5D {"why":"new","spec":{"attributes":)"
            R"({"image":"rocky:stable","boot_mode":"image"}},"edits":[{"field":"profiles",)"
            R"("how":"add","values":["gpu"]}]})");
  EXPECT_EQ(drover({"boot", "set", "n[1-2]", "--mode", "lean", "--next"}).code, 0);
  EXPECT_EQ(daemon.requests().back(), R"(POST /api/v1/boot-next?nodes=n%5B1-2%5D {"mode":"lean"})");
  EXPECT_EQ(drover({"boot", "set", "n[1-2]", "--clear", "--why", "no"}).code, 0);
  EXPECT_EQ(daemon.requests().back(), "DELETE /api/v1/boot-next?nodes=n%5B1-2%5D&why=no");
  EXPECT_EQ(drover({"boot", "set", "n1"}).code, 2);
  EXPECT_EQ(drover({"boot", "set", "n1", "--clear", "--next"}).code, 2);
  EXPECT_EQ(drover({"boot", "set", "n1", "--mode", "fast"}).code, 2);
}

TEST(Networks, AreAddedListedAndChanged) {
  const Answers answers{
      {"POST /api/v1/networks", json_response(R"({"name":"boot"})")},
      {"PATCH /api/v1/networks/boot", json_response(R"({"name":"boot"})")},
      {"GET /api/v1/networks",
       json_response(R"({"items":[{"name":"boot","prefix":"10.77.0.0/24","mode":"full","pool":"",
                         "unknown":"discover","gateway":"","domain":"c.test","description":""}]})")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"network", "add", "boot", "prefix=10.77.0.0/24", "nameservers=10.77.0.1,::1",
                    "mtu=9000"})
                .out,
            "network boot added\n");
  EXPECT_EQ(daemon.requests().back(),
            R"(POST /api/v1/networks {"prefix":"10.77.0.0/24","nameservers":["10.77.0.1","::1"],)"
            R"("mtu":9000,"name":"boot"})");
  EXPECT_EQ(drover({"network", "unset", "boot", "pool"}).out, "network boot changed\n");
  EXPECT_EQ(daemon.requests().back(), R"(PATCH /api/v1/networks/boot {"pool":null})");
  EXPECT_NE(drover({"network", "list"}).out.find("boot     10.77.0.0/24  full"), std::string::npos);
  const Ran wrong = drover({"network", "set", "boot", "pol=1"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("did you mean pool?"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace drover::cli
